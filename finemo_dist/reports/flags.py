"""What deserves a second look about a motif: the quality flags of the motif table."""

from dataclasses import dataclass
from typing import Final

FEW_HITS: Final = 10
LEAST_SIMILARITY: Final = 0.9
LEAST_RECALL: Final = 0.5
FEWEST_SEQLETS: Final = 10


@dataclass(frozen=True, slots=True)
class Flag:
    """A short label and the sentence behind it."""

    label: str
    meaning: str


NO_HITS: Final = Flag("no hits", "The motif has no hits.")
FEW: Final = Flag(
    "few hits", f"The motif has fewer than {FEW_HITS} unique hits, too few for its distributions."
)
UNLIKE: Final = Flag(
    "unlike modisco",
    f"The cosine of the CWM over hits with the modisco CWM is below {LEAST_SIMILARITY}. "
    "The hits may be of another motif.",
)
MISSED: Final = Flag(
    "low recall",
    f"The motif has at least {FEWEST_SEQLETS} seqlets, and fewer than half of them are hits. "
    "Lambda may be too high.",
)
PALINDROME: Final = Flag(
    "palindrome",
    "The motif reads the same on both strands, so each site has a hit on both, and they share the "
    "coefficient.",
)
ALL_FLAGS: Final = (NO_HITS, FEW, UNLIKE, MISSED, PALINDROME)


def motif_flags(
    *,
    n_hits: int,
    is_palindrome: bool = False,
    similarity: float | None = None,
    recall: float | None = None,
    n_seqlets: int = 0,
) -> tuple[Flag, ...]:
    """Return the flags of a motif.

    Parameters
    ----------
    n_hits
        Unique hits, one per site.
    is_palindrome
        As the table ``motifs`` says.
    similarity
        Cosine of the CWM over hits with the modisco CWM; None when it is unknown.
    recall
        Share of the ``n_seqlets`` shared seqlets that are hits.
    """
    flags = []
    if n_hits < FEW_HITS:
        flags.append(FEW if n_hits else NO_HITS)
    elif similarity is not None and similarity < LEAST_SIMILARITY:
        flags.append(UNLIKE)
    if recall is not None and n_seqlets >= FEWEST_SEQLETS and recall < LEAST_RECALL:
        flags.append(MISSED)
    if is_palindrome:
        flags.append(PALINDROME)
    return tuple(flags)
