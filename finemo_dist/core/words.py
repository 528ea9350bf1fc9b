"""Numbers and words that agree, for messages and pages; and the order of names."""

import re


def count(n: int, noun: str) -> str:
    """Return ``1 region`` or ``2,000 regions``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def be(n: int) -> str:
    """Return the verb for one or more: ``is`` or ``are``."""
    return "is" if n == 1 else "are"


def have(n: int) -> str:
    """Return the verb for one or more: ``has`` or ``have``."""
    return "has" if n == 1 else "have"


def percent(share: float) -> str:
    """Return a share in per cent, with a digit below 10 and from 99.5.

    It is neither 0% nor 100% unless the share is.
    """
    value = 100 * share
    if 0 < value < 0.1:
        return "<0.1%"
    if 99.9 < value < 100:
        return ">99.9%"
    is_whole = value in (0, 100) or 10 <= value < 99.5
    return f"{value:.0f}%" if is_whole else f"{value:.1f}%"


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with so many decimals, or a dash when there is none."""
    return "\u2013" if value is None or value != value else f"{value:,.{digits}f}"


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Return a key that sorts numbers within names as numbers."""
    found = re.findall(r"(\D*)(\d*)", name, re.ASCII)
    return (*((text, int(digits or -1)) for text, digits in found), (name, 0))
