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
def n_hits(run):
    """Hits of the run."""
    return len(hits(run))


@pytest.fixture(scope="module")
def reported(run, tmp_path_factory):
    """The report of the run; not to be changed."""
    return finemo_dist.report(run, tmp_path_factory.mktemp("report") / "r", with_seqlets=False)


def rows(run, query):
    with open_catalog(run) as catalog:
        return catalog.rows(query)


def hits(run, where="true"):
    return rows(run, f"SELECT {HIT} FROM hits WHERE {where} ORDER BY ALL")


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        ("score=1.5", "hit_score >= 1.5"),
        ("similarity=0.9", "hit_similarity >= 0.9"),
        ("importance=2", "hit_importance >= 2"),
        ("trimmed_length=9", '"end" - start >= 9'),
        ("keep=pos_patterns.pattern_0,pos_patterns.pattern_3",
         "motif_name IN ('pos_patterns.pattern_0', 'pos_patterns.pattern_3')"),
        ("drop=pos_patterns.pattern_0", "motif_name <> 'pos_patterns.pattern_0'"),
        ("where=strand = '+' AND hit_similarity > 0.8", "strand = '+' AND hit_similarity > 0.8"),
        ("decoy_q=0.05",
         "(peak_id, motif_id, start_untrimmed) IN (SELECT (peak_id, motif_id, start_untrimmed) "
         "FROM hit_confidence WHERE decoy_q <= 0.05)"),
    ],
)  # fmt: skip
def test_a_rule_leaves_what_sql_does(run, n_hits, tmp_path, rule, where):
    expected = hits(run, where)

    done = filter_hits(run, tmp_path / "out", [rule])

    assert hits(tmp_path / "out") == expected
    assert done.n_hits == len(expected) < done.n_hits_before == n_hits


def test_the_least_important_share_of_each_motif_is_dropped(run, tmp_path):
    filter_hits(run, tmp_path / "out", ["importance_quantile=0.25"])

    by_motif = "SELECT motif_name, list_sort(list(hit_importance)) FROM hits GROUP BY 1 ORDER BY 1"
    for (name, before), (other, after) in zip(
        rows(run, by_motif), rows(tmp_path / "out", by_motif), strict=True
    ):
        assert name == other
        assert after == before[-len(after) :]
        assert len(after) == pytest.approx(0.75 * len(before), abs=1)


def test_hits_inside_and_outside_of_intervals(run, tmp_path):
    places = rows(run, 'SELECT chr, start, "end" FROM hits ORDER BY ALL LIMIT 20')
    bed = tmp_path / "some.bed"
    bed.write_text("".join(f"{c}\t{s + 2}\t{s + 3}\n" for c, s, _ in places))

    inside = filter_hits(run, tmp_path / "in", [f"inside={bed}"])
    outside = filter_hits(run, tmp_path / "out", [f"outside={bed}"])

    assert inside.n_hits + outside.n_hits == inside.n_hits_before
    assert inside.n_hits > 0
    for chrom, start, end in rows(tmp_path / "in", 'SELECT chr, start, "end" FROM hits'):
        assert any(c == chrom and start < s + 3 and end > s + 2 for c, s, _ in places)


def test_repeats_are_those_of_a_loop(run, tmp_path):
    n, within = 2, 150
    filter_hits(run, tmp_path / "out", [f"repeat_density={n}/{within}"])

    places = {}
    query = 'SELECT motif_name, chr, start, "end" FROM hits'
    for motif, chrom, start, end in rows(run, query):
        places.setdefault((motif, chrom), set()).add((start, end))
    expected = set()
    for key, found in places.items():
        for one, other in pairwise(sorted(found)):
            if other[1] - one[0] <= within:
                expected |= {(*key, *one), (*key, *other)}
    kept = set(rows(tmp_path / "out", query))
    assert set(rows(run, query)) - kept == expected
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


def test_rules_are_applied_in_their_order_and_the_funnel_says_so(run, tmp_path):
    rules = ["similarity=0.85", "importance_quantile=0.5"]

    one = filter_hits(run, tmp_path / "one", rules)
    other = filter_hits(run, tmp_path / "other", rules[::-1])

    assert hits(tmp_path / "one") != hits(tmp_path / "other")
    for done, folder in ((one, "one"), (other, "other")):
        assert done.rules[1].n_before == done.rules[0].n_before - done.rules[0].n_dropped
        assert done.n_hits == len(hits(tmp_path / folder))
        by_rule = rows(
            tmp_path / folder,
            "SELECT rule, sum(n_before)::INT, sum(n_dropped)::INT FROM filter_funnel "
            "GROUP BY rule_number, rule ORDER BY rule_number",
        )
        assert by_rule == [(r.rule, r.n_before, r.n_dropped) for r in done.rules]
        dropped = rows(
            tmp_path / folder, "SELECT dropped_by, count(*) FROM hits_dropped GROUP BY 1 ORDER BY 1"
        )
        assert dropped == [(i, r.n_dropped) for i, r in enumerate(done.rules, 1)]
    assert sorted(
        hits(tmp_path / "one") + rows(tmp_path / "one", f"SELECT {HIT} FROM hits_dropped")
    ) == sorted(hits(run))


@pytest.mark.parametrize("path", sorted(PUBLISHED.glob("*.yaml")), ids=lambda p: p.stem)
def test_the_rules_of_a_published_pipeline_run(run, n_hits, tmp_path, path):
    words = ["filter-hits", str(run), "-o", str(tmp_path / "out"), "--rules", str(path)]

    result = CliRunner().invoke(cli, words, catch_exceptions=False)

    assert result.exit_code == 0
    n_rules = len(read_rules(path))
    assert rows(tmp_path / "out", "SELECT count(DISTINCT rule_number) FROM filter_funnel") == [
        (n_rules,)
    ]
    n_left = len(hits(tmp_path / "out"))
    n_dropped = rows(tmp_path / "out", "SELECT count(*) FROM hits_dropped")[0][0]
    assert n_left + n_dropped == n_hits
    assert n_left


def test_three_published_pipelines_have_their_rules():
    assert sorted(path.stem for path in PUBLISHED.glob("*.yaml")) == [
        "cwm-similarity", "repeat-density", "similarity-and-keep",
    ]  # fmt: skip


def test_every_command_takes_a_derived_run(run, tmp_path):
    out = tmp_path / "out"
    done = filter_hits(run, out, ["decoy_q=0.05"])

    assert len((out / "hits.tsv").read_text().splitlines()) == done.n_hits + 1
    finemo_dist.export(out, "tsv", tmp_path / "x.tsv")
    assert len((tmp_path / "x.tsv").read_text().splitlines()) == done.n_hits + 1
    assert collapse_hits(out, tmp_path / "c.tsv").n_hits == done.n_hits
    finemo_dist.report(out, tmp_path / "report", with_seqlets=False)
    before = hits(out)
    compact(out)
    assert hits(out) == before
    counts = finemo_dist.open_run(out).query("counts").to_pandas()
    assert counts["n_hits"].sum() == done.n_hits
    qc = "SELECT sum(n_hits)::INT, count(*) FROM peaks_qc"
    assert rows(out, qc) == [(done.n_hits, 150)]
    q = "SELECT peak_id, motif_id, start_untrimmed, decoy_q FROM hit_confidence ORDER BY ALL"
    assert set(rows(out, q)) <= set(rows(run, q))
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


def test_a_report_shows_what_rules_dropped_beside_what_they_kept(run, tmp_path):
    out = tmp_path / "out"
    done = filter_hits(run, out, ["decoy_q=0.05", "similarity=0.85"])

    page = finemo_dist.report(out, tmp_path / "report", with_seqlets=False).read_text()

    assert '<section id="filter">' in page
    for rule in done.rules:
        assert rule.rule in page
        assert f"{rule.n_dropped:,}" in page
    assert 'aria-label="Dropped hits of pos_patterns.pattern_0' in page
    # A cut of similarity drops hits that look like those it keeps, and the page says so.
    assert "dropped hits look like kept ones" in page


def test_a_report_says_how_far_hits_can_be_believed(run, reported):
    page = reported.read_text()

    assert '<section id="trust">' in page
    assert '<section id="filter">' not in page
    assert "the expected share of hits that a scrambled motif would have had" in page
    n_kept, n_pooled = rows(
        run,
        "SELECT count(*) FILTER (decoy_q <= 0.05), count(*) FILTER (decoy_q_pooled <= 0.05) "
        "FROM hit_confidence",
    )[0]
    assert f'data-v="{n_kept}"' in page
    assert f'data-v="{n_pooled}"' in page


def test_a_report_without_q_has_no_section_of_it(bare, tmp_path):
    page = finemo_dist.report(bare, tmp_path / "report", with_seqlets=False).read_text()

    assert '<section id="trust">' not in page
