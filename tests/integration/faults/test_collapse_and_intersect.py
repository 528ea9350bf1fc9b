"""Rows S1 to S5 and C1 to C3 of finemo's faults, through the command line.

finemo 0.41 marks the lowest similarity as primary, joins touching hits, mixes chromosomes whose
rows are not together, and regions that have no coordinates. Where it is right the answers agree.
"""

import gzip
from collections import Counter

import pytest

from tests.command import answer_of, finemo_dist, run_process
from tests.hit_tables import primary_by_loop, read_lines, tsv_hit, write_tsv


@pytest.fixture
def refusal_of(capsys):
    """Return a function that asserts that a command is refused, and gives its message."""

    def run(*words):
        said = answer_of(capsys, *words)
        assert (said.status, said.out) == (2, "")
        assert said.err.count("\n") == 1, said.err
        return said.err

    return run


def collapsed(folder, rows, *options):
    """What is_primary says of each row, as text of ones and zeros."""
    out = folder / "out.tsv"
    finemo_dist("collapse-hits", "-i", write_tsv(folder / "hits.tsv", rows), "-o", out, *options)
    return "".join(row["is_primary"] for row in read_lines(out))


def at(start, similarity, **given):
    return tsv_hit(start=start, end=start + 10, hit_similarity=similarity, **given)


# Case, rows, what finemo 0.41 says of them, what is right.
INVERTED = [
    ("two that overlap", [at(0, 0.9), at(4, 0.8)], "01", "10"),
    ("the better one second", [at(0, 0.8), at(4, 0.9)], "10", "01"),
    ("the best in the middle", [at(0, 0.7), at(4, 0.9), at(8, 0.8)], "100", "010"),
    ("far apart", [at(0, 0.7), at(40, 0.9)], "11", "11"),
]


@pytest.mark.parametrize(
    ("rows", "finemo", "right"), [case[1:] for case in INVERTED], ids=[case[0] for case in INVERTED]
)
def test_S1_the_highest_similarity_is_primary_where_finemo_marks_the_lowest(
    rows, finemo, right, tmp_path
):
    assert collapsed(tmp_path, rows) == right
    overlapping = right != "1" * len(rows)
    assert (finemo != right) == overlapping


def test_S1_ties_go_to_coefficient_start_motif_and_strand(tmp_path):
    rows = [
        at(4, 0.9, hit_coefficient=2.0),
        at(0, 0.9, hit_coefficient=1.0),
        at(100, 0.9, motif_name="b"),
        at(100, 0.9, motif_name="a", strand="-"),
        at(100, 0.9, motif_name="a", strand="+"),
    ]

    assert collapsed(tmp_path, rows) == "10001"


def test_S2_touching_hits_do_not_overlap(tmp_path):
    rows = [at(0, 0.9), at(10, 0.8), at(19, 0.7)]

    # finemo 0.41 says 001: every one of these meets the next.
    assert collapsed(tmp_path, rows, "-O", "0") == "110"


def test_S3_the_order_of_rows_never_matters(tmp_path):
    one = [at(0, 0.9), at(4, 0.8)]
    two = [at(0, 0.7, chr="chr2"), at(4, 0.6, chr="chr2")]

    assert collapsed(tmp_path, [*one, *two]) == "1010"
    assert collapsed(tmp_path, [one[0], two[0], one[1], two[1]]) == "1100"
    assert collapsed(tmp_path, [two[1], one[1], one[0], two[0]]) == "0011"


def test_S4_S5_without_coordinates_only_hits_of_one_region_compete(tmp_path):
    lost = {"chr": None, "peak_name": None}
    rows = [at(0, 0.9, peak_id=0, **lost), at(4, 0.8, peak_id=1, **lost),
            at(4, 0.7, peak_id=0, **lost)]  # fmt: skip

    assert collapsed(tmp_path, rows) == "110"


def test_S4_S5_without_coordinates_places_of_different_regions_are_not_shared(tmp_path):
    lost = {"chr": None, "peak_name": None}
    tables = [
        write_tsv(tmp_path / f"{i}.tsv", [at(0, 0.9, peak_id=p, **lost) for p in peaks])
        for i, peaks in enumerate([(0, 1), (1, 2)])
    ]

    for flags in ([], ["-r"]):
        finemo_dist("intersect-hits", "-i", *tables, "-o", tmp_path / "out", *flags)
        assert [row["peak_id"] for row in read_lines(tmp_path / "out")] == ["1"]


@pytest.mark.parametrize("name", ["collapse-hits", "intersect-hits", "compact"])
def test_C1_help_is_given(name):
    answer = run_process(name, "-h")

    assert answer.returncode == 0
    assert answer.stdout.startswith(f"Usage: finemo-dist {name}")


def test_C2_intersect_hits_writes_what_its_inputs_share(tmp_path):
    shared, own = at(0, 0.9), at(50, 0.8)
    a = write_tsv(tmp_path / "a.tsv", [shared, own])
    b = write_tsv(tmp_path / "b.tsv.gz", [{**shared, "hit_coefficient": 9.0}])

    answer = run_process("intersect-hits", "-i", a, b, "-o", tmp_path / "out.tsv")

    assert answer.returncode == 0, answer.stderr
    (row,) = read_lines(tmp_path / "out.tsv")
    assert (row["hit_coefficient"], row["hit_coefficient_1"]) == ("1.5", "9.0")


def test_C3_hits_before_the_start_of_a_chromosome_are_collapsed(tmp_path):
    rows = [at(-4, 0.8, start_untrimmed=-9), at(-2, 0.9, start_untrimmed=-7)]

    assert collapsed(tmp_path, rows) == "01"


HEADER = "\t".join(tsv_hit())
LINE = "\t".join(str(value) for value in tsv_hit().values())

BAD_TABLES = {
    "empty": ("", "is empty"),
    "no header": (f"{LINE}\n{LINE}\n", "line 1 has no column 'chr'"),
    "missing column": (f"{HEADER}\n".replace("hit_similarity\t", ""), "no column 'hit_similarity'"),
    "words for numbers": (f"{HEADER}\n{LINE}\n{LINE}\n".replace("\t0.75", "\tfine", 1),
                          "line 2, column hit_similarity is 'fine'; expected a number"),
    "a fraction for a place": (f"{HEADER}\n{LINE}\n{LINE.replace(chr(9) + '10', chr(9) + '1.5')}\n",
                               "line 3, column start is '1.5'; expected a whole number"),
    "no similarity": (f"{HEADER}\n{LINE}\n".replace("\t0.75", "\tnan", 1),
                      "line 2, column hit_similarity is 'nan'"),
    "no place": (f"{HEADER}\n{LINE}\n".replace("\t10\t", "\tNA\t", 1), "column start is 'NA'"),
    "cut within a line": (f"{HEADER}\n{LINE}\n{LINE}"[:-30] + "\n", "line 3 has"),
    "cut at the end": (f"{HEADER}\n{LINE}\n{LINE}", "its last line has no end"),
    "a line of other columns": (f"{HEADER}\n{LINE}\tx\n", "line 2 has 16 columns"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "said"), BAD_TABLES.values(), ids=BAD_TABLES)
@pytest.mark.parametrize("command", ["collapse-hits", "intersect-hits"])
def test_a_malformed_table_is_refused_with_its_place(command, content, said, tmp_path, refusal_of):
    path = tmp_path / "bad.tsv"
    path.write_text(content)
    good = write_tsv(tmp_path / "good.tsv", [tsv_hit()])
    inputs = [good, path] if command == "intersect-hits" else [path]

    message = refusal_of(command, "-i", *inputs, "-o", tmp_path / "out.tsv")

    assert said in message
    assert str(path) in message
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.tsv", "good.tsv"]


def test_a_gzipped_table_that_is_cut_is_refused(tmp_path, refusal_of):
    path = tmp_path / "hits.tsv.gz"
    path.write_bytes(gzip.compress((HEADER + f"\n{LINE}" * 50 + "\n").encode())[:-20])

    message = refusal_of("collapse-hits", "-i", path, "-o", tmp_path / "out.tsv")

    assert f"{path}: damaged gzip file" in message
    assert not (tmp_path / "out.tsv").exists()


def test_a_memory_limit_that_is_none_is_refused(tmp_path, refusal_of):
    path = write_tsv(tmp_path / "hits.tsv", [tsv_hit()])

    assert "Memory limit 'much'" in refusal_of(
        "collapse-hits", "-i", path, "-o", tmp_path / "out.tsv", "--memory-limit", "much"
    )


@pytest.mark.shared_data
def test_real_hits_intersect_as_in_finemo(yeast_mini, tmp_path):
    """finemo 0.41's function finds 1,067 hits in both outputs, and 1,385 pairs when relaxed."""
    default, exact = (yeast_mini / "finemo-0.41" / n / "hits.tsv" for n in ("default", "tol1e-6"))
    inputs = ["-i", default, exact, default]

    finemo_dist("intersect-hits", *inputs, "-o", tmp_path / "strict.tsv")
    finemo_dist("intersect-hits", *inputs, "-o", tmp_path / "relaxed.tsv", "-r")

    assert len(read_lines(tmp_path / "strict.tsv")) == 1067
    assert len(read_lines(tmp_path / "relaxed.tsv")) == 1385


def test_real_hits_collapse_as_by_a_loop(real_data, tmp_path):
    path = real_data / "finemo-0.41" / "default" / "hits_unique.tsv"
    numbers = {"start": int, "end": int, "peak_id": int, "hit_similarity": float,
               "hit_coefficient": float, "hit_coefficient_global": float}  # fmt: skip
    rows = [{k: numbers.get(k, str)(v) for k, v in row.items()} for row in read_lines(path)]

    finemo_dist("collapse-hits", "-i", path, "-o", tmp_path / "out.tsv")

    found = [row["is_primary"] == "1" for row in read_lines(tmp_path / "out.tsv")]
    assert found == primary_by_loop(rows)
    assert Counter(found)[True] == {102: 87, 1052: 883}[len(found)]
