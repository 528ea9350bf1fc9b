"""Reading everything again and comparing it with what was recorded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from finemo_dist.catalog.compact import damaged_files
from finemo_dist.catalog.compact_places import damaged_places
from finemo_dist.core.errors import RunError
from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import TableName, part_path
from finemo_dist.hits.read import verify_part
from finemo_dist.run.plan import read_plan
from finemo_dist.storage.locations import location
from finemo_dist.store.verify import verify as verify_store

_TABLES: Final[tuple[TableName, ...]] = ("hits", "peaks_qc")


def verify(path: str | Path) -> list[str]:
    """Return what is wrong with a region store, or with a run and the stores behind it.

    Raises
    ------
    RunError, StoreError
        There is neither a run nor a store.
    """
    path = location(path)
    is_run = (path / "run.json").exists()
    return list(_run_problems(path)) if is_run else verify_store(path)


def _run_problems(run: Path) -> Iterator[str]:
    plan = read_plan(run)
    yield from plan.damaged
    for unit in plan.pending:
        yield f"{run}: shard {unit} is not committed."
    for sample in plan.record.samples:
        for shard in range(sample.n_shards):
            unit = Unit(sample.name, shard)
            for table in _TABLES if unit not in plan.pending else ():
                try:
                    verify_part(part_path(run, table, unit))
                except RunError as error:
                    yield str(error)
        yield from damaged_files(run, sample.name)
        yield from verify_store(location(sample.store))
    yield from damaged_places(run)
