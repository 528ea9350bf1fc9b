"""``status``: how far a run is."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from finemo_dist.cli.options import EXISTING_PATH, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finemo_dist.catalog.summary import SampleSummary


@click.command("status")
@click.argument("run", type=EXISTING_PATH)
@json_option
def status(*, run: Path, as_json: bool) -> None:
    """Show committed and missing shards of each sample; exit 3 when any is missing."""
    from finemo_dist.catalog.catalog import open_catalog
    from finemo_dist.catalog.summary import summarise
    from finemo_dist.core.errors import IncompleteRunError

    with open_catalog(run, allow_damaged=True) as catalog:
        samples = summarise(catalog)
        record = catalog.record
    n_missing = sum(s.n_shards - s.n_shards_committed for s in samples)
    if as_json:
        content = {"status": record.status, "failures": record.failures, "missing": n_missing}
        click.echo(json.dumps({**content, "samples": [asdict(s) for s in samples]}, indent=2))
    else:
        _print_table(samples)
    if n_missing:
        failed = "; ".join(f"{unit}: {why}" for unit, why in record.failures.items())
        raise IncompleteRunError(
            f"{run}: {n_missing} shards are missing (run is {record.status}"
            f"{', failed: ' + failed if failed else ''}). Run its command again to finish."
        )


def _print_table(samples: "Sequence[SampleSummary]") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE)
    table.add_column("sample")
    for name in ("shards", "regions", "hits", "not converged", "largest gap"):
        table.add_column(name, justify="right")
    for s in samples:
        table.add_row(
            s.sample,
            f"{s.n_shards_committed}/{s.n_shards}",
            f"{s.n_regions_committed:,}/{s.n_regions:,}",
            f"{s.n_hits:,}",
            f"{s.n_not_converged:,}",
            f"{s.max_gap:.1e}",
        )
    Console(markup=False, highlight=False).print(table)


COMMANDS: Final = {"status": status}
