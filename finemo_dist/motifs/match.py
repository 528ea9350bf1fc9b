"""Which motifs of a database a CWM is like: TOMTOM, with false discovery rates.

Gupta et al., "Quantifying similarity between motifs", Genome Biology 2007, in the implementation
of memelite (complete scores, both strands).
"""

import logging
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.optional import require
from finemo_dist.motifs.meme import MemeMotif

logger = logging.getLogger(__name__)

T = TypeVar("T")

_SIGN_EVERY_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Match:
    """One motif of a database that a motif is like."""

    target: MemeMotif
    p_value: float
    """That of the best alignment over offsets and strands."""
    q_value: float
    """Benjamini-Hochberg over all pairs of a motif and a target."""
    offset: int
    """As TOMTOM gives it: columns of the target before the first of the motif."""
    overlap: int
    """Aligned columns."""
    strand: str
    """``-`` where the reverse complement of the target fits better."""


def match_motifs(
    queries: Sequence[NDArray[np.float64]], targets: Sequence[MemeMotif], *, n_best: int = 5
) -> list[list[Match]]:
    """Return the ``n_best`` targets of each query, the best first.

    Ties in the p-value go to the earlier target.

    Parameters
    ----------
    queries : each (4, W)
        Base frequencies.

    Raises
    ------
    UsageError
        memelite is not installed.
    """
    tomtom = require("memelite", needed_for="--database", extra="motifs").tomtom
    logger.info(
        "Comparing %d motifs with %d of the database. The first time on a machine the code for it "
        "is compiled, which takes minutes.",
        len(queries),
        len(targets),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        p, _, offsets, overlaps, strands = _with_signs_of_life(
            lambda: tomtom(
                [np.ascontiguousarray(query) for query in queries],
                [np.ascontiguousarray(target.frequencies) for target in targets],
            )
        )
    if any(issubclass(warning.category, UserWarning) for warning in caught):
        logger.warning(
            "The database has only %d motifs, too few for reliable p-values, because p-values are "
            "relative to its columns. Give a larger database.",
            len(targets),
        )
    q = false_discovery_rates(p)
    best = np.argsort(p, axis=1, kind="stable")[:, :n_best]
    return [
        [
            Match(
                target=targets[j],
                p_value=float(p[i, j]),
                q_value=float(q[i, j]),
                offset=int(offsets[i, j]),
                overlap=int(overlaps[i, j]),
                strand="-" if strands[i, j] else "+",
            )
            for j in best[i]
        ]
        for i in range(len(queries))
    ]


def _with_signs_of_life(work: Callable[[], T], *, every_s: float = _SIGN_EVERY_S) -> T:
    """Return what a function returns; while it works, log that it does, and for how long."""
    with ThreadPoolExecutor(1, thread_name_prefix="finemo_dist-tomtom") as worker:
        began = time.monotonic()
        coming = worker.submit(work)
        while not wait([coming], timeout=every_s).done:
            logger.info(
                "Still comparing after %.0f s (compiling, if this is the first time).",
                time.monotonic() - began,
            )
        return coming.result()


def false_discovery_rates(p_values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the q-values of Benjamini and Hochberg (1995), in the shape of ``p_values``."""
    flat = np.asarray(p_values, np.float64).ravel()
    order = np.argsort(flat, kind="stable")
    ranks = np.arange(1, len(flat) + 1)
    scaled = np.minimum(flat[order] * len(flat) / ranks, 1.0)
    q = np.empty_like(flat)
    # The least rate at which a value passes is that of the largest rank it passes with.
    q[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return q.reshape(np.shape(p_values))
