"""Which hits all of several inputs share: the rule of ``queries/intersect.sql`` over arrays."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.arrays import Column, numbered
from finemo_dist.catalog.hit_records import SCORE_COLUMNS
from finemo_dist.catalog.intersect.row_order import row_order
from finemo_dist.core.errors import UsageError

_MOST_COMBINATIONS: Final = 10_000


def shared_hits(
    records: Sequence[NDArray[Any]],
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
        (hits,) of ``INTERSECT_RECORD`` of each input.
    chrom_ranks, name_ranks
        Places of the codes in the order of chromosomes, and of motif names and strands.

    Returns
    -------
    (rows, inputs) numbers of the hits of each input.

    Raises
    ------
    UsageError
        A site has over 10,000 combinations.
    """
    sizes = np.array([len(one) for one in records])
    key = _key(records, chrom_ranks, name_ranks, is_relaxed=is_relaxed)
    order, is_new = row_order(key)
    first, n_hits = _sites(order, is_new, np.repeat(np.arange(len(sizes)), sizes), len(sizes))
    if np.any(n_hits > 1):
        _sort_repeated(order, records, first, n_hits)
    rows = _combined(order, first, n_hits)
    rows -= np.cumsum(sizes) - sizes
    return rows


def _field(records: Sequence[NDArray[Any]], name: str) -> NDArray[Any]:
    """Return a field of all hits, those of an input one after the other."""
    return np.concatenate([one[name] for one in records])


def _key(
    records: Sequence[NDArray[Any]],
    chrom_ranks: NDArray[np.int32],
    name_ranks: NDArray[np.int32],
    *,
    is_relaxed: bool,
) -> list[Column]:
    code, peak = _field(records, "chr_code"), _field(records, "peak_id")
    # Of code -1, no chromosome, the rank is the last one.
    chrom = np.append(chrom_ranks, np.int32(-1))[code]
    region = np.where(code < 0, peak, np.uint32(0))
    name = name_ranks[_field(records, "name_code")]
    untrimmed = _field(records, "start_untrimmed")
    untrimmed_end = _field(records, "end_untrimmed")
    if is_relaxed:
        return [chrom, region, untrimmed, untrimmed_end - untrimmed, name]
    start, end = _field(records, "start"), _field(records, "end")
    # Differences: small numbers, and constant for most motifs.
    trims = (start - untrimmed, untrimmed_end - end)
    peak_name = _field(records, "peak_name_hash")
    return [chrom, region, start, end - start, name, peak, *trims, peak_name]


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
    sizes = np.diff(np.append(starts, len(order)))
    starts, sizes = starts[sizes >= n_inputs], sizes[sizes >= n_inputs]
    site, nth = numbered(sizes)
    owner = owners[order[starts[site] + nth]]
    n_hits = np.bincount(site * n_inputs + owner, minlength=len(starts) * n_inputs)
    n_hits = n_hits.reshape(len(starts), n_inputs)
    is_shared = np.all(n_hits > 0, axis=1)
    n_hits = n_hits[is_shared]
    return starts[is_shared, None] + np.cumsum(n_hits, axis=1) - n_hits, n_hits


def _sort_repeated(
    order: NDArray[np.intp],
    records: Sequence[NDArray[Any]],
    first: NDArray[np.intp],
    n_hits: NDArray[np.intp],
) -> None:
    """Sort, in place, the hits that an input has at one site."""
    is_repeated = n_hits > 1
    group, nth = numbered(n_hits[is_repeated])
    where = first[is_repeated][group] + nth
    rows = order[where]
    hits = _hits(records, rows)
    names = ("start", "end", "peak_id", "peak_name_hash", *SCORE_COLUMNS)
    keys = [hits[name] for name in reversed(names)]
    order[where] = rows[np.lexsort((*keys, group))]


def _hits(records: Sequence[NDArray[Any]], rows: NDArray[np.intp]) -> NDArray[Any]:
    """Return some of the hits, numbered over all inputs."""
    found = np.empty(len(rows), records[0].dtype)
    first = 0
    for one in records:
        is_own = (rows >= first) & (rows < first + len(one))
        found[is_own] = one[rows[is_own] - first]
        first += len(one)
    return found


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
    site, left = numbered(n_rows.astype(np.intp))
    found = np.empty((len(site), n_hits.shape[1]), np.intp)
    for number in reversed(range(n_hits.shape[1])):
        left, nth = np.divmod(left, n_hits[site, number])
        found[:, number] = order[first[site, number] + nth]
    return found
