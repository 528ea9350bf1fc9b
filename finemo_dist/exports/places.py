"""How long the chromosomes of a run are."""

from pathlib import Path

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.errors import InputError, UsageError, nearest


def chromosome_lengths(catalog: Catalog, sizes: Path | None) -> dict[str, int]:
    """Return the length of every chromosome with hits, by name.

    From ``sizes``, or where that is None the furthest end of a hit: a run does not know its
    genome, and a bigBed needs no more than that every feature ends on its chromosome.

    Raises
    ------
    InputError
        The file cannot be read, has a malformed line, or lacks a chromosome of the run.
    """
    furthest = {chrom: int(end) for chrom, _, end in catalog.run("chromosome_extents")}
    if sizes is None:
        return {chrom: max(end, 1) for chrom, end in furthest.items()}
    known = read_chrom_sizes(sizes)
    for chrom in furthest:
        if chrom not in known:
            raise InputError(
                f"{sizes}: lacks chromosome {chrom!r}, on which the run has hits."
                f"{nearest(chrom, known)} Give the sizes of the genome the peaks are of."
            )
    return {chrom: known[chrom] for chrom in furthest}


def read_chrom_sizes(path: Path) -> dict[str, int]:
    """Return chromosome to length from the first two columns of a ``.chrom.sizes`` or ``.fai``.

    Raises
    ------
    InputError
        The file cannot be read, or a line is not a name and a positive number.
    """
    sizes: dict[str, int] = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({error}). Check the path.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) < 2 or not fields[1].isdecimal() or not int(fields[1]):
            raise InputError(
                f"{path}, line {number}: found {line[:80]!r}, expected a chromosome and its length."
            )
        sizes[fields[0]] = int(fields[1])
    return sizes


def require_hits(catalog: Catalog, chunks: list[tuple[str, str]], what: str) -> None:
    """Refuse a file that cannot be empty.

    Raises
    ------
    UsageError
        No hit has a place.
    """
    if not chunks:
        raise UsageError(
            f"{catalog.run_dir}: no hit asked for has a place in a genome, and {what} cannot be "
            "empty. Export `--to tsv`, or give the peaks to `extract-regions` with `-p`."
        )
