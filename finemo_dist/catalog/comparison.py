"""What two groups of samples are compared by, asked of the catalog sample by sample."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import place_chunks
from finemo_dist.catalog.connection import run_errors, stream_errors

Floats = NDArray[np.float64]

_BATCH_ROWS: Final = 100_000
_STEPS: Final = 2.0**30
"""From quantile 0 to 1: as multiples of a power of two they add up exactly, in any order."""


@dataclass(frozen=True, slots=True)
class MotifMatrix:
    """Motifs by samples; NaN where a sample was not called with a motif."""

    labels: tuple[str, ...]
    samples: tuple[str, ...]
    n_regions: NDArray[np.int64]
    """(S,) committed."""
    n_hits: Floats
    """(M, S)."""
    score_quantile: Floats
    """(M, S) mean quantile of the score among all hits of the sample; NaN without hits."""
    believed_share: Floats
    """(M, S) share of the hits with a q that are believed; NaN where no hit has a q."""

    @property
    def rates(self) -> Floats:
        """(M, S) hits per region."""
        return self.n_hits / np.maximum(self.n_regions, 1)


def compare_motifs(
    catalog: Catalog,
    sides: Mapping[str, int],
    *,
    kind: str,
    with_sites: bool,
    largest_q: float | None = None,
) -> MotifMatrix:
    """Return hits and scores of motifs by sample, and fill the tables of ``compare_tables.sql``.

    Scores of models differ in scale; their quantiles among all hits of a sample do not. Memory is
    that of the histograms of one sample.

    Parameters
    ----------
    sides
        Sample to its group, 0 or 1, in the order of the columns.
    kind
        What motifs are compared by: ``motif``, ``tf``, ``family`` or ``cluster``.
    with_sites
        Whether sites will be asked for, and regions must be compared.
    largest_q
        Hits with at most this q against decoy motifs are believed; q is not looked at when None.
    """
    catalog.run("compare_tables")
    samples = tuple(sides)
    catalog.run("fill_compared", {"sample": list(samples), "side": list(sides.values())})
    if largest_q is not None:
        catalog.run("fill_believed_cuts", {"q": float(largest_q)})
    called = catalog.run("compare_labels", {"kind": kind})
    labels = tuple(dict.fromkeys(label for label, _ in called))
    row = {label: i for i, label in enumerate(labels)}
    column = {sample: i for i, sample in enumerate(samples)}
    n_hits = np.full((len(labels), len(samples)), np.nan)
    for label, sample in called:
        if sample in column:
            n_hits[row[label], column[sample]] = 0
    mean, believed = np.full(n_hits.shape, np.nan), np.full(n_hits.shape, np.nan)
    for i, sample in enumerate(samples):
        found = catalog.columns("compare_scores", {"kind": kind, "sample": sample})
        at = np.array([row[label] for label in found["label"]], np.int64)
        counts = found["n"].astype(np.float64)
        bins, quantiles = _quantiles(found["bin"].astype(np.int64), counts)
        total = np.bincount(at, weights=counts, minlength=len(labels))
        of = quantiles[np.searchsorted(bins, found["bin"].astype(np.int64))]
        summed = np.bincount(at, weights=counts * of, minlength=len(labels))
        is_called = ~np.isnan(n_hits[:, i])
        n_hits[is_called, i] = total[is_called]
        mean[total > 0, i] = summed[total > 0] / total[total > 0]
        judged, kept = (
            np.bincount(at, weights=found[name].astype(np.float64), minlength=len(labels))
            for name in ("n_judged", "n_believed")
        )
        believed[judged > 0, i] = kept[judged > 0] / judged[judged > 0]
        if with_sites and len(bins):
            columns = {"sample": [sample] * len(bins), "bin": bins.tolist()}
            catalog.run("fill_score_quantiles", {**columns, "quantile": quantiles.tolist()})
    regions = dict(catalog.rows("SELECT sample, n_regions_committed FROM samples"))
    if with_sites:
        _fill_common(catalog, samples)
    n_regions = np.array([regions[sample] for sample in samples], np.int64)
    return MotifMatrix(labels, samples, n_regions, n_hits, mean, believed)


def with_q(catalog: Catalog, samples: Sequence[str]) -> tuple[str, ...]:
    """Return which of the samples have q of their hits."""
    found = {sample for (sample,) in catalog.run("samples_with_q")}
    return tuple(sample for sample in samples if sample in found)


def compare_sites(
    catalog: Catalog, sizes: tuple[int, int], *, share: float, change: float
) -> Iterator[Any]:
    """Yield the rows of ``compare_sites.sql`` as Arrow batches, chromosomes by chromosomes.

    Parameters
    ----------
    sizes
        Samples of the groups.
    share
        Of the samples of a group, for the group to have a site.
    change
        Least difference of mean quantiles that counts as changed.
    """
    for first, last in place_chunks(catalog):
        chunk = {
            "first": first, "last": last, "n_first": sizes[0], "n_second": sizes[1],
            "share": share, "change": change,
        }  # fmt: skip
        with run_errors(catalog.run_dir), stream_errors():
            yield from catalog.stream_chunk(chunk, "compare_sites").to_arrow_reader(_BATCH_ROWS)


def _quantiles(bins: NDArray[np.int64], counts: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return the bins that occur, and the share of hits below the middle of each."""
    known, at = np.unique(bins, return_inverse=True)
    sizes = np.bincount(at, weights=counts, minlength=len(known))
    below = np.cumsum(sizes) - sizes / 2
    return known, np.round(below / max(sizes.sum(), 1) * _STEPS) / _STEPS


def _fill_common(catalog: Catalog, samples: Sequence[str]) -> None:
    """Fill common_regions with what the regions of all samples cover."""
    common: dict[str, NDArray[np.int64]] | None = None
    for sample in samples:
        found = catalog.columns("compare_regions", {"sample": sample})
        own: dict[str, NDArray[np.int64]] = {}
        names = found["chr"]
        for name in dict.fromkeys(names.tolist()):
            here = names == name
            own[name] = np.stack([found["first"][here], found["last"][here]]).astype(np.int64)
        common = own if common is None else _intersected(common, own)
    for name, places in (common or {}).items():
        columns = {"first": places[0].tolist(), "last": places[1].tolist()}
        catalog.run("fill_common_regions", {"chr": [name] * places.shape[1], **columns})


def _intersected(
    one: Mapping[str, NDArray[np.int64]], other: Mapping[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.int64]]:
    """Return what two sets of sorted, separate intervals (2, N) share, by chromosome."""
    found = {}
    for name in one.keys() & other.keys():
        a, b = one[name], other[name]
        low = np.searchsorted(b[1], a[0], side="right")
        n_met = np.maximum(np.searchsorted(b[0], a[1], side="left") - low, 0)
        of = np.repeat(np.arange(a.shape[1]), n_met)
        within = np.arange(len(of)) - np.repeat(np.cumsum(n_met) - n_met, n_met)
        met = low[of] + within
        found[name] = np.stack([np.maximum(a[0][of], b[0][met]), np.minimum(a[1][of], b[1][met])])
    return found
