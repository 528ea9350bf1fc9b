"""Sequences and contributions with planted sites, vectorised over regions."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from finemo_dist.testing.motifs import SimulatedMotifs, reverse_complement
from finemo_dist.testing.sites import PlantedSites, SiteSettings, core_range, draw_sites

_ENVELOPE_BP = 8


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """What surrounds the planted sites, in the units of the CWMs."""

    noise: float = 0.11
    """Root mean square of the background contributions."""
    tail_sigma: float = 0.85
    """Spread of the logarithm of the background's local amplitude: 0 is Gaussian, and real
    attributions are heavy-tailed."""
    jitter_sigma: float = 0.3
    """Spread of the logarithm of a planted column about its CWM."""
    region_sigma: float = 0.5
    """Spread of the logarithm of a whole region's scale."""


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """Everything about simulated regions but their motifs and number."""

    width: int = 1000
    """Bases in a region."""
    gc_content: float = 0.42
    """Of the background sequence."""
    sites: SiteSettings = field(default_factory=SiteSettings)
    scores: ScoreSettings = field(default_factory=ScoreSettings)


@dataclass(frozen=True, slots=True)
class SimulatedSample:
    """Regions and the truth about them."""

    sequence: NDArray[np.uint8]
    """(R, L) codes 0 to 3."""
    hypothetical: NDArray[np.float32]
    """(R, 4, L) hypothetical contributions."""
    sites: PlantedSites

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def projected(self) -> NDArray[np.float32]:
        """(R, L) contributions of the bases that are there."""
        return project(self.hypothetical, self.sequence)


def project(hypothetical: NDArray[np.float32], sequence: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the (R, L) scores of the bases that are there."""
    return np.take_along_axis(hypothetical, sequence[:, None, :].astype(np.intp), axis=1)[:, 0]


def simulate(
    rng: np.random.Generator,
    motifs: SimulatedMotifs,
    *,
    n_regions: int,
    settings: SimulationSettings | None = None,
) -> SimulatedSample:
    """Return regions with planted sites, decoys and heavy-tailed background.

    Sites, sequences and scores come from three streams of ``rng``, in this order, so that
    ``simulate_sites`` gives the same sites without the rest.

    Raises
    ------
    UsageError
        Regions are too narrow for a single site.
    """
    settings = settings or SimulationSettings()
    site_rng, sequence_rng, score_rng = rng.spawn(3)
    sites = draw_sites(
        site_rng, motifs, n_regions=n_regions, width=settings.width, settings=settings.sites
    )
    sequence = draw_background(sequence_rng, (n_regions, settings.width), settings.gc_content)
    plant_sequences(sequence_rng, sequence, sites=sites, motifs=motifs)
    hypothetical = draw_scores(score_rng, sites, motifs, sequence.shape, settings.scores)
    return SimulatedSample(sequence, hypothetical, sites)


def simulate_sites(
    rng: np.random.Generator,
    motifs: SimulatedMotifs,
    *,
    n_regions: int,
    settings: SimulationSettings | None = None,
) -> PlantedSites:
    """Return the sites that ``simulate`` plants, given a generator in the same state."""
    settings = settings or SimulationSettings()
    return draw_sites(
        rng.spawn(3)[0], motifs, n_regions=n_regions, width=settings.width, settings=settings.sites
    )


def draw_background(
    rng: np.random.Generator, shape: tuple[int, ...], gc_content: float
) -> NDArray[np.uint8]:
    """Return codes of independent random bases, with ``gc_content`` rounded to 1/128."""
    n_gc = round(gc_content * 128)
    table = np.repeat(np.array([1, 2, 0, 3], np.uint8), [n_gc, n_gc, 128 - n_gc, 128 - n_gc])
    return table[rng.integers(0, 256, size=shape, dtype=np.uint8)]


def plant_sequences(
    rng: np.random.Generator,
    sequence: NDArray[np.uint8],
    *,
    sites: PlantedSites,
    motifs: SimulatedMotifs,
) -> None:
    """Write each site's core into its region, base by base from the motif's frequencies."""
    cumulative = np.cumsum(_both_strands(motifs.frequencies), axis=2)[:, :, :3]
    chance = rng.random((len(sites), 1, motifs.width))
    base = (chance > cumulative[sites.motif, sites.is_reverse.astype(np.intp)]).sum(axis=1)
    column = sites.position[:, None] + np.arange(motifs.width)
    start, end = core_range(sites, motifs)
    site, offset = np.nonzero((column >= start[:, None]) & (column < end[:, None]))
    sequence[sites.region[site], column[site, offset]] = base[site, offset]


def draw_scores(
    rng: np.random.Generator,
    sites: PlantedSites,
    motifs: SimulatedMotifs,
    shape: tuple[int, ...],
    settings: ScoreSettings,
) -> NDArray[np.float32]:
    """Return (R, 4, L) hypothetical contributions for (R, L) regions: background plus sites."""
    n_regions, width = shape
    scores = _background_scores(rng, n_regions, width, settings)
    active = sites[~sites.is_decoy]
    cwm = _both_strands(motifs.hypothetical).astype(np.float32)
    planted = cwm[active.motif, active.is_reverse.astype(np.intp)]
    jitter = rng.standard_normal((len(active), 1, motifs.width), dtype=np.float32)
    planted *= np.exp(np.float32(settings.jitter_sigma) * jitter)
    planted *= active.strength.astype(np.float32)[:, None, None]
    row = (4 * active.region[:, None, None] + np.arange(4)[:, None]) * width
    index = row + active.position[:, None, None] + np.arange(motifs.width)
    np.add.at(scores.reshape(-1), index.reshape(-1), planted.reshape(-1))
    region_scale = np.exp(settings.region_sigma * rng.standard_normal((n_regions, 1, 1)))
    scores *= region_scale.astype(np.float32)
    return scores


def _background_scores(
    rng: np.random.Generator, n_regions: int, width: int, settings: ScoreSettings
) -> NDArray[np.float32]:
    """Return Gaussian scores under a local amplitude that is log-normal, of the asked variance."""
    scores = rng.standard_normal((n_regions, 4, width), dtype=np.float32)
    n_blocks = -(-width // _ENVELOPE_BP)
    sigma = np.float32(settings.tail_sigma)
    envelope = np.exp(sigma * rng.standard_normal((n_regions, n_blocks), dtype=np.float32))
    envelope *= np.float32(settings.noise) * np.exp(-sigma * sigma)
    scores *= np.repeat(envelope, _ENVELOPE_BP, axis=1)[:, None, :width]
    return scores


def _both_strands(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N, 2, 4, W): forward, then reverse complement."""
    return np.stack([columns, reverse_complement(columns)], axis=1)
