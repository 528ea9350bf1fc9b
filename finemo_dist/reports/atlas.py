"""What the page of an atlas says about its motifs and samples."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.reports.flags import Flag, motif_flags
from finemo_dist.reports.motif_rows import MotifLogos, table_logos
from finemo_dist.reports.page_model import AtlasData

OUTLIER_LIMIT: Final = 5.0
"""Robust standard deviations from the median."""
_SIGMA_OF_MAD: Final = 1.4826
_FEWEST_SAMPLES: Final = 5
"""Fewer have no median to be far from."""


@dataclass(frozen=True, slots=True)
class AtlasRow:
    """One motif over all samples."""

    name: str
    shown: str
    """The name that people read."""
    annotation: str
    logos: MotifLogos
    flags: tuple[Flag, ...]
    n_hits: int
    n_samples: int
    """With at least one hit."""
    median_rate: float
    """Hits per region, over samples."""
    best_sample: str
    """Where its share of all hits of the sample is largest; empty without hits."""
    anchor: str
    """Id of its row on the page."""


def atlas_rows(data: AtlasData) -> tuple[AtlasRow, ...]:
    """Return one row per motif, most hits first, then by name."""
    totals = np.maximum(data.n_hits.sum(axis=0), 1)
    shares = data.n_hits / totals
    rates = data.rates
    rows = []
    for index, name in enumerate(data.motifs.name[::2]):
        entry = 2 * index
        n_hits = int(data.n_hits[index].sum())
        rows.append(
            AtlasRow(
                name=name,
                shown=data.display.get(name, name),
                annotation=data.annotations.get(name, ""),
                logos=table_logos(
                    data.motifs, entry, data.hit_cwms, has_match=bool(data.matches.get(name))
                ),
                flags=motif_flags(n_hits=n_hits, is_palindrome=name in data.palindromes),
                n_hits=n_hits,
                n_samples=int((data.n_hits[index] > 0).sum()),
                median_rate=float(np.median(rates[index])) if data.samples else 0.0,
                best_sample=data.samples[int(shares[index].argmax())].name if n_hits else "",
                anchor=anchor(index),
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.n_hits, row.name)))


def anchor(index: int) -> str:
    """Return the id of the row of a motif, by its place in the run."""
    return f"motif-{index}"


def outlying_samples(data: AtlasData) -> dict[str, str]:
    """Return samples far from the others, each with the first reason, in the order of the run."""
    if len(data.samples) < _FEWEST_SAMPLES:
        return {}
    per_region = np.array([s.hits_per_region for s in data.samples])
    without = np.array([s.n_without_hit / max(s.n_regions_done, 1) for s in data.samples])
    hits, empty = _robust(per_region), _robust(without)
    profile = _robust(_distance_to_median(np.log10(data.rates + 1e-3)))
    reasons = (
        (hits < -OUTLIER_LIMIT, "few hits"),
        (hits > OUTLIER_LIMIT, "many hits"),
        (empty > OUTLIER_LIMIT, "many regions without a hit"),
        (profile > OUTLIER_LIMIT, "unusual motifs"),
    )
    found = {}
    for index, sample in enumerate(data.samples):
        reason = next((text for is_far, text in reasons if is_far[index]), None)
        if reason:
            found[sample.name] = reason
    return found


def _robust(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far values are from their median, in robust standard deviations."""
    away = values - np.median(values)
    spread = _SIGMA_OF_MAD * float(np.median(np.abs(away)))
    # Where most samples agree exactly, a rounding of one would look like an outlier.
    floor = 1e-3 * max(float(np.median(np.abs(values))), 1e-3)
    return np.asarray(away / max(spread, floor))


def _distance_to_median(profiles: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = np.median(profiles, axis=1, keepdims=True)
    return np.asarray(np.sqrt(((profiles - middle) ** 2).mean(axis=0)))
