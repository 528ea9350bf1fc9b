"""What deserves a second look about a motif: the quality flags of the motif table."""

from dataclasses import dataclass
from typing import Final

from finemo_dist.core.palindromes import NO_PALINDROME, palindrome_offsets
from finemo_dist.core.records import MotifSet

FEW_HITS: Final = 10
LEAST_SIMILARITY: Final = 0.9
LEAST_RECALL: Final = 0.5
FEWEST_SEQLETS: Final = 10


@dataclass(frozen=True, slots=True)
class Flag:
    """A short label and the sentence behind it."""

    label: str
    meaning: str


NO_HITS: Final = Flag("no hits", "The motif was called nowhere.")
FEW: Final = Flag("few hits", f"Fewer than {FEW_HITS} hits: its distributions say little.")
UNLIKE: Final = Flag(
    "unlike modisco",
    f"The CWM over hits has a cosine below {LEAST_SIMILARITY} with the modisco CWM: "
    "hits may be another motif.",
)
MISSED: Final = Flag(
    "low recall",
    f"Fewer than half of at least {FEWEST_SEQLETS} seqlets are hits: lambda may be too high.",
)
PALINDROME: Final = Flag(
    "palindrome",
    "The motif reads the same on both strands, so that both are called at a site and share its "
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
    is_palindrome
        As ``palindromic`` says.
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


def palindromic(motifs: MotifSet) -> frozenset[str]:
    """Return the motifs that read the same on both strands, as the table ``motifs`` has it."""
    offsets = palindrome_offsets(motifs)
    return frozenset(
        name for name, offset in zip(motifs.name, offsets, strict=True) if offset != NO_PALINDROME
    )
