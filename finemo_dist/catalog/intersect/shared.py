"""Which hits all of several inputs share: the rule of ``queries/intersect.sql`` over arrays."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.intersect.row_order import Column, row_order
from finemo_dist.core.errors import UsageError

_MOST_COMBINATIONS: Final = 10_000
_SCORES: Final = (
    "hit_coefficient",
    "hit_coefficient_global",
    "hit_similarity",
    "hit_correlation",
    "hit_importance",
    "hit_importance_sq",
)


def shared_hits(
    records: NDArray[Any],
    owners: NDArray[np.intp],
    n_inputs: int,
    *,
    chrom_ranks: NDArray[np.int32],
    name_ranks: NDArray[np.int32],
    is_relaxed: bool,
) -> NDArray[np.intp]:
    """Return the hits that all inputs share, a row for each combination of one hit of each.

    Rows are in the order of what must agree: chromosome, region where there is no chromosome,
    start, length, motif, strand, peak, and the untrimmed place; relaxed, untrimmed start and length
    in place of start and length, and no peak. A site that an input has several times gives every
    combination a row, ordered by the hit of the first input, then of the second, and so on, each by
    start, end, peak and scores.

    Parameters
    ----------
    records
        (hits,) of ``INTERSECT_RECORD``, those of an input one after the other.
    owners
        (hits,) number of the input, ascending.
    chrom_ranks, name_ranks
        Places of the codes in the order of chromosomes, and of motif names and strands.

    Returns
    -------
    (rows, inputs) numbers of hits.

    Raises
    ------
    UsageError
        A site has over 10,000 combinations.
    """
    key = _key(records, chrom_ranks, name_ranks, is_relaxed=is_relaxed)
    order, is_new = row_order(key)
    first, n_hits = _sites(order, is_new, owners, n_inputs)
    if np.any(n_hits > 1):
        _sort_repeated(order, records, first, n_hits)
    return _combined(order, first, n_hits)


def _key(
    records: NDArray[Any],
    chrom_ranks: NDArray[np.int32],
    name_ranks: NDArray[np.int32],
    *,
    is_relaxed: bool,
) -> list[Column]:
    code, peak = records["chr_code"], records["peak_id"]
    # Of code -1, no chromosome, the rank is the last one.
    chrom = np.append(chrom_ranks, np.int32(-1))[code]
    region = np.where(code < 0, peak, np.uint32(0))
    name = name_ranks[records["name_code"]]
    start, end = records["start"], records["end"]
    untrimmed, untrimmed_end = records["start_untrimmed"], records["end_untrimmed"]
    if is_relaxed:
        return [chrom, region, untrimmed, untrimmed_end - untrimmed, name]
    # Differences: small numbers, and constant for most motifs.
    trims = (start - untrimmed, untrimmed_end - end)
    return [chrom, region, start, end - start, name, peak, *trims, records["peak_name_hash"]]


def _sites(
    order: NDArray[np.intp],
    is_new: NDArray[np.bool_],
    owners: NDArray[np.intp],
    n_inputs: int,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return of the sites that all inputs have where each one's hits start, and how many they are.

    Both are (sites, inputs); hits of a site are side by side in ``order``, by input.
    """
    starts = np.flatnonzero(is_new)
    sizes = np.diff([*starts.tolist(), len(order)]) if len(starts) else starts
    starts, sizes = starts[sizes >= n_inputs], sizes[sizes >= n_inputs]
    site = np.repeat(np.arange(len(starts)), sizes)
    within = np.arange(len(site)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    owner = owners[order[np.repeat(starts, sizes) + within]]
    n_hits = np.bincount(site * n_inputs + owner, minlength=len(starts) * n_inputs)
    n_hits = n_hits.reshape(len(starts), n_inputs)
    is_shared = np.all(n_hits > 0, axis=1)
    n_hits = n_hits[is_shared]
    return starts[is_shared, None] + np.cumsum(n_hits, axis=1) - n_hits, n_hits


def _sort_repeated(
    order: NDArray[np.intp],
    records: NDArray[Any],
    first: NDArray[np.intp],
    n_hits: NDArray[np.intp],
) -> None:
    """Sort, in place, the hits that an input has at one site."""
    is_repeated = n_hits > 1
    counts = n_hits[is_repeated]
    group = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
    where = np.repeat(first[is_repeated], counts) + within
    hits = records[order[where]]
    names = ("start", "end", "peak_id", "peak_name_hash", *_SCORES)
    keys = [hits[name] for name in reversed(names)]
    order[where] = order[where][np.lexsort((*keys, group))]


def _combined(
    order: NDArray[np.intp], first: NDArray[np.intp], n_hits: NDArray[np.intp]
) -> NDArray[np.intp]:
    # Floating point does not overflow; what it cannot hold is too many in any case.
    n_rows = np.prod(n_hits.astype(np.float64), axis=1)
    if np.any(n_rows > _MOST_COMBINATIONS):
        raise UsageError(
            "A site is there so often in these inputs that its combinations are over 10,000, as "
            "where peaks overlap. Give hits_unique.tsv instead of hits.tsv, or leave out -r."
        )
    n_rows = n_rows.astype(np.intp)
    site = np.repeat(np.arange(len(n_rows)), n_rows)
    left = np.arange(len(site)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows)
    found = np.empty((len(site), n_hits.shape[1]), np.intp)
    for number in reversed(range(n_hits.shape[1])):
        left, nth = np.divmod(left, n_hits[site, number])
        found[:, number] = order[first[site, number] + nth]
    return found
