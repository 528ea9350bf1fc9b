"""Functions with the arguments and results of finemo 0.41's, for packages that call those."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.config import MotifConfig, SolverConfig, SolverName
from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.core.optional import require
from finemo_dist.core.records import Mode, MotifSet, ScoreKind
from finemo_dist.core.schema import FINEMO_MOTIF_COLUMNS
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import read_patterns
from finemo_dist.motifs.site_frequencies import read_site_frequencies
from finemo_dist.run.finemo_fit import fit
from finemo_dist.sources.finemo_npz import load_finemo_npz
from finemo_dist.sources.memory import MemorySource
from finemo_dist.store.memory import MemoryRegions
from finemo_dist.workflow.settings import checked

_MOTIF_TYPES: Final = ("cwm", "hcwm", "pfm", "pfm_softmax")
_SOFTMAX_TEMPERATURE: Final = 100.0
_PEAK_COLUMNS: Final = {
    "chr": "chr",
    "chr_id": "chr_id",
    "peak_region_start": "start",
    "peak_id": "peak_id",
    "peak_name": "peak_name",
}
"""Column to key of the regions file."""


def fit_contribs(
    cwms: NDArray[Any],
    contribs: NDArray[Any],
    sequences: NDArray[Any],
    cwm_trim_mask: NDArray[Any],
    use_hypothetical: bool,  # noqa: FBT001  (the order of arguments is finemo's)
    lambdas: NDArray[Any],
    step_size_max: float = 3.0,
    step_size_min: float = 0.08,
    sqrt_transform: bool = False,  # noqa: FBT001, FBT002
    convergence_tol: float = 0.0005,
    max_steps: int = 10_000,
    batch_size: int = 2000,
    step_adjust: float = 0.7,
    post_filter: bool = True,  # noqa: FBT001, FBT002
    device: Any = None,  # noqa: ANN401
    compile_optimizer: bool = False,  # noqa: FBT001, FBT002
    eps: float = 1.0,
) -> tuple[Any, Any]:
    """Return hits and quality control by finemo's iteration and its stopping rule.

    The dense solver, early stops included. ``finemo_dist.find_hits`` is faster and exact.

    Parameters
    ----------
    cwms : (M, 4, W)
        Motifs, one entry for each strand.
    contribs : (N, 4, L) or (N, L)
        Hypothetical contributions, or those of the bases that are there.
    sequences : (N, 4, L)
        One-hot.
    cwm_trim_mask : (M, W)
        1 inside the trim window of each motif, 0 outside; one window each.
    use_hypothetical
        Whether hypothetical contributions are reconstructed, instead of projected ones.
    lambdas : (M,)
        Weights of the L1 penalty.
    convergence_tol
        For finemo's measure of the gap, over L.
    eps
        1, which finemo always uses.

    Returns
    -------
    Two polars frames: ``peak_id, motif_id, hit_start, hit_coefficient, hit_similarity,
    hit_importance, hit_importance_sq`` ordered by region, motif and position; and ``nll, dual_gap,
    num_steps, step_size, global_scale, peak_id`` ordered by region. Importances are of normalised
    contributions; ``hit_start`` counts from the first base of the region.

    Warns
    -----
    RuntimeWarning
        A region has not converged.

    Raises
    ------
    InputError
        Arrays disagree in shape, or hold what they may not.
    UsageError
        A setting cannot be, or polars is not installed.
    """
    polars = require("polars", needed_for="fit_contribs()", extra="polars")
    if eps != 1:
        raise UsageError(f"eps {eps}: expected 1, the only value that finemo uses. Leave it out.")
    regions = _regions(contribs, sequences, use_hypothetical=use_hypothetical)
    config = checked(
        SolverConfig,
        name=SolverName.DENSE,
        mode=Mode.PH if use_hypothetical else Mode.PP,
        use_sqrt_transform=sqrt_transform,
        use_post_filter=post_filter,
        tolerance=convergence_tol,
        max_steps=max_steps,
        step_size_max=step_size_max,
        step_size_min=step_size_min,
        step_adjust=step_adjust,
        use_compile=compile_optimizer,
    )
    motifs = _motifs(cwms, cwm_trim_mask, lambdas)
    if motifs.width > regions.region_width:
        raise InputError(
            f"cwms of shape {cwms.shape} are wider than sequences of shape {sequences.shape}. "
            "Expected CWMs no wider than the sequences."
        )
    found = fit(motifs, regions, config, batch_size=batch_size, device=device)
    return polars.DataFrame(found.hits), polars.DataFrame(found.qc)


def load_modisco_motifs(
    modisco_h5_path: str | Path,
    trim_coords: Mapping[str, tuple[int, int]] | None,
    trim_thresholds: Mapping[str, float] | None,
    trim_threshold_default: float,
    motif_type: str,
    motifs_include: Sequence[str] | None,
    motif_name_map: Mapping[str, str] | None,
    motif_lambdas: Mapping[str, float] | None,
    motif_lambda_default: float,
    include_rc: bool,  # noqa: FBT001
) -> tuple[Any, NDArray[np.float16], NDArray[np.int8], NDArray[np.object_]]:
    """Return the motifs of a TF-MoDISco H5 file as finemo's ``fit_contribs`` takes them.

    Parameters
    ----------
    trim_coords, trim_thresholds, motif_lambdas
        For single motifs, by modisco name or by the name that ``motif_name_map`` gives.
    motif_type
        ``cwm``, ``hcwm``, ``pfm`` (base frequencies) or ``pfm_softmax``.
    include_rc
        Whether each motif is followed by its reverse complement.

    Returns
    -------
    A polars frame of the columns of ``motif_data.tsv``; motifs (M, 4, W); masks (M, W) that are 1
    inside the trim windows; and the names of the motifs.

    Raises
    ------
    InputError
        The file cannot be read, or does not hold a motif that is named.
    UsageError
        There is no such ``motif_type``, or polars is not installed.
    """
    polars = require("polars", needed_for="load_modisco_motifs()", extra="polars")
    if motif_type not in _MOTIF_TYPES:
        raise UsageError(
            f"motif_type {motif_type!r}: expected one of {', '.join(map(repr, _MOTIF_TYPES))}."
        )
    names = dict(motif_name_map or {})
    config = checked(
        MotifConfig,
        trim_threshold=trim_threshold_default,
        trim_thresholds=_by_modisco_name(trim_thresholds, names),
        trim_coords=_by_modisco_name(trim_coords, names),
        penalty=motif_lambda_default,
        penalties=_by_modisco_name(motif_lambdas, names),
        include=None if motifs_include is None else tuple(motifs_include),
        names=names,
    )
    mode = Mode.HP if motif_type == "hcwm" else Mode.PP
    motifs = build_motif_set(read_patterns(modisco_h5_path), config, mode)
    cwms = motifs.cwm
    scale: NDArray[Any] = motifs.scale
    if motif_type.startswith("pfm"):
        cwms, scale = _frequencies(modisco_h5_path, motifs, motif_type), np.ones(len(motifs), int)
    column = np.arange(motifs.width)
    masks = (column >= motifs.start[:, None]) & (column < motifs.end[:, None])
    kept = slice(None) if include_rc else slice(None, None, 2)
    rows = range(len(motifs))[kept]
    values = (
        np.arange(len(rows), dtype=np.uint32), motifs.name[kept], motifs.name_orig[kept],
        motifs.strand[kept], motifs.start[kept], motifs.end[kept], scale[kept],
        motifs.penalty[kept],
    )  # fmt: skip
    return (
        polars.DataFrame(dict(zip(FINEMO_MOTIF_COLUMNS, values, strict=True))),
        cwms[kept].copy(),
        masks[kept].astype(np.int8),
        np.array(motifs.name[::2], dtype=object),
    )


def load_regions_npz(npz_path: str | Path) -> tuple[NDArray[Any], NDArray[Any], Any, bool]:
    """Return what finemo's regions file holds.

    Returns
    -------
    Sequences (N, 4, L); contributions (N, 4, L) or (N, L); a polars frame of ``chr, chr_id,
    peak_region_start, peak_id, peak_name``; and whether these are in the file. Where they are not,
    chromosome and name are ``NA`` and starts are 0.

    Warns
    -----
    UserWarning
        The file has no coordinates.

    Raises
    ------
    InputError
        The file is damaged, lacks keys, or its arrays disagree with each other.
    UsageError
        polars is not installed.
    """
    polars = require("polars", needed_for="load_regions_npz()", extra="polars")
    held = load_finemo_npz(npz_path)
    n_regions = len(held["sequences"])
    has_peaks = "chr" in held
    if not has_peaks:
        warnings.warn(
            f"{npz_path}: has no coordinates, so chromosomes and names are NA.", stacklevel=2
        )
        row = np.arange(n_regions, dtype=np.uint32)
        unnamed = np.full(n_regions, "NA")
        start = np.zeros(n_regions, np.int32)
        held |= {"chr": unnamed, "chr_id": row, "start": start, "peak_id": row}
        held["peak_name"] = unnamed
    peaks = polars.DataFrame({column: held[key] for column, key in _PEAK_COLUMNS.items()})
    return held["sequences"], held["contributions"], peaks, has_peaks


def get_cwms(
    regions: NDArray[Any],
    positions_df: Any,  # noqa: ANN401  (a polars or pandas frame)
    motif_width: int,
) -> NDArray[Any]:
    """Return the mean contributions over hits, (4, W); hits over an end of a region are left out.

    Parameters
    ----------
    regions : (N, 4, L)
        Contributions times the one-hot sequences.
    positions_df
        Columns ``peak_id``, ``start_untrimmed`` and ``peak_region_start`` on one scale, and
        ``is_revcomp``: such hits are turned to the forward strand.
    motif_width
        W.

    Returns
    -------
    NaN everywhere without a hit that lies inside its region.
    """
    peak, first, region_start, is_reverse = (
        np.asarray(positions_df[name])
        for name in ("peak_id", "start_untrimmed", "peak_region_start", "is_revcomp")
    )
    start = first.astype(np.int64) - region_start.astype(np.int64)
    is_inside = (start >= 0) & (start + motif_width <= regions.shape[2])
    if not is_inside.any():
        return np.full((4, motif_width), np.nan, np.result_type(regions.dtype, np.float16))
    windows = np.lib.stride_tricks.sliding_window_view(regions, motif_width, axis=2)
    sites: NDArray[Any] = windows[peak[is_inside], :, start[is_inside]]
    turned = is_reverse[is_inside].astype(bool)
    sites[turned] = sites[turned, ::-1, ::-1]
    mean: NDArray[Any] = sites.mean(axis=0)
    return mean


def _regions(
    contribs: NDArray[Any], sequences: NDArray[Any], *, use_hypothetical: bool
) -> MemoryRegions:
    shape = sequences.shape
    if len(shape) != 3 or shape[1] != 4 or contribs.shape not in (shape, (shape[0], shape[2])):
        raise InputError(
            f"Found sequences of shape {shape} and contribs of shape {contribs.shape}; expected "
            "(N, 4, L), and (N, 4, L) or (N, L), of the same regions."
        )
    regions = MemoryRegions(MemorySource(sequences, contribs), is_rounded=False)
    if use_hypothetical and regions.score_kind is ScoreKind.PROJECTED:
        raise InputError(
            f"contribs of shape {contribs.shape} are projected, and use_hypothetical needs "
            f"hypothetical ones of shape {shape}. Give those, or set use_hypothetical=False."
        )
    return regions


def _motifs(cwms: NDArray[Any], trim_mask: NDArray[Any], lambdas: NDArray[Any]) -> MotifSet:
    n_motifs, width = len(cwms), cwms.shape[-1]
    is_fine = cwms.ndim == 3 and cwms.shape[1] == 4 and n_motifs > 0
    if not is_fine or trim_mask.shape != (n_motifs, width) or lambdas.shape != (n_motifs,):
        raise InputError(
            f"Found cwms of shape {cwms.shape}, cwm_trim_mask of shape {trim_mask.shape} and "
            f"lambdas of shape {lambdas.shape}; expected (M, 4, W), (M, W) and (M,)."
        )
    inside = trim_mask != 0
    start = inside.argmax(axis=1)
    end = width - inside[:, ::-1].argmax(axis=1)
    is_window = (inside.sum(axis=1) == end - start) & inside.any(axis=1) & (trim_mask <= 1).all(1)
    if not is_window.all():
        motif = int((~is_window).argmax())
        raise InputError(
            f"cwm_trim_mask: found {trim_mask[motif].tolist()} for motif {motif}, expected a "
            "single run of 1s between 0s."
        )
    if not (np.isfinite(lambdas) & (lambdas > 0)).all():
        raise InputError("lambdas: expected finite numbers above 0.")
    names = tuple(map(str, range(n_motifs)))
    return MotifSet(
        name=names,
        name_orig=names,
        strand=("+",) * n_motifs,
        cwm=cwms,
        start=start.astype(np.int64),
        end=end.astype(np.int64),
        scale=np.ones(n_motifs),
        penalty=lambdas.astype(np.float64),
    )


def _by_modisco_name(values: Mapping[str, Any] | None, names: Mapping[str, str]) -> dict[str, Any]:
    """Return values by modisco name; finemo looks some of them up by new name."""
    old_of = {new: old for old, new in names.items()}
    return {old_of.get(name, name): value for name, value in (values or {}).items()}


def _frequencies(path: str | Path, motifs: MotifSet, motif_type: str) -> NDArray[np.float16]:
    """Return frequencies of both strands in place of CWMs (M, 4, W).

    ``pfm_softmax`` is finemo's softmax over bases, of what each base has above its mean over the
    columns.
    """
    both = np.zeros(motifs.cwm.shape)
    for row, counts in enumerate(read_site_frequencies(path, motifs.name_orig[::2])):
        if motif_type == "pfm":
            forward = counts / counts.sum(axis=0)
        else:
            logits = _SOFTMAX_TEMPERATURE * (counts - counts.mean(axis=1, keepdims=True))
            forward = np.exp(logits - logits.max(axis=0))
            forward /= forward.sum(axis=0)
        both[2 * row, :, : counts.shape[1]] = forward
        both[2 * row + 1] = both[2 * row, ::-1, ::-1]
    return both.astype(np.float16)
