"""Whether motifs can be called in regions; loads no PyTorch, so that extraction can ask."""

from pathlib import Path
from typing import Final

import numpy as np

from finemo_dist.core.config import CallConfig
from finemo_dist.core.errors import InputError
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.protocols import RegionKind
from finemo_dist.core.records import Mode, MotifSet, ScoreKind

_HIGHEST_SIMILARITY: Final = 1.0
"""Of a cosine."""


def check_regions(
    name: str,
    path: str | Path,
    regions: RegionKind,
    *,
    motifs: MotifSet,
    config: CallConfig,
) -> None:
    """Refuse regions of a sample in which the motifs cannot be called.

    Raises
    ------
    InputError
        They are narrower than the motifs, or lack the hypothetical scores the mode needs.
    """
    if regions.region_width < motifs.width:
        raise InputError(
            f"{path}: regions of sample {name!r} are {regions.region_width} bases wide, "
            f"narrower than the motifs ({motifs.width} columns). Extract wider regions (-w)."
        )
    mode = config.solver.mode
    if mode.contributions_are_hypothetical and regions.score_kind is ScoreKind.PROJECTED:
        raise InputError(
            f"{path}: holds projected contributions of sample {name!r}, and mode "
            f"{mode.value!r} needs hypothetical ones. Use -M pp or -M hp, or extract the regions "
            "from H5 or modisco files with `--scores hypothetical` (in a configuration `scores`)."
        )
    wrong = np.flatnonzero(~(np.isfinite(motifs.penalty) & (motifs.penalty > 0)))
    if wrong.size:
        raise InputError(
            f"Motif {motifs.name[wrong[0]]!r} has lambda {motifs.penalty[wrong[0]]}; expected a "
            "finite number above 0."
        )
    _check_reachable(motifs, config)


def _check_reachable(motifs: MotifSet, config: CallConfig) -> None:
    """Refuse a lambda that no hit can pass: the post-filter compares it with the similarity."""
    beyond = np.flatnonzero(motifs.penalty >= _HIGHEST_SIMILARITY)
    if beyond.size and config.solver.use_post_filter:
        raise InputError(
            f"Motif {motifs.name[beyond[0]]!r} has lambda {motifs.penalty[beyond[0]]:g}, and so "
            f"have {len(set(beyond // 2)):,} of {len(motifs) // 2:,} motifs; the post-filter keeps "
            "hits whose similarity is at least lambda, and no similarity exceeds 1. Choose a "
            "lambda below 1 (-l, -L), or leave the filter out (--no-post-filter)."
        )


def check_scores(name: str, path: str | Path, report: InputReport, mode: Mode) -> None:
    """Refuse projected contributions in the place of hypothetical ones.

    Raises
    ------
    InputError
        The mode needs scores of every base, and all are zero off the observed one.
    """
    counts = report.counts
    n_scored = counts.n_regions - counts.n_zero
    is_projected = 0 < n_scored == counts.n_zero_off_base
    if is_projected and mode.contributions_are_hypothetical:
        raise InputError(
            f"{path}: the contributions of sample {name!r} are zero off the observed base in all "
            f"{n_scored:,} regions that have any, so they are projected ones, and mode "
            f"{mode.value!r} needs hypothetical ones. Use -M pp or -M hp, or give the hypothetical "
            "contributions to extract-regions."
        )
