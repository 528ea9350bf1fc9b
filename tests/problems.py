"""Small random problems: motif sets and regions, drawn from a seed."""

from dataclasses import dataclass

import numpy as np
import torch
from hypothesis import strategies as st

from finemo_dist.core.config import MotifConfig, SolverConfig
from finemo_dist.core.records import Mode, MotifSet
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import Pattern
from finemo_dist.solver.cwms import Cwms, build_cwms


@dataclass(frozen=True)
class Problem:
    """Regions and motifs, ready for any solver."""

    motifs: MotifSet
    sequence: torch.Tensor
    contributions: torch.Tensor
    config: SolverConfig

    @property
    def cwms(self) -> Cwms:
        return build_cwms(
            self.motifs,
            torch.device("cpu"),
            use_sqrt_transform=self.config.use_sqrt_transform,
        )


def make_patterns(rng: np.random.Generator, n_motifs: int, width: int) -> list[Pattern]:
    """CWMs with a strong core, weak flanks and both signs."""
    patterns = []
    for i in range(n_motifs):
        profile = np.exp(-0.5 * ((np.arange(width) - rng.uniform(1, width - 1)) / 1.5) ** 2)
        contributions = rng.normal(0, 1, (4, width)) * profile
        hypothetical = contributions + rng.normal(0, 0.2, (4, width)) * profile
        patterns.append(Pattern(f"pos_patterns.pattern_{i}", contributions, hypothetical))
    return patterns


def make_problem(
    seed: int,
    *,
    n_motifs: int = 3,
    width: int = 7,
    n_regions: int = 3,
    length: int = 40,
    mode: Mode = Mode.PP,
    use_sqrt_transform: bool = False,
    penalty: float = 0.7,
    **solver: object,
) -> Problem:
    rng = np.random.default_rng(seed)
    patterns = make_patterns(rng, n_motifs, width)
    motifs = build_motif_set(patterns, MotifConfig(penalty=penalty), mode)
    sequence = rng.choice(5, (n_regions, length), p=[0.24, 0.24, 0.24, 0.24, 0.04])
    contributions = rng.standard_t(2, (n_regions, 4, length)) * 0.3
    for row in range(n_regions):
        for _ in range(3):
            pattern = patterns[rng.integers(n_motifs)]
            start = rng.integers(length - width + 1)
            where = slice(start, start + width)
            best = pattern.contributions.argmax(0)
            sequence[row, where] = best
            contributions[row, :, where] += rng.uniform(1, 4) * pattern.contributions
    return Problem(
        motifs=motifs,
        sequence=torch.from_numpy(sequence.astype(np.uint8)),
        contributions=torch.from_numpy(contributions.astype(np.float32)),
        config=SolverConfig(
            mode=mode,
            use_sqrt_transform=use_sqrt_transform,
            use_post_filter=False,
            **solver,
        ),
    )


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Small problems of every mode, both signs, with unknown bases and trims."""
    width = draw(st.integers(3, 9))
    return make_problem(
        draw(st.integers(0, 2**32 - 1)),
        n_motifs=draw(st.integers(1, 4)),
        width=width,
        n_regions=draw(st.integers(1, 4)),
        length=draw(st.integers(width, 48)),
        mode=draw(st.sampled_from(Mode)),
        use_sqrt_transform=draw(st.booleans()),
        penalty=draw(st.sampled_from([0.3, 0.6, 0.7, 0.9])),
    )


def hits_by_key(solution) -> dict[tuple[int, int, int], float]:
    """Coefficient by (region, motif, position)."""
    hits = solution.hits
    keys = zip(hits.region.tolist(), hits.motif.tolist(), hits.position.tolist(), strict=True)
    return dict(zip(keys, hits.coefficient.tolist(), strict=True))


def dense_coefficient(problem: Problem, solution) -> torch.Tensor:
    """Coefficients (R, M, P) of a solution, float64."""
    n_positions = problem.sequence.shape[1] - problem.motifs.width + 1
    shape = (len(problem.sequence), len(problem.motifs), n_positions)
    coefficient = torch.zeros(shape, dtype=torch.float64)
    hits = solution.hits
    coefficient[hits.region, hits.motif, hits.position] = hits.coefficient
    return coefficient
