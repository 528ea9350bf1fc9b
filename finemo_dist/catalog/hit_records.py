"""Rows of a table of hits as fixed-size records, checked on the way."""

from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from finemo_dist.core.schema import FINEMO_HIT_COLUMNS

COLLAPSE_RECORD: Final = np.dtype(
    [
        ("row", np.int64),
        ("start", np.int64),
        ("end", np.int64),
        ("start_untrimmed", np.int64),
        ("peak_id", np.uint32),
        ("chr_code", np.int32),
        ("name_code", np.int32),
        ("hit_similarity", np.float32),
        ("hit_coefficient", np.float32),
        ("hit_coefficient_global", np.float32),
    ]
)
"""What decides which hits overlap and which is best; ``row`` is the number of a line."""
INTERSECT_RECORD: Final = np.dtype(
    [
        ("line_start", np.int64),
        ("start", np.int64),
        ("end", np.int64),
        ("start_untrimmed", np.int64),
        ("end_untrimmed", np.int64),
        ("peak_name_hash", np.uint64),
        ("peak_id", np.uint32),
        ("chr_code", np.int32),
        ("name_code", np.int32),
        ("line_bytes", np.uint32),
        ("hit_coefficient", np.float32),
        ("hit_coefficient_global", np.float32),
        ("hit_similarity", np.float32),
        ("hit_correlation", np.float32),
        ("hit_importance", np.float32),
        ("hit_importance_sq", np.float32),
    ]
)
"""What decides which hits are the same and in what order they come; and where a line lies."""

SCORE_COLUMNS: Final = (
    "hit_coefficient",
    "hit_coefficient_global",
    "hit_similarity",
    "hit_correlation",
    "hit_importance",
    "hit_importance_sq",
)
NAME_COLUMNS: Final = ("motif_name", "strand")
"""What ``name_code`` stands for."""
_LONGEST: Final = 1 << 31
NO_CHROM: Final = -1
"""``chr_code`` without a chromosome."""


class NameCodes:
    """Chromosomes, and motif names with their strand, as numbers in the order they are met."""

    def __init__(self) -> None:
        self._chroms: dict[str, int] = {}
        self._names: dict[tuple[str, str], int] = {}

    @property
    def chroms(self) -> Sequence[str]:
        """The chromosomes met, by their codes."""
        return tuple(self._chroms)

    def chrom(self, name: str) -> int:
        """Return the code of a chromosome."""
        return self._chroms.setdefault(name, len(self._chroms))

    def chrom_codes(self, column: pa.Array) -> NDArray[np.int32]:
        """Return the codes of chromosomes; ``NO_CHROM`` of nulls."""
        encoded = column.dictionary_encode()
        known = [self.chrom(name) for name in encoded.dictionary.to_pylist()]
        # Of a null the index is null too: the last entry.
        index: NDArray[np.int32] = pc.fill_null(encoded.indices, -1).to_numpy()
        return np.array([*known, NO_CHROM], np.int32)[index]

    def name_codes(self, motif: pa.Array, strand: pa.Array) -> NDArray[np.int32]:
        """Return the codes of motif names and strands, neither of which may be null."""
        motif, strand = motif.dictionary_encode(), strand.dictionary_encode()
        strands = strand.dictionary.to_pylist()
        n_strands = len(strands)
        local: NDArray[np.int64] = (
            motif.indices.to_numpy().astype(np.int64) * n_strands + strand.indices.to_numpy()
        )
        present = np.bincount(local, minlength=len(motif.dictionary) * n_strands)
        pairs = product(motif.dictionary.to_pylist(), strands)
        codes = [
            self._names.setdefault(pair, len(self._names)) if n else 0
            for n, pair in zip(present, pairs, strict=True)
        ]
        return np.array(codes, np.int32)[local]

    def chrom_names(self, codes: NDArray[np.int32]) -> pa.Array:
        """Return the chromosomes of codes; null for ``NO_CHROM``."""
        return pa.array(self.chroms, pa.string()).take(pa.array(codes, mask=codes < 0))

    def names(self, codes: NDArray[np.int32], which: int) -> pa.Array:
        """Return the motif names (0) or strands (1) of codes."""
        names = [pair[which] for pair in tuple(self._names)]
        return pa.array(names, pa.string()).take(pa.array(codes))

    def name_ranks(self) -> NDArray[np.int32]:
        """Return of each ``name_code`` its place in the order of motif name and strand."""
        ranks = np.empty(len(self._names), np.int32)
        # In Python code points sort as their UTF-8 bytes do.
        for rank, name in enumerate(sorted(self._names)):
            ranks[self._names[name]] = rank
        return ranks


class HitRecords:
    """Turns batches of rows, in the order of a table, into records."""

    def __init__(self, dtype: np.dtype[np.void], codes: NameCodes) -> None:
        self.n_rows = 0
        self._dtype = dtype
        self._codes = codes

    @property
    def columns(self) -> list[str]:
        """The columns that records are made of."""
        numbers = [name for name in self._dtype.names or () if name in FINEMO_HIT_COLUMNS]
        return ["chr", *NAME_COLUMNS, *numbers]

    def take(self, batch: pa.RecordBatch) -> tuple[NDArray[Any], int | None]:
        """Return the records of a batch, and the number in the table of its first row that is none.

        Numbers and names that are not there, places that are not whole or have no length, and
        numbers out of any genome make a row that is no hit. The records are only good without one.
        Fields that are neither columns nor codes are left for the caller to fill.
        """
        columns = {name: batch.column(name) for name in batch.schema.names}
        records = np.empty(batch.num_rows, self._dtype)
        is_hit = _fill_numbers(records, columns)
        for name in NAME_COLUMNS:
            if columns[name].null_count:
                is_hit &= columns[name].is_valid().to_numpy(zero_copy_only=False)
        if not np.all(is_hit):
            return records, self.n_rows + int(np.argmin(is_hit))
        records["chr_code"] = self._codes.chrom_codes(columns["chr"])
        records["name_code"] = self._codes.name_codes(columns["motif_name"], columns["strand"])
        self.n_rows += batch.num_rows
        return records, None


def _fill_numbers(records: NDArray[Any], columns: dict[str, pa.Array]) -> NDArray[np.bool_]:
    """Fill in the numbers of rows, and return whether those of each are a hit's."""
    is_hit = np.ones(len(records), np.bool_)
    # Nulls are NaN here, and NaN becomes any whole number, none of which equals it.
    with np.errstate(invalid="ignore"):
        for name in [name for name in records.dtype.names or () if name in columns]:
            number = columns[name].to_numpy(zero_copy_only=False)
            records[name] = number
            if number.dtype.kind == "f" or number.dtype != records.dtype[name]:
                is_hit &= records[name] == number
    length = records["end"] - records["start"]
    is_hit &= (length > 0) & (length < _LONGEST)
    return is_hit
