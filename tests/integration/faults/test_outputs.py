"""The files of a run for other tools: recorded, resumed, part of what makes a run complete."""

import json
import shutil
import signal
import subprocess
import sys
from functools import partial

import pyarrow.parquet as pq
import pytest

from finemo_dist.record.run_record import RunRecord
from finemo_dist.workflow import outputs as module
from tests.command import finemo_dist, wait_until
from tests.integration.faults.outcomes import FILES, lines_with
from tests.integration.faults.test_damage import start

NAMES = {*FILES, "params.json", "parameters.json"}


def write_config(folder, inputs, store, names="ab", *, out="run", **more):
    """Write a configuration of samples with one store."""
    content = {
        "output": out, "modisco_h5": str(inputs.modisco_h5),
        "samples": [{"name": name, "regions": str(store)} for name in names],
        "resources": {"executor": "serial"}, **more,
    }  # fmt: skip
    path = folder / f"{out}.yaml"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def config(inputs, store, tmp_path):
    """Return a function that writes a configuration of samples with one store."""
    return partial(write_config, tmp_path, inputs, store)


@pytest.fixture(scope="module")
def whole(inputs, store, tmp_path_factory):
    """A run of two samples with its files; not to be changed."""
    folder = tmp_path_factory.mktemp("whole")
    finemo_dist("run", write_config(folder, inputs, store))
    return folder / "run"


@pytest.fixture
def copy(whole, tmp_path):
    """That run, to be changed, where ``config`` has its output."""
    return shutil.copytree(whole, tmp_path / "run")


def files_of(run):
    return {str(p.relative_to(run)): p for p in run.glob("samples/*/[!.]*")}


def bytes_of(run):
    return {name: path.read_bytes() for name, path in files_of(run).items()}


def times_of(run):
    return {name: path.stat().st_mtime_ns for name, path in files_of(run).items()}


def test_F3_a_run_is_complete_when_its_files_are_written(command, works, config, copy):
    words, run = ("run", config()), copy
    before, written = times_of(run), bytes_of(run)
    assert {path.split("/")[2] for path in before} == NAMES
    works("status", run)

    (run / "samples/b/hits.tsv").unlink()
    answer = command("status", run)
    assert answer.status == 3
    assert "incomplete; 1 of 2 samples complete" in answer.out
    assert "the output files of 1 sample are missing" in answer.err
    told = json.loads(command("status", run, "--json").out)
    assert (told["outputs"], told["outputs_missing"], told["missing"]) == ("finemo", 1, 0)
    assert [sample["outputs"] for sample in told["samples"]] == ["written", "missing"]

    works(*words)
    works("status", run)
    assert bytes_of(run) == written
    changed = {name for name, time in times_of(run).items() if time != before[name]}
    assert {name.split("/")[1] for name in changed} == {"b"}


def test_F3_files_that_cannot_be_written_leave_the_run_incomplete(
    command, works, config, whole, tmp_path, monkeypatch
):
    written = module.write_finemo_files

    def fail(catalog, sample, out):
        if sample == "a":
            raise OSError(28, "No space left on device")
        return written(catalog, sample, out)

    monkeypatch.setattr(module, "write_finemo_files", fail)
    words, run = ("run", config()), tmp_path / "run"
    answer = command(*words)

    assert answer.status == 3
    (message,) = lines_with(answer, "Error: ")
    assert "the output files of 1 of 2 samples are missing" in message
    assert "no space is left" in message
    assert RunRecord.load(run).status == "incomplete"
    assert {name.split("/")[1] for name in files_of(run)} == {"b"}
    assert "failed a[outputs]" in command("status", run).out

    monkeypatch.undo()
    works(*words)
    assert RunRecord.load(run).status == "complete"
    without_paths = {k: v for k, v in bytes_of(run).items() if not k.endswith(".json")}
    assert without_paths.items() <= bytes_of(whole).items()


def test_outputs_of_a_run_may_be_none_or_parquet(works, config, tmp_path):
    run = tmp_path / "run"
    works("run", config(outputs="none"))
    assert files_of(run) == {}
    works("status", run)

    works("run", config(outputs="parquet"))
    assert files_of(run).keys() == {f"samples/{name}/hits.parquet" for name in "ab"}
    works("export", run, "--sample", "b", "--to", "parquet", "-o", tmp_path / "b.parquet")
    written = pq.read_table(run / "samples/b/hits.parquet")
    assert written.num_rows > 0
    assert written.equals(pq.read_table(tmp_path / "b.parquet"))

    works("run", config())
    assert {path.split("/")[2] for path in files_of(run)} == {*NAMES, "hits.parquet"}


def test_a_run_of_an_older_release_says_nothing_of_files(works, config, copy):
    run = copy
    RunRecord.load(run).model_copy(update={"outputs": None}).save(run)
    (run / "samples/a/hits.tsv").unlink()

    works("status", run)
    works("run", config())
    assert (run / "samples/a/hits.tsv").exists()


@pytest.mark.slow
@pytest.mark.system
def test_C15_a_run_killed_while_files_are_written_resumes(works, config, tmp_path):
    names = "abcdef"
    works("run", config(names, out="whole"))
    words, run = ("run", config(names)), tmp_path / "run"
    # In the middle of the second sample, and at the end of the fourth.
    for sign in ("samples/b/hits.tsv", "outputs/sample=d/written.json"):
        process = start(words)
        wait_until(lambda at=process, s=sign: (run / s).exists() or at.poll() is not None)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    before = times_of(run)
    works(*words)

    ours, whole = bytes_of(run), bytes_of(tmp_path / "whole")
    assert ours == whole
    after = times_of(run)
    assert {n for n in before if n.split("/")[1] == "a" and after[n] != before[n]} == set()
    works("status", run)


def test_a_worker_that_writes_files_loads_neither_torch_nor_the_command_line():
    code = (
        "import sys, finemo_dist.workflow.outputs as o; o.OutputSpec('r', None, {}, None)"
        ".make_worker('w'); print('\\n'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "duckdb" in loaded
    assert not {name for name in loaded if name.split(".")[0] in {"torch", "ray", "click"}}
    assert not {name for name in loaded if name.startswith("finemo_dist.cli")}


def test_a_configuration_sorts_hits_by_place_at_the_end(command, works, config, tmp_path):
    run = tmp_path / "run"
    works("run", config(outputs="none", compact="place"))

    told = json.loads(command("status", run, "--json").out)
    assert (told["compacted_by_place"], told["compacted"]) == (True, [])
    assert "compacted files: of all samples by place" in works("status", run).out
    assert "(unchanged)" in works("compact", run, "--by", "place").err

    path = min((run / "compact/by-place").glob("*.parquet"))
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    answer = command("verify", run)
    assert answer.status != 0
    assert path.name in answer.out + answer.err
