"""What is counted at the end of a run, and of which run it would take too long."""

import pytest

from finemo_dist.workflow import calling
from tests.unit.catalog.builder import hit, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    parts = {"a": [[hit(), hit(peak_id=1)], [hit(peak_id=2)]]}
    return write_run(tmp_path_factory.mktemp("counted") / "run", parts)


def test_the_motifs_of_most_hits_are_counted(run):
    (sample,), top_motifs = calling._counted(run)
    assert sample.n_hits == 3
    assert [n_hits for _, n_hits in top_motifs] == [3]


@pytest.mark.parametrize(("name", "most"), [("_COUNTED_HITS", 2), ("_COUNTED_PARTS", 1)])
def test_of_a_large_run_only_the_hits_are_counted(run, monkeypatch, name, most):
    monkeypatch.setattr(calling, name, most)
    (sample,), top_motifs = calling._counted(run)
    assert (sample.n_hits, top_motifs) == (3, ())
