"""A sample's hits in runs of chromosomes, so that a table of any size sorts in bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import chromosome_chunks

__all__ = ["chromosome_chunks", "focused"]


@contextmanager
def focused(catalog: Catalog, sample: str) -> Iterator[Catalog]:
    """Yield a catalog of one sample: ``catalog`` itself where it shows no other."""
    if catalog.samples == (sample,):
        yield catalog
    else:
        with catalog.only(sample) as single:
            yield single
