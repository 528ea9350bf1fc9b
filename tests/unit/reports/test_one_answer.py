"""Every number of a page against the view or named query it stands for.

What a page shows is listed here by name, so that a new figure without a question fails.
"""

import re
from collections import Counter
from dataclasses import asdict
from importlib.resources import files

import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.named import rows_of
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.records import InputCounts
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.reports.cwms import hit_cwms
from finemo_dist.reports.gather import gather_atlas, gather_report
from finemo_dist.reports.page import render_atlas, render_report
from finemo_dist.reports.scope import prepare
from finemo_dist.reports.tables import motif_report, seqlet_confusion
from tests.unit.reports.conftest import (
    N_REGIONS,
    WINDOW_BP,
    hits_in,
    seqlets_of,
    write_overlapping,
)
from tests.unit.reports.page_reader import Page, number
from tests.unit.reports.regions import random_regions


class Shown:
    """A page, and the catalog that answers for it."""

    def __init__(self, catalog, scope, report, page, hits):
        self.catalog, self.scope, self.report, self.hits = catalog, scope, report, hits
        self.page = Page(page)

    def one(self, sql):
        ((value,),) = self.catalog.rows(sql)
        return value

    def pairs(self, sql):
        return dict(self.catalog.rows(sql))

    def query(self, name, **parameters):
        return rows_of(self.catalog, name, parameters)

    @property
    def reports(self):
        return InputReport.total(
            InputReport.from_dict(values) for values in self.catalog.record.input_reports.values()
        ).counts

    @property
    def unique(self):
        """Hits by motif, each place once; without coordinates there is no place to share."""
        table = (
            "hits_unique" if self.one("SELECT bool_and(has_coordinates) FROM samples") else "hits"
        )
        found = self.pairs(f"SELECT motif_name, count(*) FROM {table} GROUP BY motif_name")
        return Counter(found)

    def by_motif(self, query, *columns):
        """Motif to the sum of columns of a query, over samples."""
        found = Counter()
        for row in self.query(query):
            found[row["motif_name"]] += sum(row[column] for column in columns)
        return found


def told(**counts):
    return asdict(InputReport(counts=InputCounts(**counts)))


@pytest.fixture(scope="module", params=[True, False], ids=["coordinates", "no coordinates"])
def shown(request, tmp_path_factory):
    """The page of one sample."""
    rng = np.random.default_rng(21)
    drawn = hits_in(rng, 400, has_coordinates=request.param)
    # One region without a hit, one with a single hit.
    (single, *_) = (row for row in drawn if row["peak_id"] == 7)
    hits = [row for row in drawn if row["peak_id"] not in {5, 7}] + [single]
    seqlets = seqlets_of(rng, hits, has_coordinates=request.param)
    run = write_overlapping(
        tmp_path_factory.mktemp("run"), {"liver": hits}, has_coordinates=request.param
    )
    readers = {"liver": random_regions(rng, N_REGIONS)}
    with open_catalog(run) as catalog:
        catalog.record = catalog.record.model_copy(
            update={"input_reports": {"liver": told(n_clipped=2, n_zero=3, n_no_summit=1)}}
        )
        motifs = read_motifs(run)
        scope = prepare(catalog, motifs, seqlets, window_bp=WINDOW_BP)
        sums = hit_cwms(catalog, readers, motifs)
        report = motif_report(catalog, motifs, sums, scope)
        data = gather_report(
            catalog, readers, motifs, title="t", motif_report=report, sums=sums, scope=scope,
            confusion=seqlet_confusion(catalog, motifs),
        )  # fmt: skip
        yield Shown(catalog, scope, report, render_report(data), hits)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    """The page of several samples, one of them without hits."""
    rng = np.random.default_rng(22)
    hits = {"b": hits_in(rng, 90), "a": hits_in(rng, 60), "empty": []}
    run = write_overlapping(tmp_path_factory.mktemp("run"), hits)
    readers = {name: random_regions(rng, N_REGIONS) for name in hits}
    with open_catalog(run) as catalog:
        catalog.record = catalog.record.model_copy(
            update={"input_reports": {n: told(n_clipped=i) for i, n in enumerate(hits)}}
        )
        motifs = read_motifs(run)
        scope = prepare(catalog, motifs, None, window_bp=WINDOW_BP)
        sums = hit_cwms(catalog, readers, motifs)
        report = motif_report(catalog, motifs, sums, scope)
        data = gather_atlas(catalog, {}, motifs, title="t", motif_report=report, sums=sums)
        yield Shown(catalog, scope, report, render_atlas(data), hits)


TILES = {
    "Samples": lambda s: s.one("SELECT count(*) FROM samples"),
    "Regions": lambda s: s.one("SELECT count(*) FROM peaks"),
    "Motifs": lambda s: s.one("SELECT count(DISTINCT motif_name) FROM motifs"),
    "Hits": lambda s: sum(row["n_hits"] for row in s.query("counts")),
    "Hits per region": lambda s: (
        s.one("SELECT count(*) FROM hits") / s.one("SELECT count(*) FROM peaks")
    ),
    "Regions without a hit": lambda s: len(s.query("empty_regions")),
    "Regions not converged": lambda s: s.one("SELECT count(*) FROM peaks_qc WHERE NOT converged"),
    "Clipped regions": lambda s: s.reports.n_clipped,
    "Input warnings": lambda s: (
        s.reports.n_zero + s.reports.n_no_summit + sum(s.scope.warnings.values())
    ),
}


def assert_tile(found, label):
    # A tile of a mean has one digit after the point.
    assert number(found.page.tiles[label]) == pytest.approx(TILES[label](found), abs=0.05)


@pytest.mark.parametrize("label", TILES)
def test_a_tile_is_what_its_question_answers(shown, label):
    assert_tile(shown, label)
    assert TILES[label](shown) > 0


@pytest.mark.parametrize("label", TILES)
def test_a_tile_of_an_atlas_is_what_its_question_answers(atlas, label):
    assert_tile(atlas, label)


def test_every_tile_has_a_question(shown, atlas):
    assert set(shown.page.tiles) == set(atlas.page.tiles) == set(TILES)


def test_the_tile_of_hits_says_how_many_are_unique(shown):
    assert number(shown.page.notes["Hits"][0]) == shown.unique.total()


def test_the_funnel_ends_in_the_views_of_its_steps(shown):
    assert shown.page.funnel == [
        shown.one("SELECT count(*) FROM hits"),
        shown.one(
            "SELECT count(*) FROM hits JOIN peaks_qc USING (sample, peak_id) WHERE converged"
        ),
        shown.unique.total(),
        shown.one("SELECT count(*) FROM hits_primary"),
    ]


def of_report(column):
    def answer(s):
        names = s.report["motif_name"].to_pylist()
        values = s.report[column].to_pylist()
        return {n: np.nan if v is None else v for n, v in zip(names, values, strict=True)}

    return answer


MOTIF_COLUMNS = {
    "Hits": lambda s: {r["motif_name"]: r["n_hits"] for r in s.query("counts")},
    "Unique hits": lambda s: s.unique,
    "Regions": lambda s: {r["motif_name"]: r["n_regions"] for r in s.query("counts")},
    "Mean similarity": lambda s: {r["motif_name"]: r["mean_similarity"] for r in s.query("counts")},
    # Of seqlets and CWMs no view knows: these are the columns of motif_report.tsv.
    "CWM cosine": of_report("cwm_similarity"),
    "Seqlets": of_report("num_seqlets"),
    "Recall": of_report("seqlet_recall"),
}


@pytest.mark.parametrize("label", MOTIF_COLUMNS)
def test_a_column_of_the_motif_table_is_what_its_question_answers(shown, label):
    found = shown.page.column("motif-table", label)

    assert found == pytest.approx(dict(MOTIF_COLUMNS[label](shown)))
    assert len(found) == 3


def test_every_column_of_the_motif_table_has_a_question(shown):
    for (cells,) in shown.page.tables["motif-table"].values():
        assert set(cells) == set(MOTIF_COLUMNS)


def test_the_numbers_of_one_motif_are_those_of_the_table(shown):
    columns = {"Hits in all regions": "Hits", "Unique hits": "Unique hits", "Seqlets": "Seqlets",
               "Regions with a hit": "Regions", "Mean similarity": "Mean similarity",
               "CWM cosine": "CWM cosine", "Recall": "Recall"}  # fmt: skip
    settings = {"Name in the motif file", "Lambda", "Trim window", "Seqlets with a hit"}
    for name, motif in zip(("m0", "m1", "m2"), shown.page.data["motifs"], strict=True):
        facts = dict(motif["facts"])
        for term, column in columns.items():
            value = number(facts[term]) / (100 if term == "Recall" else 1)
            (cells,) = shown.page.tables["motif-table"][name]
            assert value == pytest.approx(float(cells[column]), abs=0.0051)
        assert number(facts["Seqlets with a hit"]) == of_report("num_overlaps")(shown)[name]
        assert set(facts) == set(columns) | settings


def bins_of_all(s, query, start, n):
    found = Counter()
    for row in s.query(query, **({"bin": 2} if query == "positions" else {})):
        found[row[start]] += sum(row[column] for column in n)
    return found


CHARTS = {
    "hits-per-region": lambda s: Counter(
        {r["n_hits"]: r["n_regions"] for r in s.query("hits_per_region")}
    ),
    "position": lambda s: bins_of_all(s, "positions", "position", ("n_forward", "n_reverse")),
}


@pytest.mark.parametrize("key", CHARTS)
def test_a_chart_of_all_motifs_is_what_its_question_answers(shown, key):
    rows = shown.page.data["charts"][key]["rows"]
    # Bars of counts are centred on their number.
    shift = 0.5 if key == "hits-per-region" else 0

    assert {row["start"] + shift: row["n"] for row in rows} == CHARTS[key](shown)


MOTIF_CHARTS = {
    "hits_per_region": ("motif_hits_per_region", "n_hits", ("n_regions",)),
    "position": ("positions", "position", ("n_forward", "n_reverse")),
    "coefficient": ("distributions", "bin_start", ("n_hits",)),
    "similarity": ("distributions", "bin_start", ("n_hits",)),
    "importance": ("distributions", "bin_start", ("n_hits",)),
}


@pytest.mark.parametrize("quantity", MOTIF_CHARTS)
def test_a_chart_of_a_motif_is_what_its_question_answers(shown, quantity):
    query, start, n = MOTIF_CHARTS[quantity]
    for name, motif in zip(("m0", "m1", "m2"), shown.page.data["motifs"], strict=True):
        asked = {"bin": 2} if query == "positions" else {}
        expected = {
            row[start]: sum(row[column] for column in n)
            for row in shown.query(query, motif=name, **asked)
            if row.get("quantity", quantity) == quantity
        }
        assert {first: n for first, _, n in motif["bins"][quantity]} == pytest.approx(expected)
        assert expected
        assert set(motif["bins"]) == set(MOTIF_CHARTS)


def test_the_chart_of_seqlets_is_that_of_the_report(shown):
    rows = shown.page.data["charts"]["seqlets"]["rows"]

    for key, column in (
        ("hits", "num_hits_restricted"), ("seqlets", "num_seqlets"), ("recall", "seqlet_recall"),
    ):  # fmt: skip
        assert {row["motif"]: row[key] for row in rows} == of_report(column)(shown)


def test_every_chart_has_a_question(shown, atlas):
    # Those of one motif and of one pair are filled with rows of motifs and pairs.
    filled = {f"motif-{quantity}" for quantity in MOTIF_CHARTS} | {"spacing"}

    assert set(shown.page.data["charts"]) == set(CHARTS) | filled | {"seqlets"}
    assert set(shown.page.data["matrices"]) == {"confusion", "cooccurrence"}
    assert set(shown.page.tables) == {
        "motif-table", "Pairs that share regions most often, compared with chance",
    }  # fmt: skip
    assert set(atlas.page.data["charts"]) == {"samples", "sharing"}
    assert set(atlas.page.data["matrices"]) == {"atlas"}
    assert set(atlas.page.tables) == {"samples-table", "motif-table"}


def test_the_matrix_of_pairs_is_the_query_cooccurrence(shown):
    found = shown.page.matrix("cooccurrence")

    for row in shown.query("cooccurrence"):
        for pair in ((row["motif_1"], row["motif_2"]), (row["motif_2"], row["motif_1"])):
            assert found.pop(pair) == pytest.approx(np.log2(row["odds_ratio"]), rel=1e-5)
    assert all(one == two and np.isnan(value) for (one, two), value in found.items())


def test_the_table_of_pairs_is_the_query_cooccurrence(shown):
    table = shown.page.tables["Pairs that share regions most often, compared with chance"]
    expected = {
        (row["motif_1"], row["motif_2"]): (
            row["n_both"],
            row["n_both"] + row["n_first"],
            row["n_both"] + row["n_second"],
            row["odds_ratio"],
        )
        for row in shown.query("cooccurrence")
        if row["odds_ratio"] > 1 and row["n_both"] >= 5
    }

    labels = ("Regions with both", "With the first", "With the second", "Odds ratio")
    found = {
        (first, cells["Second"]): tuple(float(cells[label]) for label in labels)
        for first, rows in table.items()
        for cells in rows
    }

    assert found == expected
    assert found


def test_the_spacing_of_pairs_is_the_query_spacing(shown):
    expected = {}
    for row in shown.query("spacing", overlaps="no", orientation="facing"):
        bins = expected.setdefault((row["motif_1"], row["motif_2"]), Counter())
        bins[row["orientation"], abs(row["distance"]) // 2 * 2] += row["n"]

    found = [
        Counter({(orientation, start): n for orientation, start, _, n in pair})
        for pair in shown.page.data["pairs"]
    ]

    assert found == sorted(expected.values(), key=lambda bins: -bins.total())
    assert len(found) == 6


SAMPLE_COLUMNS = {
    "Regions": "n_regions",
    "Hits": "n_hits",
    "Hits per region": "n_hits / n_regions_committed",
    "Without a hit": "(SELECT count(*) FILTER (q.n_hits = 0) / count(*) FROM peaks_qc AS q "
    "WHERE q.sample = samples.sample)",
    "Not converged": "n_not_converged",
    "Misfit": "(SELECT median(nll) FROM peaks_qc AS q WHERE q.sample = samples.sample)",
}


@pytest.mark.parametrize("label", SAMPLE_COLUMNS)
def test_a_column_of_samples_is_that_of_the_views(atlas, label):
    expected = atlas.pairs(f"SELECT sample, {SAMPLE_COLUMNS[label]} FROM samples")

    assert atlas.page.column("samples-table", label) == pytest.approx(expected)


def test_every_column_of_samples_has_a_question(atlas):
    for (cells,) in atlas.page.tables["samples-table"].values():
        assert set(cells) == {*SAMPLE_COLUMNS, "Clipped"}
    assert atlas.page.column("samples-table", "Clipped") == {"b": 0, "a": 1, "empty": 2}


def test_the_chart_of_samples_is_that_of_the_views(atlas):
    rows = {row["sample"]: row for row in atlas.page.data["charts"]["samples"]["rows"]}

    for key, label in (("hits", "Hits per region"), ("without", "Without a hit")):
        expected = atlas.pairs(f"SELECT sample, {SAMPLE_COLUMNS[label]} FROM samples")
        assert {name: row[key] for name, row in rows.items()} == pytest.approx(expected)


def test_the_atlas_is_the_query_counts(atlas):
    found = atlas.page.matrix("atlas")

    assert found == pytest.approx(
        {(r["motif_name"], r["sample"]): r["hits_per_region"] for r in atlas.query("counts")}
    )


def test_the_motifs_of_an_atlas_are_the_query_counts(atlas):
    counts = atlas.query("counts")
    rates, n_samples = {}, Counter()
    for row in counts:
        rates.setdefault(row["motif_name"], []).append(row["hits_per_region"])
        n_samples[row["motif_name"]] += row["n_hits"] > 0
    median = {name: float(np.median(values)) for name, values in rates.items()}

    assert atlas.page.column("motif-table", "Hits") == atlas.by_motif("counts", "n_hits")
    assert atlas.page.column("motif-table", "Samples") == n_samples
    assert atlas.page.column("motif-table", "Per 1,000 regions") == pytest.approx(median)
    for (cells,) in atlas.page.tables["motif-table"].values():
        assert set(cells) == {"Hits", "Samples", "Per 1,000 regions", "Top sample"}


def test_sharing_is_the_query_counts(atlas):
    n_samples = Counter(r["motif_name"] for r in atlas.query("counts") if r["n_hits"])
    expected = Counter(n_samples.values())

    rows = atlas.page.data["charts"]["sharing"]["rows"]

    assert {int(row["label"]): row["n"] for row in rows} == expected


def test_no_question_of_a_page_reads_hits_past_the_views():
    folder = files("finemo_dist.catalog").joinpath("queries")
    texts = {
        entry.name: "\n".join(
            line for line in entry.read_text("utf-8").splitlines() if not line.startswith("--")
        )
        for entry in folder.iterdir()
        if entry.name.startswith("report_")
    }
    tables = "hits|hits_unique|part_hits|hit_parts|compact_hits|compact_parts"
    direct = {
        name for name, text in texts.items() if re.search(rf"(FROM|JOIN)\s+({tables})\b", text)
    }

    # It picks the hits that count once and says which lie in the window of the seqlets.
    assert direct == {"report_hits.sql"}
    assert len(texts) > 5
