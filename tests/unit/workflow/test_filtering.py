"""What rules leave of a run without q, and what is refused before anything is written."""

import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.errors import FinemoDistError, RunError, UsageError
from finemo_dist.hits.confidence import confidence_directory
from finemo_dist.workflow.filtering import filter_hits
from tests.unit.catalog.builder import hit, write_run

HITS = [hit(hit_similarity=0.5), hit(start=20, end=26, peak_id=1), hit(start=30, end=36, peak_id=1)]


def lose_a_shard(run):
    (run / "hits" / "sample=a" / "part-00001.parquet").unlink()


@pytest.mark.parametrize("has_coordinates", [True, False])
def test_a_run_without_q_is_filtered(tmp_path, has_coordinates):
    place = {} if has_coordinates else {"chr": None, "chr_id": -1}
    hits = [row | place for row in HITS]
    write_run(tmp_path / "run", {"a": [hits]}, has_coordinates=has_coordinates)

    found = filter_hits(tmp_path / "run", tmp_path / "out", ["similarity=0.6", "where=start < 25"])

    assert (found.n_hits_before, found.n_hits) == (3, 1)
    assert [(rule.rule, rule.n_before, rule.n_dropped) for rule in found.rules] == [
        ("similarity: 0.6", 3, 1),
        ("where: start < 25", 2, 1),
    ]
    with open_catalog(tmp_path / "out") as catalog:
        assert catalog.rows("SELECT start FROM hits") == [(20,)]
    assert len((tmp_path / "out" / "hits.tsv").read_text().splitlines()) == 2
    assert not confidence_directory(tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("out", "rule", "harm", "has_coordinates", "kind", "said"),
    [
        ("run", "score=1", None, True, UsageError,
         "{out}: is the run itself. Choose another directory."),
        ("out", "score=1", lose_a_shard, True, RunError,
         "{run}: has missing shards. Finish the run first: "),
        ("out", "inside=x.bed", None, False, UsageError,
         "Rule inside: needs coordinates, and a sample has none. Leave the rule out."),
        ("out", "outside=x.bed", None, False, UsageError,
         "Rule outside: needs coordinates, and a sample has none. Leave the rule out."),
        ("out", "drop=m0,m7", None, True, UsageError,
         "Rule drop: the run has no motif 'm7'."),
    ],
)  # fmt: skip
def test_what_cannot_be_filtered_is_refused(tmp_path, out, rule, harm, has_coordinates, kind, said):
    run, out = tmp_path / "run", tmp_path / out
    place = {} if has_coordinates else {"chr": None, "chr_id": -1}
    write_run(run, {"a": [[HITS[0] | place], []]}, has_coordinates=has_coordinates)
    if harm is not None:
        harm(run)
    before = sorted(run.rglob("*"))

    with pytest.raises(FinemoDistError) as caught:
        filter_hits(run, out, [rule], force=True)

    assert type(caught.value) is kind
    assert str(caught.value).startswith(said.format(run=run, out=out))
    assert [path for path in sorted(run.rglob("*")) if path.suffix != ".lock"] == before
    assert not (tmp_path / "out" / "run.json").exists()
