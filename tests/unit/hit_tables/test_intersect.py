"""``intersect-hits`` against a loop, for files and for runs."""

import gzip
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finemo_dist.catalog.chunks import chromosome_runs
from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.core.words import natural
from finemo_dist.hit_tables.intersect import intersect_hits
from finemo_dist.hits import hits_tsv
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
from tests.unit.catalog.one_catalog import OneCatalog

few = settings(max_examples=15)
columns = ", ".join(f'"{name}"' for name in FINEMO_HIT_COLUMNS)


def written(folder, tables):
    return [write_tsv(folder / f"{i}.tsv", rows) for i, rows in enumerate(tables)]


def wide(combination, key):
    """The line of a combination, as it is read back."""
    row = dict(combination[0])
    for number, other in enumerate(combination[1:], start=1):
        row |= {f"{name}_{number}": value for name, value in other.items() if name not in key}
    return {name: "NA" if value is None else str(value) for name, value in row.items()}


def as_sets(rows):
    return sorted(tuple(sorted(row.items())) for row in rows)


@pytest.mark.slow
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
    summary = intersect_hits(written(folder, tables), folder / "out", relaxed=is_relaxed)
    intersect_hits(
        written(folder / "other", shuffled),
        folder / "shuffled",
        relaxed=is_relaxed,
        threads=threads,
    )

    expected = [wide(c, key) for c in intersect_by_loop(tables, key)]
    assert as_sets(read_lines(folder / "out")) == as_sets(expected)
    assert summary.n_lines == len(expected)
    assert (folder / "out").read_bytes() == (folder / "shuffled").read_bytes()


def test_columns_are_suffixed_as_finemo_does(tmp_path):
    tables = written(tmp_path, [[tsv_hit()]] * 3)

    intersect_hits(tables, tmp_path / "strict")
    intersect_hits(tables, tmp_path / "relaxed", relaxed=True)

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


@pytest.mark.parametrize("is_relaxed", [False, True])
def test_how_much_is_read_and_written_at_once_changes_nothing(is_relaxed, tmp_path, monkeypatch):
    rows = [
        tsv_hit(chr=f"chr{i % 3}", start=s, end=s + 5, start_untrimmed=s - 2, end_untrimmed=s + 7)
        for i, s in enumerate(range(0, 1 << 27, 1 << 22))
    ]
    tables = written(tmp_path, [rows, rows[::-1], rows[::2] + rows[1::2]])
    intersect_hits(tables, tmp_path / "whole", relaxed=is_relaxed)

    monkeypatch.setitem(chromosome_runs.__kwdefaults__, "chunk_hits", 7)
    monkeypatch.setattr(hits_tsv, "BLOCK_BYTES", 50)
    n_lines = intersect_hits(tables, tmp_path / "cut", relaxed=is_relaxed).n_lines

    assert (tmp_path / "cut").read_bytes() == (tmp_path / "whole").read_bytes()
    assert n_lines == len(rows)


@pytest.mark.parametrize("is_relaxed", [False, True])
def test_cells_stand_as_they_do_in_files_whatever_these_are_like(is_relaxed, tmp_path):
    rows = [tsv_hit(start=10 * i, end=10 * i + 5, hit_coefficient="1.250") for i in range(5)]
    rows[2] |= {"peak_name": None}
    plain = write_tsv(tmp_path / "plain.tsv", rows)
    others = [{"more": "x", **dict(reversed(row.items()))} for row in rows]
    mixed = write_tsv(tmp_path / "mixed.tsv", others, tuple(others[0]))
    mixed.write_bytes(mixed.read_bytes().replace(b"\n", b"\r\n"))
    gzipped = write_tsv(tmp_path / "packed.tsv.gz", rows)

    intersect_hits([plain] * 3, tmp_path / "plain", relaxed=is_relaxed)
    for first in (plain, mixed, gzipped):
        tables = [first, mixed, gzipped]
        intersect_hits(tables, tmp_path / "other", relaxed=is_relaxed)

        assert (tmp_path / "other").read_bytes() == (tmp_path / "plain").read_bytes()
    assert {row["hit_coefficient_2"] for row in read_lines(tmp_path / "plain")} == {"1.250"}


def test_a_gzipped_file_whose_last_line_has_no_end_is_read_whole(tmp_path):
    rows = [tsv_hit(start=10 * i, end=10 * i + 5) for i in range(3)]
    plain, packed = (write_tsv(tmp_path / name, rows) for name in ("a.tsv", "b.tsv.gz"))
    packed.write_bytes(gzip.compress(plain.read_bytes().removesuffix(b"\n")))

    assert intersect_hits([plain, packed], tmp_path / "out").n_lines == 3


@pytest.mark.parametrize("lines", ["", "\n", "\n\n"])
def test_a_line_that_is_none_is_refused_by_its_number(lines, tmp_path):
    rows = [tsv_hit(start=10 * i, end=10 * i + 5) for i in range(3)]
    good, bad = (write_tsv(tmp_path / f"{i}.tsv", rows) for i in range(2))
    header, *others = bad.read_text().splitlines(keepends=True)
    bad.write_text("".join([header, others[0], lines, *others[1:]]))

    if not lines:
        assert intersect_hits([good, bad], tmp_path / "out").n_lines == 3
        return
    with pytest.raises(InputError, match=r"1\.tsv: line 3 has 1 columns"):
        intersect_hits([good, bad], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_hundred_inputs_are_one_table(tmp_path):
    rows = [tsv_hit(start=10 * i, end=10 * i + 5, peak_id=i) for i in range(20)]
    tables = [rows[: 20 - i % 5] for i in range(100)]

    n_lines = intersect_hits(written(tmp_path, tables), tmp_path / "out").n_lines

    found = read_lines(tmp_path / "out")
    assert n_lines == 16
    assert len(found[0]) == 15 + 99 * 6


OF_A_SITE = {"start_untrimmed": 4, "end_untrimmed": 26, "motif_name": "other", "strand": "-"}
BESIDES = {"start": 11, "end": 19, "peak_name": "another", "peak_id": 1}


def test_every_column_of_a_site_has_to_agree(tmp_path):
    """Each row of one file differs in one column from its like in the other."""
    changes = {**OF_A_SITE, **BESIDES}
    alike = [tsv_hit(chr=f"chr{name}") for name in changes]
    other = [row | {name: value} for row, (name, value) in zip(alike, changes.items(), strict=True)]
    tables = written(tmp_path, [alike, other])

    assert intersect_hits(tables, tmp_path / "strict").n_lines == 0
    intersect_hits(tables, tmp_path / "relaxed", relaxed=True)

    found = {row["chr"] for row in read_lines(tmp_path / "relaxed")}
    assert found == {f"chr{name}" for name in BESIDES}


def test_a_site_with_too_many_combinations_is_refused(tmp_path):
    copies = [tsv_hit(peak_id=i) for i in range(2)]
    # Another site has few.
    copies += [tsv_hit(peak_id=i, motif_name="other") for i in range(2)]

    tables = [copies, *[copies[:3]] * 13]
    with pytest.raises(UsageError, match=r"hits_unique\.tsv"):
        intersect_hits(written(tmp_path, tables), tmp_path / "out", relaxed=True)
    assert not (tmp_path / "out").exists()


def test_a_site_that_one_input_has_twice_and_another_lacks_is_not_shared(tmp_path):
    tables = [[tsv_hit(peak_id=0), tsv_hit(peak_id=1)], [tsv_hit(motif_name="other")]]

    summary = intersect_hits(written(tmp_path, tables), tmp_path / "out", relaxed=True)
    assert summary.n_lines == 0


def test_hits_of_one_site_come_by_peak_and_scores_whatever_their_order(tmp_path):
    copies = [tsv_hit(peak_id=p, hit_coefficient=c) for p in (0, 1) for c in (1.5, 2.5)]
    other = [tsv_hit(peak_id=7)]

    intersect_hits(written(tmp_path, [copies, other]), tmp_path / "out", relaxed=True)
    intersect_hits(written(tmp_path, [copies[::-1], other]), tmp_path / "turned", relaxed=True)

    assert (tmp_path / "turned").read_bytes() == (tmp_path / "out").read_bytes()
    found = [(row["peak_id"], row["hit_coefficient"]) for row in read_lines(tmp_path / "out")]
    assert found == [("0", "1.5"), ("0", "2.5"), ("1", "1.5"), ("1", "2.5")]


def test_one_input_is_refused(tmp_path):
    with pytest.raises(UsageError, match="two or more"):
        intersect_hits(written(tmp_path, [[tsv_hit()]]), tmp_path / "out")


def test_samples_of_a_run_and_files_are_inputs_alike(tmp_path):
    rows = [tsv_hit(), tsv_hit(start=40, end=46, peak_name="another")]
    hits = [as_called(row) for row in rows]
    run = write_run(tmp_path / "run", {"a": [hits], "b": [hits[1:]]})
    (file,) = written(tmp_path, [rows])

    n_lines = intersect_hits([run, file], tmp_path / "out").n_lines

    (row,) = read_lines(tmp_path / "out")
    assert n_lines == 1
    assert (row["start"], row["peak_name"]) == ("40", "another")
    assert (row["hit_coefficient_1"], row["hit_coefficient_2"]) == ("1.5", "1.5")


def test_relaxed_reads_the_unique_hits_of_a_run(tmp_path):
    copies = [hit(peak_id=i) for i in range(2)]
    run = write_run(tmp_path / "run", {"a": [copies], "b": [copies]})

    assert intersect_hits([run], tmp_path / "out", relaxed=True).n_lines == 1
    assert intersect_hits([run], tmp_path / "out").n_lines == 2


@pytest.fixture(scope="module")
def one_catalog(tmp_path_factory):
    with OneCatalog(tmp_path_factory.mktemp("runs") / "run") as shown:
        yield shown


@pytest.mark.slow
@few
@given(data=st.data(), is_relaxed=st.booleans())
def test_samples_of_a_run_are_intersected_as_by_a_loop(
    data, is_relaxed, one_catalog, tmp_path_factory
):
    has_coordinates = data.draw(st.booleans())
    table = hit_tables(max_rows=12, has_coordinates=has_coordinates)
    first = data.draw(table)
    # The same sites, some of them in another region.
    moved = [row | {"peak_id": data.draw(st.sampled_from([row["peak_id"], 9]))} for row in first]
    tables = {"a": first, "b": moved + data.draw(table)}
    out = tmp_path_factory.mktemp("run") / "out"
    samples = {name: [[as_called(row) for row in rows]] for name, rows in tables.items()}
    catalog = one_catalog.show(partial(write_run, shards=samples, has_coordinates=has_coordinates))

    intersect_hits([one_catalog.run], out, relaxed=is_relaxed)

    # Relaxed, a run gives its unique hits.
    view = "hits_unique" if is_relaxed and has_coordinates else "hits"
    given = [
        [
            dict(zip(FINEMO_HIT_COLUMNS, row, strict=True))
            for row in catalog.rows(f"SELECT {columns} FROM {view} WHERE sample = '{name}'")
        ]
        for name in "ab"
    ]
    key = RELAXED_KEY if is_relaxed else STRICT_KEY
    expected = [wide(c, key) for c in intersect_by_loop(given, key)]
    assert as_sets(read_lines(out)) == as_sets(expected)


def test_a_site_that_some_table_lacks_may_be_repeated_in_others(tmp_path):
    """What would be too many lines is none where a table has no hit."""
    copies = [tsv_hit(peak_id=i) for i in range(2)]
    tables = [copies] * 14 + [[tsv_hit(motif_name="other")]]

    assert intersect_hits(written(tmp_path, tables), tmp_path / "out", relaxed=True).n_lines == 0


def test_numbers_within_names_sort_as_numbers():
    assert sorted(["chrX", "chr10", "chr2", "2"], key=natural) == ["2", "chr2", "chr10", "chrX"]


def as_called(row):
    """A row as a run has it."""
    called = {name: value for name, value in row.items() if name != "hit_correlation"}
    chrom = -1 if row["chr"] is None else int(row["chr"].removeprefix("chr"))
    return hit(
        **called, chr_id=chrom, motif_id=ord(row["motif_name"][0]) * 2 + "+-".index(row["strand"])
    )
