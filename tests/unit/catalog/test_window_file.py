"""Hits that may overlap come together, however they were added."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.catalog import window_file
from finemo_dist.catalog.hit_records import COLLAPSE_RECORD
from finemo_dist.catalog.window_file import (
    WindowFile,
    touched_windows,
    window_numbers,
    window_place,
)
from finemo_dist.core.errors import FinemoDistError


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    monkeypatch.setattr(window_file, "BASES_SHIFT", 4)
    monkeypatch.setattr(window_file, "PEAKS_SHIFT", 2)
    monkeypatch.setattr(window_file, "_PIECE_RECORDS", 3)


hits = st.lists(
    st.tuples(st.integers(-1, 2), st.integers(-40, 100), st.integers(1, 50), st.integers(0, 20)),
    max_size=25,
)


def records_of(rows):
    records = np.zeros(len(rows), COLLAPSE_RECORD)
    for i, (chrom, start, length, peak) in enumerate(rows):
        record = records[i]
        record["row"], record["chr_code"], record["peak_id"] = i, chrom, peak
        record["start"], record["end"] = start, start + length
    return records


def read(records, n_batches, path):
    windows = WindowFile(path, COLLAPSE_RECORD)
    for batch in np.array_split(records, n_batches):
        windows.add(*touched_windows(batch))
    return list(windows.pieces())


@given(rows=hits, n_batches=st.integers(1, 4))
def test_hits_that_share_a_base_share_a_window(rows, n_batches, tmp_path_factory):
    records = records_of(rows)
    pieces = read(records, n_batches, tmp_path_factory.mktemp("w") / "windows")

    together = set()
    for found, window in pieces:
        for i, j in itertools.combinations(range(len(found)), 2):
            if window[i] == window[j]:
                together.add(frozenset((int(found["row"][i]), int(found["row"][j]))))
    for a, b in itertools.combinations(records, 2):
        shares = a["start"] < b["end"] and b["start"] < a["end"]
        same = a["chr_code"] == b["chr_code"]
        if same and (shares if a["chr_code"] >= 0 else a["peak_id"] == b["peak_id"]):
            assert frozenset((int(a["row"]), int(b["row"]))) in together


@given(rows=hits, n_batches=st.integers(1, 4))
def test_every_hit_comes_back_as_it_was_and_no_window_twice(rows, n_batches, tmp_path_factory):
    records = records_of(rows)
    pieces = read(records, n_batches, tmp_path_factory.mktemp("w") / "windows")

    for found, window in pieces:
        np.testing.assert_array_equal(found, records[found["row"]])
        assert np.all(np.diff(window) >= 0)
    seen = [set(window.tolist()) for _, window in pieces]
    assert sum(map(len, seen)) == len(set().union(*seen))
    rows_seen = {row for found, _ in pieces for row in found["row"].tolist()}
    assert rows_seen == set(range(len(rows)))


def test_pieces_hold_little_more_than_they_should(tmp_path):
    records = records_of([(0, 16 * i, 4, 0) for i in range(10)])

    pieces = read(records, 1, tmp_path / "windows")

    assert [len(found) for found, _ in pieces] == [3, 3, 3, 1]


@given(code=st.integers(-1, 3), place=st.integers(-100, 100), peak=st.integers(0, 30))
def test_a_window_is_told_by_its_number(code, place, peak):
    (number,) = window_numbers(np.int32([code]), np.int64([place]), np.uint32([peak]))

    assert window_place(int(number)) == (code, peak // 4 if code < 0 else place // 16)


def test_some_windows_are_read_as_they_were_added(tmp_path):
    records = records_of([(0, 16 * i, 4, 0) for i in (2, 0, 1, 0, 2)])
    windows = WindowFile(tmp_path / "windows", COLLAPSE_RECORD)
    windows.add(*touched_windows(records))
    windows.add(*touched_windows(records))
    first, _, third = sorted(windows.counts)

    assert windows.counts[first] == 4
    assert windows.read([third, first])["row"].tolist() == [0, 4, 0, 4, 1, 3, 1, 3]
    assert len(windows.read([-1])) == 0


def test_a_full_disk_is_said_with_its_cure():
    windows = WindowFile(Path("/dev/full"), COLLAPSE_RECORD)

    with pytest.raises(FinemoDistError, match="Give TMPDIR a directory with more room"):
        windows.add(*touched_windows(records_of([(0, 1, 2, 3)])))
