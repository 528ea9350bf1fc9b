"""From patterns and a configuration to the motifs that are called."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.config import MotifConfig
from finemo_dist.core.errors import InputError, nearest
from finemo_dist.core.records import Mode, MotifSet
from finemo_dist.motifs.modisco import Pattern

_Item = TypeVar("_Item")


def build_motif_set(patterns: Sequence[Pattern], config: MotifConfig, mode: Mode) -> MotifSet:
    """Return both strands of every included pattern, normalised, with its trim and penalty.

    CWMs narrower than the widest get zero columns on the right of the forward strand; its reverse
    complement therefore starts with them. The trim window is always that of the contribution
    CWM, whichever CWM the mode calls for.

    Raises
    ------
    InputError
        The configuration names a motif that is not there, gives two motifs one name, trims a
        motif to nothing or outside its columns, or includes one whose CWM is all zero.
    """
    _check_names(patterns, config)
    kept = [p for p in patterns if config.include is None or p.name in config.include]
    if not kept:
        raise InputError("The list of motifs to include is empty. Name one, or leave the list out.")
    for pattern in kept:
        _check_not_zero(pattern)
    names = [config.names.get(p.name, p.name) for p in kept]
    _check_unique(names, [p.name for p in kept])
    width = max(p.contributions.shape[1] for p in kept)
    windows = [_trim_window(p, config) for p in kept]
    called = [p.hypothetical if mode.cwms_are_hypothetical else p.contributions for p in kept]
    scales = [norm(cwm) for cwm in called]
    forward = [_padded(cwm / scale, width) for cwm, scale in zip(called, scales, strict=True)]
    penalties = [config.penalties.get(p.name, config.penalty) for p in kept]
    return MotifSet(
        name=tuple(_twice(names)),
        name_orig=tuple(_twice([p.name for p in kept])),
        strand=("+", "-") * len(kept),
        cwm=np.stack(list(chain(*((cwm, cwm[::-1, ::-1]) for cwm in forward)))).astype(np.float16),
        start=np.array(list(chain(*((a, width - b) for a, b in windows))), np.int64),
        end=np.array(list(chain(*((b, width - a) for a, b in windows))), np.int64),
        scale=np.array(_twice(scales), np.float64),
        penalty=np.array(_twice(penalties), np.float64),
        source=tuple(_twice([p.source for p in kept])),
    )


def norm(cwm: NDArray[np.float64]) -> float:
    """Return the Euclidean norm of a CWM that is not all zero, however small or large it is.

    Scaled by a power of two, so that no square over- or underflows and no bit changes.
    """
    _, exponent = np.frexp(np.abs(cwm).max())
    squares = np.square(np.ldexp(cwm, -exponent))
    return float(np.ldexp(np.sqrt(squares.sum()), exponent))


def trim_window(cwm: NDArray[np.float64], threshold: float) -> tuple[int, int]:
    """Return the half-open columns from the first to the last that carry weight.

    A column carries weight when its summed ``|cwm|`` reaches ``threshold`` times the largest.

    Parameters
    ----------
    cwm : (4, W)
        Contribution scores of a pattern, not all zero.
    threshold : float
        Between 0 (nothing is trimmed) and 1 (only the strongest columns stay).
    """
    weight = np.abs(cwm).sum(axis=0)
    columns = np.flatnonzero(weight >= threshold * weight.max())
    return int(columns[0]), int(columns[-1]) + 1


def _trim_window(pattern: Pattern, config: MotifConfig) -> tuple[int, int]:
    if pattern.name in config.trim_coords:
        start, end = _window_asked_for(pattern, config)
    else:
        threshold = config.trim_thresholds.get(pattern.name, config.trim_threshold)
        cwm = pattern.contributions
        start, end = trim_window(cwm / norm(cwm), threshold)
    if not (pattern.contributions[:, start:end].any() and pattern.hypothetical[:, start:end].any()):
        raise InputError(
            f"{pattern.name}: its CWM is zero in trim window {start} to {end}, so it matches "
            "nothing. Give it a wider window in the file of --cwm-trim-coords."
        )
    return start, end


def _window_asked_for(pattern: Pattern, config: MotifConfig) -> tuple[int, int]:
    start, end = config.trim_coords[pattern.name]
    width = pattern.contributions.shape[1]
    if not 0 <= start < end <= width:
        raise InputError(
            f"{pattern.name}: trim window {start} to {end} is not within its {width} columns. "
            f"Expected 0 <= start < end <= {width} in the file of --cwm-trim-coords."
        )
    return start, end


def _padded(cwm: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    return np.pad(cwm, ((0, 0), (0, width - cwm.shape[1])))


def _twice(values: Iterable[_Item]) -> list[_Item]:
    return list(chain.from_iterable(repeat(value, 2) for value in values))


def _check_names(patterns: Sequence[Pattern], config: MotifConfig) -> None:
    known = [p.name for p in patterns]
    asked = {
        "--motifs-include": config.include or (),
        "--motif-names": config.names,
        "--motif-lambdas": config.penalties,
        "--cwm-trim-thresholds": config.trim_thresholds,
        "--cwm-trim-coords": config.trim_coords,
    }
    for option, names in asked.items():
        for name in names:
            if name not in known:
                raise InputError(
                    f"{option} names motif {name!r}, which is not in the modisco file."
                    f"{_hint(name, known, config)} Use the modisco names, such as {known[0]!r}."
                )


def _hint(name: str, known: Sequence[str], config: MotifConfig) -> str:
    """Return which motif a wrong name may mean; a new name is right in the output only."""
    renamed = [old for old, new in config.names.items() if new == name and old in known]
    return f" It is the new name of {renamed[0]!r}." if renamed else nearest(name, known)


def _check_not_zero(pattern: Pattern) -> None:
    # Here and not where patterns are read, so that leaving the pattern out is a cure.
    for field, cwm in (
        ("contrib_scores", pattern.contributions),
        ("hypothetical_contribs", pattern.hypothetical),
    ):
        if not cwm.any():
            raise InputError(
                f"{pattern.name}: its {field} are all zero, so it matches nothing. Remove the "
                "pattern from the modisco file, or leave it out with --motifs-include."
            )


def _check_unique(names: Sequence[str], modisco_names: Sequence[str]) -> None:
    clashes = [name for name, count in Counter(names).items() if count > 1]
    if clashes:
        pairs = zip(names, modisco_names, strict=True)
        motifs = [modisco for name, modisco in pairs if name == clashes[0]]
        raise InputError(
            f"--motif-names leaves several motifs with the name {clashes[0]!r}: "
            f"{', '.join(motifs)}. Give each its own name."
        )
