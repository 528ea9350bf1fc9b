"""The rule of ``collapse.sql`` against a loop."""

from functools import cache

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.catalog.connection import load_query
from finemo_dist.hit_tables.collapse import overlap_ppm
from tests.hit_tables import hit_tables, primary_by_loop, tsv_hit


@cache
def database():
    """One for all examples, which replace its table: to make one takes as long as ten answers."""
    connection = duckdb.connect()
    connection.execute(load_query("collapse"))
    return connection


def primary_in_sql(rows, overlap, *, by_view=False):
    """Whether each row is primary: as tables are collapsed, or as the view ``hits_primary`` is."""
    table = pa.Table.from_pylist(
        [{**row, "sample": "s", "row": i} for i, row in enumerate(rows)]
        or [{**tsv_hit(), "sample": "s", "row": 0}]
    ).slice(0, len(rows))
    widest = max((row["end"] - row["start"] for row in rows), default=1)
    ppm = overlap_ppm(overlap)
    connection = database()
    connection.register("some_hits", table)
    if by_view:
        query = f"SELECT \"row\" FROM primary_of('some_hits', {ppm}, {widest})"
        found = rows_of(connection, query)
        return [i in found for i in range(len(rows))]
    query = f"SELECT \"row\" FROM beaten_in('some_hits', {ppm})"
    found = rows_of(connection, query)
    return [i not in found for i in range(len(rows))]


def rows_of(connection, query):
    """The rows that a query names, each once."""
    found = [row for (row,) in connection.execute(query).fetchall()]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.slow
@given(data=st.data(), overlap=st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]))
def test_the_query_and_a_loop_agree_in_any_order(data, overlap):
    rows = data.draw(st.permutations(data.draw(hit_tables())))

    assert primary_in_sql(rows, overlap) == primary_by_loop(rows, overlap)
    assert primary_in_sql(rows, overlap, by_view=True) == primary_by_loop(rows, overlap)


@pytest.mark.slow
@given(data=st.data())
def test_many_hits_of_one_stretch_are_all_compared(data):
    """Deep piles: every hit meets many that do not start next to it."""
    n_hits = data.draw(st.integers(2, 60))
    starts = data.draw(st.lists(st.integers(0, 8), min_size=n_hits, max_size=n_hits))
    rows = [
        tsv_hit(
            start=start,
            end=start + data.draw(st.integers(1, 12)),
            hit_similarity=data.draw(st.sampled_from([0.25, 0.5, 0.75, 1.0])),
            peak_id=i,
        )
        for i, start in enumerate(starts)
    ]

    assert primary_in_sql(rows, 0.2) == primary_by_loop(rows)


@pytest.mark.parametrize(
    "starts", [(125, 129), (129, 125), (120, 255), (-1, 2), (1_000_000, 1_000_004)]
)
def test_hits_of_neighbouring_bins_of_the_query_meet(starts):
    """The rival may begin in the bin before, the bin after, or bins away."""
    rows = [
        tsv_hit(start=start, end=start + 140, hit_similarity=similarity)
        for start, similarity in zip(starts, (0.5, 0.9), strict=True)
    ]

    assert primary_in_sql(rows, 0.0) == [False, True]
    assert primary_in_sql(rows, 0.0, by_view=True) == [False, True]


def test_an_overlap_that_is_a_millionth_short_is_none():
    """Of 9 and 10 bases, 6 shared are 0.63157894... of the mean."""
    rows = [tsv_hit(end=19), tsv_hit(start=13, end=23, hit_similarity=0.9)]

    assert primary_in_sql(rows, 0.631578) == [False, True]
    assert primary_in_sql(rows, 0.631579) == [True, True]


def test_hits_that_agree_in_all_that_is_said_of_them_leave_one():
    rows = [tsv_hit()] * 3

    assert primary_in_sql(rows, 0.2) == [True, False, False]
    assert primary_in_sql(rows, 0.2, by_view=True) == [True, False, False]


def test_the_longest_hits_do_not_overflow():
    longest = (1 << 31) - 1
    rows = [
        tsv_hit(start=start, end=start + longest, start_untrimmed=start, hit_similarity=value)
        for start, value in [(0, 0.5), (longest // 2, 0.9)]
    ]

    assert primary_in_sql(rows, 0.5) == [False, True]
    assert primary_in_sql(rows, 0.51) == [True, True]


@pytest.mark.parametrize("lengths", [(1 << 30, 10), (10, 1 << 30), (1 << 30, 300), (300, 5000)])
@pytest.mark.parametrize("is_first_better", [True, False])
def test_hits_of_very_different_lengths_meet(lengths, is_first_better):
    """Bins of the query have the size of a hit."""
    rows = [
        tsv_hit(start=start, end=start + length, start_untrimmed=start, hit_similarity=value)
        for start, length, value in zip((0, 7), lengths, (0.5, 0.9), strict=True)
    ]
    rows[0]["hit_similarity"] = 0.95 if is_first_better else 0.5

    assert primary_in_sql(rows, 0.0) == primary_by_loop(rows, 0.0)
    assert primary_in_sql(rows, 0.0) == [is_first_better, not is_first_better]


def test_a_share_is_counted_in_whole_millionths():
    assert overlap_ppm(0.3) == 300_000
    assert overlap_ppm(0.1 + 0.2) == 300_000
