"""``collapse-hits`` against a loop, for files and for runs."""

import errno
import gzip
from contextlib import ExitStack
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finemo_dist.catalog.chunks import chromosome_runs
from finemo_dist.core.errors import FinemoDistError, InputError
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.hit_tables import collapse
from finemo_dist.hit_tables.collapse import collapse_hits, touching
from finemo_dist.hits import hits_tsv
from tests.hit_tables import hit_tables, primary_by_loop, read_lines, tsv_hit, write_tsv
from tests.unit.catalog.builder import hit, write_run
from tests.unit.catalog.one_catalog import OneCatalog

few = settings(max_examples=15)


def run_hit(row, motifs=("a", "b")):
    """The row of a file as a hit of a run."""
    motif_id = 2 * motifs.index(row["motif_name"]) + "+-".index(row["strand"])
    chrom = -1 if row["chr"] is None else int(row["chr"][3:])
    return hit(
        **{k: v for k, v in row.items() if k != "hit_correlation"}, motif_id=motif_id, chr_id=chrom
    )


@pytest.fixture(scope="module")
def on_threads(tmp_path_factory):
    """Catalogs on one, two and three threads, each of a run of its own."""
    folder = tmp_path_factory.mktemp("runs")
    with ExitStack() as stack:
        yield [stack.enter_context(OneCatalog(folder / f"{n}", threads=n)) for n in (1, 2, 3)]


def flags(path):
    return [row["is_primary"] == "1" for row in read_lines(path)]


def lines_of(path):
    return sorted(path.read_bytes().splitlines())


@few
@given(rows=hit_tables(), overlap=st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]))
def test_a_file_is_collapsed_as_by_a_loop(rows, overlap, tmp_path_factory):
    folder = tmp_path_factory.mktemp("collapse")

    summary = collapse_hits(
        write_tsv(folder / "hits.tsv", rows), folder / "out.tsv", overlap=overlap
    )

    assert flags(folder / "out.tsv") == primary_by_loop(rows, overlap)
    assert summary.n_primary == sum(primary_by_loop(rows, overlap))


@few
@given(rows=hit_tables(), overlap=st.sampled_from([0.0, 0.2]))
def test_by_score_the_larger_score_wins(rows, overlap, tmp_path_factory):
    folder = tmp_path_factory.mktemp("score")
    scores = [
        np.float32(np.sqrt(float(r["hit_coefficient"]) * float(r["hit_coefficient_global"])))
        for r in rows
    ]
    scored = [
        row | {"hit_similarity": score, "hit_correlation": score}
        for row, score in zip(rows, scores, strict=True)
    ]

    collapse_hits(
        write_tsv(folder / "hits.tsv", rows), folder / "out.tsv", overlap=overlap, by="score"
    )

    assert flags(folder / "out.tsv") == primary_by_loop(scored, overlap)


@pytest.mark.slow
@few
@given(data=st.data())
def test_lines_have_the_same_answer_in_any_order_and_on_any_threads(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("order")
    rows = data.draw(hit_tables())
    shuffled = data.draw(st.permutations(rows))
    write_tsv(folder / "a.tsv", rows)
    write_tsv(folder / "b.tsv", shuffled)

    collapse_hits(folder / "a.tsv", folder / "a.out", threads=1)
    collapse_hits(folder / "b.tsv", folder / "b.out", threads=data.draw(st.integers(1, 3)))

    assert lines_of(folder / "a.out") == lines_of(folder / "b.out")
    assert [line.rsplit(b"\t", 1)[0] for line in (folder / "b.out").read_bytes().splitlines()] == (
        (folder / "b.tsv").read_bytes().splitlines()
    )


@pytest.mark.slow
@few
@given(data=st.data())
def test_primary_hits_of_a_run_are_those_of_the_loop_in_any_parts(
    data, on_threads, tmp_path_factory
):
    rows = data.draw(hit_tables())
    n_parts = data.draw(st.integers(1, 3))
    has_coordinates = not any(row["chr"] is None for row in rows)
    hits = [run_hit(row) for row in data.draw(st.permutations(rows))]
    # The trim windows of the run's motifs, 6 bases, bound every hit.
    hits = [h for h in hits if h["end"] - h["start"] <= 6]
    out = tmp_path_factory.mktemp("run") / "out.tsv"
    parts = {"s": [hits[i::n_parts] for i in range(n_parts)]}
    expected = [h for h, best in zip(hits, primary_by_loop(hits), strict=True) if best]

    shown = on_threads[data.draw(st.integers(0, 2))]
    catalog = shown.show(partial(write_run, shards=parts, has_coordinates=has_coordinates))
    seen = catalog.rows('SELECT chr, start, "end", motif_id, peak_id FROM hits_primary')
    collapse_hits(shown.run, out)

    def key(row):
        return (row["chr"], row["start"], row["end"], row["motif_id"], row["peak_id"])

    assert sorted(seen, key=str) == sorted(map(key, expected), key=str)
    assert sum(flags(out)) == len(expected)
    assert len(flags(out)) == len(hits)


@given(
    hits=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(1, 12))),
    n_pairs=st.integers(1, 5),
)
def test_pairs_that_share_a_base_are_found_once_each(hits, n_pairs):
    """However they are cut, and in deep piles, where a hit meets many that start after it."""
    place, start, length = (np.array([h[i] for h in hits], np.int64) for i in range(3))
    end = start + length

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collapse, "_MILLION", n_pairs)
        sides = list(touching(place, start, end))

    assert all(1 <= len(one) == len(other) <= n_pairs for one, other in sides)
    found = [tuple(sorted(pair)) for one, other in sides for pair in zip(one, other, strict=True)]
    assert sorted(found) == [
        (i, j)
        for i in range(len(hits))
        for j in range(i + 1, len(hits))
        if place[i] == place[j] and max(start[i], start[j]) < min(end[i], end[j])
    ]


@few
@given(rows=hit_tables(), n_compared=st.integers(1, 3))
def test_hits_meet_whatever_of_them_is_compared_at_once(rows, n_compared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collapse, "_COMPARED", n_compared)
        collapse_hits(write_tsv(folder / "hits.tsv", rows), folder / "out.tsv", overlap=0.0)

    assert flags(folder / "out.tsv") == primary_by_loop(rows, 0.0)


def test_samples_of_a_run_are_collapsed_each_by_itself(tmp_path):
    parts = {"a": [[hit(hit_similarity=0.9)]], "b": [[hit(hit_similarity=0.5)]]}
    summary = collapse_hits(write_run(tmp_path / "run", parts), tmp_path / "out.tsv")

    rows = read_lines(tmp_path / "out.tsv")
    assert [(row["sample"], row["is_primary"]) for row in rows] == [("a", "1"), ("b", "1")]
    assert (summary.n_hits, summary.n_primary) == (2, 2)


def test_hits_of_a_run_come_in_its_order_however_many_are_read_at_once(tmp_path, monkeypatch):
    """By name chr10 would be before chr2; hits of different parts are mixed."""
    parts = [[hit(chr=f"chr{i}", chr_id=i, start=s, end=s + 6) for i in (2, 10)] for s in (30, 10)]
    run = write_run(tmp_path / "run", {"a": parts})
    collapse_hits(run, tmp_path / "whole.tsv")
    monkeypatch.setitem(chromosome_runs.__kwdefaults__, "chunk_hits", 1)
    collapse_hits(run, tmp_path / "cut.tsv")

    found = [(row["chr"], row["start"]) for row in read_lines(tmp_path / "whole.tsv")]
    assert found == [("chr2", "10"), ("chr2", "30"), ("chr10", "10"), ("chr10", "30")]
    assert (tmp_path / "cut.tsv").read_bytes() == (tmp_path / "whole.tsv").read_bytes()


def test_where_temporary_files_have_no_room_the_cure_is_named(tmp_path, monkeypatch):
    def no_room(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = write_tsv(tmp_path / "hits.tsv", [tsv_hit()])
    monkeypatch.setattr("pyarrow.parquet.write_table", no_room)

    with pytest.raises(FinemoDistError, match="TMPDIR"):
        collapse_hits(path, tmp_path / "out.tsv")
    assert not (tmp_path / "out.tsv").exists()


def test_a_beaten_hit_still_beats():
    rows = [
        tsv_hit(start=s, end=s + 10, hit_similarity=v) for s, v in [(0, 0.9), (5, 0.8), (10, 0.7)]
    ]

    assert primary_by_loop(rows) == [True, False, False]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"hit_coefficient": 2.0, "start": 12, "end": 22}, {}),
        ({"start": 9, "end": 19, "motif_name": "z"}, {}),
        ({"motif_name": "a", "strand": "-"}, {"motif_name": "b"}),
        ({"strand": "+"}, {"strand": "-"}),
    ],
    ids=["coefficient", "start", "motif", "strand"],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_ties_are_broken_in_the_order_of_the_rule(better, worse, is_first, tmp_path):
    rows = [tsv_hit(**better), tsv_hit(**worse)]
    rows = rows if is_first else rows[::-1]

    collapse_hits(write_tsv(tmp_path / "hits.tsv", rows), tmp_path / "out.tsv")

    assert flags(tmp_path / "out.tsv") == [is_first, not is_first]


def test_an_overlap_is_met_exactly_or_not(tmp_path):
    """Of 10 and 10 bases, 2 shared are a fifth; 0.1 + 0.2 must not decide it."""
    rows = [tsv_hit(), tsv_hit(start=18, end=28, hit_similarity=0.9)]
    path = write_tsv(tmp_path / "hits.tsv", rows)

    collapse_hits(path, tmp_path / "met.tsv", overlap=0.2)
    collapse_hits(path, tmp_path / "missed.tsv", overlap=0.200001)

    assert flags(tmp_path / "met.tsv") == [False, True]
    assert flags(tmp_path / "missed.tsv") == [True, True]


def test_a_gzipped_file_gives_the_same_lines(tmp_path):
    rows = [tsv_hit(), tsv_hit(start=12, end=22, hit_similarity=0.9)]

    collapse_hits(write_tsv(tmp_path / "hits.tsv", rows), tmp_path / "a.tsv")
    collapse_hits(write_tsv(tmp_path / "hits.tsv.gz", rows), tmp_path / "b.tsv.gz")

    assert gzip.decompress((tmp_path / "b.tsv.gz").read_bytes()) == (
        (tmp_path / "a.tsv").read_bytes()
    )


@pytest.mark.parametrize("block_bytes", [2, 7, 50])
def test_lines_are_whole_wherever_they_are_cut_for_reading(block_bytes, tmp_path, monkeypatch):
    rows = [tsv_hit(start=10 * i, end=10 * i + 15) for i in range(5)]
    plain = write_tsv(tmp_path / "hits.tsv", rows)
    (tmp_path / "crlf.tsv").write_bytes(plain.read_bytes().replace(b"\n", b"\r\n"))
    collapse_hits(plain, tmp_path / "whole.out")

    monkeypatch.setattr(hits_tsv, "BLOCK_BYTES", block_bytes)
    collapse_hits(plain, tmp_path / "cut.out")
    collapse_hits(tmp_path / "crlf.tsv", tmp_path / "crlf.out")

    assert (tmp_path / "cut.out").read_bytes() == (tmp_path / "whole.out").read_bytes()
    assert (tmp_path / "crlf.out").read_bytes() == (tmp_path / "whole.out").read_bytes()


def test_columns_may_come_in_any_order_and_others_are_kept(tmp_path):
    columns = (*reversed(FINEMO_HIT_COLUMNS), "note")
    path = write_tsv(tmp_path / "hits.tsv", [{**tsv_hit(), "note": "x y"}], columns)

    collapse_hits(path, tmp_path / "out.tsv")

    (row,) = read_lines(tmp_path / "out.tsv")
    assert (row["note"], row["is_primary"], list(row)[-1]) == ("x y", "1", "is_primary")


def test_a_table_without_hits_stays_one(tmp_path):
    collapse_hits(write_tsv(tmp_path / "hits.tsv", []), tmp_path / "out.tsv")

    assert (tmp_path / "out.tsv").read_text().split("\t")[-1] == "is_primary\n"


def test_a_table_that_is_collapsed_is_refused(tmp_path):
    collapse_hits(write_tsv(tmp_path / "hits.tsv", [tsv_hit()]), tmp_path / "out.tsv")

    with pytest.raises(InputError, match="already has a column 'is_primary'"):
        collapse_hits(tmp_path / "out.tsv", tmp_path / "twice.tsv")
    assert not (tmp_path / "twice.tsv").exists()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"start": 10.5}, r"line 4, column start is '10.5'; expected a whole number"),
        ({"end": 10}, r"line 4 is not a hit \(start 10, end 10\)"),
        ({"end": 9}, r"line 4 is not a hit \(start 10, end 9\)"),
        ({"end": 10 + (1 << 31)}, "line 4 is not a hit"),
        ({"hit_similarity": None}, r"line 4, column hit_similarity is 'NA'; expected a number"),
        ({"hit_coefficient": "nan"}, "line 4, column hit_coefficient is 'nan'"),
        ({"peak_id": -1}, "line 4, column peak_id is '-1'"),
        ({"motif_name": None}, "line 4, column motif_name is 'NA'; expected a name"),
        ({"strand": None}, "line 4, column strand is 'NA'; expected a name"),
    ],
    ids=str,
)
def test_a_row_that_is_no_hit_is_named(fault, message, tmp_path):
    rows = [tsv_hit(), tsv_hit(start=12), tsv_hit() | fault, tsv_hit(start=13)]

    with pytest.raises(InputError, match=message):
        collapse_hits(write_tsv(tmp_path / "hits.tsv", rows), tmp_path / "out.tsv")
    assert not (tmp_path / "out.tsv").exists()


def test_whole_numbers_may_be_written_with_a_point(tmp_path):
    """As pandas writes a column that once had a missing value."""
    rows = [tsv_hit(start=10.0, end=20.0, peak_id=0.0)]

    collapse_hits(write_tsv(tmp_path / "hits.tsv", rows), tmp_path / "out.tsv")

    assert flags(tmp_path / "out.tsv") == [True]


def test_a_line_far_into_a_file_is_named(tmp_path, monkeypatch):
    """Several blocks of the file are read by then."""
    n_rows = 20_000
    monkeypatch.setattr(hits_tsv, "BLOCK_BYTES", 1 << 18)
    path = write_tsv(tmp_path / "hits.tsv", [tsv_hit()])
    header, line = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(header + line * n_rows + b"chr1\tx\n" + line * 1000)

    with pytest.raises(InputError, match=f"line {n_rows + 2} has 2 columns, the header names 15"):
        collapse_hits(path, tmp_path / "out.tsv")
