"""``call-hits``: a run of one sample, and finemo's files in the same directory."""

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
    lambda_option,
    mode_option,
    motif_files,
    trim_option,
)
from finemo_dist.core import defaults
from finemo_dist.core.words import count, have


@click.command(
    "call-hits",
    cls=ManyValuesCommand,
    short_help="Call motif hits in extracted regions.",
    examples=(
        "finemo-dist call-hits -r demo/regions/sample_a.zarr -m demo/inputs/modisco.h5 "
        "-o demo/run_a",
    ),
    groups={
        "Input and output": ("regions", "modisco_h5", "out_dir", "sample", "force"),
        "Which hits": (
            "penalty",
            "penalties",
            "mode",
            "no_post_filter",
            "sqrt_transform",
            "merge_palindromes",
            "has_confidence",
        ),
        "Motifs (tables are tab-separated, without a header)": (
            "include",
            "names",
            "trim_threshold",
            "trim_thresholds",
            "trim_coords",
        ),
        "Where to work (never changes a hit)": (
            "executor",
            "ray_address",
            "n_workers",
            "n_cores",
            "n_gpus",
            "workers_per_gpu",
            "device",
            "batch_regions",
        ),
        "Solver": (
            "solver",
            "tolerance",
            "max_steps",
            "strict",
            "step_size_max",
            "step_size_min",
            "step_adjust",
            "use_compile",
        ),
    },
)
@click.option(
    "-r",
    "--regions",
    type=REGIONS,
    required=True,
    help="A region store, or finemo's regions .npz.",
)
@motif_files
@click.option("-o", "--out-dir", type=ANY_PATH, required=True, help="Run directory to write.")
@mode_option
@trim_option
@click.option(
    "-T",
    "--cwm-trim-thresholds",
    "trim_thresholds",
    type=EXISTING_FILE,
    help="Trim thresholds of single motifs, one per line: modisco name, threshold (tab-separated).",
)
@click.option(
    "-R",
    "--cwm-trim-coords",
    "trim_coords",
    type=EXISTING_FILE,
    help="Trim windows of single motifs, one per line: modisco name, start, end (tab-separated).",
)
@lambda_option
@click.option(
    "-L",
    "--motif-lambdas",
    "penalties",
    type=EXISTING_FILE,
    help="Lambdas of single motifs, one per line: modisco name, lambda (tab-separated).",
)
@click.option(
    "-I",
    "--motifs-include",
    "include",
    type=EXISTING_FILE,
    help="Motifs to call, one per line: modisco names in the first column.",
)
@click.option(
    "-N",
    "--motif-names",
    "names",
    type=EXISTING_FILE,
    help="Names for the output, one per line: modisco name, new name (tab-separated).",
)
@click.option(
    "-f", "--no-post-filter", is_flag=True, help="Keep hits with a similarity below lambda."
)
@click.option(
    "-q",
    "--sqrt-transform",
    is_flag=True,
    help="Replace contributions and CWMs by their signed square roots first.",
)
@click.option(
    "-c",
    "--convergence-tol",
    "tolerance",
    type=click.FloatRange(min=0, min_open=True),
    help="Duality gap, divided by the region width, that counts as converged. "
    f"[default: {defaults.GAP_TOLERANCE}; with --solver dense, {defaults.FINEMO_TOLERANCE} by "
    "finemo's rule]",
)
@click.option(
    "-S",
    "--max-steps",
    type=click.IntRange(min=1),
    default=defaults.MAX_STEPS,
    show_default=True,
    help="Give up on a region after this many steps (dense) or rounds (working-set).",
)
@click.option(
    "-s",
    "--step-size-max",
    type=click.FloatRange(min=0, min_open=True),
    default=defaults.STEP_SIZE_MAX,
    show_default=True,
    help="Dense solver: initial step size.",
)
@click.option(
    "-i",
    "--step-size-min",
    type=click.FloatRange(min=0, min_open=True),
    default=defaults.STEP_SIZE_MIN,
    show_default=True,
    help="Dense solver: give up on a region at this step size.",
)
@click.option(
    "-j",
    "--step-adjust",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=defaults.STEP_ADJUST,
    show_default=True,
    help="Dense solver: multiply the step size by this when steps diverge.",
)
@click.option(
    "-J",
    "--compile",
    "use_compile",
    is_flag=True,
    help="Dense solver: compile its steps. The working-set solver ignores this.",
)
@click.option(
    "--solver",
    type=click.Choice(["working-set", "dense"]),
    default=defaults.SOLVER,
    show_default=True,
    help="working-set is exact and fast; dense uses finemo's iteration and stopping rule.",
)
@click.option(
    "--merge-palindromes",
    is_flag=True,
    help="Sum the hits of the two strands of a palindromic motif into one hit per site.",
)
@click.option("--sample", help="Name of the sample in the tables. [default: stem of --regions]")
@click.option(
    "--confidence",
    "has_confidence",
    is_flag=True,
    help="Also find for every hit its q against decoy motifs, as `confidence` does.",
)
@click.option("--force", is_flag=True, help="Replace another run in the output directory.")
@click.option("--strict", is_flag=True, help="Exit with status 2 if any region has not converged.")
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
    has_confidence: bool,
    peaks: Path | None,
    chrom_order: Path | None,
    **settings: Any,  # noqa: ANN401  (options of motifs, solver and resources, by name)
) -> None:
    """Call motif hits in extracted regions.

    The output directory becomes a run directory, which `status` and `sql` read; finemo's tables are
    written there too. Run the same command again to resume after an interrupt.
    """
    from finemo_dist.cli.progress import shown_progress
    from finemo_dist.cli.summaries import print_call, print_confidence
    from finemo_dist.core.errors import FinemoDistError
    from finemo_dist.workflow.calling import call_hits as call
    from finemo_dist.workflow.confidence import confidence
    from finemo_dist.workflow.settings import call_config, resource_config

    with shown_progress() as on_event:
        result = call(
            regions, modisco_h5, out_dir, sample=sample, config=call_config(settings),
            resources=resource_config(settings), force=force, command=current_command(),
            peaks=peaks, chrom_order=chrom_order, on_event=on_event,
        )  # fmt: skip
    print_call(result, as_json=as_json)
    if has_confidence:
        with shown_progress() as on_event:
            found = confidence(
                out_dir, resources=resource_config(settings), command=current_command(),
                on_event=on_event,
            )  # fmt: skip
        print_confidence(found, as_json=False)
    n = result.n_not_converged
    if strict and n:
        raise FinemoDistError(
            f"{out_dir}: {count(n, 'region')} {have(n)} not converged, and --strict requires all "
            "to "
            "converge. Raise --max-steps, or look at peaks_qc.tsv (column converged)."
        )


COMMANDS: Final = {"call-hits": call_hits}
