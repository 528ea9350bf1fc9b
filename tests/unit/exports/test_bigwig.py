"""bigWigs of motifs against a count of every base."""

from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyBigWig
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.errors import UsageError
from finemo_dist.exports.bigwig import _runs, export_bigwig
from finemo_dist.exports.places import measured
from tests.unit.exports.builder import NASTY, small_run


@pytest.fixture
def catalog(tmp_path):
    with open_catalog(small_run(tmp_path / "run")) as catalog:
        yield catalog


def values_of(path):
    """Return by chromosome the value of every base; NaN where there is none."""
    with pyBigWig.open(str(path)) as file:
        return {c: file.values(c, 0, n, numpy=True) for c, n in file.chroms().items()}


def expected(catalog, motif, lengths, weight):
    """Add up the hits of a motif base by base."""
    total = {chrom: np.zeros(n) for chrom, n in lengths.items()}
    covered = {chrom: np.zeros(n, bool) for chrom, n in lengths.items()}
    rows = catalog.rows(
        'SELECT motif_name, chr, start, "end", hit_coefficient_global FROM hits_unique'
    )
    for name, chrom, start, end, value in rows:
        if name == motif and end > 0:
            total[chrom][max(start, 0) : end] += 1 if weight == "coverage" else value
            covered[chrom][max(start, 0) : end] = True
    return {chrom: np.where(covered[chrom], total[chrom], np.nan) for chrom in lengths}


@pytest.mark.parametrize("signal", ["coverage", "coefficient_global"])
def test_every_base_has_the_sum_of_its_hits(catalog, tmp_path, signal):
    export_bigwig(catalog, tmp_path / "out", signal=signal)

    files = sorted((tmp_path / "out").iterdir())
    assert sorted(unquote(file.stem) for file in files) == sorted(NASTY)
    for file in files:
        found = values_of(file)
        lengths = {chrom: len(values) for chrom, values in found.items()}
        assert lengths.keys() == {"chr2", "chr10"}
        for chrom, values in expected(catalog, unquote(file.stem), lengths, signal).items():
            np.testing.assert_allclose(found[chrom], values, rtol=1e-6, atol=0)


def test_an_export_is_the_same_bytes_each_time(catalog, tmp_path):
    for name in ("a", "b"):
        export_bigwig(catalog, tmp_path / name, signal="coefficient_global")

    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_no_value_lies_beyond_its_chromosome(catalog, tmp_path):
    longest = max(end for (end,) in catalog.rows("SELECT \"end\" FROM hits WHERE chr = 'chr2'"))
    sizes = tmp_path / "chrom.sizes"
    sizes.write_text(f"chr2\t{longest - 3}\nchr10\t1000\n")

    with measured(catalog, sizes) as shown:
        export_bigwig(shown, tmp_path / "out")

    for file in (tmp_path / "out").iterdir():
        assert len(values_of(file)["chr2"]) == longest - 3
        assert len(values_of(file)["chr10"]) == 1000


def test_without_a_place_there_is_no_bigwig(tmp_path):
    with (
        open_catalog(small_run(tmp_path / "run", has_coordinates=False)) as catalog,
        pytest.raises(UsageError, match="a bigWig cannot be empty"),
    ):
        export_bigwig(catalog, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_rows_come_in_runs_of_one_label_and_chromosome_whatever_the_batches():
    """A batch may be empty."""
    schema = pa.schema([("label", pa.string()), ("chr", pa.string()), ("start", pa.int64())])
    rows = [("a", "chr1", 1), ("a", "chr1", 2), ("a", "chr2", 3), ("b", "chr2", 4)]
    batches = [
        pa.RecordBatch.from_pylist(
            [dict(zip(schema.names, row, strict=True)) for row in part], schema
        )
        for part in ([], rows, [], rows[3:])
    ]
    catalog = SimpleNamespace(stream=lambda name, asked: iter(batches))

    found = [(label, chrom, part["start"].to_pylist()) for label, chrom, part in _runs(catalog, {})]

    assert found == [
        ("a", "chr1", [1, 2]), ("a", "chr2", [3]), ("b", "chr2", [4]), ("b", "chr2", [4]),
    ]  # fmt: skip
