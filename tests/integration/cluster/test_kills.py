"""Workers, nodes and drivers that are killed at random: nothing lost, nothing twice.

Each schedule is drawn from a seed, which is printed. ``make test-kills`` runs forty of them,
the suite the first few (``KILL_SEEDS``).
"""

import os
import random
from dataclasses import dataclass, field

import pyarrow.parquet as pq
import pytest

from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import part_path
from finemo_dist.record.run_record import RunRecord
from finemo_dist.run.plan import read_plan
from tests.command import finemo_dist, wait_until
from tests.integration.cluster.conftest import kill
from tests.integration.cluster.workers import N_REGIONS, N_UNITS, SAMPLES, words
from tests.unit.run.runs import parts

pytestmark = [pytest.mark.ray, pytest.mark.slow]

N_SEEDS = int(os.environ.get("KILL_SEEDS", "3"))
N_SOLVER_SEEDS = max(1, N_SEEDS // 4)
ACTS = ("a worker", "two workers", "all workers", "a node", "a new node", "the driver")


@dataclass
class Schedule:
    """What is done to a run, and when: an act after so many commits."""

    seed: int
    acts: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        # Every seed kills something; a driver is killed by every third at least.
        n_acts = rng.randint(2, 4)
        chosen = rng.choices(ACTS, k=n_acts)
        if self.seed % 3 == 0 and "the driver" not in chosen:
            chosen[-1] = "the driver"
        if not {"a worker", "two workers", "all workers", "a node"} & set(chosen):
            chosen[0] = "a worker"
        self.acts = sorted(zip(rng.sample(range(1, N_UNITS - 2), n_acts), chosen, strict=True))

    def __str__(self) -> str:
        return f"seed {self.seed}: " + ", ".join(f"{what} after {n}" for n, what in self.acts)


def await_commits(job, n: int) -> None:
    wait_until(lambda: job.n_committed >= n or job.is_over())


def do(what: str, rng: random.Random, job, nodes) -> None:
    live = job.live_pids
    match what:
        case "a worker":
            kill(rng.sample(live, min(1, len(live))))
        case "two workers":
            kill(rng.sample(live, min(2, len(live))))
        case "all workers":
            kill(live)
        case "a node" if nodes.others:
            nodes.remove(rng.choice(nodes.others))
        case "a new node":
            nodes.add(rng.choice((1, 2)))


def identity(run) -> dict[str, tuple[int, int]]:
    """Inode and time of the parts of committed units: what is written again has others."""
    pending = set(read_plan(run).pending)
    units = {Unit(name, shard) for name, n in SAMPLES.items() for shard in range(n)} - pending
    paths = [part_path(run, table, unit) for unit in units for table in ("hits", "peaks_qc")]
    return {str(p): (p.stat().st_ino, p.stat().st_mtime_ns) for p in paths}


def assert_every_region_once(run) -> None:
    for name, n_shards in SAMPLES.items():
        paths = [part_path(run, "peaks_qc", Unit(name, shard)) for shard in range(n_shards)]
        found = [i for p in paths for i in pq.ParquetFile(p).read()["peak_id"].to_pylist()]
        assert sorted(found) == list(range(N_REGIONS * n_shards))


def disturbed_run(kind: str, seed: int, nodes, start, capsys):
    """Run by the schedule of a seed, resume what was set aside, and return the run."""
    schedule = Schedule(seed)
    with capsys.disabled():
        print(f"\n{kind}, {schedule}", flush=True)  # noqa: T201
    rng = random.Random(seed)
    job = start(kind=kind, seconds=0.15)
    kept = {}
    for n_commits, what in schedule.acts:
        await_commits(job, n_commits)
        if what != "the driver":
            do(what, rng, job, nodes)
        elif not job.is_over():
            job.kill()
            kept |= identity(job.run)
            job = start(kind=kind, seconds=0.15)
    did = job.ends()
    if did["failed"]:
        # The same unit met three kills, which is what is set aside; the same command goes on.
        with capsys.disabled():
            print(did["failed"], flush=True)  # noqa: T201
        kept |= identity(job.run)
        did = start(kind=kind, seconds=0.15).ends()

    assert did["failed"] == []
    assert set(did["n_done"].values()) <= {1}
    assert len(did["n_done"]) == did["n_pending"], "only what was missing is done"
    assert_every_region_once(job.run)
    assert RunRecord.load(job.run).status == "complete"
    assert kept.items() <= identity(job.run).items(), "a committed shard was written again"
    return job.run


@pytest.mark.parametrize("seed", range(N_SEEDS))
def test_whatever_is_killed_the_same_bytes_stand_in_the_end(
    seed, nodes, start, undisturbed, capsys
):
    assert parts(disturbed_run("stub", seed, nodes, start, capsys)) == undisturbed


@pytest.mark.parametrize("seed", range(N_SOLVER_SEEDS))
def test_whatever_is_killed_the_same_hits_are_called(seed, nodes, start, solved, tmp_path, capsys):
    run = disturbed_run("solver", seed, nodes, start, capsys)

    assert parts(run) == parts(solved)
    assert hits_of(run, tmp_path / "run.tsv") == hits_of(solved, tmp_path / "solved.tsv")


def hits_of(run, out) -> bytes:
    """The final table, of some hits."""
    finemo_dist("export", run, "--to", "tsv", "-o", out)
    table = out.read_bytes()
    assert table.count(b"\n") > N_UNITS
    return table


def test_every_worker_has_a_gpu_of_its_own(start, undisturbed):
    job = start(n_together=4)

    job.ends()

    said = words(job.word)
    assert len({word["node"] for word in said}) == 3
    assert len({(word["node"], word["gpus"]) for word in said}) == 4
    assert sorted(word["gpus"] for word in said) == ["0", "0", "0", "1"]
    assert parts(job.run) == undisturbed


def test_a_node_that_joins_is_used(nodes, start, undisturbed):
    """Nobody begins before a worker runs on it."""
    job = start(n_together=6)
    wait_until(lambda: len(words(job.word)) == 4)

    nodes.add(2)

    assert len(job.ends()["n_done"]) == N_UNITS
    assert len({word["node"] for word in words(job.word)}) == 4
    assert parts(job.run) == undisturbed


def test_more_workers_than_places_lose_nothing(start, undisturbed):
    job = start(n_workers=7)

    assert len(job.ends()["n_done"]) == N_UNITS
    assert len(words(job.word)) <= 4
    assert parts(job.run) == undisturbed
