"""Hits in runs of consecutive chromosomes, so that a table of any size sorts in bounded memory."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from finemo_dist.catalog.catalog import Catalog

Chromosome = TypeVar("Chromosome")
Named = TypeVar("Named")

_CHUNK_HITS: Final = 2_000_000
_EVERYWHERE: Final = (-1, 2**31 - 1)
"""First and last ``chr_id`` there can be; that of a region without coordinates is -1."""


def chromosome_runs(
    counts: Iterable[tuple[Chromosome, int]], *, chunk_hits: int = _CHUNK_HITS
) -> Iterator[tuple[Chromosome, Chromosome]]:
    """Yield the first and last of consecutive runs of chromosomes.

    A run ends with the chromosome on which it reaches ``chunk_hits``.

    Parameters
    ----------
    counts
        Chromosome and its hits, in order.
    """
    run: list[Chromosome] = []
    n_held = 0
    for chrom, n_hits in counts:
        run.append(chrom)
        n_held += n_hits
        if n_held >= chunk_hits:
            yield run[0], run[-1]
            run, n_held = [], 0
    if run:
        yield run[0], run[-1]


def whole_runs(counts: Sequence[tuple[Named, int]]) -> Iterator[list[Named]]:
    """Yield chromosomes of so many hits, in order; see ``chromosome_runs``."""
    numbered = [(number, n_hits) for number, (_, n_hits) in enumerate(counts)]
    for first, last in chromosome_runs(numbered):
        yield [chrom for chrom, _ in counts[first : last + 1]]


def chromosome_chunks(
    catalog: Catalog, sample: str, *, chunk_hits: int = _CHUNK_HITS
) -> list[tuple[int, int]]:
    """Return first and last ``chr_id`` of runs of a sample's chromosomes, at least one run."""
    if catalog.n_hits(sample) <= chunk_hits:
        return [_EVERYWHERE]
    counts = catalog.run("chromosome_counts", {"sample": sample})
    return list(chromosome_runs(counts, chunk_hits=chunk_hits)) or [(0, 0)]


def place_chunks(catalog: Catalog, *, chunk_hits: int = _CHUNK_HITS) -> list[tuple[str, str]]:
    """Return first and last name of runs of all samples' chromosomes, sorted by name.

    Names and not ``chr_id``, whose order is each sample's own.
    """
    extents = catalog.run("chromosome_extents")
    counts = ((chrom, n_hits) for chrom, n_hits, _ in extents)
    return list(chromosome_runs(counts, chunk_hits=chunk_hits))
