"""What is intersected: tables of hits and samples of runs, each read piece by piece."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.hit_file import HitFile
from finemo_dist.catalog.hit_records import INTERSECT_RECORD, HitRecords, NameCodes
from finemo_dist.catalog.intersect.file_lines import CellReader, LineSpans
from finemo_dist.catalog.intersect.pieces import Piece, Window
from finemo_dist.catalog.staging import Staging
from finemo_dist.catalog.text import whole_lines
from finemo_dist.catalog.window_file import (
    BASES_SHIFT,
    PEAKS_SHIFT,
    WindowFile,
    window_numbers,
    window_place,
)
from finemo_dist.core.ahead import ahead
from finemo_dist.core.errors import RunError

Texts = list[pa.Array]
"""Cells of lines, one entry a line; several are put side by side."""


@dataclass(frozen=True, slots=True)
class RunHits:
    """The hits of one sample of a run."""

    catalog: Catalog
    sample: str


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer takes from an input.

    Attributes
    ----------
    columns
        In the order in which they are written.
    is_relaxed
        Whether hits are placed by their untrimmed starts.
    """

    columns: Sequence[str]
    is_relaxed: bool


class PieceHits(Protocol):
    """Hits of an input in a piece."""

    @property
    def records(self) -> NDArray[Any]:
        """(hits,) of ``INTERSECT_RECORD``."""
        ...

    def texts(self, rows: NDArray[np.intp]) -> Texts:
        """Return what the answer takes from some of the hits, by their numbers."""
        ...


class FileInput:
    """A table of hits, read once into a temporary file of records, and then again for its cells."""

    def __init__(
        self, file: HitFile, staging: Staging, number: int, codes: NameCodes, said: Said
    ) -> None:
        self._codes = codes
        self._windows = WindowFile(staging.folder / f"windows{number}", INTERSECT_RECORD)
        path = _as_plain(file, staging.folder / f"lines{number}.tsv")
        places = [file.columns.index(name) for name in said.columns]
        self._cells = CellReader(path, len(file.columns), tuple(_neighbours(places)))
        self._read(file, staging, said)
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

    def _read(self, file: HitFile, staging: Staging, said: Said) -> None:
        taker = HitRecords(INTERSECT_RECORD, self._codes)
        with self._cells.path.open("rb") as lines:
            lines.readline()
            spans = LineSpans(lines)
            for batch in ahead(staging.stream(file, "intersect_columns")):
                records, fault = taker.take(batch)
                if fault is not None:
                    file.refuse_row(fault, batch.slice(fault - taker.n_rows, 1).to_pylist()[0])
                starts, n_bytes = spans.take(len(records))
                if len(starts) < len(records):
                    file.refuse_lines()
                records["line_start"], records["line_bytes"] = starts, n_bytes
                place = records["start_untrimmed" if said.is_relaxed else "start"]
                numbers = window_numbers(records["chr_code"], place, records["peak_id"])
                self._windows.add(records, numbers)
            if len(spans.take(1)[0]):
                file.refuse_lines()


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


class RunInput:
    """A sample of a run, whose hits the catalog finds by place."""

    def __init__(self, hits: RunHits, codes: NameCodes, said: Said, *, is_first: bool) -> None:
        self._catalog = hits.catalog
        self._codes = codes
        has_coordinates = hits.catalog.sample(hits.sample).has_coordinates
        # Where peaks overlap, hits has a site once a peak, and every copy would meet every other.
        table = "hits_unique" if said.is_relaxed and has_coordinates else "hits"
        self._chunk: dict[str, object] = {
            "sample": hits.sample,
            "table": table,
            "is_relaxed": said.is_relaxed,
            "is_first": is_first,
        }
        self._chrom_ids: dict[str | None, int] = {}
        self.counts: dict[Window, int] = {}
        wanted = {
            **{name: self._chunk[name] for name in ("sample", "table", "is_relaxed")},
            "window_bases": 1 << BASES_SHIFT,
            "window_peaks": 1 << PEAKS_SHIFT,
        }
        for chrom, chrom_id, index, n_hits in hits.catalog.run("intersect_counts", wanted):
            self._chrom_ids[chrom] = chrom_id
            self.counts[chrom, index] = n_hits

    def hits(self, piece: Piece) -> PieceHits:
        """Return the hits in a piece."""
        ids = [self._chrom_ids[chrom] for chrom in piece.chromosomes]
        (low, high), (first_peak, last_peak) = piece.bases, piece.peaks
        bounds = {"low": low, "high": high, "first_peak": first_peak, "last_peak": last_peak}
        chunk = {**self._chunk, "chr_ids": ids, **bounds}
        taker = HitRecords(INTERSECT_RECORD, self._codes)
        records, texts = [np.empty(0, INTERSECT_RECORD)], [pa.array([], pa.large_binary())]
        for batch in self._catalog.stream("intersect_run", chunk):
            taken, fault = taker.take(batch)
            if fault is not None:
                raise RunError(
                    f"{self._catalog.run_dir}: a row of sample {self._chunk['sample']} is no hit. "
                    "Run `finemo-dist verify` on it."
                )
            records.append(taken)
            texts.append(batch.column("said").cast(pa.large_binary()))
        return _RunHits(np.concatenate(records), pa.concat_arrays(texts))


@dataclass(frozen=True, slots=True)
class _RunHits:
    records: NDArray[Any]
    said: pa.Array

    def texts(self, rows: NDArray[np.intp]) -> Texts:
        return [self.said.take(pa.array(rows))]
