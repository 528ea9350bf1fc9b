"""Pauses that double."""


def doubled(first_s: float, number: int, *, longest_s: float) -> float:
    """Return the length of a pause by its number in a row, from 1: twice as long after each."""
    # The exponent is bounded, because a float is.
    return min(longest_s, first_s * 2.0 ** min(number - 1, 20))
