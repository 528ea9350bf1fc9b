"""``report``: finemo's tables, CWMs over hits and one page that shows how a run went."""

from pathlib import Path
from typing import Any, Final

import click

from finemo_dist.cli.finemo_flags import REPORT, taken
from finemo_dist.cli.messages import next_line, say
from finemo_dist.cli.options import (
    EXISTING_FILE,
    EXISTING_PATH,
    LOCAL_OUTPUT,
    REGIONS,
    ManyValuesCommand,
    given_once,
    group_options,
)


@click.command(
    "report",
    short_help="Write a report page about a run.",
    cls=ManyValuesCommand,
    examples=(
        "finemo-dist report demo/run --sample sample_a -o demo/report_a",
        "finemo-dist report demo/run -o demo/atlas",
    ),
)
@click.option(
    "-r",
    "--regions",
    type=REGIONS,
    help="Regions in which the hits were called: a store, or finemo's .npz. [default: those of "
    "the run]",
)
@click.argument("run", type=EXISTING_PATH, required=False)
@click.option(
    "-H",
    "--hits",
    type=EXISTING_PATH,
    help="RUN: run directory of call-hits or run, output directory of finemo's call-hits, or a "
    "table of some of its hits with the columns of hits.tsv.",
)
@click.option(
    "-o", "--out-dir", type=LOCAL_OUTPUT, required=True, help="Report directory to write."
)
@click.option(
    "-m",
    "--modisco-h5",
    type=EXISTING_FILE,
    help="modisco file of the motifs, for its seqlets. [default: that of the run, if it exists]",
)
@click.option(
    "-W",
    "--modisco-region-width",
    "window_bp",
    type=click.IntRange(min=1),
    help="Width of the window in the middle of each region that modisco used. [default: that of "
    "the modisco file; else 400]",
)
@click.option("-n", "--no-recall", is_flag=True, help="Do not compare hits with seqlets.")
@click.option("--sample", help="Report only this sample of a run.")
@group_options("Compare two groups of samples in an atlas: table of samples, as for `compare`.")
@click.option(
    "--memory-limit", help="Memory that DuckDB may use, such as 2GB. Beyond that it spills to disk."
)
@click.option("--force", is_flag=True, help="Replace a directory that is not a report.")
@taken(*REPORT)
def report(
    *,
    run: Path | None,
    hits: Path | None,
    out_dir: Path,
    no_recall: bool,
    no_seqlets: bool | None,
    **options: Any,  # noqa: ANN401  (those of report, by name)
) -> None:
    """Write a report of a RUN: one page to open or mail, with finemo's tables and CWMs beside it.

    If the run has several samples, the page is an atlas; --sample reports one sample.
    """
    from finemo_dist.workflow.reporting import report as write

    (shown,) = given_once("-H", [run], [hits])
    page = write(shown, out_dir, with_recall=not no_recall, with_seqlets=not no_seqlets, **options)
    say(f"{page}: open it in a browser. Its tables are in the same folder.")
    say(next_line("plot", str(shown), "PEAK", "-o", "locus.svg"))


COMMANDS: Final = {"report": report}
