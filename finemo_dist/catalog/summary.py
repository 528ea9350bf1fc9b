"""The numbers of a run by sample: what ``status`` and summaries say."""

from dataclasses import dataclass

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.counts import FEW_HITS, save_counts


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """How far a sample is and what was found in it."""

    sample: str
    n_regions: int
    n_shards: int
    n_shards_committed: int
    n_regions_committed: int
    n_hits: int
    n_not_converged: int
    max_gap: float
    """Largest duality gap over the region width; 0 without committed regions."""

    @property
    def is_complete(self) -> bool:
        """Whether every shard is committed."""
        return self.n_shards_committed == self.n_shards


def summarise(catalog: Catalog) -> tuple[SampleSummary, ...]:
    """Return the numbers of every sample, by name; no part is read."""
    return tuple(SampleSummary(*row) for row in catalog.run("sample_numbers"))


def remember_counts(catalog: Catalog) -> None:
    """Have a run remember how often each motif was found, if it has many hits.

    Raises
    ------
    RunError
        The run is damaged.
    """
    units = {name: catalog.units(name).values() for name in catalog.samples}
    n_hits = sum(map(catalog.n_hits, catalog.samples))
    ((n_known,),) = catalog.run("known_samples")
    if n_hits >= FEW_HITS and n_known < len(units):
        save_counts(catalog.run_dir, catalog.arrow("all_counts"), units, catalog.motifs.names)
