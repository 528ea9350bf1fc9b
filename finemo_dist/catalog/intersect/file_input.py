"""A table of hits as an input of an intersection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.hit_blocks import file_records
from finemo_dist.catalog.hit_file import HitFile
from finemo_dist.catalog.hit_records import INTERSECT_RECORD, HitRecords, NameCodes
from finemo_dist.catalog.intersect.file_lines import CellReader
from finemo_dist.catalog.intersect.inputs import PieceHits, Said, Texts
from finemo_dist.catalog.intersect.pieces import Piece, Window
from finemo_dist.catalog.staging import Staging
from finemo_dist.catalog.text import whole_lines
from finemo_dist.catalog.window_file import WindowFile, window_numbers, window_place


class FileInput:
    """A table of hits, read once into a temporary file of records, and then again for its cells."""

    def __init__(
        self,
        file: HitFile,
        staging: Staging,
        number: int,
        codes: NameCodes,
        said: Said,
        threads: int | None,
    ) -> None:
        self._codes = codes
        self._windows = WindowFile(staging.folder / f"windows{number}", INTERSECT_RECORD)
        path = _as_plain(file, staging.folder / f"lines{number}.tsv")
        places = [file.columns.index(name) for name in said.columns]
        self._cells = CellReader(path, len(file.columns), tuple(_neighbours(places)))
        self._read(file, staging, said, threads)
        found = self._windows.counts
        chroms = (*codes.chroms, None)
        self._numbers: dict[Window, int] = {}
        for number in sorted(found):
            code, index = window_place(number)
            self._numbers[chroms[code], index] = number
        self.counts: Mapping[Window, int] = {
            window: found[number] for window, number in self._numbers.items()
        }

    def hits(self, piece: Piece) -> PieceHits:
        """Return the hits in a piece."""
        numbers = [number for window, number in self._numbers.items() if piece.holds(window)]
        return _FileHits(self._windows.read(numbers), self._cells)

    def _read(self, file: HitFile, staging: Staging, said: Said, threads: int | None) -> None:
        hits = HitRecords(INTERSECT_RECORD, self._codes)
        place = "start_untrimmed" if said.is_relaxed else "start"
        with self._cells.path.open("rb") as lines:
            for records, block in file_records(
                file, lines, hits, beside=["peak_name"], threads=threads
            ):
                names = pa.table({"peak_name": block.rows.column("peak_name")})
                hashes = staging.answer("peak_name_hashes", names)
                records["peak_name_hash"] = hashes.column(0).to_numpy()
                records["line_start"], records["line_bytes"] = block.line_starts, block.line_bytes
                numbers = window_numbers(records["chr_code"], records[place], records["peak_id"])
                self._windows.add(records, numbers)


@dataclass(frozen=True, slots=True)
class _FileHits:
    records: NDArray[Any]
    cells: CellReader

    def texts(self, rows: NDArray[np.intp]) -> Texts:
        lines = self.records[rows]
        return self.cells.read(lines["line_start"], lines["line_bytes"].astype(np.int64))


def _as_plain(file: HitFile, plain: Path) -> Path:
    """Return a file whose lines can be read from any of them, each with an end."""
    if not file.is_gzipped:
        return file.path
    with file.open() as source, plain.open("wb") as target:
        target.writelines(whole_lines(source))
    return plain


def _neighbours(places: Sequence[int]) -> list[tuple[int, int]]:
    """Return numbers as runs that count up, each by its first and last."""
    bounds = [0, *(i for i, (a, b) in enumerate(pairwise(places), 1) if b != a + 1), len(places)]
    return [(places[low], places[high - 1]) for low, high in pairwise(bounds)]
