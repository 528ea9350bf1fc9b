"""What takes the place of a hit if its motif is taken out and the region is solved again."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from finemo_dist.core.clock import Clock
from finemo_dist.core.config import SolverConfig
from finemo_dist.core.memory import MAX_BATCH_REGIONS
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import MotifSet
from finemo_dist.run.loading import load_batches
from finemo_dist.run.solving import RegionCaller, make_caller, memory_budget
from finemo_dist.solver.solution import Solution
from finemo_dist.solver.target import build_target
from finemo_dist.store.sampled import SelectedRegions


@dataclass(frozen=True, slots=True)
class Site:
    """A hit, counted in rows of the store and from the first base of its region."""

    row: int
    motif_id: int
    position: int
    """First base of the untrimmed CWM."""


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """What takes the place of a hit."""

    site: Site
    motif_id: int | None
    """None where nothing does."""
    position: int | None
    coefficient: float | None
    """Of the motif that takes the place, once the other is out."""
    margin: float
    """By how much the objective of the region grows, in normalised contributions squared."""


def runners_up(
    reader: RegionReader, motifs: MotifSet, config: SolverConfig, sites: list[Site]
) -> Iterator[RunnerUp]:
    """Yield the runner-up of each site, motif by motif.

    For every motif, the regions that have a hit of it are solved without both of its strands. The
    margin is that of the motif in the region, and hits of one motif in a region share it. The
    runner-up is the hit that overlaps the site by half of the narrower of the two or more, and
    gains most amplitude over the solution with all motifs.
    """
    # What the post-filter removes is part of the objective.
    config = config.model_copy(update={"use_post_filter": False, "merge_palindromes": False})
    every = _rows(sites)
    whole = _solve(reader, motifs, config, every)
    objective = dict(zip(every.tolist(), _objective(whole, motifs, reader), strict=True))
    before = {
        (int(every[hit.region]), hit.motif, hit.position): hit.amplitude for hit in _hits(whole)
    }
    for first in sorted({site.motif_id // 2 * 2 for site in sites}):
        own = [site for site in sites if site.motif_id // 2 * 2 == first]
        kept = np.flatnonzero(np.arange(len(motifs)) // 2 * 2 != first)
        rows = _rows(own)
        if len(kept):
            others = _without(motifs, kept)
            solved = _solve(reader, others, config, rows)
            left, hits = _objective(solved, others, reader), list(_hits(solved))
        else:
            left, hits = _unexplained(reader, config, rows), []
        after = dict(zip(rows.tolist(), left, strict=True))
        by_row: dict[int, list[_Hit]] = {}
        for hit in hits:
            moved = replace(hit, motif=int(kept[hit.motif]))
            by_row.setdefault(int(rows[hit.region]), []).append(moved)
        for site in own:
            margin = max(0.0, after[site.row] - objective[site.row])
            yield _runner_up(site, motifs, by_row.get(site.row, []), before, margin)


@dataclass(frozen=True, slots=True)
class _Hit:
    region: int
    motif: int
    position: int
    coefficient: float
    amplitude: float


def _runner_up(
    site: Site,
    motifs: MotifSet,
    candidates: list[_Hit],
    before: dict[tuple[int, int, int], float],
    margin: float,
) -> RunnerUp:
    best: tuple[float, _Hit] | None = None
    for hit in candidates:
        gain = hit.amplitude - before.get((site.row, hit.motif, hit.position), 0.0)
        if gain > 0 and _overlaps(site, hit, motifs) and (best is None or gain > best[0]):
            best = gain, hit
    if best is None:
        return RunnerUp(site, None, None, None, margin)
    hit = best[1]
    return RunnerUp(site, hit.motif, hit.position, hit.coefficient, margin)


def _overlaps(site: Site, hit: _Hit, motifs: MotifSet) -> bool:
    bounds = [
        (at + int(motifs.start[motif]), at + int(motifs.end[motif]))
        for at, motif in ((site.position, site.motif_id), (hit.position, hit.motif))
    ]
    (a, b), (c, d) = bounds
    return 2 * (min(b, d) - max(a, c)) >= min(b - a, d - c)


def _rows(sites: list[Site]) -> NDArray[np.int64]:
    return np.array(sorted({site.row for site in sites}), np.int64)


def _without(motifs: MotifSet, kept: NDArray[np.intp]) -> MotifSet:
    return MotifSet(
        name=tuple(motifs.name[i] for i in kept),
        name_orig=tuple(motifs.name_orig[i] for i in kept),
        strand=tuple(motifs.strand[i] for i in kept),
        cwm=motifs.cwm[kept],
        start=motifs.start[kept],
        end=motifs.end[kept],
        scale=motifs.scale[kept],
        penalty=motifs.penalty[kept],
    )


def _solve(
    reader: RegionReader, motifs: MotifSet, config: SolverConfig, rows: NDArray[np.int64]
) -> Solution:
    device = torch.device("cpu")
    chosen = SelectedRegions(reader, rows, rows.tolist())
    caller = RegionCaller(
        make_caller(motifs, config, device), chosen, budget_bytes=memory_budget(device)
    )
    return caller.solve(range(len(rows)), Clock())


def _objective(solution: Solution, motifs: MotifSet, reader: RegionReader) -> NDArray[np.float64]:
    """Return the objective of each region: half the squared residual, and the penalties."""
    penalty = motifs.penalty[solution.hits.motif.numpy()] * solution.hits.coefficient.numpy()
    region = solution.hits.region.numpy()
    half: NDArray[np.float64] = solution.fit.nll.numpy() * reader.region_width
    return half + np.bincount(region, weights=penalty, minlength=len(half))


def _unexplained(
    reader: RegionReader, config: SolverConfig, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the objective of regions that no motif is left to explain."""
    chosen, device = SelectedRegions(reader, rows, rows.tolist()), torch.device("cpu")
    batches = load_batches(chosen, range(len(rows)), size=MAX_BATCH_REGIONS, device=device)
    targets = (
        build_target(
            *batch,
            is_hypothetical=config.mode.contributions_are_hypothetical,
            use_sqrt_transform=config.use_sqrt_transform,
        )
        for batch in batches
    )
    return np.concatenate([target.y.square().sum((1, 2)).numpy() / 2 for target in targets])


def _hits(solution: Solution) -> Iterator[_Hit]:
    hits = solution.hits
    amplitude = hits.coefficient / (1 + hits.importance_sq).sqrt()
    columns = (hits.region, hits.motif, hits.position, hits.coefficient, amplitude)
    for values in zip(*(column.tolist() for column in columns), strict=True):
        yield _Hit(*values)
