"""A sample's hits in runs of chromosomes, so that a table of any size sorts in bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import chromosome_chunks


@contextmanager
def focused(catalog: Catalog, sample: str) -> Iterator[Catalog]:
    """Yield a catalog of one sample: ``catalog`` itself where it shows no other."""
    if catalog.samples == (sample,):
        yield catalog
    else:
        with catalog.only(sample) as single:
            yield single


def hit_chunks(catalog: Catalog, sample: str, table: str) -> Iterator[dict[str, object]]:
    """Yield sample, table, first and last ``chr_id``, as the queries that write hits take them.

    ``table`` is the name of a view.
    """
    for first, last in chromosome_chunks(catalog, sample):
        yield {"sample": sample, "table": table, "first": first, "last": last}


@contextmanager
def as_called(catalog: Catalog, sample: str) -> Iterator[Catalog]:
    """Yield a catalog of one sample under the motif names of its own set."""
    if catalog.samples == (sample,) and len(catalog.record.sets) == 1:
        yield catalog
    else:
        with catalog.as_called(sample) as single:
            yield single
