"""Names of motifs and samples: misspelt, clashing, or made to do harm."""

import json
import shutil
from functools import cache

import h5py
import numpy as np
import pytest

from finemo_dist.record.run_record import RunRecord
from tests.command import finemo_dist, hit_keys, read_tsv
from tests.integration.faults.inputs import write_cwm
from tests.integration.faults.outcomes import tables_of

FIRST, SECOND = "pos_patterns.pattern_0", "pos_patterns.pattern_1"
MAPPINGS = {
    "-L": "0.5",
    "-T": "0.9",
    "-R": "3\t9",
    "-N": "renamed",
    "-I": "",
}
ODD_NAMES = [
    "../../escaped", "/etc/passwd", "<script>alert(1)</script>", "a b", "it's \"quoted\"; DROP",
    "x\\y", "naïve μ", "%2e%2e", "..",
]  # fmt: skip


def mapping(tmp_path, name, *lines):
    path = tmp_path / name
    path.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    return path


@pytest.mark.parametrize("flag", ["-R", "-T"])
def test_S16_trims_go_by_the_modisco_name_beside_new_names(works, call, plain, tmp_path, flag):
    value = ("2", "20") if flag == "-R" else ("0.9",)
    trims = mapping(tmp_path, "trims.tsv", (FIRST, *value))
    names = mapping(tmp_path, "names.tsv", (FIRST, "GATA1"))

    works(*call(flag, trims, "-N", names))
    works(*call(flag, trims, run="trimmed"))

    def window(run):
        rows = read_tsv(run / "motif_data.tsv")
        row = next(r for r in rows if r["motif_name_orig"] == FIRST and r["strand"] == "+")
        return row["motif_start"], row["motif_end"]

    assert window(tmp_path / "run") == window(tmp_path / "trimmed") != window(plain)


@pytest.mark.parametrize("flag", ["-R", "-T"])
def test_S16_a_trim_by_the_new_name_is_refused_and_the_old_one_named(
    refused, call, inputs, tmp_path, flag
):
    value = ("2", "20") if flag == "-R" else ("0.9",)
    trims = mapping(tmp_path, "trims.tsv", ("GATA1", *value))
    names = mapping(tmp_path, "names.tsv", (FIRST, "GATA1"))

    refused(
        *call(flag, trims, "-N", names),
        says=(inputs.modisco_h5, "'GATA1'", f"It is the new name of '{FIRST}'"),
    )


@pytest.mark.parametrize(
    "rows",
    [[(FIRST, "GATA1"), (SECOND, "GATA1")], [(FIRST, SECOND)]],
    ids=["twice", "that of another"],
)
def test_S17_a_new_name_that_clashes_is_refused(refused, call, inputs, tmp_path, rows):
    refused(
        *call("-N", mapping(tmp_path, "names.tsv", *rows)),
        says=(inputs.modisco_h5, f"name {rows[0][1]!r}", FIRST, SECOND, "Give each its own name"),
    )


@pytest.mark.parametrize("wrong", ["pos_pattern.pattern_0", "pattern_0", "POS_PATTERNS.PATTERN_0"])
@pytest.mark.parametrize("flag", MAPPINGS)
def test_S18_a_misspelt_motif_is_refused_with_the_nearest_name(
    refused, call, inputs, tmp_path, flag, wrong
):
    path = mapping(tmp_path, "map.tsv", (wrong, MAPPINGS[flag]))

    refused(
        *call(flag, path),
        says=(inputs.modisco_h5, f"names motif {wrong!r}", f"Did you mean '{FIRST}'?"),
    )


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_C8_an_empty_list_of_motifs_is_refused(refused, call, tmp_path, content):
    (tmp_path / "none.txt").write_text(content)

    refused(*call("-I", tmp_path / "none.txt"), says=(tmp_path / "none.txt", "is empty"))


def test_C8_a_list_of_motifs_that_matches_none_is_refused(refused, call, inputs, tmp_path):
    path = mapping(tmp_path, "list.txt", ("CTCF",), ("SP1",))

    refused(
        *call("-I", path),
        says=(inputs.modisco_h5, "--motifs-include names motif 'CTCF'", "modisco names"),
    )


def test_C8_a_CWM_of_zeros_is_refused_by_name(refused, works, call, inputs, tmp_path):
    path = tmp_path / "zero.h5"
    shutil.copyfile(inputs.modisco_h5, path)
    with h5py.File(path, "r+") as file:
        file["pos_patterns/pattern_1/contrib_scores"][...] = 0

    refused(*call(motifs=path), says=(path, SECOND, "all zero", "--motifs-include"))
    works(*call("-I", mapping(tmp_path, "list.txt", (FIRST,)), motifs=path))


def test_C12_a_modisco_file_without_seqlets_is_called_as_any_other(
    works, call, inputs, plain, tmp_path
):
    """Tables of the motifs with and without seqlets are the same bytes."""
    works(*call(motifs=inputs.files.modisco_h5))

    assert tables_of(tmp_path / "run") == tables_of(plain)


TOGETHER = {"-L": FIRST, "-T": SECOND, "-N": FIRST, "-I": FIRST}
"""Mappings that one call may have beside each other, of which none hides what another does."""


@pytest.fixture(scope="module")
def mapped(inputs, store, tmp_path_factory):
    """Return a function that calls hits with some mappings, once: with and without blank lines."""

    @cache
    def called(*flags):
        folder = tmp_path_factory.mktemp("mapped")
        for name in ("plain", "blank"):
            words = []
            for flag in flags:
                line = f"{TOGETHER.get(flag, FIRST)}\t{MAPPINGS[flag]}".rstrip("\t")
                other = f"{SECOND}\n" if flag == "-I" else ""
                text = f"{line}\n{other}" if name == "plain" else f"\n{line}\n\n  \n\t\t\n{other}"
                words += [flag, folder / f"{name}{flag}.tsv"]
                words[-1].write_text(text)
            run = folder / name
            finemo_dist("call-hits", "-r", store, "-m", inputs.modisco_h5, "-o", run, *words)
        return folder

    return called


@pytest.mark.parametrize("flag", MAPPINGS)
def test_C10_blank_lines_in_a_mapping_are_skipped(mapped, plain, flag):
    folder = mapped(*TOGETHER) if flag in TOGETHER else mapped(flag)

    assert tables_of(folder / "plain") == tables_of(folder / "blank")
    changed = {"-L": "lambda", "-T": "motif_start", "-R": "motif_start", "-N": "motif_name"}
    mine, default = (
        {(r["motif_name_orig"], r["strand"]): r for r in read_tsv(path / "motif_data.tsv")}
        for path in (folder / "blank", plain)
    )
    if flag == "-I":
        assert {name for name, _ in mine} == {FIRST, SECOND} < {name for name, _ in default}
    else:
        at = TOGETHER.get(flag, FIRST), "+"
        assert mine[at][changed[flag]] != default[at][changed[flag]]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_C11_an_odd_sample_name_stays_inside_the_run(works, call, tmp_path, name):
    before = set(tmp_path.parent.iterdir())

    works(*call("--sample", name))

    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert set(tmp_path.parent.iterdir()) == before
    assert [s.name for s in RunRecord.load(tmp_path / "run").samples] == [name]
    answer = works("sql", tmp_path / "run", "SELECT DISTINCT sample FROM hits", "--format", "json")
    assert json.loads(answer.out) == [{"sample": name}]


@pytest.mark.parametrize("name", ["x" * 300, "μ" * 100], ids=["long", "encoded"])
def test_C11_a_sample_name_too_long_for_a_folder_is_refused(refused, call, name):
    refused(*call("--sample", name), says=("Sample name", "expected 1 to 248", "Rename"))


@pytest.mark.parametrize("name", ["a\tb", "a\nb"])
def test_C11_a_sample_name_that_would_break_a_table_is_refused(refused, call, name):
    refused(*call("--sample", name), says=(repr(name), "would break a table", "Rename"))


def test_C11_odd_motif_names_are_kept_and_quoted(works, call, plain, tmp_path):
    names = {FIRST: "../../escaped", SECOND: 'it\'s "x"; DROP TABLE hits; --<script>'}
    path = mapping(tmp_path, "names.tsv", *names.items())

    works(*call("-N", path))

    assert sorted(p.name for p in tmp_path.iterdir()) == ["names.tsv", "run"]
    expected = {
        (peak, names.get(motif, motif), strand, start)
        for peak, motif, strand, start in hit_keys(plain / "hits.tsv")
    }
    assert hit_keys(tmp_path / "run/hits.tsv").keys() == expected
    answer = works(
        "sql", tmp_path / "run", "--format", "json",
        "SELECT DISTINCT motif_name AS m FROM hits WHERE motif_name LIKE 'it''s%'",
    )  # fmt: skip
    assert json.loads(answer.out) == [{"m": names[SECOND]}]


@pytest.mark.parametrize("name", ["\x1b[31mred", "", "a\x00b", "a\u2028b"])
def test_C11_a_new_name_that_would_break_a_table_is_refused(refused, call, tmp_path, name):
    path = tmp_path / "names.tsv"
    path.write_text(f"{FIRST}\t{name}\n")

    expected = "zero byte, expected text" if "\0" in name else "expected 2 tab-separated columns"
    refused(*call("-N", path), says=(f"{path}, line 1", expected))


@pytest.mark.parametrize("name", ["a\tb", "a\nb"])
def test_C11_a_modisco_name_that_would_break_a_table_is_refused(refused, call, tmp_path, name):
    path = write_cwm(tmp_path / "odd.h5", (f"pos_patterns.{name}", np.ones((4, 30))))

    refused(*call(motifs=path), says=(path, repr(f"pos_patterns.{name}"), "printable"))


def test_C11_motif_names_of_a_modisco_file_never_become_paths(works, call, inputs, tmp_path):
    cwm = np.zeros((4, 30))
    with h5py.File(inputs.modisco_h5) as file:
        cwm[:] = file["pos_patterns/pattern_0/contrib_scores"][()].T
    path = write_cwm(tmp_path / "odd.h5", ("pos_patterns.<b>..' \"%s", cwm))

    works(*call(motifs=path))

    assert sorted(p.name for p in tmp_path.iterdir()) == ["odd.h5", "run"]
    rows = read_tsv(tmp_path / "run/motif_data.tsv")
    assert len(rows) == 2
