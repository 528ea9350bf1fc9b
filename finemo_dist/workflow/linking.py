"""Joining motifs of different files: clusters of CWMs that are alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.records import MotifAnnotation, MotifSet
from finemo_dist.core.similarity import similarities, trimmed_cwms
from finemo_dist.hits.annotation import annotation_path, read_stored_annotation, write_annotation
from finemo_dist.hits.motifs import read_all_motifs
from finemo_dist.record.run_record import RunRecord


@dataclass(frozen=True, slots=True)
class Linked:
    """How many clusters there are, and of how many motifs."""

    n_clusters: int
    n_motifs: int
    n_joined: int
    """Motifs that share their cluster."""


def link_motifs(run: Path, *, least: float, force: bool = False) -> Linked:
    """Give every motif of a run a cluster of motifs that are alike, in the run's annotation.

    Motifs are taken in the order of the run: each joins the cluster whose first motif it resembles
    most, if their cosine (trimmed CWMs, best shift, either strand) is at least ``least``, and else
    begins one. A cluster is named by the content of its first CWM. So samples and motifs that are
    added after others change neither clusters nor names of these. Factors and families of an
    existing annotation stay; its clusters are replaced with ``force`` alone.

    Raises
    ------
    UsageError
        ``least`` is not a cosine above 0.
    RunError
        The run has clusters already, and ``force`` is not given.
    """
    if not 0 < least <= 1:
        raise UsageError(f"The least similarity is {least}; expected a cosine above 0, up to 1.")
    motifs = read_all_motifs(run, RunRecord.load(run))
    known = {motif.motif_name: motif for motif in read_stored_annotation(run)}
    if any(motif.cluster for motif in known.values()) and not force:
        raise RunError(f"{annotation_path(run)}: has clusters already. Replace them with --force.")
    first = clusters(similarities(motifs), least)
    labels = _labels(motifs)
    names = motifs.name[::2]
    write_annotation(
        run,
        [
            replace(known.get(name, MotifAnnotation(name)), cluster=labels[first[i]])
            for i, name in enumerate(names)
        ],
    )
    sizes = np.bincount(first, minlength=len(names))
    return Linked(int((sizes > 0).sum()), len(names), int(sizes[sizes > 1].sum()))


def clusters(cosine: NDArray[np.float64], least: float) -> list[int]:
    """Return of each motif the first of its cluster.

    Parameters
    ----------
    cosine : (n, n)
        How alike motifs are.
    least
        Cosine from which on a motif joins a cluster.
    """
    leaders: list[int] = []
    found: list[int] = []
    for i in range(len(cosine)):
        best = max(leaders, key=lambda leader: (cosine[i, leader], -leader), default=None)
        if best is None or cosine[i, best] < least:
            leaders.append(i)
            best = i
        found.append(best)
    return found


def _labels(motifs: MotifSet) -> Sequence[str]:
    """Return a name for each motif that follows from its trimmed CWM alone."""
    return [
        "cluster-"
        + blake2b(np.ascontiguousarray(cwm.astype(np.float16)).tobytes(), digest_size=4).hexdigest()
        for cwm in trimmed_cwms(motifs)
    ]
