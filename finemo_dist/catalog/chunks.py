"""A sample's hits in runs of chromosomes, so that a table of any size sorts in bounded memory."""

from typing import Final

from finemo_dist.catalog.catalog import Catalog

_CHUNK_HITS: Final = 2_000_000


def chromosome_chunks(
    catalog: Catalog, sample: str, *, chunk_hits: int = _CHUNK_HITS
) -> list[tuple[int, int]]:
    """Return first and last ``chr_id`` of consecutive runs of chromosomes, at least one.

    A run ends with the chromosome on which it reaches ``chunk_hits``.
    """
    chunks: list[tuple[int, int]] = []
    first, n_held = None, 0
    chrom = 0
    for chrom, n_hits in catalog.run("chromosome_counts", {"sample": sample}):
        first, n_held = (chrom if first is None else first), n_held + n_hits
        if n_held >= chunk_hits:
            chunks.append((first, chrom))
            first, n_held = None, 0
    if first is not None or not chunks:
        chunks.append((chrom if first is None else first, chrom))
    return chunks
