"""Variants from a VCF, a BED, or the list that variant-scorer reads.

VCF (version 4.5, section 1.6.1) and variant-scorer's list are 1-based; BED is 0-based and
half-open.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from finemo_dist.core.errors import InputError
from finemo_dist.storage.text import Line, read_lines, whole_number

_BASES: Final = re.compile(r"[ACGTNacgtn]+|-|\.")
_SOME: Final = re.compile(r"[ACGTNacgtn]+")
_EXPECTED: Final = (
    "a VCF (##fileformat=VCF), a BED (chromosome, start, end, then name, or REF, ALT and name), or "
    "variant-scorer's list (chromosome, position from 1, both alleles, name), tab-separated"
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One alternative allele at one place."""

    id: str
    chrom: str
    start: int
    """First base that differs or is replaced, 0-based."""
    ref: str | None
    """Bases of the reference allele, upper case; None where the file does not say."""
    alt: str | None
    width: int
    """Bases of the reference that the variant stands for."""


def read_variants(path: str | Path) -> list[Variant]:
    """Return the variants of a file, in the order of its lines; each ALT of a VCF is a variant.

    Raises
    ------
    InputError
        The file cannot be read, holds no variant, or a line is malformed.
    """
    found: list[Variant] = []
    is_vcf = False
    for line in read_lines(path):
        if line.text.startswith("#"):
            is_vcf = is_vcf or line.text.startswith("##fileformat=VCF")
            continue
        if line.text.startswith(("track", "browser")):
            continue
        try:
            found += _vcf(line.cells) if is_vcf else [_listed(line.cells)]
        except (ValueError, IndexError) as error:
            raise InputError(
                f"{path}, line {line.number}: found {line.text[:80]!r}, expected {_EXPECTED}. "
                "Correct the line, or leave it out."
            ) from error
    if not found:
        raise InputError(f"{path}: holds no variant. Expected {_EXPECTED}.")
    return found


def read_pairs(path: str | Path) -> list[tuple[str, int, int]]:
    """Return name, row of the reference and row of the alternative of each variant, from 0.

    Raises
    ------
    InputError
        The file cannot be read, or a line is malformed.
    """
    found = []
    for number, line in enumerate(read_lines(path)):
        if line.text.startswith("#") or (number == 0 and _is_header(line)):
            continue
        try:
            name, reference, alternative = line.cells
            rows = (_row(reference), _row(alternative))
        except ValueError as error:
            raise InputError(
                f"{path}, line {line.number}: found {line.text[:80]!r}, expected the name of a "
                "variant, the row of its reference region and the row of its alternative region, "
                "from 0, tab-separated. Correct the line."
            ) from error
        found.append((name, *rows))
    return found


def _row(text: str) -> int:
    row = whole_number(text)
    if row < 0:
        raise ValueError(text)
    return row


def _is_header(line: Line) -> bool:
    return not any(character.isdigit() for cell in line.cells[1:] for character in cell)


def _vcf(cells: list[str]) -> Iterator[Variant]:
    chrom, position, name, ref, alts = cells[:5]
    start = whole_number(position) - 1
    if start < 0 or not _SOME.fullmatch(ref):
        raise ValueError(cells)
    names = name.split(";") if name != "." else []
    every = alts.split(",")
    for number, alt in enumerate(every):
        if not _SOME.fullmatch(alt):
            # Symbolic and breakend alleles have no sequence.
            raise ValueError(cells)
        own = names[number] if len(names) == len(every) else ""
        yield _variant(own or f"{chrom}:{position}:{ref}:{alt}", chrom, start, ref, alt)


def _listed(cells: list[str]) -> Variant:
    if len(cells) >= 5 and _BASES.fullmatch(cells[2]) and _BASES.fullmatch(cells[3]):
        chrom, position, ref, alt, name = cells[:5]
        start = whole_number(position) - 1
        if start < 0:
            raise ValueError(cells)
        return _variant(name, chrom, start, ref, alt)
    chrom, start, end = cells[0], whole_number(cells[1]), whole_number(cells[2])
    if not 0 <= start <= end:
        raise ValueError(cells)
    if len(cells) >= 6 and _BASES.fullmatch(cells[3]) and _BASES.fullmatch(cells[4]):
        return _variant(cells[5], chrom, start, cells[3], cells[4])
    name = cells[3] if len(cells) > 3 else f"{chrom}:{start}-{end}"
    return Variant(name, chrom, start, None, None, end - start)


def _variant(name: str, chrom: str, start: int, ref: str, alt: str) -> Variant:
    bases = ["" if allele in "-." else allele.upper() for allele in (ref, alt)]
    return Variant(name, chrom, start, bases[0], bases[1], len(bases[0]))
