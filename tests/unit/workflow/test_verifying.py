"""What verification finds in a small run whose store is there."""

from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import part_path
from finemo_dist.workflow.verifying import verify


def test_a_whole_run_has_no_problem(stored):
    assert verify(stored()) == []


def test_a_shard_that_is_missing_is_named_once(stored):
    run = stored()
    part_path(run, "hits", Unit("sample", 0)).unlink()

    assert verify(run) == [f"{run}: shard sample[0] is not committed."]


def test_a_damaged_part_is_named(stored):
    run = stored()
    path = part_path(run, "peaks_qc", Unit("sample", 0))
    path.write_bytes(path.read_bytes()[:-9])

    (problem, pending) = verify(run)

    assert problem.startswith(f"{path}: ")
    assert pending == f"{run}: shard sample[0] is not committed."
