"""``annotate``: say what motifs are, or have it proposed by a motif database."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from finemo_dist.cli.messages import say
from finemo_dist.cli.options import LOCAL_FILE, LOCAL_OUTPUT, LOCAL_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from finemo_dist.core.records import MotifSet
    from finemo_dist.motifs.match import Match

_N_BEST: Final = 5


@click.command("annotate")
@click.argument("run", type=LOCAL_PATH)
@click.option(
    "-a",
    "--annotation",
    type=LOCAL_FILE,
    help="TSV with a header: motif_name and any of tf, family, cluster.",
)
@click.option("--force", is_flag=True, help="Replace the annotation the run has.")
@click.option("--database", type=LOCAL_FILE, help="Motifs in MEME format to propose one from.")
@click.option("-o", "--out", type=LOCAL_OUTPUT, help="The proposal to write, a TSV for -a.")
@click.option(
    "--max-q",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Propose only matches with this q-value or less.",
)
def annotate(
    *,
    run: Path,
    annotation: Path | None,
    force: bool,
    database: Path | None,
    out: Path | None,
    max_q: float,
) -> None:
    """Name transcription factors, families and clusters of motifs, for tables, BED and reports.

    With -a the annotation is stored in the run. With --database one is proposed by TOMTOM and
    written to -o, to be read, edited and given with -a.
    """
    if (annotation is None) == (database is None):
        raise click.UsageError("Give either -a TSV or --database MEME with -o TSV.")
    if annotation is not None:
        store_annotation(run, annotation, force=force)
    elif database is None or out is None:
        raise click.UsageError("--database needs -o, the proposal to write.")
    else:
        _propose(run, database, out, max_q)


def store_annotation(run: Path, annotation: Path, *, force: bool) -> None:
    """Check an annotation against the motifs of a run and store it there."""
    from finemo_dist.core.errors import RunError
    from finemo_dist.hits.annotation import annotation_path, write_annotation
    from finemo_dist.hits.motifs import read_all_motifs
    from finemo_dist.motifs.annotation import read_annotation
    from finemo_dist.record.run_record import RunRecord

    names = list(dict.fromkeys(read_all_motifs(run, RunRecord.load(run)).name))
    read = read_annotation(annotation, names)
    if annotation_path(run).exists() and not force:
        raise RunError(f"{run}: is annotated already. Replace that with --force.")
    write_annotation(run, read)
    say(f"{run}: {len(read)} of {len(names)} motifs annotated")


def _propose(run: Path, database: Path, out: Path, max_q: float) -> None:
    from finemo_dist.hits.motifs import read_all_motifs
    from finemo_dist.motifs.frequencies import base_frequencies
    from finemo_dist.motifs.match import match_motifs
    from finemo_dist.motifs.meme import read_meme
    from finemo_dist.record.run_record import RunRecord

    motifs = read_all_motifs(run, RunRecord.load(run))
    targets = read_meme(database)
    queries = [
        base_frequencies(motifs.cwm[i])[:, motifs.start[i] : motifs.end[i]]
        for i in range(0, len(motifs), 2)
    ]
    matches = match_motifs(queries, targets, n_best=_N_BEST)
    _write_proposal(out, motifs, matches, max_q)
    n_named = sum(found[0].q_value <= max_q for found in matches)
    say(
        f"{out}: {n_named} of {len(matches)} motifs have a match with a q-value of {max_q} or "
        "less. Check it, then store it with -a."
    )


def _write_proposal(
    out: Path, motifs: "MotifSet", matches: "Sequence[Sequence[Match]]", max_q: float
) -> None:
    from finemo_dist.storage.files import committed

    header = (
        "motif_name", "tf", "family", "cluster", "target", "p_value", "q_value", "strand", "offset",
        "overlap", "others",
    )  # fmt: skip
    with committed(out) as path, path.open("w", encoding="utf-8", newline="") as handle:
        handle.write("\t".join(header) + "\n")
        for name, found in zip(motifs.name[::2], matches, strict=True):
            handle.write("\t".join(_proposal(name, found, max_q)) + "\n")


def _proposal(name: str, found: "Sequence[Match]", max_q: float) -> "Iterator[str]":
    best = found[0]
    yield name
    yield _factor(best) if best.q_value <= max_q else ""
    yield from ("", "", best.target.name, f"{best.p_value:.3g}", f"{best.q_value:.3g}")
    yield from (best.strand, str(best.offset), str(best.overlap))
    yield "; ".join(f"{_factor(other)} (q {other.q_value:.2g})" for other in found[1:])


def _factor(match: "Match") -> str:
    """Return the second name of a target: in JASPAR and HOCOMOCO that of the factor."""
    return match.target.alternate or match.target.name


COMMANDS: Final = {"annotate": annotate}
