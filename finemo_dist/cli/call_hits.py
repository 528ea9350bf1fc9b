"""``call-hits``: regions and motifs to a run directory of one sample, finemo's files beside it."""

from pathlib import Path
from typing import Any, Final

import click

from finemo_dist.cli.finemo_flags import CALL_HITS, taken
from finemo_dist.cli.messages import current_command
from finemo_dist.cli.options import (
    ANY_PATH,
    EXISTING_FILE,
    REGIONS,
    ManyValuesCommand,
    executor_options,
    json_option,
)
from finemo_dist.core import defaults


@click.command("call-hits", cls=ManyValuesCommand)
@click.option(
    "-r",
    "--regions",
    type=REGIONS,
    required=True,
    help="A region store, or finemo's regions .npz.",
)
@click.option(
    "-m",
    "--modisco-h5",
    type=EXISTING_FILE,
    multiple=True,
    required=True,
    help="Motifs: TF-MoDISco H5, MEME or JASPAR; several files are one set.",
)
@click.option("-o", "--out-dir", type=ANY_PATH, required=True, help="Run directory to write.")
@click.option(
    "-M",
    "--mode",
    type=click.Choice(["pp", "ph", "hp", "hh"]),
    default=defaults.MODE,
    show_default=True,
    help="Scores compared, of the CWMs then of the regions: p projected, h hypothetical.",
)
@click.option(
    "-t",
    "--cwm-trim-threshold",
    "trim_threshold",
    type=click.FloatRange(0, 1),
    default=defaults.TRIM_THRESHOLD,
    show_default=True,
    help="Columns of a CWM below this share of its largest are trimmed off.",
)
@click.option(
    "-T",
    "--cwm-trim-thresholds",
    "trim_thresholds",
    type=EXISTING_FILE,
    help="Trim thresholds of single motifs: modisco name, threshold.",
)
@click.option(
    "-R",
    "--cwm-trim-coords",
    "trim_coords",
    type=EXISTING_FILE,
    help="Trim windows of single motifs: modisco name, start, end.",
)
@click.option(
    "-l",
    "--global-lambda",
    "penalty",
    type=click.FloatRange(min=0, min_open=True),
    default=defaults.PENALTY,
    show_default=True,
    help="Weight of the L1 penalty: higher calls fewer hits.",
)
@click.option(
    "-L",
    "--motif-lambdas",
    "penalties",
    type=EXISTING_FILE,
    help="Lambdas of single motifs: modisco name, lambda.",
)
@click.option(
    "-I",
    "--motifs-include",
    "include",
    type=EXISTING_FILE,
    help="Motifs to call: modisco names in the first column.",
)
@click.option(
    "-N",
    "--motif-names",
    "names",
    type=EXISTING_FILE,
    help="Names for the output: modisco name, new name.",
)
@click.option(
    "-f", "--no-post-filter", is_flag=True, help="Keep hits of a similarity below lambda."
)
@click.option(
    "-q",
    "--sqrt-transform",
    is_flag=True,
    help="Take signed square roots of contributions and CWMs first.",
)
@click.option(
    "-c",
    "--convergence-tol",
    "tolerance",
    type=click.FloatRange(min=0, min_open=True),
    help="Duality gap over the region width that counts as converged. "
    f"[default: {defaults.GAP_TOLERANCE}; with --solver dense finemo's rule, "
    f"{defaults.FINEMO_TOLERANCE}]",
)
@click.option(
    "-S",
    "--max-steps",
    type=click.IntRange(min=1),
    default=defaults.MAX_STEPS,
    show_default=True,
    help="Steps (dense) or rounds (working-set) after which a region is given up.",
)
@click.option(
    "-s",
    "--step-size-max",
    type=click.FloatRange(min=0, min_open=True),
    default=defaults.STEP_SIZE_MAX,
    show_default=True,
    help="Step size to begin with; dense solver.",
)
@click.option(
    "-i",
    "--step-size-min",
    type=click.FloatRange(min=0, min_open=True),
    default=defaults.STEP_SIZE_MIN,
    show_default=True,
    help="Step size at which a region is given up; dense solver.",
)
@click.option(
    "-j",
    "--step-adjust",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=defaults.STEP_ADJUST,
    show_default=True,
    help="Factor on the step size when steps diverge; dense solver.",
)
@click.option(
    "-J",
    "--compile",
    "use_compile",
    is_flag=True,
    help="Compile the steps of the dense solver; the other one gains nothing and ignores it.",
)
@click.option(
    "--solver",
    type=click.Choice(["working-set", "dense"]),
    default=defaults.SOLVER,
    show_default=True,
    help="Exact and fast, or finemo's iteration and stopping rule.",
)
@click.option(
    "--merge-palindromes",
    is_flag=True,
    help="Sum the two strands of a palindromic motif into one hit at each site.",
)
@click.option("--sample", help="Name of the sample in the tables. [default: stem of --regions]")
@click.option("--force", is_flag=True, help="Replace another run in the output directory.")
@click.option("--strict", is_flag=True, help="Exit 2 when a region has not converged.")
@executor_options
@json_option
@taken(*CALL_HITS)
def call_hits(
    *,
    regions: Path,
    modisco_h5: tuple[Path, ...],
    out_dir: Path,
    sample: str | None,
    force: bool,
    strict: bool,
    as_json: bool,
    peaks: Path | None,
    chrom_order: Path | None,
    **settings: Any,  # noqa: ANN401  (options of motifs, solver and resources, by name)
) -> None:
    """Call motif hits in extracted regions.

    OUT_DIR becomes a run directory (`status` and `sql` read it) with finemo's tables beside it.
    The same command run again resumes what was interrupted.
    """
    from finemo_dist.cli.progress import shown_progress
    from finemo_dist.cli.summaries import print_call
    from finemo_dist.core.errors import FinemoDistError
    from finemo_dist.workflow.calling import call_hits as call
    from finemo_dist.workflow.settings import call_config, resource_config

    with shown_progress() as on_event:
        result = call(
            regions, modisco_h5, out_dir, sample=sample, config=call_config(settings),
            resources=resource_config(settings), force=force, command=current_command(),
            peaks=peaks, chrom_order=chrom_order, on_event=on_event,
        )  # fmt: skip
    print_call(result, as_json=as_json)
    if strict and result.n_not_converged:
        raise FinemoDistError(
            f"{out_dir}: {result.n_not_converged} regions have not converged, and --strict asks "
            "for all. Raise --max-steps, or look at peaks_qc.tsv (column converged)."
        )


COMMANDS: Final = {"call-hits": call_hits}
