"""``call-hits -p``: coordinates for regions that were extracted without them."""

import json
import shutil

import pytest

from finemo_dist.store.read import open_store
from tests.command import finemo_dist, read_tsv

TABLES = ("hits.tsv", "hits_unique.tsv", "hits.bed", "peaks_qc.tsv", "motif_data.tsv")


@pytest.fixture(scope="module")
def sample(demo):
    return demo.samples[0]


@pytest.fixture(scope="module")
def extract(demo, sample):
    def extract(out, *more):
        arrays = ("-s", sample.sequences_npz, "-a", sample.attributions_npz)
        width = ("-w", demo.region_width)
        finemo_dist("extract-regions-modisco-fmt", *arrays, *width, "-o", out, *more)
        return out

    return extract


@pytest.fixture(scope="module")
def placed(extract, sample, tmp_path_factory):
    """Regions that were extracted with their peaks."""
    return extract(tmp_path_factory.mktemp("placed") / "s.zarr", "-p", sample.peaks)


@pytest.fixture(scope="module")
def bare(extract, tmp_path_factory):
    """The same regions without coordinates, as a store and as finemo's file."""
    folder = tmp_path_factory.mktemp("bare")
    return {name: extract(folder / name) for name in ("s.zarr", "s.npz")}


@pytest.fixture(scope="module")
def call(demo):
    return lambda regions, out, *more: (
        "call-hits", "-r", regions, "-m", demo.modisco_h5, "-o", out, "--executor", "serial", *more
    )  # fmt: skip


@pytest.fixture(scope="module")
def expected(placed, call, tmp_path_factory):
    """The run of the regions that have coordinates."""
    run = tmp_path_factory.mktemp("expected") / "run"
    finemo_dist(*call(placed, run))
    return run


@pytest.fixture(scope="module")
def expected_report(expected, tmp_path_factory):
    """The report of the run of the regions that have coordinates."""
    folder = tmp_path_factory.mktemp("report") / "expected"
    finemo_dist("report", "-H", expected, "-o", folder)
    return folder


@pytest.fixture(scope="module", params=["s.zarr", "s.npz"])
def called_with_peaks(request, bare, call, sample, tmp_path_factory):
    """Regions without coordinates, and their run with peaks."""
    run = tmp_path_factory.mktemp("called") / "run"
    finemo_dist(*call(bare[request.param], run, "-p", sample.peaks))
    return bare[request.param], run


@pytest.fixture(scope="module")
def reversed_chroms(sample):
    """The chromosomes of the peaks, in an order that is not theirs."""
    lines = sample.peaks.read_text().splitlines()
    chroms = list(dict.fromkeys(line.split("\t")[0] for line in lines))
    assert len(chroms) > 1
    return chroms[::-1]


@pytest.fixture(scope="module")
def in_another_order(reversed_chroms, extract, call, sample, tmp_path_factory):
    """The words of an order of chromosomes, and the run of regions extracted in it."""
    folder = tmp_path_factory.mktemp("order")
    order = folder / "order.txt"
    order.write_text("".join(f"{chrom}\n" for chrom in reversed_chroms))
    given = ("-p", sample.peaks, "-C", order)
    finemo_dist(*call(extract(folder / "x.zarr", *given), folder / "expected"))
    return given, folder / "expected"


def contents(run):
    return {name: (run / name).read_text() for name in TABLES}


def test_hits_are_those_of_regions_extracted_with_the_peaks(called_with_peaks, expected, command):
    _, run = called_with_peaks

    assert contents(run) == contents(expected)
    assert read_tsv(run / "hits.tsv")[0]["chr"] != "NA"
    verified = command("verify", run)
    assert verified.status == 0
    assert "no problems found" in verified.err


def test_the_store_is_left_as_it_is(bare, call, sample, tmp_path):
    store = shutil.copytree(bare["s.zarr"], tmp_path / "s.zarr")
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}

    finemo_dist(*call(store, tmp_path / "run", "-p", sample.peaks))

    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before
    own = open_store(tmp_path / "run/regions/s.zarr")
    assert own.digest != open_store(store).digest
    assert own.meta.base.digest == open_store(store).digest
    # Coordinates alone: no copy of the contributions.
    assert not (tmp_path / "run/regions/s.zarr/contributions").exists()


@pytest.mark.parametrize("called_with_peaks", ["s.zarr"], indirect=True)
def test_the_counts_are_those_of_regions_extracted_with_the_peaks(called_with_peaks, expected):
    _, called = called_with_peaks
    reports = [
        json.loads((run / "run.json").read_text())["input_reports"] for run in (called, expected)
    ]

    assert reports[0] == reports[1]


def test_the_same_command_resumes(called_with_peaks, call, sample, expected, tmp_path, command):
    regions, called = called_with_peaks
    run = shutil.copytree(called, tmp_path / "run")
    words = call(regions, run, "-p", sample.peaks)
    part = next((run / "hits").rglob("*.parquet"))
    before = (run / "regions").rglob("*")
    times = {path: path.stat().st_mtime_ns for path in before if path.is_file()}
    part.unlink()
    (run / "hits.tsv").unlink()

    answer = command(*words)

    assert answer.status == 0, answer.err
    assert contents(run) == contents(expected)
    after = (run / "regions").rglob("*")
    assert {path: path.stat().st_mtime_ns for path in after if path.is_file()} == times


def test_other_peaks_are_another_run(called_with_peaks, call, sample, tmp_path, refused):
    regions, run = called_with_peaks
    other = tmp_path / "other.narrowPeak"
    lines = [line.split("\t") for line in sample.peaks.read_text().splitlines()]
    rows = [[row[0], int(row[1]) + 5, int(row[2]) + 5, *row[3:]] for row in lines]
    other.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    before = contents(run)

    assert "holds another run" in refused(*call(regions, run, "-p", other))
    assert "holds another run" in refused(*call(regions, run))
    assert contents(run) == before


@pytest.mark.parametrize("name", ["s.zarr", "s.npz"])
def test_what_contradicts_the_regions_is_refused_and_leaves_nothing(
    bare, name, extract, call, sample, tmp_path, refused
):
    lines = sample.peaks.read_text().splitlines(keepends=True)
    few, moved = tmp_path / "few.bed", tmp_path / "moved.bed"
    few.write_text("".join(lines[1:]))
    moved.write_text("".join([*lines[1:], lines[0]]))
    has_places = extract(tmp_path / f"has_{name}", "-p", sample.peaks)

    n = len(lines)
    said = refused(*call(bare[name], tmp_path / "run", "-p", few))
    assert f"few.bed: holds {n - 1} peaks, but {bare[name]} has {n} regions" in said
    said = refused(*call(has_places, tmp_path / "run", "-p", moved))
    assert "moved.bed: peak" in said
    assert f"and {has_places} has it at" in said
    assert not (tmp_path / "run").exists()


def test_peaks_that_agree_change_nothing(placed, call, sample, expected, tmp_path):
    finemo_dist(*call(placed, tmp_path / "run", "-p", sample.peaks))

    assert contents(tmp_path / "run") == contents(expected)
    assert not (tmp_path / "run/regions").exists()


@pytest.mark.parametrize("name", ["s.zarr", "s.npz", "placed"])
def test_chromosomes_are_in_the_order_that_is_given(
    bare, name, placed, call, reversed_chroms, in_another_order, tmp_path
):
    given, ordered = in_another_order

    regions = placed if name == "placed" else bare[name]
    finemo_dist(*call(regions, tmp_path / "run", *given))

    assert contents(tmp_path / "run") == contents(ordered)
    found = dict.fromkeys(row["chr"] for row in read_tsv(tmp_path / "run/hits.tsv"))
    assert list(found) == [chrom for chrom in reversed_chroms if chrom in found]


def test_an_order_of_chromosomes_without_peaks_is_said_to_be_of_no_use(
    placed, call, expected, tmp_path, command
):
    order = tmp_path / "order.txt"
    order.write_text("x\n")

    answer = command(*call(placed, tmp_path / "run", "-C", order))

    assert "because an order of chromosomes needs peaks" in answer.err
    assert contents(tmp_path / "run") == contents(expected)


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("-p",)])
def test_the_run_is_reported_from_the_regions_without_coordinates(
    called_with_peaks, more, sample, expected_report, tmp_path, command
):
    regions, run = called_with_peaks
    peaks = (*more, sample.peaks) if more else ()

    answer = command("report", "-H", run, "-r", regions, *peaks, "-o", tmp_path / "report")

    assert answer.status == 0, answer.err
    for table in ("motif_report.tsv", "motif_occurrences.tsv"):
        found = (tmp_path / "report" / table).read_text()
        assert found == (expected_report / table).read_text()


def test_a_report_compares_peaks_with_those_of_the_run(expected, sample, tmp_path, refused):
    other = tmp_path / "few.bed"
    other.write_text("".join(sample.peaks.read_text().splitlines(keepends=True)[1:]))

    said = refused("report", "-H", expected, "-p", other, "-o", tmp_path / "report")
    assert "few.bed: holds" in said
    assert not (tmp_path / "report").exists()


def test_the_run_is_exported(called_with_peaks, expected, tmp_path):
    _, called = called_with_peaks
    found, wanted = tmp_path / "found.bed", tmp_path / "wanted.bed"
    for run, bed in ((called, found), (expected, wanted)):
        finemo_dist("export", run, "--to", "bed", "-o", bed)

    assert found.read_text() == wanted.read_text() != ""


@pytest.mark.slow
def test_regions_that_moved_are_named(bare, call, sample, tmp_path, refused):
    store = shutil.copytree(bare["s.zarr"], tmp_path / "s.zarr")
    finemo_dist(*call(store, tmp_path / "run", "-p", sample.peaks))
    store.rename(tmp_path / "moved.zarr")

    said = refused("report", "-H", tmp_path / "run", "-o", tmp_path / "report")
    assert "whose contributions are in another store" in said
    assert f"{store}: no region store here" in said

    given = ("-r", tmp_path / "moved.zarr", "-p", sample.peaks)
    finemo_dist("report", "-H", tmp_path / "run", *given, "-o", tmp_path / "report")
    assert (tmp_path / "report/report.html").exists()
