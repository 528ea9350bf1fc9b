"""What the demo's two samples have in common, and what is bound in each."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import RegionTable
from finemo_dist.testing.genome import Genome, build_genome, lay_out
from finemo_dist.testing.modisco import Seqlets
from finemo_dist.testing.motifs import SimulatedMotifs, random_motifs
from finemo_dist.testing.regions import (
    SimulatedSample,
    SimulationSettings,
    draw_background,
    draw_scores,
    plant_sequences,
)
from finemo_dist.testing.sites import PlantedSites, SiteSettings, draw_sites

SAMPLES = ("sample_a", "sample_b")
SEQLET_WINDOW = 400
"""Central bases that seqlets come from; the default of ``report -W``."""

SHARED_FRACTION = 0.4
"""Share of a sample's peaks that the other sample has too."""

WEAK_STRENGTH = 0.4
"""Sites of less strength count as weak."""

_SEQLET_FRACTION = 0.4
_ACTIVE, _INACTIVE = 0.85, 0.1


@dataclass(frozen=True, slots=True)
class World:
    """What both samples share: regions, their sequences, and every site in those sequences."""

    motifs: SimulatedMotifs
    settings: SimulationSettings
    regions: RegionTable
    sequence: NDArray[np.uint8]
    sites: PlantedSites
    genome: Genome


def make_world(rng: np.random.Generator, n_regions: int, *, n_motifs: int) -> World:
    """Return regions on a genome, with every site that either sample may bind.

    One motif is palindromic and one has negative contributions.
    """
    # Which sites a sample leaves unbound is drawn for each sample, so that none is a decoy here.
    settings = SimulationSettings(sites=SiteSettings(sites_per_region=4.5, decoys_per_region=0.0))
    motifs = random_motifs(rng, n_motifs, n_negative=1, n_palindromes=1)
    sites = draw_sites(
        rng, motifs, n_regions=n_regions, width=settings.width, settings=settings.sites
    )
    sequence = draw_background(rng, (n_regions, settings.width), settings.gc_content)
    plant_sequences(rng, sequence, sites=sites, motifs=motifs)
    regions = lay_out(rng, n_regions, width=settings.width)
    genome = build_genome(rng, regions, sequence, gc_content=settings.gc_content)
    return World(motifs, settings, regions, sequence, sites, genome)


def share_out(
    rng: np.random.Generator, n_regions: int, *, n_shared: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of each sample, in order: ``n_shared`` in both, the others in one."""
    order = rng.permutation(2 * n_regions - n_shared)
    return np.sort(order[:n_regions]), np.sort(order[n_regions - n_shared :])


def bind(
    rng: np.random.Generator, world: World, *, name: str, rows: NDArray[np.int64]
) -> tuple[SimulatedSample, RegionTable]:
    """Return the scores, the sites and the regions of one sample.

    Sites that it does not bind stay, with strength 0. The first two motifs are rare in the second
    sample, and the next two in the first.
    """
    activity = np.full(len(world.motifs), _ACTIVE)
    activity[slice(2, 4) if name == SAMPLES[0] else slice(0, 2)] = _INACTIVE
    sites = world.sites[np.isin(world.sites.region, rows)]
    is_active = rng.random(len(sites)) < activity[sites.motif]
    sites = replace(
        sites,
        region=np.searchsorted(rows, sites.region),
        strength=np.where(is_active, sites.strength, 0.0),
    )
    sequence = world.sequence[rows]
    scores = draw_scores(rng, sites, world.motifs, sequence.shape, world.settings.scores)
    regions = replace(
        world.regions[rows],
        peak_id=np.arange(len(rows), dtype=np.uint32),
        peak_name=np.array([f"{name}_peak_{i}" for i in range(len(rows))], dtype=object),
    )
    return SimulatedSample(sequence, scores, sites), regions


def draw_seqlets(
    rng: np.random.Generator, world: World, *, sites: PlantedSites
) -> tuple[Seqlets, ...]:
    """Return some of the strong sites in the central windows, by motif."""
    start = sites.position - (world.settings.width - SEQLET_WINDOW) // 2
    is_inside = (start >= 0) & (start + world.motifs.width <= SEQLET_WINDOW)
    is_drawn = rng.random(len(sites)) < _SEQLET_FRACTION
    is_seqlet = is_inside & is_drawn & (sites.strength > WEAK_STRENGTH)
    by_motif = (is_seqlet & (sites.motif == motif) for motif in range(len(world.motifs)))
    return tuple(Seqlets(sites.region[m], start[m], sites.is_reverse[m]) for m in by_motif)
