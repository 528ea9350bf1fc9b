"""Peaks for regions that exist: by their number, their places and the bases where they overlap."""

import numpy as np
import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.core.records import UNKNOWN_BASE, RegionTable
from finemo_dist.sources.placing import check_overlaps, place_regions

WIDTH = 100
STARTS = [40, 900, 300, 330, 700]
CHROMS = ["chrB", "chrA", "chrB", "chrB", "chrA"]


@pytest.fixture
def peaks(tmp_path):
    def write(rows=range(5), shift=0, name="peaks.bed"):
        path = tmp_path / name
        path.write_text(
            "".join(
                f"{CHROMS[i]}\t{STARTS[i] + shift}\t{STARTS[i] + shift + WIDTH}\tp{i}\n"
                for i in rows
            )
        )
        return path

    return write


def known(rows=range(5), chroms=("chrB", "chrA")):
    rows = list(rows)
    return RegionTable(
        chroms,
        np.array([chroms.index(CHROMS[i]) for i in rows], np.int32),
        np.array([STARTS[i] for i in rows]),
        np.array(rows, np.uint32),
        np.array([f"own {i}" for i in rows], object),
    )


def place(table, path, **more):
    return place_regions(table, "regions.npz", region_width=WIDTH, peaks=path, **more)


def test_regions_without_coordinates_take_those_of_the_peaks(peaks):
    table = place(RegionTable.without_coordinates(5), peaks()).table

    assert table.chrom_names == ("chrB", "chrA")
    assert table.start.tolist() == STARTS
    assert table.peak_id.tolist() == [0, 1, 2, 3, 4]
    assert table.peak_name.tolist() == ["p0", "p1", "p2", "p3", "p4"]


@pytest.mark.parametrize("table", [RegionTable.without_coordinates(5), known()])
def test_another_number_of_peaks_is_refused(peaks, table):
    with pytest.raises(InputError, match=r"holds 4 peaks, but regions.npz has 5 regions"):
        place(table, peaks(range(4)))


def test_regions_with_coordinates_keep_them_and_their_names(peaks):
    table = known([3, 1, 0, 4, 2])

    assert place(table, peaks()).table is table


@pytest.mark.parametrize(
    ("rows", "shift", "said"),
    [
        (range(5), 1, r"'p0' \(row 0\) puts a region at chrB:41, and regions.npz has it at "
         r"chrB:40; 5 regions differ"),
        ([0, 1, 3, 2, 4], 0, r"'p3' \(row 2\) puts a region at chrB:330.* chrB:300; 2 regions"),
    ],
)  # fmt: skip
def test_other_places_are_refused(peaks, rows, shift, said):
    with pytest.raises(InputError, match=said):
        place(known(), peaks(rows, shift))


def test_another_chromosome_at_the_same_place_is_refused(peaks, tmp_path):
    path = peaks()
    path.write_text(path.read_text().replace("chrA", "chrC"))

    with pytest.raises(InputError, match="2 regions differ"):
        place(known(), path)


def test_peak_numbers_beyond_the_peaks_are_refused(peaks):
    table = known()
    table.peak_id[4] = 5

    with pytest.raises(InputError, match="has peak_id 5 among 5 regions"):
        place(table, peaks())


def test_chromosomes_rank_anew(peaks, tmp_path):
    order = tmp_path / "order.txt"
    order.write_text("chrZ\nchrA\n")

    for table in (known(), RegionTable.without_coordinates(5)):
        placed = place(table, peaks(), chrom_order=order).table
        assert placed.chrom_names == ("chrZ", "chrA", "chrB")
        assert placed.chrom_id.tolist() == [2, 1, 2, 2, 1]
        assert placed.start.tolist() == STARTS


class Genome:
    """Regions whose bases are those of one genome where they lie."""

    def __init__(self, table):
        rng = np.random.default_rng(0)
        genome = {c: rng.integers(0, 4, 2_000).astype(np.uint8) for c in table.chrom_names}
        self.codes = np.stack(
            [
                genome[table.chrom_names[c]][s : s + WIDTH]
                for c, s in zip(table.chrom_id, table.start, strict=True)
            ]
        )

    def sequences(self, start, stop):
        return self.codes[start:stop]


def test_overlaps_with_equal_bases_pass():
    table = known()

    check_overlaps(Genome(table), table, WIDTH, "peaks")


@pytest.mark.parametrize("n_alleles", [0, 7])
def test_alleles_and_unknown_bases_pass(n_alleles):
    table = known()
    regions = Genome(table)
    regions.codes[3, :n_alleles] = (regions.codes[3, :n_alleles] + 1) % 4
    regions.codes[2, 60:] = UNKNOWN_BASE

    check_overlaps(regions, table, WIDTH, "peaks")


def test_overlaps_with_other_bases_are_refused():
    table = known()
    regions = Genome(table)
    regions.codes[[3, 4]] = regions.codes[[4, 3]]

    with pytest.raises(InputError, match=r"'own 2' and 'own 3' \(rows 2 and 3\) overlap.*of 70 sh"):
        check_overlaps(regions, table, WIDTH, "peaks")


def test_without_overlaps_there_is_nothing_to_compare():
    table = known([0, 1, 2, 4])
    regions = Genome(table)
    regions.codes[:] = regions.codes[::-1].copy()

    check_overlaps(regions, table, WIDTH, "peaks")


def test_of_many_overlaps_some_are_compared():
    n = 2_000
    table = RegionTable(
        ("c",), np.zeros(n, np.int32), np.arange(n), np.arange(n, dtype=np.uint32),
        np.array(["p"] * n, object),
    )  # fmt: skip

    genome = np.random.default_rng(1).integers(0, 4, n + WIDTH).astype(np.uint8)
    rows = set()

    class Counting:
        def sequences(self, start, stop):
            rows.add(start)
            return genome[None, start : start + WIDTH]

    check_overlaps(Counting(), table, WIDTH, "peaks")
    assert 128 <= len(rows) <= 256
    assert {0, n - 1} <= rows
