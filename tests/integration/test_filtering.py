"""Hits left out by rules: a derived run that every command takes, and what each rule did."""

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import finemo_dist
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.cli.main import cli
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.hit_tables.collapse import collapse_hits
from finemo_dist.store.staging import encode
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.scenarios import make_scenario
from finemo_dist.workflow.asking import compact
from finemo_dist.workflow.confidence import confidence
from finemo_dist.workflow.filter_rules import parse_rule, read_rules
from finemo_dist.workflow.filtering import filter_hits
from finemo_dist.workflow.verifying import verify
from tests.calibration import SERIAL

PUBLISHED = Path(__file__).resolve().parents[2] / "configs" / "filters"
HIT = "sample, peak_id, motif_name, strand, start_untrimmed, hit_coefficient"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with confidence, of three shards, beside its inputs; not to be changed."""
    folder = tmp_path_factory.mktemp("run")
    scenario = make_scenario("noisy", seed=5, n_regions=150)
    encode(scenario.source, folder / "s.zarr", shard_regions=64)
    write_modisco_h5(folder / "motifs.h5", scenario.called)
    bare = folder / "bare"
    finemo_dist.call_hits(folder / "s.zarr", folder / "motifs.h5", bare, resources=SERIAL)
    run = shutil.copytree(bare, folder / "run")
    confidence(run, resources=SERIAL)
    return run


@pytest.fixture(scope="module")
def bare(run):
    """The same without confidence; not to be changed."""
    return run.parent / "bare"


@pytest.fixture(scope="module")
def whole(run):
    """Return a function that asks the run, by one catalog for all tests."""
    with open_catalog(run) as catalog:
        yield catalog.rows


@pytest.fixture(scope="module")
def n_hits(whole):
    """Hits of the run."""
    return whole("SELECT count(*) FROM hits")[0][0]


@pytest.fixture(scope="module")
def reported(run, tmp_path_factory):
    """The report of the run; not to be changed."""
    return finemo_dist.report(run, tmp_path_factory.mktemp("report") / "r", with_seqlets=False)


DERIVED = ["decoy_q=0.05", "similarity=0.85"]


@pytest.fixture(scope="module")
def derived(run, tmp_path_factory):
    """A run of what two rules leave, and what they did; not to be changed."""
    out = tmp_path_factory.mktemp("derived") / "out"
    return out, filter_hits(run, out, DERIVED)


@pytest.fixture(scope="module")
def derived_page(derived, tmp_path_factory):
    """The page of the report of what two rules leave."""
    folder = tmp_path_factory.mktemp("page") / "r"
    return finemo_dist.report(derived[0], folder, with_seqlets=False).read_text()


def rows(run, query):
    with open_catalog(run) as catalog:
        return catalog.rows(query)


HITS = f"SELECT {HIT} FROM hits ORDER BY ALL"


def hits(run):
    return rows(run, HITS)


RULES = {
    "decoy_q=0.05":
        "(peak_id, motif_id, start_untrimmed) IN (SELECT (peak_id, motif_id, start_untrimmed) "
        "FROM hit_confidence WHERE decoy_q <= 0.05)",
    "drop=pos_patterns.pattern_0": "motif_name <> 'pos_patterns.pattern_0'",
    "trimmed_length=9": '"end" - start >= 9',
    "importance=2": "hit_importance >= 2",
    "score=2.5": "hit_score >= 2.5",
    "similarity=0.85": "hit_similarity >= 0.85",
    "where=strand = '+' AND hit_similarity > 0.8": "strand = '+' AND hit_similarity > 0.8",
    "keep=pos_patterns.pattern_0,pos_patterns.pattern_3":
        "motif_name IN ('pos_patterns.pattern_0', 'pos_patterns.pattern_3')",
}  # fmt: skip


@pytest.fixture(scope="module")
def chained(run, tmp_path_factory):
    """What a chain of all these rules did, and the hits after each of them."""
    out = tmp_path_factory.mktemp("chained") / "out"
    done = filter_hits(run, out, list(RULES))
    with open_catalog(out) as catalog:
        left = catalog.rows(f"SELECT {HIT} FROM hits")
        dropped = catalog.rows(f"SELECT dropped_by, {HIT} FROM hits_dropped")
    after = [
        sorted(left + [tuple(hit) for at, *hit in dropped if at > i])
        for i in range(1, len(RULES) + 1)
    ]
    return done, after


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_leaves_what_sql_does(chained, whole, n_hits, rule):
    """Of the hits that the rules before it left."""
    done, after = chained
    at = list(RULES).index(rule)
    where = " AND ".join(list(RULES.values())[: at + 1])
    expected = whole(f"SELECT {HIT} FROM hits WHERE {where} ORDER BY ALL")
    assert done.rules[at].rule.split(": ")[0] == rule.split("=")[0]
    assert done.n_hits_before == n_hits

    assert after[at] == expected
    assert done.rules[at].n_before - done.rules[at].n_dropped == len(expected)
    assert done.rules[at].n_dropped > 0


def test_the_least_important_share_of_each_motif_is_dropped(run, whole, tmp_path):
    filter_hits(run, tmp_path / "out", ["importance_quantile=0.25"])

    by_motif = "SELECT motif_name, list_sort(list(hit_importance)) FROM hits GROUP BY 1 ORDER BY 1"
    for (name, before), (other, after) in zip(
        whole(by_motif), rows(tmp_path / "out", by_motif), strict=True
    ):
        assert name == other
        assert after == before[-len(after) :]
        assert len(after) == pytest.approx(0.75 * len(before), abs=1)


def test_hits_inside_and_outside_of_intervals(run, whole, tmp_path):
    places = whole('SELECT chr, start, "end" FROM hits ORDER BY ALL LIMIT 20')
    bed = tmp_path / "some.bed"
    bed.write_text("".join(f"{c}\t{s + 2}\t{s + 3}\n" for c, s, _ in places))

    inside = filter_hits(run, tmp_path / "in", [f"inside={bed}"])
    outside = filter_hits(run, tmp_path / "out", [f"outside={bed}"])

    assert inside.n_hits + outside.n_hits == inside.n_hits_before
    assert inside.n_hits > 0
    for chrom, start, end in rows(tmp_path / "in", 'SELECT chr, start, "end" FROM hits'):
        assert any(c == chrom and start < s + 3 and end > s + 2 for c, s, _ in places)


def test_repeats_are_those_of_a_loop(run, whole, tmp_path):
    n, within = 2, 150
    filter_hits(run, tmp_path / "out", [f"repeat_density={n}/{within}"])

    places = {}
    query = 'SELECT motif_name, chr, start, "end" FROM hits'
    for motif, chrom, start, end in whole(query):
        places.setdefault((motif, chrom), set()).add((start, end))
    expected = set()
    for key, found in places.items():
        for one, other in pairwise(sorted(found)):
            if other[1] - one[0] <= within:
                expected |= {(*key, *one), (*key, *other)}
    kept = set(rows(tmp_path / "out", query))
    assert set(whole(query)) - kept == expected
    assert len(expected) > 10


def test_motifs_unlike_their_hits_are_dropped(run, reported, tmp_path):
    done = filter_hits(run, tmp_path / "out", ["cwm_similarity=0.97"])

    # The report of the run says the same.
    lines = (reported.parent / "motif_report.tsv").read_text().splitlines()
    header, *table = (line.split("\t") for line in lines)
    similarity = header.index("cwm_similarity")
    alike = {
        r[0] for r in table if r[similarity] not in ("", "NA") and float(r[similarity]) >= 0.97
    }
    kept = {name for (name,) in rows(tmp_path / "out", "SELECT DISTINCT motif_name FROM hits")}
    assert kept == alike
    assert 0 < done.n_hits < done.n_hits_before


def test_rules_are_applied_in_their_order_and_the_funnel_says_so(run, whole, tmp_path):
    rules = ["similarity=0.85", "importance_quantile=0.5"]

    one = filter_hits(run, tmp_path / "one", rules)
    other = filter_hits(run, tmp_path / "other", rules[::-1])

    kept, dropped = {}, {}
    for done, folder in ((one, "one"), (other, "other")):
        with open_catalog(tmp_path / folder) as catalog:
            kept[folder] = catalog.rows(HITS)
            dropped[folder] = catalog.rows(f"SELECT {HIT} FROM hits_dropped")
            by_rule = catalog.rows(
                "SELECT rule, sum(n_before)::INT, sum(n_dropped)::INT FROM filter_funnel "
                "GROUP BY rule_number, rule ORDER BY rule_number"
            )
            by_number = catalog.rows(
                "SELECT dropped_by, count(*) FROM hits_dropped GROUP BY 1 ORDER BY 1"
            )
        assert done.rules[1].n_before == done.rules[0].n_before - done.rules[0].n_dropped
        assert done.n_hits == len(kept[folder])
        assert by_rule == [(r.rule, r.n_before, r.n_dropped) for r in done.rules]
        assert by_number == [(i, r.n_dropped) for i, r in enumerate(done.rules, 1)]
    assert kept["one"] != kept["other"]
    assert sorted(kept["one"] + dropped["one"]) == whole(HITS)


@pytest.mark.parametrize("path", sorted(PUBLISHED.glob("*.yaml")), ids=lambda p: p.stem)
def test_the_rules_of_a_published_pipeline_run(run, n_hits, tmp_path, path):
    words = ["filter-hits", str(run), "-o", str(tmp_path / "out"), "--rules", str(path)]

    result = CliRunner().invoke(cli, words, catch_exceptions=False)

    assert result.exit_code == 0
    with open_catalog(tmp_path / "out") as catalog:
        found = catalog.rows("SELECT count(DISTINCT rule_number) FROM filter_funnel")
        n_left = len(catalog.rows(HITS))
        n_dropped = catalog.rows("SELECT count(*) FROM hits_dropped")[0][0]
    assert found == [(len(read_rules(path)),)]
    assert n_left + n_dropped == n_hits
    assert n_left


def test_three_published_pipelines_have_their_rules():
    assert sorted(path.stem for path in PUBLISHED.glob("*.yaml")) == [
        "cwm-similarity", "repeat-density", "similarity-and-keep",
    ]  # fmt: skip


def test_every_command_takes_a_derived_run(derived, derived_page, whole, tmp_path):
    done = derived[1]
    out = shutil.copytree(derived[0], tmp_path / "out")

    assert len((out / "hits.tsv").read_text().splitlines()) == done.n_hits + 1
    finemo_dist.export(out, "tsv", tmp_path / "x.tsv")
    assert len((tmp_path / "x.tsv").read_text().splitlines()) == done.n_hits + 1
    assert collapse_hits(out, tmp_path / "c.tsv").n_hits == done.n_hits
    assert f"{done.n_hits:,}" in derived_page
    before = hits(out)
    compact(out)
    assert hits(out) == before
    with finemo_dist.open_run(out) as opened:
        counts = opened.query("counts").to_pandas()
        assert counts["n_hits"].sum() == done.n_hits
        qc = opened.sql("SELECT sum(n_hits)::INT AS hits, count(*) AS regions FROM peaks_qc")
        assert qc.to_pandas().to_numpy().tolist() == [[done.n_hits, 150]]
        q = "SELECT peak_id, motif_id, start_untrimmed, decoy_q FROM hit_confidence ORDER BY ALL"
        found = opened.sql(q).to_arrow().to_pylist()
    assert found
    assert {tuple(row.values()) for row in found} <= set(whole(q))
    assert verify(out) == []
    second = filter_hits(out, tmp_path / "second", ["similarity=0.9"])
    assert second.n_hits_before == done.n_hits


def test_a_derived_run_is_no_run_to_resume(run, tmp_path):
    out = tmp_path / "out"
    filter_hits(run, out, ["similarity=0.9"])
    left = hits(out)

    with pytest.raises(RunError, match="another run"):
        finemo_dist.call_hits(
            run.parent / "s.zarr", run.parent / "motifs.h5", out, resources=SERIAL
        )
    with pytest.raises(RunError, match="hits that rules chose"):
        confidence(out, resources=SERIAL)
    with pytest.raises(RunError, match="holds a run"):
        filter_hits(run, out, ["similarity=0.5"])

    assert hits(out) == left
    assert filter_hits(run, out, ["similarity=0.5"], force=True).n_hits > len(left)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("similarty=0.9", "Did you mean 'similarity'"),
        ("similarity=2", "less than or equal to 1"),
        ("repeat_density=5", "within"),
        ("keep=pos_patterns.patern_0", "Did you mean 'pos_patterns.pattern_0'"),
        ("where=no_column > 1", "no_column"),
        ("where=true); DROP TABLE filtered; --", "query"),
        ("inside=missing.bed", "missing.bed"),
    ],
)
def test_a_wrong_rule_is_refused_and_leaves_no_run(run, tmp_path, rule, said):
    with pytest.raises(finemo_dist.FinemoDistError, match=said):
        filter_hits(run, tmp_path / "out", [rule])

    assert not (tmp_path / "out" / "run.json").exists()


def test_a_rule_of_q_needs_confidence(bare, tmp_path):
    with pytest.raises(UsageError, match=r"has no q of its hits.*confidence"):
        filter_hits(bare, tmp_path / "out", ["decoy_q=0.1"])


def test_a_rule_is_one_kind():
    with pytest.raises(UsageError, match="exactly one of"):
        finemo_dist.workflow.filter_rules.checked(finemo_dist.FilterRule, similarity=0.9, score=1)
    assert parse_rule("repeat_density=5/80").value.within == 80
    assert np.isclose(parse_rule("decoy_q=0.05").value, 0.05)


def test_a_report_shows_what_rules_dropped_beside_what_they_kept(derived, derived_page):
    _, done = derived
    page = derived_page

    assert '<section id="filter">' in page
    for rule in done.rules:
        assert rule.rule in page
        assert f"{rule.n_dropped:,}" in page
    assert 'aria-label="Dropped hits of pos_patterns.pattern_0' in page
    # A cut of similarity drops hits that look like those it keeps, and the page says so.
    assert "dropped hits look like kept ones" in page


def test_a_report_says_how_far_hits_can_be_believed(whole, reported):
    page = reported.read_text()

    assert '<section id="trust">' in page
    assert '<section id="filter">' not in page
    assert "the expected share of hits that a scrambled motif would have had" in page
    n_kept, n_pooled = whole(
        "SELECT count(*) FILTER (decoy_q <= 0.05), count(*) FILTER (decoy_q_pooled <= 0.05) "
        "FROM hit_confidence",
    )[0]
    assert f'data-v="{n_kept}"' in page
    assert f'data-v="{n_pooled}"' in page


def test_a_report_without_q_has_no_section_of_it(bare, tmp_path):
    page = finemo_dist.report(bare, tmp_path / "report", with_seqlets=False).read_text()

    assert '<section id="trust">' not in page
