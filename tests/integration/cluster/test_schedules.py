"""Whole runs that meet random trouble in every stage: nothing lost, nothing twice, nothing left.

Each schedule is drawn from a seed, which is printed, and is carried out through the command line.
``make test-kills`` runs forty of them, the suite the first few (``KILL_SEEDS``).
"""

import json
import os
import random
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import pytest

import finemo_dist
from finemo_dist.record.run_record import RunRecord
from finemo_dist.store.read import open_store
from finemo_dist.testing.dataset import write_demo
from tests.command import files_of, run_process, wait_until
from tests.integration.cluster.trouble import (
    ACTS,
    ON_RAY,
    STAGES,
    WITH_WORKERS,
    Act,
    Undertaking,
    small_disk,
)
from tests.integration.faults.conftest import everything_in
from tests.processes import is_alive

pytestmark = [pytest.mark.system, pytest.mark.slow]

N_SEEDS = int(os.environ.get("KILL_SEEDS", "4"))
KINDS = ("processes", "serial", "processes", "ray", "processes", "processes", "serial", "processes")
N_REGIONS = 200
SAMPLES = ("a", "b", "c")
N_UNITS = 12
"""Of three samples: 64 regions are a shard."""
N_FILES = {"extraction": N_UNITS, "calling": N_UNITS - 1, "outputs": 3, "compaction": 4}
OF_THE_COMMAND = ("run.json", "params.json", "parameters.json", "written.json")
"""Files that name times, paths and what was typed, or the digests of such files."""
ONCE = (
    "SELECT count(*), count(DISTINCT (sample, peak_id, motif_name, strand, start_untrimmed)) "
    "FROM hits"
)


def kind_of(seed: int) -> str:
    return KINDS[seed % len(KINDS)]


def schedule_of(seed: int, rng: random.Random) -> list[Act]:
    """Draw three to six acts; seeds one after the other begin with each act in turn."""
    kind = kind_of(seed)
    known = ACTS + WITH_WORKERS * (kind != "serial") + ON_RAY * (kind == "ray")
    first = "lose a node" if kind == "ray" else known[seed % len(known)]
    acts = []
    for what in (first, *rng.choices(known, k=rng.randint(2, 5))):
        stage = rng.choice(tuple(STAGES))
        acts.append(Act(what, stage, rng.randint(0, N_FILES[stage]), rng.uniform(0, 0.05)))
    order = tuple(STAGES)
    return sorted(acts, key=lambda act: (order.index(act.stage), act.n_files))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return write_demo(folder, n_regions=N_REGIONS, n_motifs=6, write_every_format=True)


@pytest.fixture(scope="module")
def prepare(demo):
    """Return a function that writes a configuration of three kinds of input into a folder."""
    first, second = demo.samples
    places = {"peaks": str(first.peaks), "region_width": demo.region_width}
    bigwig = places | {"fasta": str(demo.fasta), "bigwigs": [str(first.bigwig)]}
    h5 = places | {"peaks": str(second.peaks), "h5s": [str(second.chrombpnet_h5)]}
    arrays = places | {
        "sequences": str(first.sequences_npz), "attributions": [str(first.attributions_npz)]
    }  # fmt: skip
    inputs = ({"bigwig": bigwig}, {"chrombpnet_h5": h5}, {"modisco_arrays": arrays})

    def write(root: Path, compact: str) -> list[object]:
        config = {
            "output": "run", "modisco_h5": str(demo.modisco_h5), "compact": compact,
            "samples": [{"name": n, **i} for n, i in zip(SAMPLES, inputs, strict=True)],
        }  # fmt: skip
        (root / "run.yaml").write_text(json.dumps(config))
        (root / "tmp").mkdir()
        return ["run", root / "run.yaml", "--device", "cpu"]

    return write


@pytest.fixture(scope="module")
def undisturbed(prepare, tmp_path_factory):
    """Return a function that gives the folder of a run by one process that nobody disturbs."""

    @cache
    def run(compact: str) -> Path:
        root = tmp_path_factory.mktemp(f"undisturbed-{compact}")
        words = prepare(root, compact)
        done = run_process(*words, "--executor", "serial", TMPDIR=str(root / "tmp"))
        assert done.returncode == 0, done.stderr
        return root

    return run


def left_in(root: Path) -> dict[str, bytes | None]:
    """Return what a run leaves by its path; of files that name its command no more than that."""
    found = {}
    for path, content in everything_in(root).items():
        if path.parent.name != "log":
            is_compared = path.name not in OF_THE_COMMAND
            found[str(path.relative_to(root))] = content if is_compared else None
    return found


def identities(root: Path) -> dict[Path, tuple[int, int]]:
    """Inode and time of what the stages commit: what is written again has others."""
    files = [path for pattern in STAGES.values() for path in files_of(root, pattern)]
    files += root.glob("run/hits/*/part-*.parquet")
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def once(run: Path) -> tuple[int, int]:
    """Return how many hits there are, and at how many places."""
    with finemo_dist.open_run(run) as opened:
        n_hits, n_places = opened.sql(ONCE).to_arrow().to_pylist()[0].values()
    return n_hits, n_places


def assert_as_undisturbed(root: Path, other: Path) -> None:
    found, expected = left_in(root), left_in(other)
    assert sorted(found) == sorted(expected)
    assert [name for name in found if found[name] != expected[name]] == []
    for name in SAMPLES:
        stores = [folder / "run.regions" / f"{name}.zarr" for folder in (root, other)]
        assert len({open_store(store).digest for store in stores}) == 1
    n_hits, n_places = once(root / "run")
    assert n_hits == n_places == once(other / "run")[0] > N_REGIONS
    assert RunRecord.load(root / "run").status == "complete"


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(seed, marks=[pytest.mark.ray] if kind_of(seed) == "ray" else [])
        for seed in range(N_SEEDS)
    ],
)
def test_whatever_happens_a_whole_run_ends_as_an_undisturbed_one(
    seed, prepare, undisturbed, tmp_path, request, capsys
):
    rng = random.Random(seed)
    kind, compact, acts = kind_of(seed), rng.choice(("sample", "place")), schedule_of(seed, rng)
    other = undisturbed(compact)
    nodes = request.getfixturevalue("nodes") if kind == "ray" else None
    options = {
        "serial": [],
        "processes": ["--workers", "2"],
        "ray": ["--workers", "2", "--address", nodes and nodes.address],
    }[kind]
    fills = any(act.what == "fill the disk" for act in acts)
    root = tmp_path / "root"
    root.mkdir()

    with small_disk(root) if fills else nullcontext(False) as may_fill:
        acts = [act for act in acts if may_fill or act.what != "fill the disk"]
        with capsys.disabled():
            lacks = ": no disk may be mounted here, none is filled" * (fills and not may_fill)
            print(f"\nseed {seed}, {kind}: {', '.join(map(str, acts))}{lacks}", flush=True)  # noqa: T201
        words = [*prepare(root, compact), "--executor", kind, *options]
        job = Undertaking(words, root, rng, nodes)
        try:
            for act in acts:
                job.suffers(act)
            job.finishes()
            before = identities(root)
            job.process = job.start()
            job.finishes()
        finally:
            job.kill_all()
            if nodes is not None:
                nodes.restore()

        assert identities(root) == before, "what was complete is written again"
        assert_as_undisturbed(root, other)
        wait_until(lambda: not any(map(is_alive, job.seen)), 60, f"the end of {job.seen}")
