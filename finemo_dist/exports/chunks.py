"""A sample's hits in runs of chromosomes, so that a table of any size sorts in bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import chromosome_chunks
from finemo_dist.catalog.repeats import repeated_places

_UNIQUE = "hits_unique"


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

    Chunk by chunk: what a query reads is in place from one chunk to the next and no longer.
    ``table`` is the name of a view; the one yielded has the same rows on these chromosomes.
    """
    for first, last in chromosome_chunks(catalog, sample):
        chunk: dict[str, object] = {"sample": sample, "first": first, "last": last}
        # A compaction has it worked out.
        if table == _UNIQUE and sample not in catalog.compacted:
            places = catalog.columns("chunk_places", chunk)
            catalog.show_table("repeated_place", repeated_places(**places))
            catalog.run("make_repeated", chunk)
            catalog.run("make_unique_in_chunk")
            yield chunk | {"table": "unique_in_chunk"}
        else:
            yield chunk | {"table": table}


@contextmanager
def as_called(catalog: Catalog, sample: str) -> Iterator[Catalog]:
    """Yield a catalog of one sample under the motif names of its own set."""
    if catalog.samples == (sample,) and len(catalog.record.sets) == 1:
        yield catalog
    else:
        with catalog.as_called(sample) as single:
            yield single
