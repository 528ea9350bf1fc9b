"""``annotate``: say what motifs are, or have it proposed by a motif database."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.messages import say
from finemo_dist.cli.options import LOCAL_FILE, LOCAL_OUTPUT, LOCAL_PATH
from finemo_dist.core import defaults


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
    default=defaults.MAX_Q,
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
    from finemo_dist.workflow.annotating import annotate as store
    from finemo_dist.workflow.annotating import propose_annotation

    if annotation is not None:
        done = store(run, annotation, force=force)
        say(f"{run}: {done.n_named} of {done.n_motifs} motifs annotated")
    elif database is None or out is None:
        raise click.UsageError("--database needs -o, the proposal to write.")
    else:
        done = propose_annotation(run, database, out, max_q=max_q)
        say(
            f"{out}: {done.n_named} of {done.n_motifs} motifs have a match with a q-value of "
            f"{max_q} or less. Check it, then store it with -a."
        )


COMMANDS: Final = {"annotate": annotate}
