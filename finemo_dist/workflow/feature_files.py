"""Genes and intervals of a file, for the tracks below a locus: BED, BED12, GTF and GFF3."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from finemo_dist.core.errors import InputError
from finemo_dist.reports.locus_view import Feature, FeatureTrack
from finemo_dist.storage.text import Line, read_lines, whole_number

_GENES: Final = frozenset({"gene", "transcript", "mRNA"})
_NAMES: Final = ("gene_name", "Name", "gene", "gene_id", "ID", "Parent")
"""Attributes that name a feature, the most readable first."""
_ATTRIBUTE: Final = re.compile(r'\s*([^\s=]+)[ =]"?([^";]*)')
_TABLE: Final = re.compile(r"\.(gtf|gff3?)(\.gz)?$", re.IGNORECASE)


class _Found(NamedTuple):
    chrom: str
    feature: Feature
    is_exon: bool = False


def read_track(
    path: str | Path, places: Sequence[tuple[str | None, int, int]]
) -> list[FeatureTrack]:
    """Return a track for each place, (chrom, start, end): the features that share a base with it.

    Parameters
    ----------
    path
        BED with 3 to 12 columns, or GTF or GFF3 (by the ending of its name); plain or gzipped.

    Raises
    ------
    InputError
        The file cannot be read, or a line is malformed.
    """
    is_table = _TABLE.search(str(path)) is not None
    held: list[list[_Found]] = [[] for _ in places]
    for found in (_gtf if is_table else _bed)(path):
        for i, (chrom, start, end) in enumerate(places):
            if found.chrom == chrom and found.feature.start < end and found.feature.end > start:
                held[i].append(found)
    shown = ((_genes(f) if is_table else [one.feature for one in f]) for f in held)
    return [FeatureTrack(Path(path).name, tuple(features)) for features in shown]


def _genes(found: Sequence[_Found]) -> list[Feature]:
    """Return the longest feature of each name, with the exons of that name."""
    longest: dict[str, Feature] = {}
    exons: dict[str, set[tuple[int, int]]] = {}
    for _, feature, is_exon in found:
        if is_exon:
            exons.setdefault(feature.name, set()).add((feature.start, feature.end))
            continue
        known = longest.setdefault(feature.name, feature)
        if feature.end - feature.start > known.end - known.start:
            longest[feature.name] = feature
    return [
        replace(feature, blocks=tuple(sorted(exons.get(name, ()))))
        for name, feature in longest.items()
    ]


def _bed(path: str | Path) -> Iterator[_Found]:
    for line in read_lines(path):
        if line.text.startswith(("#", "track", "browser")):
            continue
        try:
            yield _bed_line(line)
        except (ValueError, IndexError) as error:
            raise InputError(
                f"{path}, line {line.number}: found {line.text[:80]!r}, expected chromosome, start "
                "and end of a BED with 0 <= start <= end, separated by tabs."
            ) from error


def _bed_line(line: Line) -> _Found:
    cells = line.cells
    start, end = whole_number(cells[1]), whole_number(cells[2])
    if not 0 <= start <= end:
        raise ValueError(cells)
    name = cells[3] if len(cells) > 3 else ""
    strand = cells[5] if len(cells) > 5 else ""
    blocks: tuple[tuple[int, int], ...] = ()
    if len(cells) > 11:
        sizes, starts = ([whole_number(n) for n in cells[i].split(",") if n] for i in (10, 11))
        blocks = tuple(
            (start + at, start + at + size) for size, at in zip(sizes, starts, strict=True)
        )
    return _Found(cells[0], Feature(name, start, end, strand, blocks))


def _gtf(path: str | Path) -> Iterator[_Found]:
    for line in read_lines(path):
        if line.text.startswith("#"):
            continue
        cells = line.text.split("\t")
        try:
            kind, attributes = cells[2], cells[8]
            start, end = whole_number(cells[3]) - 1, whole_number(cells[4])
        except (ValueError, IndexError) as error:
            raise _malformed_table(path, line) from error
        if not 0 <= start < end:
            raise _malformed_table(path, line)
        if kind in _GENES or kind == "exon":
            held = {m[1]: m[2] for part in attributes.split(";") if (m := _ATTRIBUTE.match(part))}
            name = next((held[key] for key in _NAMES if held.get(key)), kind)
            yield _Found(cells[0], Feature(name, start, end, cells[6]), is_exon=kind == "exon")


def _malformed_table(path: str | Path, line: Line) -> InputError:
    return InputError(
        f"{path}, line {line.number}: found {line.text[:80]!r}, expected the nine columns of a GTF "
        "or GFF3, with 1 <= start <= end."
    )
