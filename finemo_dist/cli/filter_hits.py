"""``filter-hits``: the hits that rules leave, as a run of their own."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import say
from finemo_dist.cli.options import ANY_PATH, EXISTING_PATH, LOCAL_FILE, json_option


@click.command(
    "filter-hits",
    short_help="Leave hits out by rules, into a run of its own.",
    cls=HelpfulCommand,
    examples=("finemo-dist filter-hits demo/run --rule similarity=0.8 -o demo/filtered",),
)
@click.argument("run", type=EXISTING_PATH)
@click.option("-o", "--out", type=ANY_PATH, required=True, help="Run directory to write.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="KIND=VALUE",
    help="A rule, such as decoy_q=0.05, similarity=0.9, repeat_density=5/80 (hits/bases), "
    "cwm_similarity=0.9, keep=A,B or where='hit_score > 1'. May be given several times; rules are "
    "applied in their order.",
)
@click.option(
    "--rules", "rules_file", type=LOCAL_FILE, help="YAML file with rules, instead of --rule."
)
@click.option(
    "--memory-limit", help="Memory that DuckDB may use, such as 2GB. Beyond that it spills to disk."
)
@click.option("--force", is_flag=True, help="Replace another run in the output directory.")
@json_option
def filter_hits(
    *,
    run: Path,
    out: Path,
    rules: tuple[str, ...],
    rules_file: Path | None,
    memory_limit: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write the hits of RUN that rules leave as a run that every other command takes.

    Rules: decoy_q (at most), score, similarity, importance, trimmed_length and cwm_similarity (at
    least), importance_quantile (the share to drop), repeat_density, keep, drop, inside, outside
    (BED or VCF), and where (SQL). `sql` shows the tables filter_funnel and hits_dropped.
    """
    from finemo_dist.cli.summaries import print_filtered
    from finemo_dist.workflow.filtering import filter_hits as write

    if bool(rules) == (rules_file is not None):
        raise click.UsageError("Give rules by --rule, or by one file with --rules.")
    done = write(run, out, rules_file or rules, memory_limit=memory_limit, force=force)
    if as_json:
        print_filtered(done)
        return
    say(f"{done.n_hits_before:>11,} hits in {run}")
    for count in done.rules:
        say(f"{count.n_before - count.n_dropped:>11,} after {count.rule} ({-count.n_dropped:,})")


COMMANDS: Final = {"filter-hits": filter_hits}
