import gzip
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.records import Unit
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.exports.finemo_files import write_finemo_files
from finemo_dist.exports.tables import ExportFormat, HitTable, export_hits, samples_for
from finemo_dist.hits.layout import part_path
from tests.unit.catalog.builder import hit, random_hits, write_run
from tests.unit.exports.builder import SAMPLES, small_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    rng = np.random.default_rng(9)
    shards = {name: [random_hits(rng, 60) for _ in range(2)] for name in ("b", "a/c")}
    return write_run(tmp_path_factory.mktemp("run"), shards)


@pytest.fixture(scope="module")
def finemo(catalog, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finemo")
    write_finemo_files(catalog, "b", folder)
    return folder


@pytest.fixture(scope="module")
def nasty_catalog(tmp_path_factory):
    """Of a run with names that are all that names can be."""
    with open_catalog(small_run(tmp_path_factory.mktemp("nasty"))) as opened:
        yield opened


@pytest.mark.parametrize(
    ("export_format", "table", "name"),
    [
        (ExportFormat.TSV, HitTable.HITS, "hits.tsv"),
        (ExportFormat.TSV, HitTable.UNIQUE, "hits_unique.tsv"),
        (ExportFormat.BED, HitTable.UNIQUE, "hits.bed"),
    ],
)
def test_one_sample_is_written_as_finemo_does(
    catalog, finemo, tmp_path, export_format, table, name
):
    out = tmp_path / "out"

    export_hits(catalog, out, export_format=export_format, table=table, sample="b")

    assert out.read_bytes() == (finemo / name).read_bytes()


@pytest.mark.parametrize("export_format", [ExportFormat.TSV, ExportFormat.BED])
def test_a_name_that_says_so_is_gzipped(catalog, tmp_path, export_format):
    for name in ("plain", "a.gz", "b.gz"):
        export_hits(catalog, tmp_path / name, export_format=export_format)

    packed = (tmp_path / "a.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "plain").read_bytes()
    assert packed == (tmp_path / "b.gz").read_bytes()


def test_several_samples_are_told_apart_by_a_first_column(catalog, finemo, tmp_path):
    export_hits(catalog, tmp_path / "out.tsv", export_format=ExportFormat.TSV)

    header, *lines = (tmp_path / "out.tsv").read_text().splitlines()
    assert tuple(header.split("\t")) == ("sample", *FINEMO_HIT_COLUMNS)
    of_b = [line.removeprefix("b\t") for line in lines if line.startswith("b\t")]
    assert of_b == (finemo / "hits.tsv").read_text().splitlines()[1:]
    assert [line[0] for line in lines] == sorted((line[0] for line in lines), reverse=True)


def test_a_bed_of_several_samples_has_the_sample_last(catalog, tmp_path):
    export_hits(catalog, tmp_path / "out.bed", export_format=ExportFormat.BED)

    lines = [line.split("\t") for line in (tmp_path / "out.bed").read_text().splitlines()]
    assert {len(line) for line in lines} == {7}
    assert {line[6] for line in lines} == {"b", "a/c"}


@pytest.mark.parametrize("table", [HitTable.HITS, HitTable.UNIQUE])
def test_parquet_holds_the_rows_of_the_view_in_order(catalog, tmp_path, table):
    export_hits(catalog, tmp_path / "out.parquet", export_format=ExportFormat.PARQUET, table=table)

    stored = pq.read_table(tmp_path / "out.parquet")
    view = catalog.sql(f"SELECT * EXCLUDE (cluster) FROM {table}")
    assert stored.schema.names == view.columns
    same = view.to_arrow_table().to_pylist()
    assert sorted(map(repr, stored.to_pylist())) == sorted(map(repr, same))
    assert (len(same) < catalog.rows("SELECT count(*) FROM hits")[0][0]) == (table != "hits")
    of_b = [r for r in stored.to_pylist() if r["sample"] == "b"]
    keys = [(r["chr_id"], r["start"], r["end"], r["motif_id"], r["peak_id"]) for r in of_b]
    assert keys == sorted(keys)


@pytest.mark.parametrize("table", [HitTable.HITS, HitTable.UNIQUE])
def test_parquet_may_have_further_columns(catalog, tmp_path, table):
    def stored(*columns):
        out = tmp_path / "out.parquet"
        export_hits(
            catalog, out, export_format=ExportFormat.PARQUET, table=table, columns=columns
        )  # fmt: skip
        return pq.read_table(out)

    plain, more = stored(), stored("cluster", "hit_score", "display_name")

    assert more.column_names == [*plain.column_names, "display_name", "cluster"]
    assert more.select(plain.column_names).equals(plain)
    assert more["display_name"].to_pylist() == more["motif_name"].to_pylist()
    assert set(stored("decoy_q")["decoy_q"].to_pylist()) == {None}


@pytest.mark.parametrize("export_format", list(ExportFormat))
def test_a_damaged_page_leaves_no_file(tmp_path, export_format):
    rng = np.random.default_rng(2)
    run = write_run(tmp_path / "run", {"s": [random_hits(rng, 60)]})
    path = part_path(run, "hits", Unit("s", 0))
    content = bytearray(path.read_bytes())
    content[4:600] = bytes(596)
    path.write_bytes(content)
    (tmp_path / "out").mkdir()

    with open_catalog(run, allow_damaged=True) as catalog, pytest.raises(RunError):
        export_hits(catalog, tmp_path / "out" / "x", export_format=export_format)

    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("export_format", "table"),
    [(ExportFormat.BED, HitTable.HITS), (ExportFormat.TSV, HitTable.UNIQUE)],
)
def test_without_coordinates_what_needs_a_place_is_refused(tmp_path, export_format, table):
    run = write_run(tmp_path / "run", {"s": [[hit(chr=None, chr_id=-1)]]}, has_coordinates=False)

    with (
        open_catalog(run) as catalog,
        pytest.raises(UsageError, match="none of the chosen samples"),
    ):
        export_hits(catalog, tmp_path / "out", export_format=export_format, table=table)

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("export_format", [ExportFormat.TSV, ExportFormat.BED])
def test_no_name_breaks_a_table(tmp_path, nasty_catalog, export_format):
    export_hits(nasty_catalog, tmp_path / "out", export_format=export_format)
    where = "true" if export_format is ExportFormat.TSV else '"end" > 0'
    (n,) = nasty_catalog.rows(f"SELECT count(*) FROM hits WHERE {where}")[0]
    write_finemo_files(nasty_catalog, SAMPLES[1], tmp_path / "finemo")

    content = (tmp_path / "out").read_bytes().decode().removesuffix("\n").split("\n")
    is_tsv = export_format is ExportFormat.TSV
    width = len(FINEMO_HIT_COLUMNS) + 1 if is_tsv else 7
    assert {line.count("\t") + 1 for line in content} == {width}
    assert len(content) - is_tsv == n
    assert "\r" not in "".join(content)
    for name in ("hits.tsv", "peaks_qc.tsv", "motif_data.tsv"):
        lines = (tmp_path / "finemo" / name).read_text().removesuffix("\n").split("\n")
        assert len({line.count("\t") for line in lines}) == 1
    assert {p.name for p in tmp_path.iterdir()} == {"out", "finemo"}


def test_an_unknown_sample_is_refused(catalog, tmp_path):
    with pytest.raises(UsageError, match="no sample 'c'"):
        export_hits(catalog, tmp_path / "out", export_format=ExportFormat.TSV, sample="c")


@pytest.mark.parametrize(
    ("table", "needs", "kept"),
    [(HitTable.HITS, True, ("b", "c")), (HitTable.UNIQUE, False, ("b", "c")),
     (HitTable.HITS, False, ("a", "b", "c"))],
)  # fmt: skip
def test_samples_without_coordinates_are_left_out_with_a_warning(caplog, table, needs, kept):
    catalog = SimpleNamespace(
        samples=("a", "b", "c"),
        sample=lambda name: SimpleNamespace(name=name, has_coordinates=name != "a"),
        run_dir="run",
    )

    assert samples_for(catalog, table, None, needs_coordinates=needs) == kept
    assert [r.getMessage() for r in caplog.records] == [
        "1 of 3 samples have no peak coordinates and are left out."
    ] * (len(kept) < 3)
    if len(kept) < 3:
        with pytest.raises(UsageError, match=r"^run: none of the chosen samples has peak coord"):
            samples_for(catalog, table, "a", needs_coordinates=needs)
