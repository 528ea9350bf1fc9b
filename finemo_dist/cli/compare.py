"""``compare``: two groups of samples of a run."""

import json
from pathlib import Path
from typing import Any, Final

import click

from finemo_dist.cli.messages import say
from finemo_dist.cli.options import (
    EXISTING_PATH,
    LOCAL_OUTPUT,
    ManyValuesCommand,
    group_options,
    json_option,
    limit_options,
)
from finemo_dist.core import defaults
from finemo_dist.core.words import count


@click.command(
    "compare",
    cls=ManyValuesCommand,
    short_help="Compare two groups of samples.",
    examples=("finemo-dist compare demo/run -a sample_a -b sample_b -o demo/compared",),
)
@click.argument("run", type=EXISTING_PATH)
@click.option("-o", "--out-dir", type=LOCAL_OUTPUT, required=True, help="Folder to write.")
@group_options("Table of samples with a column name or sample; a sample sheet works.")
@click.option("-a", "--first", multiple=True, help="Samples of the first group, without a sheet.")
@click.option("-b", "--second", multiple=True, help="Samples of the second group.")
@click.option(
    "--kind",
    type=click.Choice(["motif", "tf", "family", "cluster"]),
    default="motif",
    show_default=True,
    help="Compare motifs, or what their annotation says.",
)
@click.option(
    "--max-q",
    type=click.FloatRange(0, 1),
    default=defaults.MAX_Q,
    show_default=True,
    help="False discovery rate at which a motif counts as different.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=defaults.SITE_SHARE,
    show_default=True,
    help="Share of the samples of a group that must have a site for the group to have it.",
)
@click.option(
    "--change",
    type=click.FloatRange(0, 1),
    default=defaults.SITE_CHANGE,
    show_default=True,
    help="Least difference of mean score quantiles for a site to count as changed.",
)
@click.option(
    "--scale",
    type=click.Choice(["auto", "quantile", "decoy_q"]),
    default="auto",
    show_default=True,
    help="Compare scores by quantiles in their sample, or by the share of hits that are believed; "
    "auto is decoy_q where all samples have `confidence`.",
)
@click.option(
    "--believed-q",
    type=click.FloatRange(0, 1),
    default=defaults.BELIEVED_Q,
    show_default=True,
    help="Largest q against decoy motifs of a believed hit.",
)
@click.option("--h5ad", is_flag=True, help="Also write compare.h5ad, samples by motifs.")
@click.option("--force", is_flag=True, help="Replace an existing folder.")
@limit_options
@json_option
def compare(
    *,
    run: Path,
    out_dir: Path,
    as_json: bool,
    **options: Any,  # noqa: ANN401  (those of the function, by name)
) -> None:
    """Compare two groups of samples by motif and by site.

    The folder holds motifs, samples and sites as tables, and the page compare.html.
    """
    from finemo_dist.workflow.comparing import compare as work

    done = work(run, out_dir, **options)
    say(done.words)
    classes = ", ".join(f"{n:,} {name}" for name, n in done.n_sites.items())
    of_sites = f"; sites: {classes}" if classes else ""
    say(
        f"{out_dir}: compared {count(done.n_motifs, 'motif')}, "
        f"{done.n_different:,} of which differ{of_sites}"
    )
    if as_json:
        shown = {
            "n_motifs": done.n_motifs,
            "n_different": done.n_different,
            "n_sites": done.n_sites,
            "words": done.words,
        }
        click.echo(json.dumps(shown))


COMMANDS: Final = {"compare": compare}
