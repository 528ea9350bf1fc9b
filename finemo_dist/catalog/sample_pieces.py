"""A sample's hits piece by piece, in order, each with the rows that another hit beats."""

from collections.abc import Iterator
from dataclasses import dataclass

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import chromosome_chunks
from finemo_dist.catalog.primary import RivalHits, beaten_hits


@dataclass(frozen=True, slots=True)
class SamplePiece:
    """How many rows the temporary table ``piece`` has now, and the view ``beaten``."""

    n_hits: int
    n_beaten: int


def sample_pieces(catalog: Catalog, sample: str, overlap: float) -> Iterator[SamplePiece]:
    """Yield once the hits of some chromosomes are the table ``piece``, chromosome after chromosome.

    The view ``beaten`` has then one column, the ``row`` of those that an overlapping hit beats.
    Both stand until the next is asked for.
    """
    for first, last in chromosome_chunks(catalog, sample):
        catalog.run("make_piece", {"sample": sample, "first": first, "last": last})
        columns = catalog.columns("piece_columns")
        beaten = columns["row"][beaten_hits(RivalHits(**columns), overlap)]
        catalog.show_table("beaten", {"row": beaten})
        yield SamplePiece(len(columns["row"]), len(beaten))
