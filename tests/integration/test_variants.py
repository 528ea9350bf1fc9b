"""``call-variants``: alleles whose effects on motifs are known, and alleles that are equal."""

import base64
import csv
import json
import re
import zlib

import numpy as np
import pandas
import pyarrow.parquet as pq
import pytest

import finemo_dist as package
from finemo_dist.core.errors import InputError, RunError, UsageError
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.motifs import random_motifs
from tests.alleles import KINDS, scored, simulate_alleles
from tests.command import answer_of, finemo_dist, read_tsv

pytestmark = pytest.mark.slow

N_VARIANTS = 90


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alleles")
    motifs = random_motifs(np.random.default_rng(3), 10, width=24)
    write_modisco_h5(folder / "motifs.h5", motifs)
    alleles = simulate_alleles(motifs, N_VARIANTS, seed=1)
    alleles.write_list(folder / "list.tsv")
    alleles.write_vcf(folder / "variants.vcf")
    alleles.write_npz(folder / "ref.npz", "ref")
    alleles.write_npz(folder / "alt.npz", "alt")
    alleles.write_h5(folder / "shap.h5")
    finemo_dist(
        "call-variants", "--ref", folder / "ref.npz", "--alt", folder / "alt.npz",
        "-v", folder / "list.tsv", "-m", folder / "motifs.h5", "-o", folder / "out",
    )  # fmt: skip
    return folder, alleles


def hits_of(path):
    return pq.read_table(path / "variant_hits.parquet").to_pylist()


def test_effects_on_motifs_are_found_and_named(folder):
    path, alleles = folder

    found = scored(alleles, path / "out/variant_hits.parquet")

    assert all(recall >= 0.9 for recall, _ in found.values()), found
    assert all(found[kind][1] >= 0.9 for kind in KINDS[:4]), found


def test_a_motif_that_an_indel_moves_is_one_hit(folder, tmp_path):
    path, alleles = folder

    done = package.call_variants(
        path / "ref.npz", path / "list.tsv", path / "motifs.h5", tmp_path / "out",
        alt=path / "alt.npz", anywhere=True, unchanged=True,
    )  # fmt: skip

    rows = [
        (row["motif_name"], row["class"], row["start_alt"] - row["start_ref"])
        for row in hits_of(tmp_path / "out")
        if alleles.kind[row["row_ref"]] == "moved"
        and row["motif_name"] == alleles.motif[row["row_ref"]]
    ]
    n_moved = alleles.kind.count("moved")
    assert len(rows) >= n_moved
    assert {row[1:] for row in rows} == {("unchanged", 3)}
    assert done.n_by_class["unchanged"] > n_moved


def test_equal_alleles_have_no_row(folder, tmp_path):
    path, alleles = folder
    alleles.write_npz(tmp_path / "both.npz", "ref", "ref")
    lines = (line.split("\t") for line in alleles.lines)
    (tmp_path / "same.tsv").write_text(
        "".join("\t".join((c, p, r, r, name)) + "\n" for c, p, r, _, name in lines)
    )

    done = package.call_variants(
        tmp_path / "both.npz", tmp_path / "same.tsv", path / "motifs.h5", tmp_path / "out",
        min_change=2**-10, anywhere=True, batch_size=7,
    )  # fmt: skip

    assert done.n_hits == 0
    assert hits_of(tmp_path / "out") == []
    summary = pq.read_table(done.summary).to_pylist()
    assert sum(row["n_unchanged"] for row in summary) > N_VARIANTS / 2
    assert all(row["reconstruction_change"] == 0 for row in summary)


def test_round_off_of_contributions_is_below_the_smallest_difference(folder, tmp_path):
    path, alleles = folder
    scores = alleles.contributions["ref"].astype(np.float16)
    rng = np.random.default_rng(0)
    # Half a unit in the last place, up or down: what storing float16 may do to a value.
    moved = scores.astype(np.float32) * (1 + rng.choice([-1, 1], scores.shape) * 2.0**-12)
    sequences = (alleles.sequence["ref"][:, None] == np.arange(4)[:, None]).astype(np.int8)

    calls = [
        package.find_hits(sequences, array, path / "motifs.h5").to_arrow().to_pylist()
        for array in (scores.astype(np.float32), moved)
    ]

    score = [
        {
            (h["peak_id"], h["motif_name"], h["strand"], h["start"]): np.sqrt(
                h["hit_coefficient"] * h["hit_coefficient_global"]
            )
            for h in hits
        }
        for hits in calls
    ]
    assert score[0].keys() == score[1].keys()
    assert len(score[0]) > N_VARIANTS / 2
    change = [abs(score[0][key] / score[1][key] - 1) for key in score[0]]
    assert max(change) < 2**-10


def test_one_h5_of_both_alleles_and_a_vcf_give_the_same_hits(folder, tmp_path):
    path, _ = folder
    finemo_dist(
        "call-variants", "--ref", path / "shap.h5", "-v", path / "variants.vcf",
        "-m", path / "motifs.h5", "-w", "160", "-o", tmp_path / "out",
    )  # fmt: skip

    one, other = hits_of(path / "out"), hits_of(tmp_path / "out")
    keys = ("variant_id", "motif_name", "strand", "class", "start", "end")
    assert [[row[k] for k in keys] for row in one] == [[row[k] for k in keys] for row in other]


def test_pairs_say_which_regions_belong_to_a_variant(folder, tmp_path):
    path, alleles = folder
    order = np.random.default_rng(0).permutation(2 * N_VARIANTS)
    with np.load(alleles.write_npz(tmp_path / "b.npz", "ref", "alt")) as file:
        np.savez(tmp_path / "mixed.npz", **{name: file[name][order] for name in file})
    row = np.argsort(order)
    (tmp_path / "pairs.tsv").write_text(
        "variant\tref\talt\n"
        + "".join(f"v{i}\t{row[i]}\t{row[N_VARIANTS + i]}\n" for i in range(N_VARIANTS))
    )

    done = package.call_variants(
        tmp_path / "mixed.npz", path / "list.tsv", path / "motifs.h5", tmp_path / "out",
        pairs=tmp_path / "pairs.tsv",
    )  # fmt: skip

    plain = [{k: v for k, v in row.items() if "row" not in k} for row in hits_of(path / "out")]
    mixed = [{k: v for k, v in row.items() if "row" not in k} for row in hits_of(tmp_path / "out")]
    assert done.n_hits == len(plain) > 0
    assert mixed == plain


def test_variant_scorer_reads_the_lines_of_the_bed(folder):
    path, _ = folder
    with (path / "out/variant_hits.bed").open() as handle:
        lines = list(csv.reader(handle, delimiter="\t"))
    positions = {f"v{i}": 1000 * i + 499 for i in range(N_VARIANTS)}

    # chr_hit, start_hit, end_hit, motif, score, strand, class, without a header; every hit of an
    # allele without an indel overlaps its variant.
    assert all(len(line) == 7 for line in lines)
    hits = read_tsv(path / "out/variant_hits.tsv")
    assert [line[3] for line in lines] == [hit["motif_name"] for hit in hits]
    for line, hit in zip(lines, hits, strict=True):
        assert int(line[1]) <= positions[hit["variant_id"]] < int(line[2])
        assert line[6] == hit["class"]


def annotation_of(scores, hits_path):
    """What variant-scorer's annotation step adds to a table of scored variants.

    It reads hits as seven columns without a header, takes the bases of the first allele of a
    variant as an interval, and notes which variants share a base with a hit, and of which motifs.
    """
    hits = pandas.read_table(hits_path, header=None)
    hits.columns = ["chr", "first", "last", "motif", "score", "strand", "class"]
    assert hits[["first", "last"]].dtypes.tolist() == [np.int64] * 2
    assert set(hits["strand"]) <= {"+", "-"}
    pairs = scores.merge(hits, on="chr")
    begin = pairs["pos"] - 1
    end = begin + pairs["allele1"].str.len()
    met = pairs[(begin < pairs["last"]) & (pairs["first"] < end)]
    motifs = met.groupby("variant_id")["motif"].agg(lambda names: ",".join(sorted(set(names))))
    return scores.assign(
        hits_overlap=scores["variant_id"].isin(met["variant_id"]),
        hits_motifs=scores["variant_id"].map(motifs).fillna("-"),
    )


def test_the_annotation_of_variant_scorer_has_the_motifs_of_each_variant(folder):
    path, alleles = folder
    scores = pandas.DataFrame(
        [line.split("\t") for line in alleles.lines],
        columns=["chr", "pos", "allele1", "allele2", "variant_id"],
    ).astype({"pos": int})

    annotated = annotation_of(scores, path / "out/variant_hits.bed")

    expected = {}
    for hit in hits_of(path / "out"):
        expected.setdefault(hit["variant_id"], set()).add(hit["motif_name"])
    found = annotated.set_index("variant_id")
    assert set(found.index[found["hits_overlap"]]) == expected.keys()
    assert all(
        found["hits_motifs"][name] == ",".join(sorted(expected.get(name, {"-"})))
        for name in found.index
    )
    # What was done to a motif is what the step reports of the variant.
    broken = [i for i, kind in enumerate(alleles.kind) if kind in ("lost", "gained")]
    named = [alleles.motif[i] in found["hits_motifs"][f"v{i}"].split(",") for i in broken]
    assert np.mean(named) > 0.9
    assert 0 < found["hits_overlap"].sum() < len(found)


def test_the_summary_has_a_row_for_each_variant(folder, capsys):
    path, alleles = folder
    summary = read_tsv(path / "out/variant_summary.tsv")
    hits = read_tsv(path / "out/variant_hits.tsv")

    assert [row["variant_id"] for row in summary] == [f"v{i}" for i in range(N_VARIANTS)]
    for row in summary:
        own = [hit for hit in hits if hit["variant_id"] == row["variant_id"]]
        assert int(row["n_lost"]) == sum(hit["class"] == "lost" for hit in own)
        best = max(own, key=lambda hit: abs(float(hit["score_change"])), default=None)
        assert row["top_motif"] == (best["motif_name"] if best else "")
    record = json.loads((path / "out/call_variants.json").read_text())
    assert record["n_by_class"]["lost"] == alleles.kind.count("lost")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variants": "one.tsv"}, "1 variant and 90 and 90 regions; expected 1 each"),
        ({"variants": "other.tsv"}, r"row 0, and .*do not hold the alleles of variant 'v0'"),
        ({"variants": "bad.tsv"}, r"bad\.tsv, line 1: found 'chr1..x', expected a VCF"),
    ],
)
def test_what_does_not_belong_together_is_refused(folder, tmp_path, changes, message):
    path, alleles = folder
    (tmp_path / "one.tsv").write_text(alleles.lines[0] + "\n")
    first = alleles.lines[0].split("\t")
    first[2] = next(base for base in "ACGT" if base not in first[2:4])
    (tmp_path / "other.tsv").write_text("\n".join(["\t".join(first), *alleles.lines[1:]]))
    (tmp_path / "bad.tsv").write_text("chr1\tx\n")

    with pytest.raises(InputError, match=message):
        package.call_variants(
            path / "ref.npz", tmp_path / changes["variants"], path / "motifs.h5",
            tmp_path / "out", alt=path / "alt.npz",
        )  # fmt: skip

    assert not (tmp_path / "out").exists()


def test_a_folder_that_exists_is_kept(folder, capsys):
    path, _ = folder
    before = (path / "out/variant_hits.tsv").read_bytes()
    words = ("--ref", path / "ref.npz", "--alt", path / "alt.npz", "-v", path / "list.tsv")

    answer = answer_of(
        capsys, "call-variants", *words, "-m", path / "motifs.h5", "-o", path / "out"
    )

    assert answer.status == RunError("").exit_status
    assert "exists already" in answer.err
    assert (path / "out/variant_hits.tsv").read_bytes() == before


def test_a_page_shows_the_strongest_variants_first(folder, tmp_path, capsys):
    path, _ = folder
    words = ("--ref", path / "ref.npz", "--alt", path / "alt.npz", "-v", path / "list.tsv",
             "-m", path / "motifs.h5", "-o", tmp_path / "out")  # fmt: skip

    answer = answer_of(capsys, "call-variants", *words, "--strongest", "5")

    assert f"{tmp_path / 'out/variants.html'}: the strongest 5 variants" in answer.err
    page = (tmp_path / "out/variants.html").read_text("utf-8")
    assert "Content-Security-Policy" in page
    assert "default-src &#39;none&#39;" in page
    (data,) = re.findall(r'id="data">(.*?)</script>', page)
    loci = json.loads(zlib.decompress(base64.b64decode(json.loads(data)["packed"])))["loci"]
    summary = read_tsv(path / "out/variant_summary.tsv")
    summary.sort(key=lambda row: -abs(float(row["top_score_change"])))
    assert [locus["name"] for locus in loci] == [row["variant_id"] for row in summary[:5]]
    hits = read_tsv(path / "out/variant_hits.tsv")
    for locus in loci:
        assert [row["title"].split(" · ")[0] for row in locus["rows"]] == [
            "reference", "alternative",
        ]  # fmt: skip
        own = [hit for hit in hits if hit["variant_id"] == locus["name"]]
        for row, absent in zip(locus["rows"], ("gained", "lost"), strict=True):
            drawn = {(h[1], h[2], h[3] + locus["start"]) for h in row["hits"] if len(h) > 9}
            known = {(h["motif_name"], h["strand"], int(h["start"])) for h in own
                     if h["class"] != absent}  # fmt: skip
            assert known <= drawn
            assert absent not in {h[9] for h in row["hits"]}


def test_no_page_is_written_where_none_is_wanted(folder, tmp_path):
    path, _ = folder

    done = package.call_variants(
        path / "ref.npz", path / "list.tsv", path / "motifs.h5", tmp_path / "out",
        alt=path / "alt.npz", strongest=0,
    )  # fmt: skip

    assert done.page is None
    assert not (tmp_path / "out/variants.html").exists()
    with pytest.raises(UsageError, match="strongest is -1; expected 0 to 5,000"):
        package.call_variants(
            path / "ref.npz", path / "list.tsv", path / "motifs.h5", tmp_path / "new",
            alt=path / "alt.npz", strongest=-1,
        )  # fmt: skip


def test_a_threshold_below_round_off_is_refused(folder, tmp_path):
    path, _ = folder

    with pytest.raises(UsageError, match="round-off"):
        package.call_variants(
            path / "ref.npz", path / "list.tsv", path / "motifs.h5", tmp_path / "out",
            alt=path / "alt.npz", min_change=1e-6,
        )  # fmt: skip
