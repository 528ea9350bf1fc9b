"""``call-variants``: hits that variants make, break and change."""

import json
from pathlib import Path
from typing import Any, Final

import click

from finemo_dist.cli.messages import say
from finemo_dist.cli.options import (
    DEVICE,
    EXISTING_FILE,
    LOCAL_OUTPUT,
    REGIONS,
    ManyValuesCommand,
    json_option,
    lambda_option,
    mode_option,
    motif_files,
    trim_option,
)
from finemo_dist.core import defaults
from finemo_dist.core.words import count


@click.command(
    "call-variants",
    cls=ManyValuesCommand,
    short_help="Call hits that variants gain and lose.",
    examples=(
        "finemo-dist call-variants --ref ref.zarr --alt alt.zarr -v variants.vcf -m modisco.h5 "
        "-o variants",
    ),
)
@click.option(
    "--ref",
    type=REGIONS,
    required=True,
    help="Regions of the reference alleles: a region store, finemo's .npz, or a contribution H5. "
    "Without --alt, first all reference and then all alternative alleles.",
)
@click.option("--alt", type=REGIONS, help="Regions of the alternative alleles.")
@click.option(
    "-v",
    "--variants",
    type=EXISTING_FILE,
    required=True,
    help="VCF, BED, or variant-scorer's list, in the order of the regions.",
)
@click.option(
    "--pairs",
    type=EXISTING_FILE,
    help="Regions of each variant, one per line: name, reference row, alternative row, from 0.",
)
@motif_files
@click.option("-o", "--out-dir", type=LOCAL_OUTPUT, required=True, help="Folder to write.")
@mode_option
@trim_option
@lambda_option
@click.option(
    "-w",
    "--region-width",
    type=click.IntRange(min=2),
    default=defaults.REGION_WIDTH,
    show_default=True,
    help="Number of bases to take from the middle of each row of an H5.",
)
@click.option(
    "--tolerance",
    type=click.IntRange(min=0),
    default=defaults.VARIANT_TOLERANCE,
    show_default=True,
    help="Bases by which places of the same hit may differ between the alleles.",
)
@click.option(
    "--min-change",
    type=click.FloatRange(0, 1),
    default=defaults.MIN_CHANGE,
    show_default=True,
    help="Share of the larger score from which a hit counts as changed. At least 0.000977, the "
    "round-off of contributions.",
)
@click.option(
    "--anywhere", is_flag=True, help="Compare all hits, not only those that hold the variant."
)
@click.option("--unchanged", is_flag=True, help="Write hits that do not change, too.")
@click.option(
    "--strongest",
    type=click.IntRange(0, 5000),
    default=defaults.STRONGEST_VARIANTS,
    show_default=True,
    help="Variants to draw in variants.html, by the largest change of a score; 0 writes no page.",
)
@click.option("--force", is_flag=True, help="Replace an existing folder.")
@click.option(
    "--device", type=DEVICE, default="auto", show_default=True, help="Device to solve on."
)
@click.option(
    "-b",
    "--batch-size",
    type=click.IntRange(min=1),
    help="Number of regions to solve together. [default: from the available memory]",
)
@json_option
def call_variants(
    *,
    ref: Path,
    alt: Path | None,
    variants: Path,
    modisco_h5: tuple[Path, ...],
    out_dir: Path,
    mode: str,
    trim_threshold: float,
    penalty: float,
    as_json: bool,
    **options: Any,  # noqa: ANN401  (those of the function, by name)
) -> None:
    """Call hits in both alleles of variants and write those that are lost, gained or changed.

    The folder holds variant_hits and variant_summary, each as .parquet and .tsv, and
    variant_hits.bed for variant-scorer's variant_annotation --hits. variants.html shows the
    strongest variants with both alleles as logos.
    """
    from finemo_dist.core.config import CallConfig, MotifConfig, SolverConfig
    from finemo_dist.workflow.settings import checked
    from finemo_dist.workflow.variants import call_variants as call

    config = CallConfig(
        motifs=checked(MotifConfig, trim_threshold=trim_threshold, penalty=penalty),
        solver=checked(SolverConfig, mode=mode),
    )
    done = call(ref, variants, modisco_h5, out_dir, alt=alt, config=config, **options)
    classes = ", ".join(f"{n:,} {name}" for name, n in done.n_by_class.items() if n) or "none"
    say(
        f"{out_dir}: compared {count(done.n_variants, 'variant')}; "
        f"{count(done.n_hits, 'hit')} written ({classes})"
    )
    if done.page is not None:
        drawn = "variant" if done.n_drawn == 1 else f"{done.n_drawn:,} variants"
        say(f"{done.page}: the strongest {drawn}, both alleles as logos")
    if as_json:
        shown = {
            "n_variants": done.n_variants,
            "n_hits": done.n_hits,
            "n_by_class": done.n_by_class,
            "page": None if done.page is None else str(done.page),
        }
        click.echo(json.dumps(shown))


COMMANDS: Final = {"call-variants": call_variants}
