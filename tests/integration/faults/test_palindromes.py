"""A motif that reads the same on both strands."""

import json

import numpy as np
import pytest

from finemo_dist.record.run_record import RunRecord
from tests.command import read_tsv
from tests.integration.faults.inputs import write_cwm
from tests.integration.faults.outcomes import lines_with, tables_of

PALINDROME = "pos_patterns.pattern_0"
N_SITES = 6


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Regions with perfect sites of an exact palindrome, and a motif that is none."""
    folder = tmp_path_factory.mktemp("palindromes")
    rng = np.random.default_rng(11)
    bases = np.array([0, 1, 2, 1, 0, 3, 2, 1, 2, 3])  # ACGCATGCGT
    palindrome, one_way = np.zeros((4, 20)), np.zeros((4, 20))
    palindrome[bases, np.arange(5, 15)] = [3, 2, 4, 1, 2, 2, 1, 4, 2, 3]
    one_way[rng.integers(0, 2, 10), np.arange(5, 15)] = 2
    write_cwm(folder / "m.h5", (PALINDROME, palindrome), ("pos_patterns.pattern_1", one_way))
    codes = rng.integers(0, 4, (N_SITES, 200))
    codes[:, 90:110] = np.where(palindrome.any(axis=0), palindrome.argmax(axis=0), codes[:, 90:110])
    one_hot = (codes[:, None, :] == np.arange(4)[:, None]).astype(np.int8)
    scores = 0.01 * rng.normal(size=one_hot.shape)
    scores[:, :, 90:110] += palindrome
    np.save(folder / "ohe.npy", one_hot)
    np.save(folder / "attr.npy", scores.astype(np.float32))
    return folder


@pytest.fixture
def call(works, files, tmp_path):
    works("extract-regions-modisco-fmt", "-s", files / "ohe.npy", "-a", files / "attr.npy",
          "-w", 200, "-o", tmp_path / "s")  # fmt: skip

    def words(*more, run):
        return ("call-hits", "-r", tmp_path / "s", "-m", files / "m.h5", "-o", tmp_path / run,
                *more)  # fmt: skip

    return words


def by_region(path):
    found = {}
    for row in read_tsv(path):
        assert row["motif_name"] == PALINDROME
        found.setdefault(int(row["peak_id"]), {})[row["strand"]] = row
    return found


@pytest.mark.parametrize(
    "solver", [(), ("--solver", "dense", "-c", "1e-7")], ids=["exact", "dense"]
)
def test_S21_both_strands_of_a_palindrome_are_kept_and_flagged(works, call, tmp_path, solver):
    said = works(*call(*solver, run="run"))

    for strands in by_region(tmp_path / "run/hits.tsv").values():
        assert strands["+"]["start"] == strands["-"]["start"]
        split = [float(strands[s]["hit_coefficient"]) for s in "+-"]
        assert split[0] == pytest.approx(split[1], rel=1e-3)
    assert len(lines_with(said, f"1 motif reads the same on both strands ({PALINDROME})")) == 1
    answer = works(
        "sql", tmp_path / "run", "SELECT DISTINCT motif_name m FROM motifs WHERE is_palindrome",
        "--format", "json",
    )  # fmt: skip
    assert json.loads(answer.out) == [{"m": PALINDROME}]


def test_S21_the_table_of_motifs_keeps_the_columns_that_finemo_reads(works, call, tmp_path):
    works(*call(run="run"))

    header = (tmp_path / "run/motif_data.tsv").read_text().splitlines()[0]
    assert header.split("\t") == [
        "motif_id", "motif_name", "motif_name_orig", "strand", "motif_start", "motif_end",
        "motif_scale", "lambda",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "solver", [(), ("--solver", "dense", "-c", "1e-7")], ids=["exact", "dense"]
)
def test_S21_merging_sums_the_strands_of_a_site_into_one_hit(works, call, tmp_path, solver):
    works(*call(*solver, run="split"))
    said = works(*call(*solver, "--merge-palindromes", run="merged"))

    split = by_region(tmp_path / "split/hits.tsv")
    merged = by_region(tmp_path / "merged/hits.tsv")
    assert len(merged) == N_SITES
    for region, strands in merged.items():
        assert strands.keys() == {"+"}
        for column in ("hit_coefficient", "hit_coefficient_global"):
            parts = [float(split[region][s][column]) for s in "+-"]
            assert float(strands["+"][column]) == pytest.approx(sum(parts), rel=1e-5)
        for column in ("start", "end", "start_untrimmed", "hit_similarity", "hit_importance"):
            assert strands["+"][column] == split[region]["+"][column]
    assert not lines_with(said, " the same on both strands")
    (counted,) = json.loads(
        works("sql", tmp_path / "merged", "SELECT sum(n_hits)::INT n FROM peaks_qc",
              "--format", "json").out
    )  # fmt: skip
    assert counted == {"n": N_SITES}


def test_S21_merging_is_a_setting_of_the_run(refused, works, call, tmp_path):
    works(*call(run="run"))

    refused(
        *call("--merge-palindromes", run="run"),
        says=(tmp_path / "run", "solver.merge_palindromes was False and is now True"),
    )
    works(*call("--merge-palindromes", "--force", run="run"))
    assert RunRecord.load(tmp_path / "run").config["solver"]["merge_palindromes"] is True
    works(*call("--merge-palindromes", "-b", "1", run="one"))
    assert tables_of(tmp_path / "one") == tables_of(tmp_path / "run")
