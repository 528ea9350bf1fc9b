"""Every view is what ``core.schema`` says."""

import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.schema import CONFIDENCE_TABLES, VIEWS
from tests.unit.catalog.builder import hit, write_run


@pytest.fixture
def catalog(tmp_path):
    run = write_run(tmp_path / "run", {"a": [[hit(), hit(start=40, end=46)]], "b": [[hit()]]})
    with open_catalog(run, memory_limit="1GB", threads=1) as opened:
        yield opened


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_the_columns_and_types_of_the_schema(catalog, view):
    described = catalog.rows(f"DESCRIBE {view}")

    assert [row[:2] for row in described] == [(c.name, c.sql_type) for c in VIEWS[view]]


def test_every_view_for_users_is_documented(catalog):
    views = "SELECT view_name FROM duckdb_views() WHERE NOT internal"
    shown = {row[0] for row in catalog.cursor().execute(views).fetchall()}
    inner = {"hit_parts", "qc_parts", "motif_parts", "compact_parts", "place_parts",
             "annotation_parts", "part_rows", "part_hits", "part_hit_rows", "compact_rows",
             "placed_rows", "compact_hits", "counted_hits", "counted_samples",
             "log_lines", "all_hits", "all_unique", "all_primary", "motif_steps", "pooled_steps",
             "funnel_file", "dropped_files", "named_hits", "named_hits_unique",
             "named_hits_primary",
             *(f"confidence_{name}" for name in CONFIDENCE_TABLES)}  # fmt: skip

    assert shown - inner == set(VIEWS)
    assert all(column.meaning for columns in VIEWS.values() for column in columns)


def test_the_dictionary_can_be_asked(catalog):
    query = "SELECT unit FROM data_dictionary WHERE view_name = $v AND column_name = 'start'"

    assert catalog.rows(query, {"v": "hits"}) == [("base",)]
    assert catalog.rows("SELECT count(*) FROM data_dictionary") == [
        (sum(map(len, VIEWS.values())),)
    ]


def test_motif_counts_have_every_motif_of_every_sample(catalog):
    rows = catalog.rows(
        "SELECT sample, motif_name, n_hits, n_regions FROM motif_counts ORDER BY ALL"
    )

    assert rows == [("a", "m0", 2, 1), ("a", "m1", 0, 0), ("a", "m2", 0, 0),
                    ("b", "m0", 1, 1), ("b", "m1", 0, 0), ("b", "m2", 0, 0)]  # fmt: skip


def test_motif_counts_tell_regions_apart_however_far(tmp_path):
    peaks = [0, 0, 16_383, 16_384, 32_768, 4_000_000_000]
    rows = [hit(peak_id=p, start=10 * i, end=10 * i + 6, hit_similarity=0.5 + 0.125 * (i % 2),
                strand="+-"[i % 2]) for i, p in enumerate(peaks)]  # fmt: skip
    run = write_run(tmp_path / "run", {"a": [rows]})

    with open_catalog(run) as catalog:
        found = catalog.rows(
            "SELECT n_hits, n_forward, n_reverse, n_regions, mean_similarity FROM motif_counts "
            "WHERE motif_name = 'm0'"
        )

    assert found == [(6, 3, 3, 5, 0.5625)]
