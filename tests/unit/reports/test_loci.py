"""Which places are meant, and where their regions lie in a store."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from finemo_dist.core.errors import UsageError
from finemo_dist.reports import gather, loci, trust
from finemo_dist.store.memory import MemoryRegions
from tests.unit.store.memory_source import make_source

CATALOG = SimpleNamespace(run_dir="run")


def place_of(text, *rows):
    """``rows``: name of the peak, its number, and where its region lies."""
    found = loci._place(CATALOG, text, rows)
    return found.chrom, found.start, found.end, found.peak_id


@pytest.mark.parametrize(
    ("text", "rows", "place"),
    [
        ("chr1:5-9", [], ("chr1", 5, 9, -1)),
        ("p", [("p", 3, "chr1", 0, 50)], ("chr1", 0, 50, 3)),
        # The same peak in two samples.
        ("p", [("p", 3, "chr1", 0, 50), ("p", 3, "chr1", 0, 50)], ("chr1", 0, 50, 3)),
        # Without coordinates there are no places to choose from.
        ("p", [("p", 3, None, 0, 50), ("p", 4, None, 0, 60)], (None, 0, 50, 3)),
        # A name goes before a number.
        ("7", [("x", 7, "chr1", 0, 50), ("7", 8, "chr2", 9, 59)], ("chr2", 9, 59, 8)),
        ("7", [("x", 7, "chr1", 0, 50)], ("chr1", 0, 50, 7)),
    ],
)
def test_a_text_means_a_place_or_a_peak(text, rows, place):
    assert place_of(text, *rows) == place


@pytest.mark.parametrize(
    ("text", "n", "message"),
    [
        ("p", 2, "'p': 2 regions have this name. Give one of the places: chr1:0-50, chr1:100-150."),
        (
            "p", 4,
            "'p': 4 regions have this name. Give one of the places: chr1:0-50, chr1:100-150, "
            "chr1:200-250, ...",
        ),
        ("q", 0, "'q': run has no peak of this name. Expected chrom:start-end"),
        ("chr1:0-9,000,000", 0, "has 9,000,000 bases; a figure shows at most"),
    ],
)  # fmt: skip
def test_a_text_that_means_no_place_or_several_is_refused(text, n, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        place_of(text, *((text, i, "chr1", 100 * i, 100 * i + 50) for i in range(n)))


@pytest.mark.parametrize(
    ("chrom", "name", "is_unique", "shown"),
    [
        (None, "p", True, "region 7"),
        ("chr1", None, True, "chr1:5-9"),
        ("chr1", "", True, "chr1:5-9"),
        ("chr1", ".", True, "chr1:5-9"),
        ("chr1", "p", True, "p"),
        ("chr1", "p", False, "p chr1:5-9"),
    ],
)
def test_regions_of_a_report_have_names_that_tell_them_apart(chrom, name, is_unique, shown):
    assert loci._name_of(chrom, 5, 9, name, 7, is_unique=is_unique) == shown


@pytest.fixture
def store(monkeypatch):
    """Ten regions, which are read in blocks of three."""
    for module in (gather, trust):
        monkeypatch.setattr(module, "_BLOCK_REGIONS", 3)
    return MemoryRegions(make_source(10))


def test_a_region_is_found_by_its_peak_in_whatever_block_it_lies(store):
    peaks = store.table(0, 10).peak_id.tolist()

    assert [gather._row_of(store, peak) for peak in peaks] == list(range(10))
    with pytest.raises(AssertionError, match="region 99 of the catalog is not in its store"):
        gather._row_of(store, 99)


def test_sites_are_read_with_the_rows_they_lie_in_and_other_rows_are_not_read(store):
    peaks = store.table(0, 10).peak_id.astype(np.int64)
    wanted = np.array([9, 0, 1, 1, 8])

    blocks = list(trust.site_blocks(store, peaks[wanted]))

    assert [rows for rows, _, _ in blocks] == [range(3), range(6, 9), range(9, 10)]
    found = {
        int(site): int(rows.start + row)
        for rows, sites, own in blocks
        for site, row in zip(sites, own, strict=True)
    }
    assert found == dict(enumerate(wanted.tolist()))
