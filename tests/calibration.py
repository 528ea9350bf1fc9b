"""What share of hits is false, where the truth is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.config import ResourceConfig
from finemo_dist.store.staging import encode
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.scenarios import Scenario, make_scenario
from finemo_dist.workflow.calling import call_hits
from finemo_dist.workflow.confidence import confidence

LEVELS = (0.01, 0.05, 0.10, 0.20)
SERIAL = ResourceConfig(executor="serial")


@dataclass(frozen=True)
class JudgedHits:
    """Hits of a run with their q, and which of them are sites."""

    q: np.ndarray
    """By motif; NaN where there is none."""
    q_pooled: np.ndarray
    is_true: np.ndarray
    """A site of the same motif and strand lies there."""
    is_kin: np.ndarray
    """A site of the family lies there, whatever its name, strand and shift."""

    def counts(self, kind: str, level: float, *, by_name: bool = True) -> tuple[int, int]:
        """Hits with at most this q, and how many of them are false."""
        kept = (self.q if kind == "motif" else self.q_pooled) <= level
        right = self.is_true if by_name else self.is_kin
        return int(kept.sum()), int((kept & ~right).sum())


def judged(name: str, folder: Path, *, seed: int, n_regions: int) -> JudgedHits:
    """Call hits in a scenario, find their q, and compare them with the truth."""
    scenario = make_scenario(name, seed=seed, n_regions=n_regions)
    encode(scenario.source, folder / "s.zarr", overwrite=True)
    write_modisco_h5(folder / "motifs.h5", scenario.called)
    run = folder / "run"
    call_hits(folder / "s.zarr", folder / "motifs.h5", run, resources=SERIAL, force=True)
    confidence(run, seed=seed, resources=SERIAL)
    return judge(run, scenario, n_regions)


def judge(run: Path, scenario: Scenario, n_regions: int) -> JudgedHits:
    with open_catalog(run) as catalog:
        found = catalog.sql("""
            SELECT peak_id, motif_name, strand, start_untrimmed - peaks.start AS at,
                hit_confidence.start - peaks.start AS first,
                hit_confidence."end" - peaks.start AS last, decoy_q, decoy_q_pooled
            FROM hit_confidence JOIN peaks USING (sample, peak_id)
            ORDER BY ALL
        """).fetchnumpy()
    sites = scenario.source.sites(0, n_regions)
    sites = sites[~sites.is_decoy]
    exact, kin = set(), set()
    start, end = scenario.planted.core
    width = scenario.planted.width
    for region, motif, is_reverse, position in zip(
        sites.region, sites.motif, sites.is_reverse, sites.position, strict=True
    ):
        name = scenario.planted.name[motif]
        strand = "-" if is_reverse else "+"
        exact |= {(region, name, strand, position + d) for d in range(-2, 3)}
        first, last = (
            (width - end[motif], width - start[motif]) if is_reverse else (start[motif], end[motif])
        )
        kin |= {
            (region, scenario.family[name], p) for p in range(position + first, position + last)
        }
    rows = list(zip(*(np.ma.getdata(found[c]).tolist() for c in found), strict=True))
    is_true = np.array([(r[0], r[1], r[2], r[3]) in exact for r in rows])
    is_kin = np.array(
        [
            sum((r[0], scenario.family[r[1]], p) in kin for p in range(r[4], r[5]))
            >= (r[5] - r[4]) / 2
            for r in rows
        ]
    )

    def column(name: str) -> np.ndarray:
        return np.ma.filled(np.ma.asarray(found[name], dtype=float), np.nan)

    return JudgedHits(column("decoy_q"), column("decoy_q_pooled"), is_true, is_kin)
