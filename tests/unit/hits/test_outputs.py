"""The record of the files of a sample, which is believed only while all of them are there."""

import json

import pytest

from finemo_dist.hits.layout import written_path
from finemo_dist.hits.outputs import Outputs


@pytest.fixture
def saved(tmp_path):
    (tmp_path / "hits.tsv").write_text("hits")
    outputs = Outputs.of_files(tmp_path, [tmp_path / "hits.tsv"], made_from="parts")
    outputs.save(tmp_path, "a")
    return outputs


def test_outputs_come_back_as_they_were(tmp_path, saved):
    assert Outputs.load(tmp_path, "a") == saved == Outputs("parts", {"hits.tsv": 4})
    assert Outputs.load(tmp_path, "b") is None


@pytest.mark.parametrize(
    "change",
    [
        {"format_version": 99}, {"format": "other"}, {"sizes": {"hits.tsv": 5}},
        {"sizes": {"hits.tsv": 4, "gone.tsv": 0}}, {"sizes": 3}, None,
    ],
)  # fmt: skip
def test_what_is_not_there_as_recorded_is_written_again(tmp_path, saved, change):
    path = written_path(tmp_path, "a")
    content = json.loads(path.read_text())
    path.write_text(json.dumps({} if change is None else content | change))

    assert Outputs.load(tmp_path, "a") is None
