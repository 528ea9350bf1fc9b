"""Seqlets: the places from which TF-MoDISco made its patterns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Seqlets:
    """The seqlets of a modisco file, in its order; none for a compendium."""

    pattern: tuple[str, ...]
    """(S,) modisco name of the pattern each belongs to."""
    region: NDArray[np.int64]
    """(S,) row of its region in the arrays that modisco read: the ``peak_id``."""
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    """(S,) half-open; counted from the first base of the window that modisco looked at."""
    is_reverse: NDArray[np.bool_]
    """(S,) whether the pattern lies on the reverse strand there."""
    window_bp: int | None = None
    """Width of that window as the file says it; None where it does not."""

    def __len__(self) -> int:
        return len(self.pattern)
