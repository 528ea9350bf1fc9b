"""The motif file of tfmodisco-lite, for simulated motifs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from finemo_dist.storage.files import committed
from finemo_dist.testing.motifs import SimulatedMotifs


@dataclass(frozen=True, slots=True)
class Seqlets:
    """The examples a pattern was built from."""

    example: NDArray[np.int64]
    """(S,) row of the region."""
    start: NDArray[np.int64]
    """(S,) first base, counted from the start of the central window."""
    is_reverse: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.example)


def write_modisco_h5(
    path: Path,
    motifs: SimulatedMotifs,
    *,
    seqlets: Sequence[Seqlets] | None = None,
    window: int = 400,
) -> None:
    """Write motifs as tfmodisco-lite does, each pattern (W, 4).

    Parameters
    ----------
    seqlets : one entry a motif; without them patterns have no seqlet coordinates, as in a
        compendium
    window : central bases of a region, whose start seqlets count from
    """
    with committed(path) as temporary, h5py.File(temporary, "w") as file:
        if seqlets is not None:
            file.attrs["window_size"] = window
        for i, name in enumerate(motifs.name):
            pattern = file.create_group(name.replace(".", "/"))
            pattern["contrib_scores"] = motifs.cwm[i].T
            pattern["hypothetical_contribs"] = motifs.hypothetical[i].T
            pattern["sequence"] = motifs.frequencies[i].T
            group = pattern.create_group("seqlets")
            group["n_seqlets"] = np.array([1 if seqlets is None else len(seqlets[i])])
            if seqlets is not None:
                _write_seqlets(group, seqlets[i], motifs.width)


def _write_seqlets(group: h5py.Group, seqlets: Seqlets, width: int) -> None:
    group["example_idx"] = seqlets.example
    group["start"] = seqlets.start
    group["end"] = seqlets.start + width
    group["is_revcomp"] = seqlets.is_reverse
