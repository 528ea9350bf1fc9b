"""tabix and bigBed, read by the libraries their users read them with."""

import struct
from itertools import islice

import pybigtools
import pysam
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.chunks import place_chunks
from finemo_dist.core.errors import InputError, RunError, UsageError
from finemo_dist.core.records import MotifAnnotation
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.exports import bigbed
from finemo_dist.exports.bigbed import _records, auto_sql, export_bigbed
from finemo_dist.exports.places import measured
from finemo_dist.exports.tabix import export_tabix
from finemo_dist.exports.tables import HitTable, RankBy
from finemo_dist.hits.annotation import write_annotation
from finemo_dist.storage.chrom_sizes import read_chrom_sizes
from tests.unit.exports.builder import NASTY, SAMPLES, small_run

PLACES = """
    SELECT chr, greatest(start, 0), "end", motif_name, strand, sample
    FROM hits WHERE chr IS NOT NULL AND "end" > 0
"""


def flat(name):
    for break_ in "\t\n\r":
        name = name.replace(break_, " ")
    return name


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_run(tmp_path_factory.mktemp("run"))


def unspaced(name):
    return flat(name).replace(" ", "_")


def expected_places(catalog, where="true", written=flat):
    rows = catalog.rows(f"{PLACES} AND {where}")
    return sorted(
        (c, s, e, written(m), strand, written(sample)) for c, s, e, m, strand, sample in rows
    )


def test_a_tabix_bed_answers_a_range_as_sql_does(catalog, tmp_path):
    out, index = export_tabix(catalog, tmp_path / "hits.bed.gz")

    assert (out.name, index.name) == ("hits.bed.gz", "hits.bed.gz.tbi")
    with pysam.TabixFile(str(out)) as file:
        assert file.contigs == ["chr10", "chr2"]
        found = [line.split("\t") for line in file.fetch("chr10", 20, 60)]
    expected = expected_places(catalog, "chr = 'chr10' AND start < 60 AND \"end\" > 20")
    assert sorted((f[0], int(f[1]), int(f[2]), f[3], f[5], f[6]) for f in found) == expected
    assert {flat(name) for name in SAMPLES} == {f[6] for f in found}


def test_a_tabix_bed_is_one_that_bioframe_reads(catalog, tmp_path):
    # Loads Matplotlib, which takes over a second.
    import bioframe

    export_tabix(catalog, tmp_path / "hits.bed.gz")

    table = bioframe.read_table(
        str(tmp_path / "hits.bed.gz"), names=[*bioframe.SCHEMAS["bed6"], "sample"]
    )

    assert len(table) == len(expected_places(catalog))
    assert table["score"].between(0, 1000).all()
    assert table["score"].nunique() > 5


@pytest.mark.parametrize(
    ("rank_by", "column"),
    [("score", "hit_score"), ("similarity", "hit_similarity"), ("importance", "hit_importance"),
     ("coefficient_global", "hit_coefficient_global")],
)  # fmt: skip
def test_a_score_is_the_rank_among_the_hits_of_the_sample(catalog, tmp_path, rank_by, column):
    out, _ = export_tabix(catalog, tmp_path / "hits.bed.gz", rank_by=RankBy(rank_by))

    expected = catalog.rows(f"""
        SELECT chr, motif_name, sample,
            floor(1000 * cume_dist() OVER (PARTITION BY sample ORDER BY {column}) + 1e-9)::INT
        FROM hits
        QUALIFY "end" > 0
    """)
    with pysam.TabixFile(str(out)) as file:
        lines = [line.split("\t") for chrom in file.contigs for line in file.fetch(chrom)]
    found = sorted((f[0], f[3], f[6], int(f[4])) for f in lines)
    assert found == sorted((c, flat(m), flat(s), score) for c, m, s, score in expected)


def test_a_tabix_tsv_has_the_columns_of_hits_tsv_and_the_sample(catalog, tmp_path):
    export_tabix(catalog, tmp_path / "hits.tsv.gz", table=HitTable.UNIQUE)

    with pysam.TabixFile(str(tmp_path / "hits.tsv.gz")) as file:
        (header,) = file.header
        lines = [line.split("\t") for chrom in file.contigs for line in file.fetch(chrom)]
    columns = header.removeprefix("#").split("\t")
    assert columns == [*FINEMO_HIT_COLUMNS, "sample"]
    assert {len(line) for line in lines} == {len(columns)}
    (n,) = catalog.rows('SELECT count(*) FROM hits_unique WHERE "end" > 0')[0]
    assert len(lines) == n


def test_a_new_export_leaves_no_index_of_the_old_one(catalog, tmp_path):
    (tmp_path / "hits.bed.gz.csi").write_text("of another file")

    export_tabix(catalog, tmp_path / "hits.bed.gz")

    assert {p.name for p in tmp_path.iterdir()} == {"hits.bed.gz", "hits.bed.gz.tbi"}


def test_a_tabix_name_without_its_ending_is_refused(catalog, tmp_path):
    with pytest.raises(UsageError, match=r"must end in \.bed\.gz or \.tsv\.gz"):
        export_tabix(catalog, tmp_path / "hits.bed")

    assert list(tmp_path.iterdir()) == []


def records(path):
    with pybigtools.open(str(path)) as file:
        return {chrom: list(file.records(chrom)) for chrom in file.chroms()}


def test_a_bigbed_has_the_hits_of_every_chromosome(catalog, tmp_path):
    export_bigbed(catalog, tmp_path / "hits.bb")

    found = [
        (chrom, start, end, rest[0], rest[2], rest[-1])
        for chrom, rows in records(tmp_path / "hits.bb").items()
        for start, end, *rest in rows
    ]
    assert sorted(found) == expected_places(catalog, written=unspaced)


def test_a_bigbed_describes_its_fields(catalog, tmp_path):
    export_bigbed(catalog, tmp_path / "hits.bb")

    n_fields = len(auto_sql().splitlines()) - 4
    with pybigtools.open(str(tmp_path / "hits.bb")) as file:
        assert file.sql().strip() == auto_sql().strip()
    assert "cosine of the contributions with the trimmed CWM" in auto_sql()
    header = struct.unpack("<IHHQQQHH", (tmp_path / "hits.bb").read_bytes()[:36])
    assert header[-2:] == (n_fields, 6)
    rows = [row for rows in records(tmp_path / "hits.bb").values() for row in rows]
    assert {len(row) for row in rows} == {n_fields - 1}


def test_a_bigbed_is_the_same_bytes_each_time(catalog, tmp_path):
    for name in ("a.bb", "b.bb"):
        export_bigbed(catalog, tmp_path / name)

    assert (tmp_path / "a.bb").read_bytes() == (tmp_path / "b.bb").read_bytes()


def test_tabix_is_the_same_bytes_each_time_and_for_any_chunk(catalog, tmp_path, monkeypatch):
    export_tabix(catalog, tmp_path / "a.bed.gz")
    monkeypatch.setattr(
        "finemo_dist.exports.tabix.place_chunks", lambda c: place_chunks(c, chunk_hits=1)
    )
    export_tabix(catalog, tmp_path / "b.bed.gz")

    for suffix in ("", ".tbi"):
        a, b = ((tmp_path / f"{name}.bed.gz{suffix}").read_bytes() for name in "ab")
        assert a == b


def test_chromosome_sizes_come_from_a_file_and_cut_what_reaches_beyond(catalog, tmp_path):
    size = catalog.rows("SELECT max(start) + 1 FROM hits WHERE chr = 'chr2'")[0][0]
    (tmp_path / "sizes").write_text(f"# x\nchr2\t{size}\nchr10 5000 12 60 61\nchrM\t9\n")

    with measured(catalog, tmp_path / "sizes") as shown:
        export_bigbed(shown, tmp_path / "hits.bb")

    with pybigtools.open(str(tmp_path / "hits.bb")) as file:
        assert file.chroms() == {"chr2": size, "chr10": 5000}
    ends = [end for _, end, *_ in records(tmp_path / "hits.bb")["chr2"]]
    assert max(ends) == size


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("chr2\t5000\n", "lacks chromosome 'chr10'"),
        ("chr2\t5\nchr10\t5000\n", "says that chr2 has 5 bases"),
        ("chr2\n", "line 1: found 'chr2'"),
        ("chr2\t-5\n", "line 1"),
        (
            "chr2\t5000\nchr1\t9\nchr1\t9\nchr2\t400\n",
            r"line 4: gives 'chr2' a second length, 400 after 5,000\. Keep one line\.",
        ),
    ],
)
def test_chromosome_sizes_that_cannot_be_are_refused(catalog, tmp_path, content, message):
    (tmp_path / "sizes").write_text(content)

    with pytest.raises(InputError, match=message), measured(catalog, tmp_path / "sizes"):
        pass

    assert [p.name for p in tmp_path.iterdir()] == ["sizes"]


def test_a_bigbed_that_cannot_be_read_to_its_end_is_none(catalog, tmp_path, monkeypatch):
    """The writer swallows what its rows raise, and would leave those that came before."""

    def failing(*given):
        yield from islice(_records(*given), 2)
        raise RunError("part-00001.parquet: is damaged.")

    monkeypatch.setattr(bigbed, "_records", failing)
    with pytest.raises(RunError, match=r"part-00001\.parquet: is damaged\."):
        export_bigbed(catalog, tmp_path / "hits.bb")

    assert list(tmp_path.glob("*.bb*")) == []


def test_sizes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "sizes").write_bytes(b"\xff\xfe")

    with pytest.raises(InputError, match="is UTF-16 text"):
        read_chrom_sizes(tmp_path / "sizes")


def test_features_can_be_called_by_their_factor(tmp_path):
    run = small_run(tmp_path / "run")
    write_annotation(run, [MotifAnnotation(NASTY[0], tf="CTCF"), MotifAnnotation(NASTY[1])])

    with open_catalog(run) as catalog:
        export_bigbed(catalog, tmp_path / "hits.bb", label="tf")
        export_tabix(catalog, tmp_path / "hits.bed.gz", label="tf")

    names = {row[2] for rows in records(tmp_path / "hits.bb").values() for row in rows}
    assert names == {"CTCF", unspaced(NASTY[1]), unspaced(NASTY[2])}
    with pysam.TabixFile(str(tmp_path / "hits.bed.gz")) as file:
        assert {line.split("\t")[3] for line in file.fetch("chr2")} == {
            "CTCF",
            flat(NASTY[1]),
            flat(NASTY[2]),
        }


def test_without_a_place_there_is_no_bigbed(tmp_path):
    run = small_run(tmp_path / "run", has_coordinates=False)

    with open_catalog(run) as catalog, pytest.raises(UsageError, match="none of the chosen hits"):
        export_bigbed(catalog, tmp_path / "hits.bb")

    assert not (tmp_path / "hits.bb").exists()
