"""What happens to files: cut short, bits flipped, blocks lost, moved or repeated."""

from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True, slots=True)
class Damage:
    """One way to harm a file; places are shares of its length, so that it fits any file."""

    kind: str
    at: float
    size: int
    mask: int

    def apply(self, content: bytes) -> bytes:
        """Return the harmed content."""
        n = len(content)
        first = min(int(self.at * n), max(n - 1, 0))
        last = min(n, first + self.size)
        if self.kind == "cut":
            return content[:first]
        if self.kind == "flip":
            return _flipped(content, range(first, min(n, first + 1)), self.mask)
        if self.kind == "flips":
            return _flipped(content, range(first, last), self.mask)
        if self.kind == "zeros":
            return content[:first] + bytes(last - first) + content[last:]
        if self.kind == "drop":
            return content[:first] + content[last:]
        if self.kind == "repeat":
            return content[:last] + content[first:]
        return content[:first] + bytes([self.mask]) * self.size + content[first:]


def _flipped(content: bytes, places: range, mask: int) -> bytes:
    changed = bytearray(content)
    for place in places:
        changed[place] ^= mask
    return bytes(changed)


KINDS = ("flip", "flip", "flip", "cut", "flips", "zeros", "drop", "repeat", "insert")
"""A single flipped bit comes most often: it is the damage that is hardest to see."""


def damages() -> st.SearchStrategy[Damage]:
    """Harm of every kind; heads and tails of files, where formats say what they are, come often."""
    places = st.one_of(
        st.floats(0, 1, exclude_max=True),
        st.floats(0, 0.05),
        st.floats(0.95, 1, exclude_max=True),
    )
    return st.builds(
        _damage,
        st.sampled_from(KINDS),
        places,
        st.integers(1, 64),
        st.integers(0, 7),
        st.integers(1, 255),
    )


def _damage(kind: str, at: float, size: int, bit: int, mask: int) -> Damage:
    return Damage(kind, at, size, 1 << bit if kind == "flip" else mask)
