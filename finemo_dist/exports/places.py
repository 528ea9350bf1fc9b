"""How long the chromosomes of a run are."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.errors import InputError, UsageError, nearest
from finemo_dist.storage.chrom_sizes import read_chrom_sizes


def chromosome_lengths(catalog: Catalog) -> dict[str, int]:
    """Return the length of every chromosome with hits, by name.

    Where no sample knows it that is the furthest end of a hit: a bigBed needs no more than that
    every feature ends on its chromosome.
    """
    known: dict[str, int] = {}
    for name in catalog.samples:
        for chrom, length in catalog.record.chrom_lengths_of(catalog.sample(name)).items():
            known[chrom] = max(length, known.get(chrom, 0))
    furthest = {chrom: int(end) for chrom, _, end in catalog.run("chromosome_extents")}
    return {chrom: known.get(chrom, max(end, 1)) for chrom, end in furthest.items()}


@contextmanager
def measured(catalog: Catalog, sizes: Path | None) -> Iterator[Catalog]:
    """Yield a catalog whose chromosomes are as long as a file says; without one, as it is.

    Raises
    ------
    InputError
        The file cannot be read, lacks a chromosome of the run, or a hit begins beyond one.
    """
    if sizes is None:
        yield catalog
        return
    known = read_chrom_sizes(sizes)
    for chrom, *_ in catalog.run("chromosome_extents"):
        if chrom not in known:
            raise InputError(
                f"{sizes}: lacks chromosome {chrom!r}, on which the run has hits."
                f"{nearest(chrom, known)} Give the sizes of the genome of the peaks."
            )
    with catalog.measured(known) as shown:
        for sample, chrom, start, length in shown.run("hits_beyond"):
            raise InputError(
                f"{sizes}: says that {chrom} has {length:,} bases, and a hit of sample {sample!r} "
                f"begins at {start:,}. Give the sizes of the genome of the peaks."
            )
        yield shown


def require_hits(catalog: Catalog, chunks: list[tuple[str, str]], what: str) -> None:
    """Refuse a file that cannot be empty.

    Raises
    ------
    UsageError
        No hit has a place.
    """
    if not chunks:
        raise UsageError(
            f"{catalog.run_dir}: none of the chosen hits has a place in a genome, and {what} "
            "cannot be "
            "empty. Export `--to tsv`, or give the peaks to `extract-regions` with `-p`."
        )
