"""Hits of two alleles side by side: where a base of one lies in the other, and which hits agree."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.variant_schema import VARIANT_CLASSES, VariantClass

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Places:
    """Where V variants lie in the regions of both alleles; offsets from their first bases."""

    ref: Ints
    """(V,) first base of the reference allele in its region."""
    alt: Ints
    """(V,) first base of the alternative allele in its region."""
    ref_width: Ints
    alt_width: Ints
    """(V,) bases of the alleles."""

    @property
    def before(self) -> Ints:
        """(V,) what brings a base before the variant from the alternative to the reference."""
        return self.ref - self.alt

    @property
    def after(self) -> Ints:
        """(V,) the same for a base after the variant: indels shift it."""
        return self.before + self.ref_width - self.alt_width


@dataclass(frozen=True, slots=True)
class AlleleHits:
    """H hits of the regions of one allele, before the post-filter; by variant."""

    variant: Ints
    motif: Ints
    """(H,) motif and strand."""
    start: Ints
    end: Ints
    """(H,) trimmed window in the region, half-open."""
    coefficient: Floats
    score: Floats
    similarity: Floats
    importance: Floats
    passes: NDArray[np.bool_]
    """(H,) whether the post-filter keeps the hit."""

    def __len__(self) -> int:
        return len(self.variant)

    def holds(self, first: Ints, width: Ints) -> NDArray[np.bool_]:
        """Return which windows hold their variant, or the seam where an allele has no bases."""
        at, last = first[self.variant], (first + width)[self.variant]
        is_seam = at == last
        inside = (self.start < at) & (self.end > at)
        return np.where(is_seam, inside, (self.start < last) & (self.end > at))


@dataclass(frozen=True, slots=True)
class Pairs:
    """P hits of the reference, the alternative, or both."""

    ref: Ints
    alt: Ints
    """(P,) row in the hits of the allele; -1 where the optimum has none."""


def pair_hits(ref: AlleleHits, alt: AlleleHits, places: Places, *, tolerance: int) -> Pairs:
    """Pair hits of one variant, motif and strand whose places agree within some bases.

    A place of the alternative is brought to the reference. A window across the variant may keep
    either end; the nearer one counts. Nearest pairs first, then the larger coefficients.
    """
    one, two = _candidates(ref, alt)
    distance = _distance(ref, alt, places, one, two)
    near = distance <= tolerance
    one, two, distance = one[near], two[near], distance[near]
    strength = np.minimum(ref.coefficient[one], alt.coefficient[two])
    order = np.lexsort((two, one, -strength, distance))
    taken_ref, taken_alt = np.zeros(len(ref), bool), np.zeros(len(alt), bool)
    chosen = []
    for i in order.tolist():
        if not (taken_ref[one[i]] or taken_alt[two[i]]):
            taken_ref[one[i]] = taken_alt[two[i]] = True
            chosen.append(i)
    alone_ref, alone_alt = np.flatnonzero(~taken_ref), np.flatnonzero(~taken_alt)
    none = np.full(max(len(alone_ref), len(alone_alt)), -1)
    return Pairs(
        np.concatenate([one[chosen], alone_ref, none[: len(alone_alt)]]).astype(np.int64),
        np.concatenate([two[chosen], none[: len(alone_ref)], alone_alt]).astype(np.int64),
    )


def classify(ref: AlleleHits, alt: AlleleHits, pairs: Pairs, *, min_change: float) -> Ints:
    """Return the class of each pair, as a row of ``VARIANT_CLASSES``; -1 for no hit at all.

    A hit is there where the post-filter keeps it. A change of score below ``min_change`` of the
    larger one is none, even where the post-filter keeps one hit and drops the other.
    """
    has_ref = taken(ref.passes, pairs.ref, absent=False).astype(bool)
    has_alt = taken(alt.passes, pairs.alt, absent=False).astype(bool)
    before, after = taken(ref.score, pairs.ref), taken(alt.score, pairs.alt)
    change = after - before
    is_changed = np.abs(change) >= min_change * np.maximum(before, after)
    is_changed &= change != 0
    found = np.select(
        [
            ~has_ref & ~has_alt,
            ~is_changed,
            has_ref & ~has_alt,
            has_alt & ~has_ref,
            change > 0,
        ],
        [-1, _class("unchanged"), _class("lost"), _class("gained"), _class("strengthened")],
        _class("weakened"),
    )
    return np.asarray(found, np.int64)


def taken(values: NDArray[np.generic], rows: Ints, *, absent: float = 0.0) -> Floats:
    """Return values of rows as float64, and ``absent`` where there is no row."""
    padded = np.append(values.astype(np.float64), absent)
    return padded[rows]


def _class(name: VariantClass) -> int:
    return VARIANT_CLASSES.index(name)


def _candidates(ref: AlleleHits, alt: AlleleHits) -> tuple[Ints, Ints]:
    """Return all pairs of one variant, motif and strand."""
    n_motifs = 1 + int(max(ref.motif.max(initial=0), alt.motif.max(initial=0)))
    keys = [hits.variant * n_motifs + hits.motif for hits in (ref, alt)]
    order = np.argsort(keys[1], kind="stable")
    first = np.searchsorted(keys[1][order], keys[0], side="left")
    n_met = np.searchsorted(keys[1][order], keys[0], side="right") - first
    one = np.repeat(np.arange(len(ref)), n_met)
    within = np.arange(len(one)) - np.repeat(np.cumsum(n_met) - n_met, n_met)
    return one, order[np.repeat(first, n_met) + within]


def _distance(ref: AlleleHits, alt: AlleleHits, places: Places, one: Ints, two: Ints) -> Ints:
    variant = alt.variant[two]
    start, end, target = alt.start[two], alt.end[two], ref.start[one]
    left = np.abs(start + places.before[variant] - target)
    right = np.abs(start + places.after[variant] - target)
    is_before = end <= places.alt[variant]
    is_after = start >= (places.alt + places.alt_width)[variant]
    nearer = np.minimum(left, right)
    return np.asarray(np.where(is_before, left, np.where(is_after, right, nearer)), np.int64)
