"""The lengths of chromosomes as a file has them."""

from pathlib import Path

from finemo_dist.core.errors import InputError
from finemo_dist.storage.text import read_lines, whole_number


def read_chrom_sizes(path: str | Path) -> dict[str, int]:
    """Return chromosome to length from the first two columns of a ``.chrom.sizes`` or ``.fai``.

    Raises
    ------
    InputError
        The file cannot be read, a line is not a name and a positive number, or a chromosome has
        two lengths.
    """
    sizes: dict[str, int] = {}
    for line in read_lines(path):
        if line.text.startswith("#"):
            continue
        try:
            name, length = line.cells[0], whole_number(line.cells[1])
        except (ValueError, IndexError):
            name, length = "", 0
        if not name or length <= 0:
            raise InputError(
                f"{path}, line {line.number}: found {line.text[:80]!r}, expected a chromosome and "
                "its length."
            )
        if sizes.setdefault(name, length) != length:
            raise InputError(
                f"{path}, line {line.number}: gives {name!r} a second length, {length:,} after "
                f"{sizes[name]:,}. Keep one line."
            )
    return sizes
