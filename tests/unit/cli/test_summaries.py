"""What commands say of what was done, for people and as JSON: results are made up here."""

import json
import os
import sys
from pathlib import Path

import pytest

from finemo_dist.catalog.compact import CompactSummary
from finemo_dist.cli import demo
from finemo_dist.cli.answers import screen_of
from finemo_dist.cli.summaries import print_confidence
from finemo_dist.testing.truth import Recovery
from finemo_dist.workflow.calling import Call
from finemo_dist.workflow.confidence import Confidence
from finemo_dist.workflow.confidence_tables import SampleConfidence
from finemo_dist.workflow.demo import DemoResult
from finemo_dist.workflow.filtering import Filtered, RuleCount
from finemo_dist.workflow.variants import VariantCalls


@pytest.mark.parametrize(
    ("out", "is_terminal", "width"), [(None, True, 93), (None, False, None), ("x", True, None)]
)
def test_a_screen_is_what_a_person_looks_at(monkeypatch, out, is_terminal, width):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((93, 40)))

    found = screen_of(None if out is None else Path(out))

    assert (None if found is None else found.width) == width


def test_what_is_missing_in_a_compaction_is_a_warning(command, finished, monkeypatch):
    done = [
        CompactSummary("a", is_new=True, n_hits=1200, n_files=2, n_shards_missing=1),
        CompactSummary(None, is_new=False, n_hits=1, n_files=1, n_shards_missing=0),
    ]
    monkeypatch.setattr("finemo_dist.workflow.asking.compact", lambda *_, **__: done)

    assert command("compact", finished).err.splitlines()[:3] == [
        "a: 1,200 hits in 2 files",
        "  Warning: 1 shard is missing; compact again when all shards are committed",
        "all samples: 1 hit in 1 file (unchanged)",
    ]


@pytest.mark.parametrize("n_same_files", [0, 6])
def test_a_demo_tells_of_two_workers_where_there_were_two(tmp_path, capsys, n_same_files):
    call = Call(
        tmp_path / "run", 4, 4, n_regions=400, n_hits=9, n_not_converged=0, max_gap=1e-8, files=(),
        executor={}, seconds={"call": 2.0},
    )  # fmt: skip
    found = Recovery(recall=0.5, precision=1.0, n_hits=9, n_planted=18, n_found=9)

    demo._print(tmp_path, DemoResult(call, {"a": found}, tmp_path / "page.html", n_same_files))

    said = capsys.readouterr().out
    line = "two workers of a Ray cluster wrote the same bytes: 6 files of hits\n"
    assert (line in said) == bool(n_same_files)
    assert "400 regions in 2.0 s (200 regions/s)" in said
    assert " ".join(said.split()).count("a 18 9 0.500 1.000") == 1


@pytest.fixture
def filtered(finished, monkeypatch):
    """Return what was asked of the function, which leaves nothing to do."""
    asked = []

    def write(run, out, rules, **options):
        asked.append((rules, options["force"]))
        return Filtered(out, 1200, 900, (RuleCount("similarity=0.8", 1200, 300),))

    monkeypatch.setattr("finemo_dist.workflow.filtering.filter_hits", write)
    return asked


@pytest.mark.parametrize("words", [[], ["--rule", "keep=A", "--rules", "RULES"]])
def test_rules_are_given_in_one_way(refused, finished, filtered, tmp_path, words):
    (tmp_path / "rules.yaml").write_text("[]")
    words = [str(tmp_path / "rules.yaml") if word == "RULES" else word for word in words]

    said = refused("filter-hits", finished, "-o", tmp_path / "out", *words)

    assert said == "Give rules by --rule, or by one file with --rules."
    assert filtered == []


def test_a_funnel_is_told_to_people_and_to_programs(command, finished, filtered, tmp_path):
    words = ("filter-hits", finished, "-o", tmp_path / "out", "--rule", "similarity=0.8")

    assert command(*words).err.splitlines()[-2:] == [
        f"      1,200 hits in {finished}", "        900 after similarity=0.8 (-300)",
    ]  # fmt: skip
    answer = command(*words, "--force", "--json")

    assert json.loads(answer.out) == {
        "run_dir": str(tmp_path / "out"), "n_hits_before": 1200, "n_hits": 900,
        "rules": [{"rule": "similarity=0.8", "n_before": 1200, "n_dropped": 300}],
    }  # fmt: skip
    assert answer.err == ""
    assert filtered == [(("similarity=0.8",), False), (("similarity=0.8",), True)]


SAMPLES = (
    SampleConfidence("a", 1200, 300, 900, 950, None),
    SampleConfidence("b", 1, 3, 1, None, None),
    SampleConfidence("c", 5, 0, 0, None, "it has too few hits"),
)


def test_what_can_be_believed_is_told_sample_by_sample(capsys):
    found = Confidence(Path("run"), 3, 0.5, SAMPLES, {"call": 1.5})

    print_confidence(found, as_json=False)
    assert capsys.readouterr().err.splitlines()[:3] == [
        "a: 900 of 1,200 hits have a decoy_q of at most 0.05, 950 by the pooled q",
        "b: 1 of 1 hit has a decoy_q of at most 0.05",
        "c: no q, because it has too few hits",
    ]
    print_confidence(found, as_json=True)
    said = capsys.readouterr()

    assert said.err == ""
    told = json.loads(said.out)
    assert (told["run_dir"], told["seed"], told["fraction"]) == ("run", 3, 0.5)
    assert told["samples"][2] == {
        "sample": "c", "n_hits": 5, "n_decoy_hits": 0, "n_believed": 0, "n_believed_pooled": None,
        "refused": "it has too few hits",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("n_drawn", "page"),
    [(0, None), (1, "the strongest variant, both"), (30, "the strongest 30 variants, both")],
)
def test_variants_are_told_with_their_page_if_there_is_one(
    command, inputs, monkeypatch, tmp_path, n_drawn, page
):
    found = VariantCalls(tmp_path, 1500, 2, {"lost": 2, "gained": 0}, n_drawn)
    monkeypatch.setattr("finemo_dist.workflow.variants.call_variants", lambda *_, **__: found)
    (tmp_path / "v.vcf").write_text("")
    words = (
        "call-variants", "--ref", inputs.modisco_h5, "--variants", tmp_path / "v.vcf",
        "-m", inputs.modisco_h5, "-o", tmp_path,
    )  # fmt: skip

    answer = command(*words)
    first, *more = answer.err.splitlines()
    assert first == f"{tmp_path}: compared 1,500 variants; 2 hits written (2 lost)"
    assert more == (
        [] if page is None else [f"{tmp_path / 'variants.html'}: {page} alleles as logos"]
    )
    assert answer.out == ""

    assert json.loads(command(*words, "--json").out) == {
        "n_variants": 1500, "n_hits": 2, "n_by_class": {"lost": 2, "gained": 0},
        "page": None if page is None else str(tmp_path / "variants.html"),
    }  # fmt: skip
