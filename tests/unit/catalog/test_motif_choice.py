"""Motifs are named by what an annotation says, and names that mean several are listed."""

import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.motif_choice import chosen_motif
from finemo_dist.catalog.named import rows_of
from finemo_dist.core.errors import UsageError
from finemo_dist.core.records import MotifAnnotation
from finemo_dist.hits.annotation import write_annotation
from tests.unit.catalog.builder import hit, write_run


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    """m0 alone is REB1; m1 and m2 are both of GATA."""
    hits = [hit(motif_name=f"m{i}", motif_id=2 * i, start=20 * i, end=20 * i + 6) for i in range(3)]
    run = write_run(tmp_path_factory.mktemp("named") / "run", {"a": [hits]})
    write_annotation(
        run,
        [MotifAnnotation("m0", "REB1"), MotifAnnotation("m1", "GATA"),
         MotifAnnotation("m2", "GATA")],
    )  # fmt: skip
    with open_catalog(run, memory_limit="1GB", threads=1) as opened:
        yield opened


def test_a_factor_of_one_motif_is_its_display_name(catalog):
    rows = catalog.rows("SELECT DISTINCT motif_name, display_name FROM motifs ORDER BY 1")

    assert rows == [("m0", "REB1"), ("m1", "GATA (m1)"), ("m2", "GATA (m2)")]


@pytest.mark.parametrize(
    ("text", "meant"),
    [("m1", "m1"), ("REB1", "m0"), ("reb1", "m0"), ("GATA (m2)", "m2"), ("set-00000:m2", "m2")],
)
def test_a_motif_is_chosen_by_any_of_its_names(catalog, text, meant):
    assert chosen_motif(catalog, text) == meant


def test_a_query_takes_the_name_of_a_factor(catalog):
    assert rows_of(catalog, "counts", {"motif": "REB1"}) == (
        rows_of(catalog, "counts", {"motif": "m0"})
    )


def test_a_name_that_may_mean_several_motifs_lists_them(catalog):
    with pytest.raises(UsageError, match="'GATA', which may mean 2 motifs: m1, m2"):
        rows_of(catalog, "counts", {"motif": "GATA"})


def test_a_name_of_no_motif_is_refused_with_the_nearest(catalog):
    with pytest.raises(UsageError, match=r"'REB2', which is not a motif of the run\..*'REB1'"):
        rows_of(catalog, "counts", {"motif": "REB2"})
