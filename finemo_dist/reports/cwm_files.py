"""``CWMs/``: for each motif the matrices and their logos, under finemo's file names."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import MotifSet
from finemo_dist.hits.layout import folder_name
from finemo_dist.reports.cwms import CwmSums

CWM_FILES: Final = ("hits_[fr]c.*", "modisco_[fr]c.*", "seqlets_only.*", "hits_restricted_only.*")
"""What the names of the files of a motif are like."""


def write_cwms(
    folder: Path,
    motifs: MotifSet,
    sums: Mapping[str, CwmSums],
    *,
    with_recall: bool,
    logo: Callable[[NDArray[np.floating]], str],
) -> None:
    """Write a folder a motif, each matrix as text of 4 lines of W numbers and as an SVG logo.

    ``hits_fc``, ``hits_rc``, ``modisco_fc`` and ``modisco_rc``; with recall ``seqlets_only`` and
    ``hits_restricted_only`` too. A mean over nothing is NaN, as finemo writes it, and has no logo.
    A motif's folder is its name, percent-encoded where it is not safe as one.
    """
    for name, matrices in _matrices(motifs, sums, with_recall=with_recall):
        here = folder / folder_name(name)
        here.mkdir(parents=True)
        for file, matrix in matrices.items():
            np.savetxt(here / f"{file}.txt", matrix)
            if np.isfinite(matrix).all():
                (here / f"{file}.svg").write_text(logo(matrix), encoding="utf-8")


def _matrices(
    motifs: MotifSet, sums: Mapping[str, CwmSums], *, with_recall: bool
) -> Iterator[tuple[str, dict[str, NDArray[np.floating]]]]:
    means = {kind: found.mean for kind, found in sums.items()}
    for index, entry in enumerate(range(0, len(motifs), 2)):
        hits = means["hits"][index]
        modisco = motifs.cwm[entry].astype(np.float64)
        matrices = {
            "hits_fc": hits,
            "hits_rc": hits[::-1, ::-1],
            "modisco_fc": modisco,
            "modisco_rc": modisco[::-1, ::-1],
        }
        if with_recall:
            matrices["seqlets_only"] = means["seqlets_only"][index]
            matrices["hits_restricted_only"] = means["hits_restricted_only"][index]
        yield motifs.name[entry], matrices
