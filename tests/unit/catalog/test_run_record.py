import json

import pytest

from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import RunError
from finemo_dist.core.records import InputFile
from finemo_dist.record.run_record import MOST_INVOCATIONS, Invocation, RunRecord
from tests.unit.catalog.builder import write_record


def test_a_record_comes_back_as_it_was(tmp_path):
    written = write_record(tmp_path, {"a": 1, "x/y": 2})
    full = written.model_copy(update={"inputs": (InputFile("p", 3, "d"),), "seconds": {"s": 0.5}})
    full.save(tmp_path)

    assert RunRecord.load(tmp_path) == full
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_sample_is_found_by_its_name(tmp_path):
    record = write_record(tmp_path, {"a": 1, "b": 2})

    assert (record.sample("b").n_shards, record.sample("c")) == (2, None)


@pytest.mark.parametrize(
    ("path", "resolved", "place"),
    [
        ("m.h5", "/data/m.h5", "/data/m.h5"),
        ("sub/m.h5", "", "/work/sub/m.h5"),
        ("/elsewhere/m.h5", "", "/elsewhere/m.h5"),
        ("s3://bucket/m.h5", "", "s3://bucket/m.h5"),
    ],
)
def test_inputs_of_old_records_are_found_from_where_the_command_was_given(
    tmp_path, path, resolved, place
):
    """They hold the path as it was typed alone."""
    file = InputFile(path, 1, "d", resolved)
    own = Invocation(id="i", directory="/work", version="0", host="h", pid=1, started="2026-01-01")
    record = write_record(tmp_path, {"a": 1})

    assert record.begun(own).place_of(file) == place
    assert record.place_of(file) == (resolved or path), "before there were invocations"


def test_a_folder_without_a_record_is_no_run(tmp_path):
    with pytest.raises(RunError, match="not a run directory"):
        RunRecord.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"format": "finemo_dist.run"'])
def test_a_damaged_record_is_named(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)

    with pytest.raises(RunError, match=r"run\.json: is not JSON"):
        RunRecord.load(tmp_path)


@pytest.mark.parametrize("change", [{"format": "other"}, {"format_version": 2}])
def test_another_format_or_version_is_refused(tmp_path, change):
    write_record(tmp_path, {"a": 1})
    path = tmp_path / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(RunError, match="this release reads"):
        RunRecord.load(tmp_path)


@pytest.mark.parametrize("content", ["[]", "3", "null"])
def test_json_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "run.json").write_text(content)

    with pytest.raises(RunError, match="is not the record of a run"):
        RunRecord.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "where"), [({"samples": []}, "samples"), ({"status": "?"}, "status")]
)
def test_a_record_with_a_field_that_cannot_be_is_refused_by_field(tmp_path, change, where):
    write_record(tmp_path, {"a": 1})
    path = tmp_path / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(RunError, match=f"{where}: "):
        RunRecord.load(tmp_path)


def invocation(n, status="complete"):
    return Invocation(
        id=f"i{n}", directory="/", version="0", host="h", pid=n, started="2026-01-01", status=status
    )


def test_a_record_from_before_there_were_invocations_is_read(tmp_path):
    written = write_record(tmp_path, {"a": 1})
    path = tmp_path / "run.json"
    content = json.loads(path.read_text())
    del content["invocations"], content["checksum"]
    path.write_text(json.dumps(content | {"checksum": digest_of(content)}))

    assert RunRecord.load(tmp_path) == written


def test_invocations_are_kept_up_to_a_number(tmp_path):
    record = write_record(tmp_path, {"a": 1})
    for n in range(MOST_INVOCATIONS + 3):
        record = record.begun(invocation(n))
    record.save(tmp_path)

    known = RunRecord.load(tmp_path).invocations
    assert [i.pid for i in known] == list(range(3, MOST_INVOCATIONS + 3))


def test_an_invocation_that_another_follows_is_running_no_more(tmp_path):
    record = write_record(tmp_path, {"a": 1})
    for n, status in enumerate(["running", "interrupted", "running"]):
        record = record.begun(invocation(n, status))

    assert [i.status for i in record.invocations] == ["stopped", "interrupted", "running"]
    assert (record.status, record.finished) == ("running", None)
