"""What a comparison says of few samples, by what it compares, and what it refuses."""

import json

import pyarrow.parquet as pq
import pytest

import finemo_dist
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.records import MotifAnnotation
from finemo_dist.hits.annotation import write_annotation
from tests.unit.catalog.builder import hit, write_run

SAMPLES = ("a", "b", "c", "d")
GROUPS = {"first": SAMPLES[:2], "second": SAMPLES[2:]}


@pytest.fixture
def run(tmp_path):
    """Four samples of one hit of m0 each, and one of m2 in the last."""
    shards = {name: [[hit()]] for name in SAMPLES}
    shards["d"][0].append(hit(motif_name="m2", motif_id=4, start=40, end=46, start_untrimmed=38))
    run = write_run(tmp_path / "run", shards)
    factors = [MotifAnnotation(f"m{i}", tf=("JUN", "CTCF", "JUN")[i]) for i in range(3)]
    write_annotation(run, factors)
    return run


@pytest.mark.parametrize(
    ("kind", "labels", "n_hits"),
    [("motif", ["m0", "m1", "m2"], [1, 0, 0]), ("tf", ["CTCF", "JUN"], [0, 1])],
)
def test_motifs_are_compared_one_by_one_or_by_factor(run, tmp_path, kind, labels, n_hits):
    found = finemo_dist.compare(run, tmp_path / "out", kind=kind, **GROUPS)

    assert found.n_motifs == len(labels)
    table = pq.read_table(tmp_path / "out" / "motifs.parquet").to_pylist()
    assert sorted(row[kind if kind in row else "motif"] for row in table) == labels
    samples = pq.read_table(tmp_path / "out" / "samples.parquet").to_pylist()
    own = {row["motif"]: row["n_hits"] for row in samples if row["sample"] == "a"}
    assert [own[label] for label in labels] == n_hits


@pytest.mark.parametrize(
    ("max_q", "said"),
    [
        (0.05, "2 samples and 2 samples were compared by the rank-sum test; its smallest p-value "
         "with so many is 0.33. No motif can reach q 0.05: more samples are needed."),
        (0.5, "2 samples and 2 samples were compared by the rank-sum test; its smallest p-value "
         "with so many is 0.33. For one of 3 motifs to reach q 0.5, at least 2 must have that "
         "p-value."),
        (1, "2 samples and 2 samples were compared by the rank-sum test; its smallest p-value "
         "with so many is 0.33."),
    ],
)  # fmt: skip
def test_the_words_say_what_so_few_samples_can_show(run, tmp_path, max_q, said):
    found = finemo_dist.compare(run, tmp_path / "out", max_q=max_q, **GROUPS)

    assert found.words == said
    assert json.loads((tmp_path / "out" / "compare.json").read_text())["words"] == said


@pytest.mark.parametrize(
    ("name", "value"), [("share", 0), ("share", 1.1), ("change", -0.1), ("max_q", 2)]
)
def test_a_share_that_is_none_is_refused(run, tmp_path, name, value):
    with pytest.raises(UsageError) as caught:
        finemo_dist.compare(run, tmp_path / "out", **GROUPS, **{name: value})

    assert f"{name} is {value}" in str(caught.value) or f"{name} {value}" in str(caught.value)
    assert str(caught.value).endswith("expected numbers from 0 to 1, and a share above 0.")
    assert not (tmp_path / "out").exists()


def test_a_folder_is_replaced_with_force_alone(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()

    with pytest.raises(RunError) as caught:
        finemo_dist.compare(run, tmp_path / "out", **GROUPS)

    assert str(caught.value) == (
        f"{tmp_path / 'out'}: exists already. Choose another folder, or use --force."
    )
    assert (tmp_path / "out" / "mine").exists()
    finemo_dist.compare(run, tmp_path / "out", force=True, **GROUPS)
    assert not (tmp_path / "out" / "mine").exists()
