"""Hits in arrays, in memory: one call, no files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.clock import Clock
from finemo_dist.core.config import CallConfig, SolverConfig
from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.core.records import Mode, RegionTable
from finemo_dist.core.schema import CALLED_HIT_COLUMNS, QC_COLUMNS, VIEWS, Column
from finemo_dist.hits.columns import arrow_table
from finemo_dist.hits.order import sorted_hits
from finemo_dist.run.region_checks import check_regions
from finemo_dist.run.solving import (
    RegionCaller,
    device_here,
    make_caller,
    memory_budget,
)
from finemo_dist.sources.memory import MemorySource
from finemo_dist.store.memory import MemoryRegions
from finemo_dist.workflow.found_hits import Hits
from finemo_dist.workflow.motif_set import MotifSet, Paths, read_motifs
from finemo_dist.workflow.settings import checked

_HIT_COLUMNS: Final = CALLED_HIT_COLUMNS[1:]
"""All of the view but the sample."""
_QC_COLUMNS: Final = (
    *(column for column in VIEWS["peaks_qc"][1:] if column in QC_COLUMNS),
    Column(
        "reconstruction",
        "double",
        "share of the squared contributions that the optimum explains, before the post-filter; "
        "NaN without contributions",
    ),
)


def find_hits(
    sequences: Any,  # noqa: ANN401  (anything with __array__)
    contributions: Any,  # noqa: ANN401
    motifs: MotifSet | Paths,
    *,
    mode: Mode | str = Mode.PP,
    penalty: float | None = None,
    sqrt_transform: bool = False,
    post_filter: bool = True,
    merge_palindromes: bool = False,
    config: CallConfig | None = None,
    axis_order: str = "nal",
    peaks: str | Path | Mapping[str, Any] | Any = None,  # noqa: ANN401
    device: str = "auto",
    batch_size: int | None = None,
) -> Hits:
    """Return the hits of motifs in regions that are arrays in memory.

    They equal those of ``call-hits`` on the same arrays, to the last bit. No file is written.

    Parameters
    ----------
    sequences
        (N, 4, L), or (N, L, 4) with ``axis_order="nla"``: one-hot A, C, G, T; four zeros are an
        unknown base. A NumPy array, a PyTorch tensor or anything else that NumPy can convert to
        an array; it is not changed.
    contributions
        Hypothetical contributions in the shape of ``sequences``, or projected contributions
        (N, L), those of the observed bases. NaN counts as 0.
    motifs
        A ``MotifSet`` of ``read_motifs``, or the path of one or several motif files.
    mode
        Scores to compare, first of the motifs, then of the regions: ``pp``, ``ph``, ``hp`` or
        ``hh``, with p projected and h hypothetical.
    penalty
        Lambda, the weight of the L1 penalty. A higher lambda calls fewer hits. When None, that
        of ``motifs``, which is 0.7 by default.
    sqrt_transform
        Replace contributions and CWMs by their signed square roots first.
    post_filter
        Drop hits whose similarity is below lambda.
    merge_palindromes
        Sum the hits of the two strands of a palindromic motif into one hit per site.
    config
        All settings of a call at once, instead of those above.
    axis_order
        ``nal`` or ``nla``: the order of the axes N, bases, L.
    peaks
        Coordinates of the regions: a narrowPeak or BED file with one line per region, whose
        summits are the middles of the regions, or a table (a mapping or data frame) with columns
        ``chr`` and ``start``, the first base of each region from 0, and optionally ``name``.
    device
        ``auto``, ``cpu`` or ``cuda``.
    batch_size
        Regions solved together; chosen from the available memory when None. Changes no hit.

    Raises
    ------
    InputError
        The arrays disagree in shape, a sequence is not one-hot, a contribution is infinite, the
        mode needs hypothetical contributions and has projected ones, or a file cannot be read.
    UsageError
        A setting has an impossible value.
    """
    one_hot, scores = _arrays(sequences, contributions, axis_order)
    solver = {
        "mode": mode,
        "use_sqrt_transform": sqrt_transform,
        "use_post_filter": post_filter,
        "merge_palindromes": merge_palindromes,
    }
    called, settings = _settings(motifs, config, penalty, checked(SolverConfig, **solver))
    regions = MemoryRegions(MemorySource(one_hot, scores, _places(peaks)))
    both_strands = called.both_strands(settings.mode)
    call = CallConfig(motifs=called.settings, solver=settings)
    check_regions("sample", "contributions", regions, motifs=both_strands, config=call)
    where = device_here(device)
    caller = RegionCaller(
        make_caller(both_strands, settings, where),
        regions,
        budget_bytes=memory_budget(where),
        batch_size=batch_size,
    )
    rows = range(regions.n_regions)
    solution = caller.solve(rows, Clock())
    hits, qc = caller.tables(solution, rows)
    ordered = sorted_hits(hits)
    ordered["hit_correlation"] = ordered["hit_similarity"]
    coefficients = (ordered[f"hit_coefficient{kind}"] for kind in ("", "_global"))
    one, other = (np.asarray(values, np.float64) for values in coefficients)
    ordered["hit_score"] = np.sqrt(one * other).astype(np.float32)
    return Hits(
        arrow_table(_HIT_COLUMNS, ordered),
        arrow_table(_QC_COLUMNS, {**qc, "reconstruction": _reconstruction(qc)}),
        lambda row: caller.residual(solution, row),
    )


def _reconstruction(qc: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return ``1 - 2 nll``: normalised contributions have a mean square of one."""
    share = 1 - 2 * np.asarray(qc["nll"])
    return np.where(np.asarray(qc["global_scale"]) > 0, share, np.nan)


def _settings(
    motifs: MotifSet | Paths,
    config: CallConfig | None,
    penalty: float | None,
    solver: SolverConfig,
) -> tuple[MotifSet, SolverConfig]:
    read = motifs if isinstance(motifs, MotifSet) else read_motifs(motifs)
    if config is None:
        return read if penalty is None else read.with_settings(penalty=penalty), solver
    if penalty is not None or solver != SolverConfig():
        raise UsageError(
            "config was given together with other solver settings. Give either config, or "
            "mode, penalty, sqrt_transform, post_filter and merge_palindromes."
        )
    return MotifSet(read.patterns, config.motifs), config.solver


def _arrays(
    sequences: object, contributions: object, axis_order: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return sequences (N, 4, L) and contributions (N, 4, L) or (N, L).

    Raises
    ------
    InputError
        Their shapes disagree with each other or with the order of axes.
    UsageError
        There is no such order.
    """
    if axis_order not in ("nal", "nla"):
        raise UsageError(
            f"axis_order {axis_order!r}: expected 'nal' for arrays (N, 4, L) or 'nla' for (N, L, "
            "4)."
        )
    one_hot, scores = _as_array(sequences, "sequences"), _as_array(contributions, "contributions")
    bases = axis_order.index("a")
    shapes = f"sequences of shape {one_hot.shape} and contributions of shape {scores.shape}"
    if one_hot.ndim != 3 or one_hot.shape[bases] != 4:
        expected = "(N, 4, L)" if bases == 1 else "(N, L, 4)"
        other = "nla" if bases == 1 else "nal"
        is_other = one_hot.ndim == 3 and one_hot.shape[3 - bases] == 4
        cure = (
            f"Give axis_order={other!r}, the order of these arrays."
            if is_other
            else "Give one-hot sequences of A, C, G, T."
        )
        raise InputError(f"Found {shapes}; expected sequences {expected}. {cure}")
    n_regions, length = one_hot.shape[0], one_hot.shape[3 - bases]
    if scores.shape not in (one_hot.shape, (n_regions, length)):
        raise InputError(
            f"Found {shapes}; expected contributions {one_hot.shape} if hypothetical, or "
            f"{(n_regions, length)} if projected. Give both for the same regions, with bases on "
            "the "
            "same axis."
        )
    if not n_regions or not length:
        raise InputError(f"Found {shapes}; expected at least one region of one base.")
    if bases == 2:
        one_hot = one_hot.swapaxes(1, 2)
        scores = scores.swapaxes(1, 2) if scores.ndim == 3 else scores
    return one_hot, scores


def _as_array(values: object, name: str) -> NDArray[Any]:
    # A tensor that is on a GPU, or that gradients are kept for, cannot become an array as it is.
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach().cpu()
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name}: NumPy cannot convert it to an array ({error}). Give numbers of a type that "
            "NumPy knows, such as float32."
        ) from error
    if array.dtype.kind not in "fiub":
        raise InputError(
            f"{name}: holds values of type {array.dtype}, expected real numbers. Convert them to "
            "float32."
        )
    return array


def _places(peaks: Any) -> str | Path | RegionTable | None:  # noqa: ANN401
    if peaks is None or isinstance(peaks, str | Path):
        return peaks
    columns = {name: _column(peaks, name) for name in ("chr", "start")}
    chrom, first = columns["chr"].astype(str), columns["start"]
    if first.dtype.kind not in "iu" or first.shape != chrom.shape or first.ndim != 1:
        raise InputError(
            f"peaks: found chr of shape {chrom.shape} and start of shape {first.shape} and type "
            f"{first.dtype}; expected one row for each region, and whole numbers as start."
        )
    names = dict.fromkeys(chrom.tolist())
    rank = {name: i for i, name in enumerate(names)}
    has_names = "name" in peaks
    return RegionTable(
        chrom_names=tuple(names),
        chrom_id=np.array([rank[name] for name in chrom.tolist()], np.int32),
        start=first.astype(np.int64),
        peak_id=np.arange(len(first), dtype=np.uint32),
        peak_name=_column(peaks, "name").astype(str).astype(object)
        if has_names
        else np.full(len(first), ".", dtype=object),
    )


def _column(peaks: Any, name: str) -> NDArray[Any]:  # noqa: ANN401
    try:
        return np.asarray(peaks[name])
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise InputError(
            f"peaks: has no column {name!r}. Expected a peaks file, or a table with columns chr, "
            "start and optionally name."
        ) from error
