"""How much is measured: sizes that decide how long a benchmark takes and how steady it is."""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Effort:
    """Sizes of every benchmark."""

    repeats: int
    """Alternations of all programs; medians are reported."""
    finemo_regions: dict[str, int]
    """Regions by data set, few enough for finemo to take about a minute."""
    finemo_batches: dict[str, tuple[int, ...]]
    """Batch sizes of finemo by data set; the fastest in a trial is used."""
    default_regions: dict[str, int]
    """Regions by data set for finemo with its default batch of 2,000, about; 0 leaves it out."""
    default_limit_s: float
    """When it is stopped."""
    gap_regions: int
    """Regions whose gap is computed densely, at most."""
    work_s: float
    """Work of one worker of finemo-dist: its regions are copied until they take about so long."""
    trial_regions: int
    """Regions from which the time of a copy is estimated, about: enough for shards of 256, in which
    a region takes less time than in smaller ones."""
    probe_regions: int
    """Regions solved and convolved in one process, about."""
    end_to_end_regions: int | None
    """Regions extracted and called; all when None."""
    growth_regions: tuple[int, ...]
    growth_strands: tuple[int, ...]
    growth_lengths: tuple[int, ...]
    growth_sample: int
    """Regions where the number of motifs or the length grows."""
    gpu_regions: int
    """Regions of the batch whose operations are counted: that of a GPU worker."""
    catalog_hits: int
    """Hits that are made unique, collapsed and intersected."""
    catalog_samples: int
    catalog_sample_hits: int
    """Samples that are queried, and hits of each."""
    atlas_samples: tuple[int, ...]
    """Samples of runs in which nothing is solved."""
    speedup_regions: int
    """Regions solved by one worker and by two."""


FULL: Final = Effort(
    repeats=3,
    finemo_regions={"yeast": 300, "simulated": 150, "compendium": 6},
    finemo_batches={"yeast": (8, 32, 128), "simulated": (8, 32, 128), "compendium": (1, 4)},
    default_regions={"yeast": 2_000, "simulated": 2_000, "compendium": 0},
    default_limit_s=600.0,
    gap_regions=200,
    work_s=25.0,
    trial_regions=8_192,
    probe_regions=16_000,
    end_to_end_regions=None,
    growth_regions=(1_000, 10_000, 100_000),
    growth_strands=(50, 100, 300, 1_000, 3_000),
    growth_lengths=(500, 1_000, 2_114),
    growth_sample=2_000,
    gpu_regions=2_048,
    catalog_hits=20_000_000,
    catalog_samples=200,
    catalog_sample_hits=1_000_000,
    atlas_samples=(50, 100, 200),
    speedup_regions=40_000,
)

SHORT: Final = replace(
    FULL,
    repeats=1,
    finemo_regions={"yeast": 300, "simulated": 150, "compendium": 4},
    finemo_batches={"yeast": (32,), "simulated": (32,), "compendium": (1,)},
    default_regions={"yeast": 0, "simulated": 0, "compendium": 0},
    gap_regions=50,
    work_s=15.0,
    trial_regions=1_000,
    probe_regions=2_000,
    growth_regions=(1_000, 10_000),
    growth_strands=(50, 100, 300, 1_000),
    growth_sample=1_000,
    catalog_hits=2_000_000,
    catalog_samples=20,
    atlas_samples=(20, 50),
    speedup_regions=15_000,
)
"""One repeat of smaller runs: a first look that means something."""

QUICK: Final = replace(
    FULL,
    repeats=1,
    finemo_regions={"yeast": 100, "simulated": 16, "compendium": 1},
    finemo_batches={"yeast": (8,), "simulated": (8,), "compendium": (1,)},
    default_regions={"yeast": 100, "simulated": 0, "compendium": 0},
    default_limit_s=30.0,
    gap_regions=24,
    work_s=5.0,
    trial_regions=250,
    probe_regions=250,
    end_to_end_regions=24,
    growth_regions=(500, 2_000),
    growth_strands=(50, 300),
    growth_lengths=(500, 1_000),
    growth_sample=250,
    gpu_regions=64,
    catalog_hits=120_000,
    catalog_samples=3,
    catalog_sample_hits=24_000,
    atlas_samples=(2, 4),
    speedup_regions=1_000,
)
