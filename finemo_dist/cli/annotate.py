"""``annotate``: name motifs, or propose names from a motif database."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import next_line, report_line, say
from finemo_dist.cli.options import EXISTING_PATH, LOCAL_FILE, LOCAL_OUTPUT
from finemo_dist.core import defaults
from finemo_dist.core.words import count


@click.command(
    "annotate",
    short_help="Name the motifs of a run.",
    cls=HelpfulCommand,
    examples=("finemo-dist annotate demo/run -a annotation.tsv",),
)
@click.argument("run", type=EXISTING_PATH)
@click.option(
    "-a",
    "--annotation",
    type=LOCAL_FILE,
    help="TSV with a header: motif_name, and any of tf, family and cluster.",
)
@click.option(
    "--link",
    type=click.FloatRange(0, 1, min_open=True),
    help="Join motifs to clusters from this cosine of their trimmed CWMs on, such as 0.9.",
)
@click.option("--force", is_flag=True, help="Replace the existing annotation of the run.")
@click.option(
    "--database",
    type=LOCAL_FILE,
    help="Motifs in MEME format, from which to propose an annotation.",
)
@click.option("-o", "--out", type=LOCAL_OUTPUT, help="Proposal to write, a TSV for -a.")
@click.option(
    "--max-q",
    type=click.FloatRange(0, 1),
    default=defaults.MAX_Q,
    show_default=True,
    help="Propose only matches with at most this q-value.",
)
def annotate(
    *,
    run: Path,
    annotation: Path | None,
    link: float | None,
    force: bool,
    database: Path | None,
    out: Path | None,
    max_q: float,
) -> None:
    """Name transcription factors, families and clusters of motifs, for tables, BED and reports.

    -a stores an annotation in the run. --database proposes one by TOMTOM and writes it to -o: check
    and edit it, then store it with -a. --link stores clusters of motifs that are alike, such as
    those of different files, beside what the annotation says.
    """
    if [annotation, link, database].count(None) != 2:
        raise click.UsageError("Give -a TSV, --link COSINE, or --database MEME with -o TSV.")
    from finemo_dist.workflow.annotating import annotate as store
    from finemo_dist.workflow.annotating import propose_annotation

    if annotation is not None:
        done = store(run, annotation, force=force)
        say(f"{run}: annotated {done.n_named} of {count(done.n_motifs, 'motif')}")
        say(report_line(run))
    elif link is not None:
        from finemo_dist.workflow.linking import link_motifs

        linked = link_motifs(run, least=link, force=force)
        say(
            f"{run}: {count(linked.n_motifs, 'motif')} in {count(linked.n_clusters, 'cluster')}; "
            f"{linked.n_joined:,} of them share one"
        )
    elif database is None or out is None:
        raise click.UsageError("--database needs -o, the file for the proposal.")
    else:
        done = propose_annotation(run, database, out, max_q=max_q)
        say(
            f"{out}: found a match with a q-value of at most {max_q} for {done.n_named} of "
            f"{count(done.n_motifs, 'motif')}. Check the file, then store it with -a."
        )
        say(next_line("annotate", str(run), "-a", str(out)))


COMMANDS: Final = {"annotate": annotate}
