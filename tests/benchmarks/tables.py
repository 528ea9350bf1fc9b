"""Markdown tables, and the file of results in which some sections are generated."""

import statistics
from collections.abc import Sequence
from pathlib import Path

_TITLE = """# Benchmark results

As measured by `python -m tests.benchmarks` (see `tests/benchmarks/README.md`). The harness writes
between the `begin` and `end` marks and nowhere else; what stands outside them is written by hand.
"""


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; columns after the first are aligned right."""
    cells = [list(header), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        first, *rest = zip(row, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(cells[0]), line(rule), *(line(row) for row in cells[1:])])


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits and no exponent; large ones in full."""
    if value == 0 or not -1e15 < value < 1e15:
        return f"{value:g}"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{value:.1e}"


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Return the median, with the range where there are several values."""
    middle = number(statistics.median(values), digits)
    if len(values) == 1:
        return middle
    return f"{middle} ({number(min(values), digits)}-{number(max(values), digits)})"


def megabytes(n_bytes: float) -> str:
    """Return a number of bytes in MB, 10^6."""
    return f"{n_bytes / 1e6:,.0f} MB"


def write_section(path: Path, name: str, text: str) -> None:
    """Replace the generated section of that name, or append it; the rest of the file stays.

    Raises
    ------
    ValueError
        The section begins and does not end, so that what to replace is not known.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    content = path.read_text(encoding="utf-8") if path.exists() else _TITLE
    section = f"{begin}\n{text.strip()}\n{end}"
    if begin not in content:
        content = f"{content.rstrip()}\n\n{section}\n"
    else:
        before, _, rest = content.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"{path}: {begin} stands there without {end}. Add it or remove both.")
        content = f"{before}{section}{after}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
