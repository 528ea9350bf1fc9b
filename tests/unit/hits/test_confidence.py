"""The record of the confidence of a run."""

import pytest

from finemo_dist.core.errors import RunError
from finemo_dist.hits import confidence
from finemo_dist.hits.confidence import ConfidenceRecord

RECORD = ConfidenceRecord(
    seed=3,
    fraction=0.5,
    n_rounds=2,
    parts={"a": "digest"},
    refused={"b": "why"},
    files=("decoy_hits-00000.parquet",),
)


def test_a_record_comes_back_as_it_was(tmp_path):
    assert ConfidenceRecord.load(tmp_path) is None

    RECORD.save(tmp_path)

    assert ConfidenceRecord.load(tmp_path) == RECORD


@pytest.mark.parametrize("version", [0, 2])
def test_a_record_of_another_version_is_refused(version, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(confidence, "_FORMAT_VERSION", version)
        RECORD.save(tmp_path)

    with pytest.raises(RunError, match=f"version {version}"):
        ConfidenceRecord.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('"seed": 3', '"seed": 4'), "its checksum differs"),
        (lambda text: text[:-9], "Unterminated string"),
        (lambda _: "3", "'int' object is not iterable"),
        (lambda _: "{}", "its checksum differs"),
    ],
    ids=["a number", "cut", "no mapping", "empty"],
)
def test_a_damaged_record_is_refused_with_its_cure(tmp_path, change, said):
    RECORD.save(tmp_path)
    (path,) = confidence.confidence_directory(tmp_path).iterdir()
    path.write_text(change(path.read_text()))

    with pytest.raises(RunError) as caught:
        ConfidenceRecord.load(tmp_path)

    assert str(caught.value).startswith(f"{path}: is damaged ({said}")
    assert str(caught.value).endswith("confidence --force` on the run to make it again.")
