"""What a catalog makes when a question names it: enough for the answer, and no more."""

import subprocess
import sys

import duckdb
import numpy as np
import pytest

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.compact import compact_sample
from finemo_dist.catalog.definitions import Definitions, statements
from finemo_dist.catalog.named import ask
from finemo_dist.catalog.readonly import run_user_query
from finemo_dist.catalog.views import Shown
from finemo_dist.core.errors import RunError
from finemo_dist.core.schema import VIEWS
from finemo_dist.hits.motifs import motif_data_path
from finemo_dist.record.run_record import RunRecord
from tests.unit.catalog.builder import hit, random_hits, write_run

MADE = "SELECT view_name FROM duckdb_views() WHERE NOT internal"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run"), {"a": [[hit()]], "b": [[hit(start=40)]]})


def made_by(catalog: Catalog) -> set[str]:
    """Views that there are by now."""
    return {name for (name,) in catalog._connection.execute(MADE).fetchall()}


@pytest.fixture(scope="module")
def whole(small):
    """A catalog in which everything is made."""
    with open_catalog(small, threads=1) as opened:
        assert len(opened.connection.execute(MADE).fetchall()) > len(VIEWS)
        yield opened


def test_each_view_is_made_with_all_that_it_needs(small, whole):
    with open_catalog(small, threads=1) as after_others:
        for view in VIEWS:
            count = f"SELECT count(*) FROM {view}"
            with open_catalog(small, threads=1) as catalog:
                alone = catalog.rows(count)
                assert view in made_by(catalog)

            assert whole.connection.execute(count).fetchall() == alone
            assert after_others.rows(count) == alone
        for view in VIEWS:
            count = f"SELECT count(*) FROM {view}"
            assert after_others.connection.execute(count).fetchall() == whole.rows(count)


def test_opening_makes_nothing_and_a_question_what_it_names(small):
    with open_catalog(small, threads=1) as catalog:
        assert made_by(catalog) == set()

        catalog.rows("SELECT n_shards FROM samples")
        assert made_by(catalog) == {"samples"}

        catalog.rows('SELECT count(*) FROM "HITS"')
        assert {"hits", "hit_parts"} < made_by(catalog)
        # Nothing is compacted.
        assert {"hits_primary", "compact_rows"}.isdisjoint(made_by(catalog))


@pytest.mark.parametrize("name", ["cluster_counts", "counts", "distributions", "spacing"])
def test_a_named_query_has_made_what_it_names_understood_or_not(small, whole, name):
    expected = list(ask(whole, name).rows())

    with open_catalog(small, threads=1) as catalog:
        assert list(ask(catalog, name).rows()) == expected
        assert {"hits_primary", "hit_confidence", "timings"}.isdisjoint(made_by(catalog))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM query_table('hi' || 'ts')",
        "SELECT count(*) FROM Hits",
        "DESCRIBE hits_unique",
        "SUMMARIZE peaks",
        "SHOW ALL TABLES",
        "SELECT count(*) FROM information_schema.tables",
        "SELECT count(*) FROM duckdb_views()",
        "SELECT sum(score_of(hit_coefficient, hit_importance)) FROM hits",
        "FROM with_confidence('hits')",
        "SELECT (SELECT count(*) FROM motif_counts) FROM samples",
        "SELECT * FROM cells_of('hits_unique', 'a')",
    ],
)
def test_answers_are_those_of_a_catalog_with_everything(small, whole, query):
    expected = list(run_user_query(whole, query).rows())

    with open_catalog(small, threads=1) as catalog:
        assert list(run_user_query(catalog, query).rows()) == expected


def test_opening_and_asking_load_no_pandas(small):
    code = (
        "import sys; import finemo_dist\n"
        "with finemo_dist.open_run(sys.argv[1]) as run:\n"
        "    n = run.sql('SELECT count(*) AS n FROM hits')['n']\n"
        "    run.hits(locus='chr1:0-100')\n"
        "print(n, sorted({'pandas', 'torch', 'ray'} & sys.modules.keys()))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, small], capture_output=True, text=True, check=True, timeout=240
    )

    assert done.stdout == "[2] []\n"


def test_a_table_that_is_not_there_is_compared_with_all_that_are(small):
    with open_catalog(small, threads=1) as catalog, pytest.raises(Exception, match="hits_primary"):
        run_user_query(catalog, "FROM hits_primari")


def test_a_view_that_failed_is_tried_again(tmp_path):
    run = write_run(tmp_path / "run", {"a": [[hit()]]})
    with open_catalog(run) as catalog:
        content = motif_data_path(run).read_bytes()
        motif_data_path(run).write_bytes(b"PAR1")
        for _ in range(2):
            with pytest.raises(RunError, match=r"motif_data\.parquet"):
                catalog.rows("SELECT count(*) FROM motifs")
        motif_data_path(run).write_bytes(content)

        assert catalog.rows("SELECT count(*) FROM motifs") == [(6,)]


def test_what_failed_leaves_nothing_half_made():
    def refuse() -> None:
        raise KeyboardInterrupt

    connection = duckdb.connect(":memory:")
    queries = {name: lambda: "tables" for name in statements("tables")}
    definitions = Definitions(connection, queries, {"sample_table": refuse})

    with pytest.raises(KeyboardInterrupt):
        definitions.make({"part_files", "sample_table"})

    assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
    definitions.make({"part_files"})
    assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(1,)]


def test_a_catalog_that_is_turned_to_another_sample_answers_as_one_of_its_own(tmp_path):
    rng = np.random.default_rng(2)
    shards = {name: [random_hits(rng, 30), random_hits(rng, 9)] for name in ("a", "b", "c")}
    run = write_run(tmp_path / "run", shards)
    with open_catalog(run, samples=["c"]) as catalog:
        compact_sample(catalog, "c")
    record, turned = RunRecord.load(run), None
    asked = [view for view in VIEWS if view != "timings"]
    expected = {}

    for sample in ("a", "b", "c", "a"):
        only = {"record": record.only(sample), "samples": [sample]}
        before = turned
        turned = open_catalog(run, **only, reused=before)
        # Views that read compacted files are other ones.
        assert (turned is before) == (sample == "b")
        if before is not None and turned is not before:
            before.close()
        if sample not in expected:
            with open_catalog(run, **only) as fresh:
                expected[sample] = {view: fresh.rows(f"FROM {view} ORDER BY ALL") for view in asked}
        for view in asked:
            assert turned.rows(f"FROM {view} ORDER BY ALL") == expected[sample][view], view
    turned.close()


def test_a_catalog_does_not_turn_to_motifs_that_are_counted_otherwise(small, monkeypatch):
    with open_catalog(small, threads=1) as catalog:
        # Without compacted files, the macro that counts them anew is not made.
        catalog.rows("FROM hits")
        assert catalog.turn(catalog._content)

        monkeypatch.setattr(Shown, "is_renumbered", True)
        assert not catalog.turn(catalog._content)
