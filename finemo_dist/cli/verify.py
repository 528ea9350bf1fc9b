"""``verify``: everything is read again and compared with what was recorded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from finemo_dist.cli.messages import say
from finemo_dist.cli.options import EXISTING_PATH


@click.command("verify")
@click.argument("path", type=EXISTING_PATH)
def verify(*, path: Path) -> None:
    """Re-read a region store, or every part of a run and the stores behind it."""
    from finemo_dist.core.errors import FinemoDistError

    is_run = (path / "run.json").exists()
    problems = list(_run_problems(path) if is_run else _store_problems(path))
    for problem in problems:
        say(problem)
    if problems:
        raise FinemoDistError(
            f"{path}: {len(problems)} problems. Damaged parts of a run are made again by its "
            "command; a damaged store must be extracted again."
        )
    say(f"{path}: nothing wrong")


def _store_problems(path: Path) -> list[str]:
    from finemo_dist.store.verify import verify as verify_store

    return verify_store(path)


def _run_problems(run: Path) -> Iterator[str]:
    from finemo_dist.catalog.compact import damaged_files
    from finemo_dist.core.errors import RunError
    from finemo_dist.core.records import Unit
    from finemo_dist.hits.layout import TableName, part_path
    from finemo_dist.hits.read import verify_part
    from finemo_dist.run.plan import read_plan
    from finemo_dist.storage.locations import location

    tables: tuple[TableName, ...] = ("hits", "peaks_qc")
    plan = read_plan(run)
    yield from plan.damaged
    for unit in plan.pending:
        yield f"{run}: shard {unit} is not committed."
    for sample in plan.record.samples:
        for shard in range(sample.n_shards):
            unit = Unit(sample.name, shard)
            for table in tables if unit not in plan.pending else ():
                try:
                    verify_part(part_path(run, table, unit))
                except RunError as error:
                    yield str(error)
        yield from damaged_files(run, sample.name)
        yield from _store_problems(location(sample.store))


COMMANDS: Final = {"verify": verify}
