"""The loci of the strongest variants: a row for either allele, and hits with their classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from finemo_dist.core.records import UNKNOWN_BASE, MotifSet, RegionBatch
from finemo_dist.core.variant_schema import VARIANT_CLASSES
from finemo_dist.reports.cwms import projected
from finemo_dist.reports.locus_view import LocusHit, LocusRow, LocusView, Mark
from finemo_dist.sources.variants import Variant
from finemo_dist.workflow.allele_pairs import AlleleHits, Ints, Pairs, Places

_FLANK: Final = 100
"""Bases shown on either side of a variant."""
_MOST_NAMED: Final = 3
"""Changed hits that a list names."""
_ALLELE_BASES: Final = 20
"""Of an allele that a row names."""


@dataclass(frozen=True, slots=True)
class Block:
    """Variants that were compared together."""

    variants: Sequence[Variant]
    places: Places
    regions: tuple[RegionBatch, RegionBatch]
    """Of the reference and the alternative alleles."""
    hits: tuple[AlleleHits, AlleleHits]
    pairs: Pairs
    """All of the regions, whether their windows hold the variant or not."""
    classes: Ints
    """(P,) of the pairs, as rows of ``VARIANT_CLASSES``; -1 for no hit."""
    compared: pa.Table
    """Rows of ``VARIANT_HIT_COLUMNS`` that are compared."""
    of: Ints
    """The variant of each row."""


class StrongestLoci:
    """Keeps views of the variants with the largest changes of score, block by block."""

    def __init__(self, motifs: MotifSet, n_most: int) -> None:
        self._motifs = motifs
        self._n_most = n_most
        self._n_seen = 0
        self._held: list[tuple[float, int, LocusView]] = []

    @property
    def views(self) -> tuple[LocusView, ...]:
        """The strongest first; ties are in the order of the variants."""
        return tuple(view for _, _, view in self._held)

    def add(self, block: Block) -> None:
        """Take the variants of a block that are stronger than those kept."""
        rows = np.flatnonzero(np.array(block.compared["class"].to_pylist(), object) != "unchanged")
        size = np.abs(block.compared["score_change"].to_numpy())
        strength = np.zeros(len(block.variants))
        np.maximum.at(strength, block.of[rows], size[rows])
        order = np.argsort(-strength, kind="stable")[: self._n_most]
        is_full = len(self._held) >= self._n_most
        least = self._held[-1][0] if self._held and is_full else 0.0
        for i in order[strength[order] > least].tolist():
            own = rows[block.of[rows] == i]
            own = own[np.argsort(-size[own], kind="stable")]
            view = allele_view(block, i, self._motifs, why=_why(block.compared.take(own)))
            self._held.append((float(strength[i]), self._n_seen + i, view))
        self._n_seen += len(block.variants)
        self._held.sort(key=lambda entry: (-entry[0], entry[1]))
        del self._held[self._n_most :]


def allele_view(block: Block, i: int, motifs: MotifSet, *, why: str = "") -> LocusView:
    """Return the locus of variant ``i`` of a block, in the coordinates of the reference.

    Both rows agree in place before the variant. Bases that the alternative lacks are a gap in its
    row, and what follows bases that it has more lies further right.
    """
    variant, places = block.variants[i], block.places
    at, width = int(places.ref[i]), int(places.ref_width[i])
    # Base 0 of the reference region on the chromosome.
    first = variant.start - at
    low = max(at - _FLANK, -first, 0)
    high = min(at + width + _FLANK, block.regions[0].sequence.shape[1])
    n_lacking = max(width - int(places.alt_width[i]), 0)
    seams = (
        _Seam(0, at + width, 0),
        _Seam(int(places.before[i]), int(places.alt[i] + places.alt_width[i]), n_lacking),
    )
    rows = tuple(
        _row(block, i, motifs, allele, seam, low, high) for allele, seam in enumerate(seams)
    )
    label = f"{_allele(variant.ref)}>{_allele(variant.alt)}" if variant.alt is not None else ""
    return LocusView(
        name=variant.id,
        chrom=variant.chrom,
        start=first + low,
        end=first + high,
        rows=rows,
        marks=(Mark(variant.start, label),),
        why=why,
        is_of_alleles=True,
    )


@dataclass(frozen=True, slots=True)
class _Seam:
    """How places in the region of an allele become places in that of the reference."""

    shift: int
    end: int
    """Base after the allele, in its own region."""
    gap: int
    """Bases that follow the allele in its row and are not there."""

    def start_of(self, start: int) -> int:
        """Return where a window begins that begins at a base of the region."""
        return start + self.shift + (self.gap if start >= self.end else 0)

    def end_of(self, end: int) -> int:
        """Return where a window ends that ends before a base of the region."""
        return end + self.shift + (self.gap if end > self.end else 0)

    def bases(self, low: int, high: int) -> Ints:
        """Return the base of the region at each place; -1 where there is none."""
        base = np.arange(low, high) - self.shift
        after = np.where(base < self.end + self.gap, -1, base - self.gap)
        return np.where(base < self.end, base, after)


def _row(
    block: Block, i: int, motifs: MotifSet, allele: int, seam: _Seam, low: int, high: int
) -> LocusRow:
    batch, variant = block.regions[allele], block.variants[i]
    one = RegionBatch(batch.sequence[i : i + 1], batch.contributions[i : i + 1], batch.counts)
    base = seam.bases(low, high)
    is_there = (base >= 0) & (base < one.sequence.shape[1])
    sequence = np.full(high - low, UNKNOWN_BASE, np.uint8)
    sequence[is_there] = one.sequence[0, base[is_there]]
    contributions = np.full(high - low, np.nan)
    contributions[is_there] = projected(one)[0, base[is_there]]
    bases = (variant.ref, variant.alt)[allele]
    return LocusRow(
        name=("reference", "alternative")[allele],
        sequence=sequence,
        contributions=contributions,
        hits=_hits(block, i, motifs, allele, seam, low, high),
        note="" if bases is None else _allele(bases),
    )


def _hits(
    block: Block, i: int, motifs: MotifSet, allele: int, seam: _Seam, low: int, high: int
) -> tuple[LocusHit, ...]:
    """Return the hits of a row: those of the allele that the post-filter keeps."""
    hits = block.hits[allele]
    row = (block.pairs.ref, block.pairs.alt)[allele]
    there = np.flatnonzero((row >= 0) & (block.classes >= 0))
    there = there[hits.passes[row[there]] & (hits.variant[row[there]] == i)]
    first = block.variants[i].start - int(block.places.ref[i])
    found = []
    for pair in there.tolist():
        hit = int(row[pair])
        start, end = seam.start_of(int(hits.start[hit])), seam.end_of(int(hits.end[hit]))
        if end > low and start < high:
            motif = int(hits.motif[hit])
            found.append(
                LocusHit(
                    label=motifs.name[motif],
                    motif_name=motifs.name[motif],
                    strand=motifs.strand[motif],
                    start=first + start,
                    end=first + end,
                    coefficient=float(hits.coefficient[hit]),
                    similarity=float(hits.similarity[hit]),
                    state=VARIANT_CLASSES[block.classes[pair]],
                )
            )
    return tuple(sorted(found, key=lambda hit: (hit.start, hit.end, hit.label, hit.strand)))


def _why(changed: pa.Table) -> str:
    """Return the change of score and the classes of changed hits, which come strongest first."""
    names = changed["motif_name"].to_pylist()
    classes = changed["class"].to_pylist()
    said = [f"{state} {name}" for name, state in zip(names, classes, strict=True)]
    more = f" and {len(said) - _MOST_NAMED} more" if len(said) > _MOST_NAMED else ""
    return f"{changed['score_change'][0].as_py():+.3g}: {', '.join(said[:_MOST_NAMED])}{more}"


def _allele(bases: str | None) -> str:
    bases = bases or "-"
    return bases if len(bases) <= _ALLELE_BASES else f"{bases[: _ALLELE_BASES - 1]}…"
