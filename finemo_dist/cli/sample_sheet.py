"""``sample-sheet``: a sheet for ``run`` from folders that hold a file for each class."""

from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import say
from finemo_dist.cli.options import LOCAL_FILE, LOCAL_OUTPUT, LOCAL_PATH
from finemo_dist.core.words import count


@click.command(
    "sample-sheet",
    short_help="Write a sample sheet for folders of files.",
    cls=HelpfulCommand,
    examples=(
        "finemo-dist sample-sheet crested/contribs crested/modisco -f genome.fa -o samples.tsv",
    ),
)
@click.argument("folders", type=LOCAL_PATH, nargs=-1, required=True)
@click.option("-o", "--out", type=LOCAL_OUTPUT, required=True, help="Sheet to write, a TSV.")
@click.option("-f", "--fasta", type=LOCAL_FILE, help="Genome of all classes. bigWigs need it.")
@click.option("--force", is_flag=True, help="Replace an existing sheet.")
def sample_sheet(*, folders: tuple[Path, ...], out: Path, fasta: Path | None, force: bool) -> None:
    """Write a sample sheet with one row per class whose files are in FOLDERS.

    The scores of a class are CLASS_oh.npz and CLASS_contrib.npz, as CREsted writes them, or
    CLASS.bw. Its peaks are CLASS.narrowPeak or CLASS.bed, its motifs CLASS_modisco_results.h5.
    """
    from finemo_dist.workflow.class_folders import make_sample_sheet

    names = make_sample_sheet(folders, out, fasta=fasta, force=force)
    say(
        f"{out}: wrote {count(len(names), 'sample')}. Give it as sample_sheet in a configuration "
        "for `run`."
    )


COMMANDS: Final = {"sample-sheet": sample_sheet}
