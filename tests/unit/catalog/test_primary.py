"""The rule of ``collapse.sql``: in SQL, over arrays, and as a loop."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.catalog.connection import load_query
from finemo_dist.catalog.primary import RivalHits, beaten_hits, overlap_ppm
from tests.hit_tables import hit_tables, place_of, primary_by_loop, tsv_hit


def as_rivals(rows):
    """Rows of a table as arrays."""
    names = sorted({(row["motif_name"], row["strand"]) for row in rows})
    places = sorted({place_of(row) for row in rows}, key=str)
    column = {
        name: np.array([row[name] for row in rows], kind)
        for name, kind in {
            "start": np.int64,
            "end": np.int64,
            "start_untrimmed": np.int64,
            "peak_id": np.uint32,
            "hit_similarity": np.float32,
            "hit_coefficient": np.float32,
            "hit_coefficient_global": np.float32,
        }.items()
    }
    return RivalHits(
        place=np.array([places.index(place_of(row)) for row in rows], np.int64),
        name_rank=np.array(
            [names.index((row["motif_name"], row["strand"])) for row in rows], np.int32
        ),
        row=np.arange(len(rows)),
        **column,
    )


def primary_in_sql(rows, overlap):
    """Whether each row is primary, as the view ``hits_primary`` finds it."""
    table = pa.Table.from_pylist(
        [{**row, "sample": "s", "row": i} for i, row in enumerate(rows)]
        or [{**tsv_hit(), "sample": "s", "row": 0}]
    ).slice(0, len(rows))
    widest = max((row["end"] - row["start"] for row in rows), default=1)
    with duckdb.connect() as connection:
        connection.register("some_hits", table)
        connection.execute(load_query("collapse"))
        found = connection.execute(
            "SELECT \"row\" FROM primary_of('some_hits', $ppm, $widest)",
            {"ppm": overlap_ppm(overlap), "widest": widest},
        ).fetchall()
    kept = {row for (row,) in found}
    return [i in kept for i in range(len(rows))]


@given(data=st.data(), overlap=st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]))
def test_arrays_the_query_and_a_loop_agree_in_any_order(data, overlap):
    rows = data.draw(st.permutations(data.draw(hit_tables())))
    expected = primary_by_loop(rows, overlap)

    assert (~beaten_hits(as_rivals(rows), overlap)).tolist() == expected
    assert primary_in_sql(rows, overlap) == expected


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

    assert (~beaten_hits(as_rivals(rows), 0.2)).tolist() == primary_by_loop(rows)


@pytest.mark.parametrize("starts", [(125, 129), (129, 125), (120, 255), (-1, 2)])
def test_hits_of_neighbouring_bins_of_the_query_meet(starts):
    """The rival may begin in the bin before, the bin after, or bins away."""
    rows = [
        tsv_hit(start=start, end=start + 140, hit_similarity=similarity)
        for start, similarity in zip(starts, (0.5, 0.9), strict=True)
    ]

    assert primary_in_sql(rows, 0.0) == [False, True]


def test_hits_that_agree_in_all_that_is_said_of_them_leave_one():
    rows = [tsv_hit()] * 3

    assert beaten_hits(as_rivals(rows), 0.2).tolist() == [False, True, True]
    assert primary_in_sql(rows, 0.2) == [True, False, False]


def test_the_longest_hits_do_not_overflow():
    longest = (1 << 31) - 1
    rows = [
        tsv_hit(start=start, end=start + longest, start_untrimmed=start, hit_similarity=value)
        for start, value in [(0, 0.5), (longest // 2, 0.9)]
    ]

    assert beaten_hits(as_rivals(rows), 0.5).tolist() == [True, False]
    assert beaten_hits(as_rivals(rows), 0.51).tolist() == [False, False]


def test_a_share_is_counted_in_whole_millionths():
    assert overlap_ppm(0.3) == 300_000
    assert overlap_ppm(0.1 + 0.2) == 300_000
