"""Narrowing the files of a question never changes its answer."""

import numpy as np
import pytest

from finemo_dist.catalog.readonly import run_user_query
from finemo_dist.catalog.scope import scopes_of
from tests.unit.catalog.builder import hit, write_run

CHROMS = ("chr1", "chr10", "chr2", "chrX")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two samples of six shards, some of which hold several chromosomes or no hit."""
    rng = np.random.default_rng(5)
    samples = {}
    for sample in ("a", "b's"):
        shards = []
        for shard in range(6):
            chosen = sorted(rng.choice(4, rng.integers(1, 3), replace=False))
            rows = [
                hit(chr=CHROMS[c], chr_id=int(c), start=int(s), end=int(s) + 9, peak_id=peak,
                    start_untrimmed=int(s) - 1)
                for c in chosen
                for peak, s in enumerate(rng.integers(0, 900, 4 * (shard != 3)), start=10 * shard)
            ]  # fmt: skip
            shards.append(rows)
        samples[sample] = shards
    return write_run(tmp_path_factory.mktemp("scope") / "run", samples)


def files_of(catalog, query, values=None):
    found = scopes_of(catalog.cursor(), query, values)
    return len(catalog._files.lists(found)["hit_parts"])


QUERIES = [
    "SELECT * FROM hits WHERE chr = 'chr2'",
    "FROM hits WHERE chr = 'chr2' AND start BETWEEN 100 AND 300",
    "FROM hits WHERE 'chr10' = chr AND 300 >= start AND \"end\" > 100",
    "FROM hits h WHERE h.sample = 'b''s' AND h.chr IN ('chrX', 'chr1')",
    "FROM hits WHERE sample = 'a' AND sample = 'b''s'",
    "FROM hits WHERE chr = 'chr2' OR start < 100",
    "FROM hits WHERE NOT chr = 'chr2' AND start < 400",
    "FROM hits WHERE chr <> 'chr2'",
    "FROM hits WHERE chr NOT IN ('chr2')",
    "FROM hits_unique WHERE chr = 'chr1' AND peak_id = 12",
    "FROM hits_primary WHERE chr = 'chr1' AND start < 200",
    "SELECT chr, count(*) FROM hits WHERE start < 200 GROUP BY ALL HAVING count(*) > 1",
    "SELECT 'chr2' AS chr, start FROM hits WHERE chr = 'chr1'",
    "WITH h AS (FROM hits WHERE chr = 'chr1') SELECT * FROM h UNION ALL FROM hits WHERE start < 50",
    "WITH hits AS (SELECT 1 AS chr) FROM hits",
    "SELECT (SELECT count(*) FROM hits) AS n, * FROM hits WHERE chr = 'chr2'",
    "SELECT h.* FROM hits h JOIN hits o USING (sample, chr) WHERE h.start < 90 AND o.start > 700",
    "SELECT h.* FROM hits h LEFT JOIN hits o ON h.start = o.start + 1 WHERE h.chr = 'chr1'",
    "SELECT * FROM hits a WHERE a.chr = 'chr1' AND EXISTS (FROM hits b WHERE a.chr = 'chr2')",
    "FROM hits AS t(chr, sample) WHERE sample = 'chr1'",
    "SELECT count(*) FROM query_table('hits') WHERE chr = 'chr2'",
    "FROM unique_of('hits') WHERE chr = 'chr2'",
    "FROM hits WHERE start < 5e1",
    "FROM hits TABLESAMPLE 100 PERCENT",
    "FROM hits WHERE start < '100'",
    "FROM hits WHERE start > -3 AND start < 100 + 20",
    "FROM hits WHERE chr = NULL",
    "FROM hits WHERE chr < 'chr10'",
    "FROM hits WHERE sample >= 'a' AND chr IN ('chr1', NULL)",
    "FROM hits WHERE chr = 'chr2'::VARCHAR AND start > '50'::BIGINT",
    "FROM hits WHERE chr = ({'sample': 'chr2'}).sample::VARCHAR",
    "FROM hits WHERE chr = getvariable('parameters').none::VARCHAR",
    "FROM motif_counts WHERE sample = 'a'",
    "FROM peaks WHERE chr = 'chr1' AND start < 10",
    "SELECT * FROM hits JOIN peaks ON hits.peak_id = peaks.peak_id WHERE hits.sample = 'a'",
    "FROM part_hits WHERE chr = 'chr2'",
    "PIVOT hits ON chr IN ('chr1', 'chr2') USING count(*) GROUP BY sample",
    "DESCRIBE hits",
    "VALUES (1)",
]


@pytest.mark.parametrize("query", QUERIES)
def test_answers_are_those_of_all_files(catalog, query):
    expected = catalog.cursor().execute(query).fetchall()

    found = list(run_user_query(catalog, query).rows())

    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def test_only_files_that_hold_the_place_are_opened(catalog):
    n_all = files_of(catalog, "FROM hits")
    # Of twelve parts, two have no hit.
    assert n_all == 10
    assert files_of(catalog, "FROM hits WHERE sample = 'a'") == 5
    assert 1 < files_of(catalog, "FROM hits WHERE chr = 'chr10'") < n_all
    assert files_of(catalog, "FROM hits WHERE peak_id = 1 AND sample = 'a'") == 1
    # A template shows the columns.
    assert files_of(catalog, "FROM hits WHERE start > 5000") == 1
    assert files_of(catalog, "FROM samples") == 1
    assert (
        files_of(catalog, "FROM hits WHERE sample = $s AND start > $n", {"s": "a", "n": 5e3}) == 1
    )


def test_what_is_not_understood_is_about_everything(catalog):
    for query in (
        "FROM hits WHERE chr = 'chrX' OR true",
        "FROM hits WHERE lower(chr) = 'chrx'",
        "FROM query_table('hits') WHERE chr = 'chrX'",
        "FROM hits UNION ALL FROM hits WHERE chr = 'chrX'",
        "FROM part_hits WHERE chr = 'chrX'",
        "SELECT 1;",
    ):
        assert files_of(catalog, query) in {1, 10, 12}
    # A field of something else than the parameters.
    query = "FROM hits WHERE chr = ({'sample': 'chr2'}).sample::VARCHAR"
    assert files_of(catalog, query, {"sample": "chrX"}) == 10


def test_named_queries_are_narrowed_by_their_sample(catalog):
    text = "FROM hits WHERE hits.sample = getvariable('parameters').sample::VARCHAR"
    assert files_of(catalog, text, {"sample": "a"}) == 5
    assert files_of(catalog, text, {"sample": None}) == 10


def test_places_narrow_regions_by_their_ends(catalog):
    """Regions of shard i begin at 50 * i and 50 * i + 1."""
    width = catalog.sample("a").region_width
    for low, n in ((200 + width, 4), (202 + width, 2), (252 + width, 1)):
        query = f"FROM peaks WHERE chr = 'chrA' AND start < 5000 AND \"end\" > {low}"
        found = scopes_of(catalog.cursor(), query)
        assert len(catalog._files.lists(found)["qc_parts"]) == n
