import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.records import MotifSet, Unit
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS, FINEMO_QC_COLUMNS
from finemo_dist.exports.chunks import chromosome_chunks
from finemo_dist.exports.finemo_files import write_finemo_files
from finemo_dist.hits.layout import part_path
from finemo_dist.hits.motifs import motif_cwms_path, write_motifs
from tests.unit.catalog.builder import (
    hit,
    random_hits,
    region,
    write_record,
    write_run,
    write_shard,
)

NAMES = ("hits.tsv", "hits_unique.tsv", "hits.bed", "peaks_qc.tsv", "motif_data.tsv")


def export(run, out):
    with open_catalog(run) as catalog:
        return write_finemo_files(catalog, "s", out)


def lines(path):
    return path.read_text("utf-8").splitlines()


def rows(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    rng = np.random.default_rng(5)
    shards = {"s": [random_hits(rng, 80) for _ in range(3)], "t": [[]]}
    return write_run(tmp_path_factory.mktemp("run"), shards)


def test_every_file_of_finemo_is_written(catalog, tmp_path):
    written = write_finemo_files(catalog, "s", tmp_path / "out")

    assert sorted(p.name for p in written) == sorted([*NAMES, "motif_cwms.npy"])
    assert sorted(written) == sorted((tmp_path / "out").iterdir())


def test_columns_are_finemos(catalog, tmp_path):
    write_finemo_files(catalog, "s", tmp_path)

    for name in ("hits.tsv", "hits_unique.tsv"):
        assert tuple(lines(tmp_path / name)[0].split("\t")) == FINEMO_HIT_COLUMNS
    assert tuple(lines(tmp_path / "peaks_qc.tsv")[0].split("\t")) == FINEMO_QC_COLUMNS
    assert {line.count("\t") for line in lines(tmp_path / "hits.tsv")} == {14}


def test_files_do_not_depend_on_how_hits_fall_into_shards(tmp_path):
    rng = np.random.default_rng(8)
    hits = random_hits(rng, 150)
    contents = []
    for n_shards in (1, 4):
        shuffled = [hits[i] for i in rng.permutation(len(hits))]
        run = write_run(
            tmp_path / f"run{n_shards}", {"s": [shuffled[i::n_shards] for i in range(n_shards)]}
        )
        export(run, run / "out")
        contents.append([(run / "out" / n).read_bytes() for n in NAMES[:3]])

    assert contents[0] == contents[1]


def test_chunks_join_to_the_same_file(catalog, tmp_path, monkeypatch):
    write_finemo_files(catalog, "s", tmp_path / "whole")
    monkeypatch.setattr(chromosome_chunks, "__kwdefaults__", {"chunk_hits": 1})
    write_finemo_files(catalog, "s", tmp_path / "pieces")

    assert chromosome_chunks(catalog, "s") == [(0, 0), (1, 1), (2, 2)]
    for name in NAMES:
        assert (tmp_path / "pieces" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_chunks_cover_every_chromosome_once(catalog):
    n_hits = [n for _, n in catalog.run("chromosome_counts", {"sample": "s"})]
    assert chromosome_chunks(catalog, "s", chunk_hits=n_hits[0] + 1) == [(0, 1), (2, 2)]
    assert chromosome_chunks(catalog, "t", chunk_hits=-1) == [(0, 0)]


def test_few_hits_are_one_chunk_that_nobody_counts(catalog, monkeypatch):
    monkeypatch.setattr(catalog, "run", None)
    for sample in "st":
        # From that of regions without coordinates to the largest that the column holds.
        assert chromosome_chunks(catalog, sample) == [(-1, 2**31 - 1)]


def test_names_are_written_raw(tmp_path):
    odd = [
        hit(start=i, motif_name=n, peak_name=n) for i, n in enumerate(['"', "it's", ".", "a,b", ""])
    ]
    write_run(tmp_path, {"s": [odd]})

    export(tmp_path, tmp_path)

    assert [r["motif_name"] for r in rows(tmp_path / "hits.tsv")] == ['"', "it's", ".", "a,b", ""]


def test_numbers_read_back_as_they_were(tmp_path):
    values = [1.4786432e-7, 0.1, 3.4e38, 1.0]
    write_run(tmp_path, {"s": [[hit(start=i, hit_coefficient=v) for i, v in enumerate(values)]]})

    export(tmp_path, tmp_path)

    read = [np.float32(r["hit_coefficient"]) for r in rows(tmp_path / "hits.tsv")]
    assert read == [np.float32(v) for v in values]


def test_a_bed_score_is_the_rank_of_the_score_in_its_sample(tmp_path):
    coefficients = [3.0, 1.0, 4.0, 2.0]
    write_run(
        tmp_path,
        {
            "s": [
                [
                    hit(start=i, hit_coefficient=c, hit_coefficient_global=c)
                    for i, c in enumerate(coefficients)
                ]
            ],
            "t": [[hit(hit_coefficient=9.0)]],
        },
    )

    export(tmp_path, tmp_path)

    assert lines(tmp_path / "hits.bed")[0] == "chrA\t0\t16\tm0\t750\t+"
    scores = [line.split("\t")[4] for line in lines(tmp_path / "hits.bed")]
    assert scores == ["750", "250", "1000", "500"]


def test_a_bed_never_has_a_negative_start(tmp_path):
    write_run(
        tmp_path, {"s": [[hit(start=-3, end=3), hit(start=-9, end=-2), hit(start=-8, end=0)]]}
    )

    export(tmp_path, tmp_path)

    assert [line.split("\t")[1:3] for line in lines(tmp_path / "hits.bed")] == [["0", "3"]]
    assert len(rows(tmp_path / "hits.tsv")) == 3


def test_without_coordinates_the_files_by_place_are_left_out(tmp_path):
    hits = [
        hit(chr=None, chr_id=-1, peak_name=None, peak_id=p, start=s) for p, s in [(1, 2), (0, 5)]
    ]
    write_record(tmp_path, {"s": 1}, has_coordinates=False)
    write_motifs_of(tmp_path)
    write_shard(tmp_path, "s", 0, hits, [region(chr=None, peak_name=None, chr_id=-1)])
    (tmp_path / "hits.bed").write_text("of an earlier call")

    export(tmp_path, tmp_path)

    assert not (tmp_path / "hits.bed").exists()
    assert not (tmp_path / "hits_unique.tsv").exists()
    found = [
        (r["chr"], r["start"], r["peak_name"], r["peak_id"]) for r in rows(tmp_path / "hits.tsv")
    ]
    assert found == [("NA", "5", "NA", "0"), ("NA", "2", "NA", "1")]
    assert rows(tmp_path / "peaks_qc.tsv")[0]["chr"] == "NA"


def write_motifs_of(run):
    cwm = np.zeros((2, 4, 10), np.float16)
    ones = np.ones(2)
    motifs = MotifSet(
        ("m0",) * 2, ("p.0",) * 2, ("+", "-"), cwm, np.array([2, 2]), np.array([8, 8]), ones, ones
    )
    write_motifs(run, motifs)


def test_a_sample_without_hits_has_headers(catalog, tmp_path):
    write_finemo_files(catalog, "t", tmp_path)

    assert len(lines(tmp_path / "hits.tsv")) == len(lines(tmp_path / "hits_unique.tsv")) == 1
    assert lines(tmp_path / "hits.bed") == []
    assert len(rows(tmp_path / "peaks_qc.tsv")) == 2


def test_quality_control_says_whether_a_region_converged(tmp_path):
    write_run(tmp_path, {"s": [[]]})
    # In the order of the run, the chromosomes are chrB and chrA.
    regions = [
        region(peak_id=i, peak_region_start=s, converged=i == 0, chr=chrom, chr_id=chrom == "chrA")
        for i, (chrom, s) in enumerate([("chrA", 5), ("chrB", 9), ("chrB", 1)])
    ]
    write_shard(tmp_path, "s", 0, [], regions)

    export(tmp_path, tmp_path)

    found = [(r["peak_id"], r["converged"]) for r in rows(tmp_path / "peaks_qc.tsv")]
    assert found == [("2", "false"), ("1", "false"), ("0", "true")]


def test_cwms_are_those_of_the_run(run, catalog, tmp_path):
    write_finemo_files(catalog, "s", tmp_path)

    assert (tmp_path / "motif_cwms.npy").read_bytes() == motif_cwms_path(run).read_bytes()


def test_an_unknown_sample_is_refused_and_nothing_written(catalog, tmp_path):
    with pytest.raises(UsageError, match="no sample 'u'"):
        write_finemo_files(catalog, "u", tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_damaged_page_leaves_no_file(run, tmp_path):
    run = shutil.copytree(run, tmp_path / "run")
    path = part_path(run, "hits", Unit("s", 0))
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(content)

    with (
        open_catalog(run, allow_damaged=True) as catalog,
        pytest.raises(RunError, match="verify"),
    ):
        write_finemo_files(catalog, "s", tmp_path / "out")

    assert list((tmp_path / "out").iterdir()) == []


def read_finemo(folder):
    """finemo's rows as hits of ours, and its motifs."""
    data = rows(folder / "motif_data.tsv")
    ids = {(r["motif_name"], r["strand"]): int(r["motif_id"]) for r in data}
    hits, chroms = [], {}
    for row in rows(folder / "hits.tsv"):
        chrom = chroms.setdefault(row["chr"], len(chroms))
        motif = ids[row["motif_name"], row["strand"]]
        given = {k: v for k, v in row.items() if k != "hit_correlation"}
        hits.append(given | {"chr_id": chrom, "motif_id": motif})
    motifs = MotifSet(
        name=tuple(r["motif_name"] for r in data),
        name_orig=tuple(r["motif_name_orig"] for r in data),
        strand=tuple(r["strand"] for r in data),
        cwm=np.load(folder / "motif_cwms.npy"),
        start=np.array([int(r["motif_start"]) for r in data]),
        end=np.array([int(r["motif_end"]) for r in data]),
        scale=np.array([float(r["motif_scale"]) for r in data]),
        penalty=np.array([float(r["lambda"]) for r in data]),
    )
    return hits, motifs


def test_finemos_own_hits_come_back_from_parts(real_data: Path, tmp_path):
    folder = real_data / "finemo-0.41" / "default"
    hits, motifs = read_finemo(folder)
    write_record(tmp_path, {"s": 3})
    write_motifs(tmp_path, motifs)
    for shard in range(3):
        write_shard(tmp_path, "s", shard, hits[shard::3], [region(peak_id=shard)])

    export(tmp_path, tmp_path)

    def values(path):
        # finemo writes 0.000008 where we write 8e-06.
        return sorted(
            [np.float32(v) if "hit_" in k else v for k, v in row.items()] for row in rows(path)
        )

    def places(path):
        return sorted((r["chr"], r["start"], r["motif_name"], r["strand"]) for r in rows(path))

    assert values(tmp_path / "hits.tsv") == values(folder / "hits.tsv")
    assert places(tmp_path / "hits_unique.tsv") == places(folder / "hits_unique.tsv")
    assert [r["start"] for r in rows(tmp_path / "hits.tsv")] == [
        r["start"] for r in rows(folder / "hits.tsv")
    ]
    assert lines(tmp_path / "motif_data.tsv") == lines(folder / "motif_data.tsv")
    assert (tmp_path / "motif_cwms.npy").read_bytes() == (folder / "motif_cwms.npy").read_bytes()
    bed = [line.split("\t") for line in lines(tmp_path / "hits.bed")]
    expected = [line.split("\t") for line in lines(folder / "hits.bed")]
    assert sorted(b[:4] + b[5:] for b in bed) == sorted(b[:4] + b[5:] for b in expected)
