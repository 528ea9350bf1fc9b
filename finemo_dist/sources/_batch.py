"""Checks and small arithmetic on blocks of sequences and scores, shared by all sources."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import UNKNOWN_BASE, InputCounts, RegionBatch
from finemo_dist.sources._places import Places

_NUMBERS = "fiub"

Describe = Callable[[int], str]
"""Names a row of a block in a message."""


def central_columns(array_width: int, region_width: int, path: str) -> slice:
    """Return the ``region_width`` columns in the middle of ``array_width``.

    Raises
    ------
    InputError
        The arrays are narrower than the regions.
    """
    start = array_width // 2 - region_width // 2
    if start < 0 or start + region_width > array_width:
        raise InputError(
            f"{path}: arrays are {array_width:,} bases wide, but regions of {region_width:,} were "
            f"asked for. Choose a region width (-w) of at most {array_width // 2 * 2:,}."
        )
    return slice(start, start + region_width)


def codes_of_one_hot(
    one_hot: NDArray[np.generic], path: str, describe: Describe
) -> NDArray[np.uint8]:
    """Return codes (R, L) of sequences (R, 4, L); a column of zeros is an unknown base.

    Raises
    ------
    InputError
        A column holds anything but zeros and at most one 1.
    """
    _check_numbers(one_hot, path)
    is_byte = one_hot.dtype.itemsize == 1
    with np.errstate(invalid="ignore"):
        bits = one_hot.view(np.uint8) if is_byte else one_hot.astype(np.uint8)
    n_set = bits[:, 0] + bits[:, 1] + bits[:, 2] + bits[:, 3]
    is_fine = (is_byte or bool((bits == one_hot).all())) and bits.max(initial=0) <= 1
    if not is_fine or n_set.max(initial=0) > 1:
        is_wrong = ((bits != one_hot) | (bits > 1)).any(axis=1) | (n_set > 1)
        row, column = (int(i) for i in np.argwhere(is_wrong)[0])
        raise InputError(
            f"{path}: {describe(row)}, column {column} of the region: found "
            f"{one_hot[row, :, column].tolist()}, expected one-hot A, C, G, T (a single 1) or "
            f"four zeros for an unknown base. Give the one-hot sequences the scores were made for."
        )
    codes: NDArray[np.uint8] = bits[:, 1] + 2 * bits[:, 2] + 3 * bits[:, 3]
    codes += UNKNOWN_BASE * (1 - n_set)
    return codes


def clean_scores(
    scores: NDArray[np.generic], path: str, describe: Describe
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return float32 scores with NaN replaced by zero, and which rows (R,) had any.

    Raises
    ------
    InputError
        A score is infinite, or beyond the range of float32.
    """
    _check_numbers(scores, path)
    with np.errstate(over="ignore"):
        clean = scores.astype(np.float32)
    has_nan = np.zeros(len(clean), dtype=np.bool_)
    if np.isfinite(clean).all():
        return clean, has_nan
    axes = tuple(range(1, clean.ndim))
    is_infinite = np.isinf(clean).any(axis=axes)
    if is_infinite.any():
        raise InputError(
            f"{path}: {describe(int(is_infinite.argmax()))} has an infinite contribution. "
            f"Expected finite scores: write them again, as float32 if float16 overflowed."
        )
    is_nan = np.isnan(clean)
    clean[is_nan] = 0
    has_nan[:] = is_nan.any(axis=axes)
    return clean, has_nan


def _check_numbers(values: NDArray[np.generic], path: str) -> None:
    if values.dtype.kind not in _NUMBERS:
        raise InputError(f"{path}: holds values of type {values.dtype}, expected real numbers.")


def mean_of_folds(
    folds: Iterable[tuple[NDArray[np.float32], NDArray[np.bool_]]],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the mean over folds, taken in float64, and the rows with NaN in any of them."""
    folds = iter(folds)
    first, has_nan = next(folds)
    total: NDArray[np.float64] | None = None
    n_folds = 1
    for scores, nan_rows in folds:
        total = first.astype(np.float64) if total is None else total
        total += scores
        has_nan = has_nan | nan_rows
        n_folds += 1
    if total is None:
        return first, has_nan
    return (total / n_folds).astype(np.float32), has_nan


def finish_batch(
    places: Places,
    start: int,
    *,
    sequence: NDArray[np.uint8],
    contributions: NDArray[np.float32],
    has_nan: NDArray[np.bool_],
    is_missing: NDArray[np.bool_] | None = None,
    n_folds_compared: int = 1,
    is_from_genome: bool = False,
) -> RegionBatch:
    """Return a batch of rows from ``start`` on, cleared over chromosome ends, and counted.

    Changes both arrays. A projected score is zeroed wherever the base is unknown; a hypothetical
    one only off the chromosome, because a model may have scored an N. ``n_folds_compared`` is the
    number of folds that brought sequences of their own, all found equal.
    """
    stop = start + len(sequence)
    off_chrom = places.off_chrom(start, stop)
    n_clipped = 0
    if off_chrom is not None:
        sequence[off_chrom] = UNKNOWN_BASE
        np.moveaxis(contributions, -1, 1)[off_chrom] = 0
        n_clipped = int(off_chrom.any(axis=1).sum())
    is_unknown = sequence == UNKNOWN_BASE
    if contributions.ndim == 2:
        contributions[is_unknown] = 0
    if off_chrom is not None:
        is_unknown &= ~off_chrom
    n_zero_off_base = 0
    has_score = contributions.any(axis=tuple(range(1, contributions.ndim)))
    if contributions.ndim == 3:
        is_off_base = sequence[:, None, :] != np.arange(4, dtype=np.uint8)[:, None]
        is_projected = ~(is_off_base & (contributions != 0)).any(axis=(1, 2))
        n_zero_off_base = int((is_projected & has_score).sum())
    counts = InputCounts(
        n_regions=len(sequence),
        n_clipped=n_clipped,
        n_unknown_bases=int(is_unknown.any(axis=1).sum()),
        n_zero=int((~has_score).sum()),
        n_nan=int(has_nan.sum()),
        n_missing_chrom=0 if is_missing is None else int(is_missing.sum()),
        n_no_summit=int(places.no_summit[start:stop].sum()),
        n_summit_outside=int(places.is_outside[start:stop].sum()),
        n_zero_off_base=n_zero_off_base,
        n_duplicate=int(places.is_duplicate[start:stop].sum()),
        n_from_genome=len(sequence) * is_from_genome,
        n_compared_with_genome=len(sequence) * (places.genome is not None and not is_from_genome),
        n_compared_between_folds=len(sequence) * (n_folds_compared > 1),
    )
    return RegionBatch(sequence, contributions, counts)
