"""What is counted at the end of a run, and of which run it would take too long."""

import pytest

from finemo_dist.hits.motifs import write_motifs
from finemo_dist.workflow import calling
from tests.unit.catalog.builder import hit, motif_set, write_run


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


def test_motifs_of_as_many_hits_are_in_the_order_of_their_names(tmp_path):
    names = tuple("hbgdacef")
    hits = [hit(motif_name=name, motif_id=2 * i) for i, name in enumerate(names)]
    run = write_run(tmp_path / "run", {"a": [hits]})
    write_motifs(run, motif_set(names))

    assert calling._counted(run)[1] == (("a", 1), ("b", 1), ("c", 1))
