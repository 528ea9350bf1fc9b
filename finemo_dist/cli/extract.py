"""The four ``extract-regions-*`` commands."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from finemo_dist.cli.options import ANY_PATH, EXISTING_FILE, ManyValuesCommand, json_option
from finemo_dist.core import defaults

if TYPE_CHECKING:
    from finemo_dist.workflow.config import ExtractionInput

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OUT = click.option(
    "-o", "--out-path", type=ANY_PATH, required=True,
    help="Output: finemo's regions file if the name ends in .npz, otherwise a Zarr region store.",
)  # fmt: skip
_WIDTH = click.option(
    "-w", "--region-width", type=click.IntRange(min=2), default=defaults.REGION_WIDTH,
    show_default=True,
    help="Number of bases in each region, centred on the peak summit.",
)  # fmt: skip
_CHROM_ORDER = click.option(
    "-C", "--chrom-order", type=EXISTING_FILE,
    help="Chromosome names in output order, one per line. Others follow in the order of -p.",
)  # fmt: skip
_SHARD = click.option(
    "--shard-size", "shard_regions", type=click.IntRange(min=1),
    help="Number of regions in each shard of the store. [default: from the number of regions]",
)  # fmt: skip
_OVERWRITE = click.option("--force", is_flag=True, help="Replace an existing output.")
_FASTA = click.option(
    "-f", "--fasta", type=EXISTING_FILE,
    help="Genome to compare all sequences with (needs -p).",
)  # fmt: skip


_AXES = click.option(
    "--axis-order", type=click.Choice(["nal", "nla"]),
    help="Order of the array axes: n regions, a the four bases, l positions. [default: that of "
    "the format]",
)  # fmt: skip
_KEEP = click.option(
    "--keep", type=EXISTING_FILE,
    help="Peaks that have arrays, as .npy: a mask of all peaks, or row numbers.",
)  # fmt: skip
_SIZES = click.option(
    "--chrom-sizes", type=EXISTING_FILE,
    help="Lengths of chromosomes (.chrom.sizes or .fai), if no genome is given.",
)  # fmt: skip


_SCORES = click.option(
    "--scores", type=click.Choice(["hypothetical", "projected"]),
    help="Scores to keep: those of all bases, or that of the base that is there, which is all that "
    "modes pp and hp need and takes about a third of the space. [default: hypothetical]",
)  # fmt: skip


def _array_options(function: _Function) -> _Function:
    """Add what says where arrays lie, and what is kept of them."""
    for option in (_SCORES, _AXES, _SIZES, _KEEP, _FASTA, _peaks(required=False)):
        function = option(function)
    return function


def _peaks(*, required: bool) -> Callable[[_Function], _Function]:
    rest = "" if required else " Without them, hits have no genomic coordinates."
    return click.option(
        "-p", "--peaks", type=EXISTING_FILE, required=required,
        help=f"Peaks in narrowPeak or BED format, plain or gzipped.{rest}",
    )  # fmt: skip


def _output_options(function: _Function) -> _Function:
    for option in (json_option, _OVERWRITE, _SHARD, _CHROM_ORDER, _WIDTH, _OUT):
        function = option(function)
    return function


@click.command(
    "extract-regions-bw",
    cls=ManyValuesCommand,
    short_help="Extract regions from FASTA and bigWig.",
    examples=(
        "finemo-dist extract-regions-bw -p demo/inputs/sample_a/peaks.narrowPeak "
        "-f demo/inputs/genome.fa -b demo/inputs/sample_a/contributions.bw -o demo/bw.zarr",
    ),
)
@_peaks(required=True)
@click.option(
    "-f", "--fasta", type=EXISTING_FILE, required=True, help="Genome, plain or bgzipped FASTA."
)
@click.option(
    "-b", "--bigwigs", type=EXISTING_FILE, multiple=True, required=True,
    help="bigWig of contribution scores. Several files are folds and are averaged.",
)  # fmt: skip
@_output_options
def extract_bigwig(**options: Any) -> None:  # noqa: ANN401  (passed on to _extract)
    """Extract sequences and projected contributions from FASTA and bigWig."""
    from finemo_dist.workflow.config import BigWigInput

    _extract(BigWigInput, **options)


def _h5_command(name: str, model: str, input_class: str) -> click.Command:
    @click.command(
        name,
        cls=ManyValuesCommand,
        help=f"Extract sequences and contributions from {model} contribution H5 files.",
        short_help=f"Extract regions from {model} H5 files.",
        examples=(
            f"finemo-dist {name} -c demo/inputs/sample_a/{model.lower()}.h5 "
            f"-p demo/inputs/sample_a/peaks.narrowPeak -o demo/{model.lower()}.zarr",
        ),
    )
    @click.option(
        "-c", "--h5s", type=EXISTING_FILE, multiple=True, required=True,
        help="Contribution H5. Several files are folds and are averaged.",
    )  # fmt: skip
    @_array_options
    @_output_options
    def command(**options: Any) -> None:  # noqa: ANN401  (passed on to _extract)
        from finemo_dist.workflow import config

        _extract(getattr(config, input_class), **options)

    return command


@click.command(
    "extract-regions-modisco-fmt",
    cls=ManyValuesCommand,
    short_help="Extract regions from modisco arrays.",
    examples=(
        "finemo-dist extract-regions-modisco-fmt -s demo/inputs/sample_a/ohe.npz "
        "-a demo/inputs/sample_a/attr.npz -p demo/inputs/sample_a/peaks.narrowPeak "
        "-o demo/modisco.npz",
    ),
)
@click.option(
    "-s", "--sequences", type=EXISTING_FILE, required=True,
    help="One-hot sequences (N, 4, L), .npy or .npz.",
)  # fmt: skip
@click.option(
    "-a", "--attributions", type=EXISTING_FILE, multiple=True, required=True,
    help="Hypothetical contributions (N, 4, L), .npy or .npz. Several files are folds and are "
    "averaged.",
)  # fmt: skip
@_array_options
@_output_options
def extract_modisco(**options: Any) -> None:  # noqa: ANN401  (passed on to _extract)
    """Extract sequences and contributions from the inputs of TF-MoDISco."""
    from finemo_dist.workflow.config import ModiscoArraysInput

    _extract(ModiscoArraysInput, **options)


def _extract(
    input_class: "Callable[..., ExtractionInput]",
    *,
    out_path: Path,
    shard_regions: int | None,
    force: bool,
    as_json: bool,
    **inputs: Any,  # noqa: ANN401  (fields of the input class, by name)
) -> None:
    from finemo_dist.cli.progress import shown_progress
    from finemo_dist.cli.summaries import print_extraction
    from finemo_dist.workflow.extracting import extract_regions

    with shown_progress() as on_event:
        extraction = extract_regions(
            input_class(**inputs), out_path,
            shard_regions=shard_regions, force=force, on_event=on_event,
        )  # fmt: skip
    print_extraction(extraction, as_json=as_json)


COMMANDS: Final = {
    "extract-regions-bw": extract_bigwig,
    "extract-regions-chrombpnet-h5": _h5_command(
        "extract-regions-chrombpnet-h5", "ChromBPNet", "ChromBpnetInput"
    ),
    "extract-regions-bpnet-h5": _h5_command("extract-regions-bpnet-h5", "BPNet", "BpnetInput"),
    "extract-regions-modisco-fmt": extract_modisco,
}
