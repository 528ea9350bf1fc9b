"""Naming the motifs of a run, or proposing names from a motif database."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from finemo_dist.core.defaults import MAX_Q
from finemo_dist.core.errors import RunError
from finemo_dist.core.records import MotifSet
from finemo_dist.hits.annotation import annotation_path, write_annotation
from finemo_dist.hits.matches import StoredMatch, write_matches
from finemo_dist.hits.motifs import read_all_motifs
from finemo_dist.motifs.annotation import read_annotation
from finemo_dist.motifs.frequencies import base_frequencies
from finemo_dist.motifs.known import known_pattern
from finemo_dist.motifs.match import Match, match_motifs
from finemo_dist.motifs.meme import read_meme
from finemo_dist.record.lease import driving_run
from finemo_dist.record.run_record import RunRecord
from finemo_dist.storage.files import committed

logger = logging.getLogger(__name__)

_N_BEST: Final = 5
_HEADER: Final = (
    "motif_name", "tf", "family", "cluster", "target", "p_value", "q_value", "strand", "offset",
    "overlap", "others",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Annotated:
    """How many motifs have got a name."""

    n_named: int
    n_motifs: int


def annotate(run: Path, annotation: Path, *, force: bool = False) -> Annotated:
    """Check an annotation against the motifs of a run and store it there.

    Raises
    ------
    InputError
        The annotation names motifs that the run lacks, or cannot be read.
    RunError
        The run is annotated already, and ``force`` is not given; or another command is writing it.
    """
    with driving_run(run):
        names = list(dict.fromkeys(read_all_motifs(run, RunRecord.load(run)).name))
        read = read_annotation(annotation, names)
        if annotation_path(run).exists() and not force:
            raise RunError(f"{run}: already has an annotation. Replace it with --force.")
        write_annotation(run, read)
    return Annotated(len(read), len(names))


def propose_annotation(run: Path, database: Path, out: Path, *, max_q: float = MAX_Q) -> Annotated:
    """Write an annotation that TOMTOM proposes, to be read, edited and given to ``annotate``.

    The matches are kept in the run, for its reports.

    Parameters
    ----------
    database
        Motifs in MEME format.
    max_q
        Only matches with this q-value or less name a factor.

    Raises
    ------
    InputError
        The database cannot be read.
    """
    motifs = read_all_motifs(run, RunRecord.load(run))
    targets = read_meme(database)
    queries = [
        base_frequencies(motifs.cwm[i])[:, motifs.start[i] : motifs.end[i]]
        for i in range(0, len(motifs), 2)
    ]
    matches = match_motifs(queries, targets, n_best=_N_BEST)
    _write_proposal(out, motifs, matches, max_q)
    kept = [
        _stored(name, match, database)
        for name, found in zip(motifs.name[::2], matches, strict=True)
        for match in found
    ]
    try:
        write_matches(run, kept)
    except OSError as error:
        # A proposal is of use for a run that others may only read.
        logger.warning("%s: cannot be written, so reports show no matches (%s).", run, error)
    return Annotated(sum(found[0].q_value <= max_q for found in matches), len(matches))


def _stored(name: str, match: Match, database: Path) -> StoredMatch:
    return StoredMatch(
        motif_name=name,
        target=match.target.name,
        factor=_factor(match),
        p_value=match.p_value,
        q_value=match.q_value,
        strand=match.strand,
        offset=match.offset,
        overlap=match.overlap,
        database=database.name,
        heights=known_pattern(match.target).contributions.astype(np.float32),
    )


def _write_proposal(
    out: Path, motifs: MotifSet, matches: Sequence[Sequence[Match]], max_q: float
) -> None:
    with committed(out) as path, path.open("w", encoding="utf-8", newline="") as handle:
        handle.write("\t".join(_HEADER) + "\n")
        for name, found in zip(motifs.name[::2], matches, strict=True):
            handle.write("\t".join(_proposal(name, found, max_q)) + "\n")


def _proposal(name: str, found: Sequence[Match], max_q: float) -> Iterator[str]:
    best = found[0]
    yield name
    yield _factor(best) if best.q_value <= max_q else ""
    yield from ("", "", best.target.name, f"{best.p_value:.3g}", f"{best.q_value:.3g}")
    yield from (best.strand, str(best.offset), str(best.overlap))
    yield "; ".join(f"{_factor(other)} (q {other.q_value:.2g})" for other in found[1:])


def _factor(match: Match) -> str:
    """Return the second name of a target: in JASPAR and HOCOMOCO that of the factor."""
    return match.target.alternate or match.target.name
