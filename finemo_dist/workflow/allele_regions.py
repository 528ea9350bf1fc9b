"""The regions of both alleles of variants: opened, put in order, and compared with the alleles."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import (
    UNKNOWN_BASE,
    InputCounts,
    RegionBatch,
    RegionTable,
    ScoreKind,
)
from finemo_dist.core.words import count
from finemo_dist.sources.finemo_npz import FinemoRegionsSource, is_regions_file
from finemo_dist.sources.make import make_source
from finemo_dist.sources.variants import Variant, read_pairs
from finemo_dist.storage.h5_file import open_h5
from finemo_dist.store.memory import MemoryRegions
from finemo_dist.store.read import open_store
from finemo_dist.workflow.allele_pairs import Places

_FLANK: Final = 8
"""Bases beside an allele that both regions must share."""
_CODES: Final = {base: code for code, base in enumerate("ACGTN")}
_Value = TypeVar("_Value", bound=np.generic)
_H5_SUFFIXES: Final = {".h5", ".hdf5"}


class AlleleRegions:
    """Some rows of a reader, in any order and without coordinates; satisfies ``RegionReader``.

    Without coordinates, places of hits count from the first base of their region, and hits of
    different alleles never count as one.
    """

    n_shards = 1

    def __init__(self, reader: RegionReader, rows: NDArray[np.int64], path: Path) -> None:
        self._reader = reader
        self.rows = rows
        self.path = str(path)
        self.digest = reader.digest

    @property
    def score_kind(self) -> ScoreKind:
        """What the contributions are."""
        return self._reader.score_kind

    @property
    def region_width(self) -> int:
        """Bases in every region, L."""
        return self._reader.region_width

    @property
    def n_regions(self) -> int:
        """Regions in all."""
        return len(self.rows)

    def shard_rows(self, shard: int) -> range:
        """Return the rows of the only shard."""
        assert shard == 0
        return range(self.n_regions)

    def table(self, start: int, stop: int) -> RegionTable:
        """Return rows without coordinates; ``peak_id`` counts all rows from 0."""
        table = RegionTable.without_coordinates(stop - start)
        return replace(table, peak_id=np.arange(start, stop, dtype=np.uint32))

    def read(self, start: int, stop: int) -> RegionBatch:
        """Return sequences and contributions of rows ``start`` to ``stop``."""
        wanted = self.rows[start:stop]
        order = np.argsort(wanted, kind="stable")
        sorted_rows = wanted[order]
        breaks = np.flatnonzero(np.diff(sorted_rows) > 1) + 1
        runs = [run for run in np.split(sorted_rows, breaks) if len(run)]
        read = [self._reader.read(int(run[0]), int(run[-1]) + 1) for run in runs]
        picked = [run - run[0] for run in runs]
        back = np.argsort(order, kind="stable")
        return RegionBatch(
            _joined([b.sequence[at] for b, at in zip(read, picked, strict=True)])[back],
            _joined([b.contributions[at] for b, at in zip(read, picked, strict=True)])[back],
            InputCounts(n_regions=stop - start),
        )


@dataclass(frozen=True, slots=True)
class Alleles:
    """Variants, and the region of each allele: row ``i`` is that of variant ``i``."""

    variants: Sequence[Variant]
    ref: AlleleRegions
    alt: AlleleRegions
    starts: NDArray[np.int64] | None
    """First base of the region of each variant on the chromosome, where it is known."""


def open_alleles(
    variants: Sequence[Variant],
    ref: Path,
    alt: Path | None,
    *,
    pairs: Path | None,
    region_width: int,
) -> Alleles:
    """Return the regions of both alleles, in the order of the variants.

    Raises
    ------
    InputError
        A file is damaged, or numbers of regions and variants differ.
    """
    reference = open_any(ref, region_width)
    alternative = reference if alt is None else open_any(alt, region_width)
    if reference.region_width != alternative.region_width:
        raise InputError(
            f"{alt}: regions are {alternative.region_width} bases wide, and those of {ref} are "
            f"{reference.region_width}; expected one width. Extract both with the same -w."
        )
    n = len(variants)
    if pairs is not None:
        variants, rows = _paired(variants, pairs)
        rows_ref, rows_alt = rows
    else:
        total = f"{ref}" if alt is None else f"{ref} and {alt}"
        found = (reference.n_regions, alternative.n_regions)
        if found != ((2 * n, 2 * n) if alt is None else (n, n)):
            expected = f"{2 * n:,}, first all reference" if alt is None else f"{n:,} each"
            held = f"{found[0]:,}" if alt is None else f"{found[0]:,} and {found[1]:,}"
            raise InputError(
                f"{total}: {count(n, 'variant')} and {held} regions; expected {expected}. Give "
                "one region per allele in the order of the variants, or say with --pairs which "
                "regions belong to a variant."
            )
        rows_ref = _by_peak(reference)[:n]
        rows_alt = _by_peak(alternative)[n if alt is None else 0 :]
    for path, reader, wanted in ((ref, reference, rows_ref), (alt or ref, alternative, rows_alt)):
        if wanted.max(initial=-1) >= reader.n_regions:
            raise InputError(
                f"{pairs}: names row {wanted.max()} of {path}, which has "
                f"{count(reader.n_regions, 'region')}. Rows count from 0."
            )
    starts = _starts(reference, rows_ref)
    return Alleles(
        variants,
        AlleleRegions(reference, rows_ref, ref),
        AlleleRegions(alternative, rows_alt, alt or ref),
        starts,
    )


def open_any(path: Path, region_width: int) -> RegionReader:
    """Return the regions of a store, of finemo's ``.npz``, or of a contribution H5.

    Raises
    ------
    InputError, StoreError
        The file is damaged or of no such format.
    """
    if path.suffix in _H5_SUFFIXES and path.is_file():
        with open_h5(str(path)) as file:
            kind = "bpnet_h5" if "input_seqs" in file else "chrombpnet_h5"
        return MemoryRegions(
            make_source(kind, {"h5s": [str(path)], "region_width": region_width})  # type: ignore[arg-type]
        )
    if is_regions_file(path):
        return MemoryRegions(FinemoRegionsSource(path))
    return open_store(path)


def find_places(alleles: Alleles, first: int, ref: RegionBatch, alt: RegionBatch) -> Places:
    """Return where variants from ``first`` on lie in their regions, by what the regions hold.

    The offset of a variant in its reference region follows from the coordinates of the region;
    without coordinates it is the middle. In the alternative region, the allele may begin up to its
    change of length earlier or later, as where alleles are centred: where the flanks agree.

    Raises
    ------
    InputError
        The regions do not hold the alleles of a variant.
    """
    found = np.zeros((4, len(ref)), np.int64)
    for i in range(len(ref)):
        variant = alleles.variants[first + i]
        row = int(alleles.ref.rows[first + i])
        middle = alleles.ref.region_width // 2
        at = middle if alleles.starts is None else variant.start - int(alleles.starts[first + i])
        found[:, i] = _place(variant, at, ref.sequence[i], alt.sequence[i], alleles, row)
    return Places(found[0], found[1], found[2], found[3])


def _place(
    variant: Variant,
    at: int,
    ref: NDArray[np.uint8],
    alt: NDArray[np.uint8],
    alleles: Alleles,
    row: int,
) -> tuple[int, int, int, int]:
    # Alleles that the file does not give are as long as each other.
    width = variant.width
    wide = width if variant.alt is None else len(variant.alt)
    is_inside = at >= 0 and at + max(width, wide) <= len(ref)
    if is_inside and _holds(ref, at, variant.ref):
        slack = abs(wide - width)
        for shift in sorted(range(-slack, slack + 1), key=abs):
            there = at + shift
            if _holds(alt, there, variant.alt) and _flanks_agree(
                ref, at, at + width, alt, there, there + wide
            ):
                return at, there, width, wide
    seen = "".join("ACGTN"[code] for code in ref[max(at - 3, 0) : at + width + 3])
    raise InputError(
        f"{alleles.ref.path}, row {row}, and {alleles.alt.path}: do not hold the alleles of "
        f"variant {variant.id!r} ({variant.ref!r} and {variant.alt!r}) at base {at} of the region, "
        f"with equal flanks; found {seen!r} around it in the reference. Give the variants in the "
        "order of the regions, or say with --pairs which regions belong to which variant."
    )


def _holds(sequence: NDArray[np.uint8], at: int, allele: str | None) -> bool:
    if at < 0 or (allele is not None and at + len(allele) > len(sequence)):
        return False
    if not allele:
        return True
    seen = sequence[at : at + len(allele)]
    wanted = np.array([_CODES[base] for base in allele])
    return bool(((seen == wanted) | (seen == UNKNOWN_BASE) | (wanted == UNKNOWN_BASE)).all())


def _flanks_agree(
    ref: NDArray[np.uint8], a: int, b: int, alt: NDArray[np.uint8], c: int, d: int
) -> bool:
    left = min(_FLANK, a, c)
    right = min(_FLANK, len(ref) - b, len(alt) - d)
    return (
        right >= 0
        and np.array_equal(ref[a - left : a], alt[c - left : c])
        and np.array_equal(ref[b : b + right], alt[d : d + right])
    )


def _paired(
    variants: Sequence[Variant], pairs: Path
) -> tuple[list[Variant], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    by_name = {variant.id: variant for variant in variants}
    listed = read_pairs(pairs)
    unknown = [name for name, _, _ in listed if name not in by_name]
    if unknown or not listed:
        what = f"names variant {unknown[0]!r}, which -v lacks" if unknown else "names no variant"
        raise InputError(f"{pairs}: {what}. Expected names of the variants of -v, one per line.")
    rows = np.array([[ref, alt] for _, ref, alt in listed], np.int64)
    return [by_name[name] for name, _, _ in listed], (rows[:, 0], rows[:, 1])


def _by_peak(reader: RegionReader) -> NDArray[np.int64]:
    """Return rows in the order of the peaks that they were extracted for."""
    peak_id = reader.table(0, reader.n_regions).peak_id
    return np.argsort(peak_id, kind="stable").astype(np.int64)


def _starts(reader: RegionReader, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    table = reader.table(0, reader.n_regions)
    return table.start[rows] if table.has_coordinates else None


def _joined(arrays: Sequence[NDArray[_Value]]) -> NDArray[_Value]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
