"""Parts of the genome in which hits of several inputs are compared, in the order of the output."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from finemo_dist.catalog.window_file import BASES_SHIFT, LAST_WINDOW, PEAKS_SHIFT

Window = tuple[str | None, int]
"""A chromosome and the place of a window among those of it; without one, of regions."""

_PIECE_HITS: Final = 2_000_000
_FIRST_WINDOW: Final = -LAST_WINDOW - 1


@dataclass(frozen=True, slots=True)
class Piece:
    """Some whole chromosomes, or some windows of one; the chromosome None has regions."""

    chromosomes: tuple[str | None, ...]
    first_window: int = _FIRST_WINDOW
    last_window: int = LAST_WINDOW

    def holds(self, window: Window) -> bool:
        """Return whether a window lies within."""
        chrom, index = window
        return chrom in self.chromosomes and self.first_window <= index <= self.last_window

    @property
    def bases(self) -> tuple[int, int]:
        """The first and the last base."""
        return _bounds(self, BASES_SHIFT)

    @property
    def peaks(self) -> tuple[int, int]:
        """The first and the last region, of those without a chromosome."""
        return _bounds(self, PEAKS_SHIFT) if None in self.chromosomes else (0, -1)


def _bounds(piece: Piece, shift: int) -> tuple[int, int]:
    return piece.first_window << shift, ((piece.last_window + 1) << shift) - 1


def pieces(counts: Sequence[Mapping[Window, int]]) -> Iterator[Piece]:
    """Yield pieces that together hold every chromosome that all inputs have, in output order.

    What has no chromosome comes first, then chromosomes in natural order, ``chr2`` before
    ``chr10``, whatever the order of the rows. A piece has about two million hits, or those of a
    window.

    Parameters
    ----------
    counts
        Hits of every window, for each input.
    """
    shared = set.intersection(*({chrom for chrom, _ in one} for one in counts))
    totals: dict[str | None, dict[int, int]] = {chrom: {} for chrom in shared}
    for one in counts:
        for (chrom, index), n_hits in one.items():
            if chrom in shared:
                totals[chrom][index] = totals[chrom].get(index, 0) + n_hits
    if (of_regions := totals.pop(None, None)) is not None:
        yield from _windows(None, of_regions)
    sizes = {chrom: sum(windows.values()) for chrom, windows in totals.items()}
    group: list[str] = []
    for chrom in sorted([chrom for chrom in sizes if chrom is not None], key=natural):
        is_large = sizes[chrom] > _PIECE_HITS
        if group and (is_large or sum(sizes[name] for name in group) + sizes[chrom] > _PIECE_HITS):
            yield Piece(tuple(group))
            group = []
        if is_large:
            yield from _windows(chrom, totals[chrom])
        else:
            group.append(chrom)
    if group:
        yield Piece(tuple(group))


def _windows(chrom: str | None, counts: Mapping[int, int]) -> Iterator[Piece]:
    first: int | None = None
    n_held = 0
    for index in sorted(counts):
        first = index if first is None else first
        n_held += counts[index]
        if n_held >= _PIECE_HITS:
            yield Piece((chrom,), first, index)
            first, n_held = None, 0
    if first is not None:
        yield Piece((chrom,), first, max(counts))


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Return a key that sorts numbers within names as numbers."""
    found = re.findall(r"(\D*)(\d*)", name, re.ASCII)
    return (*((text, int(digits or -1)) for text, digits in found), (name, 0))
