"""``run`` extracts its samples on workers: stopped, refused, replaced, on one session of Ray."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyBigWig
import pytest
import yaml

from finemo_dist.core.errors import InputError, RunError
from finemo_dist.record.run_record import RunRecord
from finemo_dist.store._partitions import Records
from finemo_dist.store.read import open_store
from finemo_dist.testing.dataset import write_demo
from tests.command import PROJECT, answer_of, files_of, finemo_dist, wait_until

pytestmark = pytest.mark.slow

N_REGIONS = 350
N_SHARDS = 12
KILL_AFTER = 5
ON_RAY = ("--executor", "ray", "--workers", "2")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Two samples of six shards each."""
    return write_demo(tmp_path_factory.mktemp("demo"), n_regions=N_REGIONS, n_motifs=6)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two samples of one shard each, where nothing is stopped midway."""
    return write_demo(tmp_path_factory.mktemp("small"), n_regions=12, n_motifs=6)


@pytest.fixture(scope="module")
def called(small, tmp_path_factory):
    """The folder of a run of the small samples; not to be changed."""
    folder = tmp_path_factory.mktemp("called")
    finemo_dist("run", config_of(small, folder), "--executor", "serial")
    return folder


@pytest.fixture(scope="module")
def undisturbed(demo, tmp_path_factory):
    """The digests of the stores of an undisturbed run."""
    folder = tmp_path_factory.mktemp("undisturbed")
    finemo_dist("run", config_of(demo, folder))
    return digests(folder)


def inputs_of_first(demo) -> dict[str, object]:
    first = demo.samples[0]
    return {
        "peaks": str(first.peaks),
        "fasta": str(demo.fasta),
        "bigwigs": [str(first.bigwig)],
        "region_width": 400,
    }


def config_of(demo, folder: Path, *, solver=None, **changed: dict) -> Path:
    """Write a configuration of both samples, with other inputs for some."""
    second = demo.samples[1]
    inputs = {
        "first": {"bigwig": inputs_of_first(demo)},
        "second": {"chrombpnet_h5": {"h5s": [str(second.chrombpnet_h5)], "region_width": 400}},
    }
    samples = [{"name": name, **inputs[name], **changed.get(name, {})} for name in inputs]
    path = folder / "run.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "output": "run",
                "modisco_h5": str(demo.modisco_h5),
                "samples": samples,
                "solver": solver or {},
            }
        )
    )
    return path


def digests(folder: Path) -> dict[str, str]:
    stores = (folder / "run.regions").glob("*.zarr")
    return {store.stem: open_store(store).digest for store in stores}


def written(folder: Path) -> dict[tuple[str, str], tuple[int, int]]:
    """Inode and time of every shard that has a record, by the name of its store."""
    found = {}
    for shard in (folder / "run.regions").rglob("sequence/c.*"):
        store, number = shard.parents[1], int(shard.name.split(".")[1])
        if number not in Records(store):
            continue
        name = store.name if store.suffix else store.parent.name[1:].removesuffix(".staging")
        stat = shard.stat()
        found[name, number] = stat.st_ino, stat.st_mtime_ns
    return found


def kill_midway(command: list[str], folder: Path) -> int:
    """Start a command and kill it once some shards stand; return its exit status."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from finemo_dist.cli.main import main; main()", *command],
        cwd=PROJECT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(
            lambda: process.poll() is not None or n_records(folder / "run.regions") >= KILL_AFTER,
            what="shards",
        )
    finally:
        process.send_signal(signal.SIGKILL)
        status = process.wait(timeout=60)
    return status


def n_records(regions: Path) -> int:
    """How many shards stand; none when a store changed its name while they were counted."""
    try:
        joined = regions.glob("**/partitions.json")
        n_joined = sum(len(json.loads(file.read_text())) for file in joined)
        return n_joined + len(list(regions.glob("**/partitions/[0-9]*.json")))
    except FileNotFoundError:
        return 0


@pytest.mark.system
@pytest.mark.parametrize("executor", ["serial", pytest.param("ray", marks=pytest.mark.ray)])
def test_a_killed_extraction_goes_on_and_writes_no_shard_twice(
    demo, undisturbed, tmp_path, request, executor
):
    """The same command at once: workers of the killed driver may still be alive."""
    config = config_of(demo, tmp_path)
    options = ()
    if executor == "ray":
        options = (*ON_RAY, "--address", request.getfixturevalue("ray_address"))
    status = kill_midway(["run", str(config), *options], tmp_path)
    stood = written(tmp_path)

    assert status == -signal.SIGKILL
    assert KILL_AFTER <= len(stood) < N_SHARDS
    finemo_dist("run", config)

    assert digests(tmp_path) == undisturbed
    after = written(tmp_path)
    assert len(after) == N_SHARDS
    assert stood.items() <= after.items()
    assert {p.name for p in (tmp_path / "run.regions").glob("*.zarr")} == {
        "first.zarr",
        "second.zarr",
    }


def test_a_sample_is_called_while_others_are_still_extracted(called):
    (log,) = (called / "run" / "log").iterdir()
    entries = list(map(json.loads, log.read_text().splitlines()))
    done = [(e["event"], e["sample"]) for e in entries if e["event"].endswith("_done")]
    assert done.index(("outputs_done", "first")) < done.index(("extract_done", "second"))
    assert RunRecord.load(called / "run").refused == {}


@pytest.fixture(scope="module")
def whole_run(demo, tmp_path_factory):
    """What an undisturbed run leaves."""
    folder = tmp_path_factory.mktemp("whole")
    finemo_dist("run", config_of(demo, folder))
    return left_by(folder)


def left_by(folder: Path) -> dict[str, bytes]:
    """Return the bytes of stores, parts and files; of no times and no paths."""
    found = (
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in {"", ".parquet", ".tsv", ".bed", ".npy"}
        if path.name != "manifest.parquet"
    )
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


REACHED = {
    "extract": ("run.regions", "**/partitions/*.json"),
    "store": ("run.regions", "*.zarr/partitions.json"),
    "call": ("run", "peaks_qc/*/part-*.parquet"),
    "outputs": ("run", "outputs/*/written.json"),
}


@pytest.mark.system
@pytest.mark.parametrize("stage", REACHED)
def test_a_run_killed_in_any_stage_goes_on_and_leaves_the_same_bytes(
    demo, whole_run, tmp_path, stage
):
    words = ("run", config_of(demo, tmp_path), "--executor", "processes", "--workers", "2")
    where, pattern = REACHED[stage]
    process = subprocess.Popen(
        [sys.executable, "-c", "from finemo_dist.cli.main import main; main()", *map(str, words)],
        cwd=PROJECT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(
            lambda: process.poll() is not None or files_of(tmp_path / where, pattern), what=stage
        )
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=60) == -signal.SIGKILL

    finemo_dist(*words)

    record = RunRecord.load(tmp_path / "run")
    assert record.status == "complete"
    assert [sample.name for sample in record.samples] == ["first", "second"]
    assert left_by(tmp_path) == whole_run


def doubled(demo, path: Path) -> Path:
    """Write the scores of the first sample times two."""
    with pyBigWig.open(str(demo.samples[0].bigwig)) as old, pyBigWig.open(str(path), "w") as new:
        new.addHeader(list(old.chroms().items()))
        for chrom in old.chroms():
            starts, ends, values = zip(*old.intervals(chrom), strict=True)
            new.addEntries(
                [chrom] * len(starts), list(starts), ends=list(ends), values=[2 * v for v in values]
            )
    return path


def test_a_store_that_went_is_made_again_for_its_run_only_if_it_is_the_same(small, tmp_path):
    finemo_dist("run", config_of(small, tmp_path))
    store = tmp_path / "run.regions" / "first.zarr"
    record = (tmp_path / "run" / "run.json").read_bytes()
    shutil.rmtree(store)
    other = {**inputs_of_first(small), "bigwigs": [str(doubled(small, tmp_path / "doubled.bw"))]}
    changed = config_of(small, tmp_path, first={"bigwig": other})

    with pytest.raises(RunError, match="another run: the regions of sample 'first' have changed"):
        finemo_dist("run", changed)
    assert (tmp_path / "run" / "run.json").read_bytes() == record

    shutil.rmtree(store)
    finemo_dist("run", config_of(small, tmp_path))
    assert store.is_dir()
    assert (tmp_path / "run" / "run.json").read_bytes() == record


@pytest.mark.ray
def test_extraction_and_calls_share_one_session_of_ray(demo, undisturbed, tmp_path):
    """In a process of its own, which starts a Ray of its own."""
    code = (
        "import sys\n"
        "from finemo_dist.cli.main import cli\n"
        "from finemo_dist.run import ray_session\n"
        "connected, connect = [], ray_session._connect\n"
        "ray_session._connect = lambda *a, **k: connected.append(a) or connect(*a, **k)\n"
        "cli.main(sys.argv[1:], standalone_mode=False)\n"
        "print(len(connected), ray_session.ray.is_initialized())"
    )
    words = ["run", str(config_of(demo, tmp_path)), *ON_RAY]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=PROJECT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1 False"
    assert digests(tmp_path) == undisturbed
    reports = RunRecord.load(tmp_path / "run").input_reports
    assert {name: report["counts"]["n_regions"] for name, report in reports.items()} == {
        "first": N_REGIONS,
        "second": N_REGIONS,
    }


def test_a_sample_that_is_refused_loses_none_of_the_others(small, called, tmp_path, capsys):
    gone = {"chrombpnet_h5": {"h5s": ["gone.h5"]}}
    answer = answer_of(capsys, "run", config_of(small, tmp_path, second=gone))

    assert answer.status == 2
    assert "1 of 2 samples was not called" in answer.err
    assert f"second: {tmp_path / 'gone.h5'}: " in answer.err
    assert "Traceback" not in answer.err
    assert [s.name for s in RunRecord.load(tmp_path / "run").samples] == ["first"]
    before = written(tmp_path)
    assert {name for name, _ in before} == {"first.zarr"}

    finemo_dist("run", config_of(small, tmp_path))

    assert digests(tmp_path) == digests(called)
    assert before.items() <= written(tmp_path).items()


def test_a_refused_call_leaves_the_stores_that_force_would_replace(small, tmp_path, capsys):
    """Narrower than the motifs, of which nothing but the regions knows."""
    finemo_dist("run", config_of(small, tmp_path))
    before = digests(tmp_path)
    narrow = {"chrombpnet_h5": {"h5s": [str(small.samples[1].chrombpnet_h5)], "region_width": 10}}
    config = config_of(small, tmp_path, second=narrow)

    answer = answer_of(capsys, "run", config)
    assert (answer.status, digests(tmp_path)) == (2, before)
    assert "was extracted from other inputs of sample 'second'" in answer.err
    answer = answer_of(capsys, "run", config, "--force")
    assert (answer.status, digests(tmp_path)) == (2, before)
    assert "are 10 bases wide, narrower than the motifs" in answer.err
    assert (tmp_path / "run" / "run.json").exists()


def test_stores_that_do_not_fit_the_disk_together_are_refused(small, tmp_path, capsys, monkeypatch):
    from finemo_dist.run import space

    monkeypatch.setattr(space, "free_disk", lambda _path: 77_000)

    answer = answer_of(capsys, "run", config_of(small, tmp_path))

    assert answer.status == 2
    assert "2 region stores will take about" in answer.err
    assert [p.name for p in tmp_path.iterdir()] == ["run.yaml"]


@pytest.mark.parametrize(
    ("mode", "asked", "kind"),
    [
        ("pp", {}, "projected"),
        ("pp", {"scores": "hypothetical"}, "hypothetical"),
        ("hp", {}, "projected"),
        ("ph", {}, "hypothetical"),
    ],
)
def test_a_store_of_a_run_has_the_scores_that_its_mode_needs(small, tmp_path, mode, asked, kind):
    h5 = {"h5s": [str(small.samples[1].chrombpnet_h5)], "region_width": 400}
    second = {"solver": {"mode": mode}, "chrombpnet_h5": {**h5, **asked}}
    config = config_of(small, tmp_path, second=second)

    finemo_dist("run", config)

    assert open_store(tmp_path / "run.regions/second.zarr").score_kind == kind


def test_stores_of_all_scores_serve_a_run_that_needs_projections(small, tmp_path):
    """And have the same hits; a mode that needs more is refused with the cure."""
    h5 = {"h5s": [str(small.samples[1].chrombpnet_h5)], "region_width": 400}
    config = config_of(small, tmp_path, second={"chrombpnet_h5": {**h5, "scores": "hypothetical"}})
    finemo_dist("run", config)
    before = digests(tmp_path)
    hits = (tmp_path / "run/samples/second/hits.tsv").read_bytes()

    finemo_dist("run", config_of(small, tmp_path), "--force")

    assert digests(tmp_path) == before
    finemo_dist("run", config_of(small, tmp_path), "-o", tmp_path / "other")
    assert open_store(tmp_path / "other.regions/second.zarr").score_kind == "projected"
    assert (tmp_path / "other/samples/second/hits.tsv").read_bytes() == hits
    hypothetical = config_of(small, tmp_path, second={
        "solver": {"mode": "ph"}, "chrombpnet_h5": {**h5, "scores": "projected"}
    })  # fmt: skip
    with pytest.raises(InputError, match="`--scores hypothetical`"):
        finemo_dist("run", hypothetical, "-o", tmp_path / "third")
