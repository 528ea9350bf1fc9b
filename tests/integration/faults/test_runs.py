"""Runs that lose a sample, their record or a store, and what the same command does next."""

import json
import shutil

import pytest

from finemo_dist.record.run_record import RunRecord
from tests.integration.faults.outcomes import lines_with
from tests.unit.run.runs import parts


@pytest.fixture
def samples(inputs):
    """Return the samples of a configuration, each with its bigWig; changed by name."""

    def make(names, **changed):
        files = {"peaks": str(inputs.peaks), "fasta": str(inputs.fasta),
                 "bigwigs": [str(inputs.files.bigwig)], "region_width": inputs.width}  # fmt: skip
        return [{"name": name, "bigwig": files | changed.get(name, {})} for name in names]

    return make


@pytest.fixture
def config(inputs, tmp_path):
    """Return a function that writes a configuration of samples."""

    def write(samples):
        content = {"output": "run", "modisco_h5": str(inputs.modisco_h5), "samples": samples,
                   "resources": {"executor": "serial"}}  # fmt: skip
        (tmp_path / "run.yaml").write_text(json.dumps(content))
        return tmp_path / "run.yaml"

    return write


def test_C24_one_refused_sample_holds_up_none_of_the_others(
    command, works, samples, config, tmp_path
):
    gone = tmp_path / "gone.bw"
    words = ("run", config(samples("abc", b={"bigwigs": [str(gone)]})))

    answer = command(*words)

    assert answer.status == 2
    assert "Traceback" not in answer.err
    (message,) = lines_with(answer, "Error: ")
    for said in ("1 of 3 samples was not called", f"b: {gone}", str(tmp_path / "run")):
        assert said in message
    for name in "ac":
        assert (tmp_path / f"run/samples/{name}/hits.tsv").stat().st_size > 0
    before = parts(tmp_path / "run")
    assert {path.split("/")[1] for path in before} == {"sample=a", "sample=c"}
    assert command(*words).status == 2
    assert parts(tmp_path / "run") == before

    shutil.copy(samples("b")[0]["bigwig"]["bigwigs"][0], gone)
    works(*words)
    assert before.items() < parts(tmp_path / "run").items()
    works("status", tmp_path / "run")


def test_C24_a_status_names_what_was_refused(command, works, samples, config, tmp_path):
    gone = tmp_path / "gone.bw"
    command("run", config(samples("ab", b={"bigwigs": [str(gone)]})))

    answer = command("status", tmp_path / "run")

    assert answer.status == 3
    (line,) = (line for line in answer.out.splitlines() if line.startswith("refused b: "))
    assert str(gone) in line
    assert "incomplete; 1 of 1 sample complete" in answer.out
    (message,) = lines_with(answer, "Error: ")
    assert "1 sample is not called" in message
    assert f"run {tmp_path / 'run.yaml'}" in message
    told = json.loads(command("status", tmp_path / "run", "--json").out)
    assert told["refused"].keys() == {"b"}
    # It may be given up as well.
    works("run", config(samples("a")))
    works("status", tmp_path / "run")


def test_C24_a_sample_that_cannot_be_called_holds_up_none_of_the_others(
    command, works, samples, config, inputs, store, tmp_path
):
    (tmp_path / "no.zarr").mkdir()
    narrow = samples("a", a={"region_width": 10})
    given = [{"name": "b", "regions": str(store)}, {"name": "c", "regions": "no.zarr"}]

    answer = command("run", config([*narrow, *given]))

    assert answer.status == 2
    (message,) = lines_with(answer, "Error: ")
    assert "2 of 3 samples were not called" in message
    assert "regions of sample 'a' are 10 bases wide" in message
    assert f"c: {tmp_path / 'no.zarr'}: no region store here" in message
    assert RunRecord.load(tmp_path / "run").refused.keys() == {"a", "c"}
    assert {path.split("/")[1] for path in parts(tmp_path / "run")} == {"sample=b"}


def test_C24_a_complete_run_keeps_a_sample_whose_inputs_went(
    command, works, samples, config, inputs, tmp_path
):
    mine = tmp_path / "mine.bw"
    shutil.copy(inputs.files.bigwig, mine)
    words = ("run", config(samples("ab", b={"bigwigs": [str(mine)]})))
    works(*words)
    record = (tmp_path / "run/run.json").read_bytes()
    mine.unlink()

    answer = command(*words)

    assert answer.status == 2
    assert str(mine) in answer.err
    assert (tmp_path / "run/run.json").read_bytes() == record
