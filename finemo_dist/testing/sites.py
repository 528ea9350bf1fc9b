"""Where motifs are planted: drawn before sequences and scores, so that the truth costs nothing."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import UsageError
from finemo_dist.testing.motifs import SimulatedMotifs

_MIN_GAP = 2


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """How many sites a region gets and how strong they are."""

    sites_per_region: float = 3.0
    """Mean of a Poisson distribution."""
    decoys_per_region: float = 0.5
    """Mean number of sites whose sequence is there and whose contributions are not."""
    weak_fraction: float = 0.08
    """Share of the sites that are weak."""
    weak_strength: float = 0.15
    """What a weak site's strength is multiplied by."""
    strength_sigma: float = 0.25
    """Standard deviation of the logarithm of the strength, whose median is 1."""


@dataclass(frozen=True, slots=True)
class PlantedSites:
    """Motif sites in regions, ordered by region, then position of the core."""

    region: NDArray[np.int64]
    """(S,) row of the region."""
    motif: NDArray[np.int64]
    is_reverse: NDArray[np.bool_]
    position: NDArray[np.int64]
    """(S,) first column of the untrimmed CWM in the region."""
    strength: NDArray[np.float64]
    """(S,) factor on the CWM; 0 for a decoy, whose sequence alone is there."""

    def __len__(self) -> int:
        return len(self.region)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))

    @property
    def is_decoy(self) -> NDArray[np.bool_]:
        """(S,) whether a site has no contributions."""
        return np.asarray(self.strength == 0)


def draw_sites(
    rng: np.random.Generator,
    motifs: SimulatedMotifs,
    *,
    n_regions: int,
    width: int,
    settings: SiteSettings | None = None,
) -> PlantedSites:
    """Return sites whose untrimmed CWMs lie within their regions and whose cores never overlap.

    A region is cut into slots a little wider than the widest core, and each site gets one of its
    own; flanks may overlap.

    Raises
    ------
    UsageError
        Regions are too narrow for a single site.
    """
    settings = settings or SiteSettings()
    first, slot_width, n_slots = _slots(motifs, width)
    rate = settings.sites_per_region + settings.decoys_per_region
    n_sites = np.minimum(rng.poisson(rate, size=n_regions), n_slots)
    region, slot = _choose_slots(rng, n_sites, n_slots)
    motif = rng.integers(len(motifs), size=len(region))
    is_reverse = rng.random(len(region)) < 0.5
    core_start, core_width = _oriented_core(motifs, motif, is_reverse)
    room = slot_width - _MIN_GAP - core_width
    core_position = first + slot * slot_width + rng.integers(0, room + 1)
    strength = _draw_strengths(rng, len(region), settings)
    return PlantedSites(region, motif, is_reverse, core_position - core_start, strength)


def _slots(motifs: SimulatedMotifs, width: int) -> tuple[int, int, int]:
    """Return the first usable base, the width of a slot and the number of slots."""
    start, end = motifs.core
    margin = int(np.maximum(start, motifs.width - end).max())
    slot_width = int((end - start).max()) + 2 * _MIN_GAP
    n_slots = (width - 2 * margin) // slot_width
    if n_slots < 1:
        raise UsageError(
            f"simulated regions: {width} bases are too few for motifs of {motifs.width} columns; "
            f"expected at least {2 * margin + slot_width}. Ask for wider regions."
        )
    return margin, slot_width, n_slots


def _choose_slots(
    rng: np.random.Generator, n_sites: NDArray[np.int64], n_slots: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose ``n_sites`` different slots in each region, in order."""
    order = rng.random((len(n_sites), n_slots), dtype=np.float32).argsort(axis=1)
    chosen = np.zeros(order.shape, dtype=bool)
    np.put_along_axis(chosen, order, np.arange(n_slots) < n_sites[:, None], axis=1)
    region, slot = np.nonzero(chosen)
    return region, slot


def _oriented_core(
    motifs: SimulatedMotifs, motif: NDArray[np.int64], is_reverse: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first column and width of each site's core, as it lies on the forward strand."""
    start, end = motifs.core
    first = np.where(is_reverse, motifs.width - end[motif], start[motif])
    return first, (end - start)[motif]


def core_range(
    sites: PlantedSites, motifs: SimulatedMotifs
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the bases each site's core covers in its region, half-open, (S,) each."""
    first, width = _oriented_core(motifs, sites.motif, sites.is_reverse)
    return sites.position + first, sites.position + first + width


def _draw_strengths(
    rng: np.random.Generator, n_sites: int, settings: SiteSettings
) -> NDArray[np.float64]:
    strength = np.exp(settings.strength_sigma * rng.standard_normal(n_sites))
    strength[rng.random(n_sites) < settings.weak_fraction] *= settings.weak_strength
    rate = settings.sites_per_region + settings.decoys_per_region
    decoy_fraction = settings.decoys_per_region / rate if rate > 0 else 0.0
    strength[rng.random(n_sites) < decoy_fraction] = 0.0
    return strength
