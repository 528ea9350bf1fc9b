"""``intersect.sql`` against a loop, for files and for runs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finemo_dist.catalog import text
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.hit_file import open_hit_file
from finemo_dist.catalog.intersect import intersect_hits, run_inputs
from finemo_dist.catalog.staging import natural, pieces
from finemo_dist.core.errors import UsageError
from tests.hit_tables import (
    RELAXED_KEY,
    STRICT_KEY,
    hit_tables,
    intersect_by_loop,
    read_lines,
    tsv_hit,
    write_tsv,
)
from tests.unit.catalog.builder import hit, write_run

few = settings(max_examples=15)


def written(folder, tables):
    return [open_hit_file(write_tsv(folder / f"{i}.tsv", rows)) for i, rows in enumerate(tables)]


def wide(combination, key):
    """The line of a combination, as it is read back."""
    row = dict(combination[0])
    for number, other in enumerate(combination[1:], start=1):
        row |= {f"{name}_{number}": value for name, value in other.items() if name not in key}
    return {name: "NA" if value is None else str(value) for name, value in row.items()}


def as_sets(rows):
    return sorted(tuple(sorted(row.items())) for row in rows)


@few
@given(data=st.data(), is_relaxed=st.booleans())
def test_files_are_intersected_as_by_a_loop_in_any_order(data, is_relaxed, tmp_path_factory):
    has_coordinates = data.draw(st.booleans())
    table = hit_tables(max_rows=12, has_coordinates=has_coordinates)
    first = data.draw(table)
    tables = [first] + [
        data.draw(st.permutations(first)) + data.draw(table)
        for _ in range(data.draw(st.integers(1, 2)))
    ]
    key = RELAXED_KEY if is_relaxed else STRICT_KEY
    folder = tmp_path_factory.mktemp("intersect")
    shuffled = [data.draw(st.permutations(rows)) for rows in tables]
    (folder / "other").mkdir()

    threads = data.draw(st.integers(1, 3))
    n_lines = intersect_hits(written(folder, tables), folder / "out", is_relaxed=is_relaxed)
    intersect_hits(
        written(folder / "other", shuffled),
        folder / "shuffled",
        is_relaxed=is_relaxed,
        threads=threads,
    )

    expected = [wide(c, key) for c in intersect_by_loop(tables, key)]
    assert as_sets(read_lines(folder / "out")) == as_sets(expected)
    assert n_lines == len(expected)
    assert (folder / "out").read_bytes() == (folder / "shuffled").read_bytes()


def test_columns_are_suffixed_as_finemo_does(tmp_path):
    tables = written(tmp_path, [[tsv_hit()]] * 3)

    intersect_hits(tables, tmp_path / "strict")
    intersect_hits(tables, tmp_path / "relaxed", is_relaxed=True)

    scores = ["coefficient", "coefficient_global", "similarity", "correlation", "importance",
              "importance_sq"]  # fmt: skip
    assert list(read_lines(tmp_path / "strict")[0])[15:] == [
        f"hit_{name}_{i}" for i in (1, 2) for name in scores
    ]
    assert list(read_lines(tmp_path / "relaxed")[0])[15:25] == [
        "start_1", "end_1", *(f"hit_{name}_1" for name in scores), "peak_name_1", "peak_id_1",
    ]  # fmt: skip


def test_lines_are_sorted_by_chromosome_in_natural_order(tmp_path):
    rows = [tsv_hit(chr=f"chr{i}") for i in (10, 2, 1)]

    intersect_hits(written(tmp_path, [rows, rows]), tmp_path / "out")

    assert [row["chr"] for row in read_lines(tmp_path / "out")] == ["chr1", "chr2", "chr10"]
    assert sorted(["chrX", "chr10", "chr2", "2"], key=natural) == ["2", "chr2", "chr10", "chrX"]


@pytest.mark.parametrize("block_bytes", [3, 50, 200])
def test_a_line_is_whole_wherever_its_parts_are_cut(block_bytes, tmp_path, monkeypatch):
    rows = [tsv_hit(start=10 * i, end=10 * i + 5) for i in range(7)]
    tables = written(tmp_path, [rows] * 3)
    intersect_hits(tables, tmp_path / "whole")

    monkeypatch.setattr(text, "_LINES_BYTES", block_bytes)
    n_lines = intersect_hits(tables, tmp_path / "cut")

    assert (tmp_path / "cut").read_bytes() == (tmp_path / "whole").read_bytes()
    assert n_lines == len(read_lines(tmp_path / "cut")) == len(rows)


def test_a_hundred_inputs_are_one_table(tmp_path):
    rows = [tsv_hit(start=10 * i, end=10 * i + 5, peak_id=i) for i in range(20)]
    tables = [rows[: 20 - i % 5] for i in range(100)]

    n_lines = intersect_hits(written(tmp_path, tables), tmp_path / "out")

    found = read_lines(tmp_path / "out")
    assert n_lines == 16
    assert len(found[0]) == 15 + 99 * 6


def test_a_site_with_too_many_combinations_is_refused(tmp_path):
    copies = [tsv_hit(peak_id=i) for i in range(2)]

    with pytest.raises(UsageError, match=r"hits_unique\.tsv"):
        intersect_hits(written(tmp_path, [copies] * 14), tmp_path / "out", is_relaxed=True)
    assert not (tmp_path / "out").exists()


def test_a_site_that_one_input_has_twice_and_another_lacks_is_not_shared(tmp_path):
    tables = [[tsv_hit(peak_id=0), tsv_hit(peak_id=1)], [tsv_hit(motif_name="other")]]

    assert intersect_hits(written(tmp_path, tables), tmp_path / "out", is_relaxed=True) == 0


def test_one_input_is_refused(tmp_path):
    with pytest.raises(UsageError, match="two or more"):
        intersect_hits(written(tmp_path, [[tsv_hit()]]), tmp_path / "out")


def test_samples_of_a_run_and_files_are_inputs_alike(tmp_path):
    rows = [tsv_hit(), tsv_hit(start=40, end=46)]
    hits = [hit(**{k: v for k, v in row.items() if k != "hit_correlation"}) for row in rows]
    run = write_run(tmp_path / "run", {"a": [hits], "b": [hits[1:]]})
    (file,) = written(tmp_path, [rows])

    with open_catalog(run) as catalog:
        n_lines = intersect_hits([*run_inputs(catalog), file], tmp_path / "out")

    (row,) = read_lines(tmp_path / "out")
    assert n_lines == 1
    assert (row["start"], row["hit_coefficient_1"], row["hit_coefficient_2"]) == (
        ("40", "1.5", "1.5")
    )


def test_relaxed_reads_the_unique_hits_of_a_run(tmp_path):
    copies = [hit(peak_id=i) for i in range(2)]
    run = write_run(tmp_path / "run", {"a": [copies], "b": [copies]})

    with open_catalog(run) as catalog:
        assert intersect_hits(run_inputs(catalog), tmp_path / "out", is_relaxed=True) == 1
        assert intersect_hits(run_inputs(catalog), tmp_path / "out") == 2


def test_pieces_hold_everything_once_and_no_more_than_they_should():
    counts = [("chr2", 0, 1_500_000), (None, 3, 5), ("chr10", 0, 900_000), ("chr1", 0, 7),
              (None, 0, 2_000_000)]  # fmt: skip

    found = list(pieces(counts))

    assert [p.chromosomes for p in found] == [(), (), ("chr1", "chr2", "chr10")]
    assert [(p.first_peak, p.last_peak) for p in found[:2]] == [(0, 9_999), (30_000, 39_999)]
