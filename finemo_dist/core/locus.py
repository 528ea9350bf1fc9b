"""A place on a genome, as people type it."""

import re
from dataclasses import dataclass
from typing import Final

from finemo_dist.core.errors import UsageError

_PLACE: Final = re.compile(r"(?P<chrom>[^\s:]+)(?::(?P<start>\d[\d,]*)-(?P<end>\d[\d,]*))?")


@dataclass(frozen=True, slots=True)
class Locus:
    """A chromosome, or a part of one."""

    chrom: str
    start: int = 0
    end: int | None = None
    """0-based, half-open; None for the whole chromosome."""


def parse_locus(text: str) -> Locus:
    """Return the place that ``chrom`` or ``chrom:start-end`` names, 0-based and half-open.

    Commas within numbers are ignored: ``chrIV:1,000-2,000``.

    Raises
    ------
    UsageError
        The text is no such place, or ends before it starts.
    """
    match = _PLACE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not a place; expected chrom or chrom:start-end.")
    if match["start"] is None:
        return Locus(match["chrom"])
    start, end = (int(match[name].replace(",", "")) for name in ("start", "end"))
    if end <= start:
        raise UsageError(f"{text!r} ends before it starts; expected chrom:start-end.")
    return Locus(match["chrom"], start, end)
