"""``compare``: two groups whose rates and scores are known, and two that are alike."""

import json

import anndata
import numpy as np
import pyarrow.parquet as pq
import pytest

import finemo_dist as package
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.errors import InputError, UsageError
from tests.command import answer_of, finemo_dist, read_tsv
from tests.compared import write_groups, write_q

pytestmark = pytest.mark.slow

N_MOTIFS = 12
N_EACH = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """m0 and m1 differ in rate, m2 in score; models differ in scale by orders of magnitude."""
    folder = tmp_path_factory.mktemp("groups")
    rng = np.random.default_rng(1)
    rates = rng.uniform(0.1, 0.6, (N_MOTIFS, 1)) * np.ones((1, 2 * N_EACH))
    scores = np.zeros(rates.shape)
    rates[0, N_EACH:] *= 4
    rates[1, :N_EACH] *= 3
    scores[2, N_EACH:] += 1.5
    rates *= np.exp(rng.normal(0, 0.1, rates.shape))
    samples = write_groups(folder / "run", rates, scores=scores, seed=2)
    lines = ["name\tmeta.condition\tmeta.batch"]
    lines += [f"{s}\t{'AB'[i // N_EACH]}\t{i % 2}" for i, s in enumerate(samples)]
    (folder / "sheet.tsv").write_text("\n".join(lines))
    finemo_dist(
        "compare", folder / "run", "--sheet", folder / "sheet.tsv", "--by", "meta.condition",
        "--h5ad", "-o", folder / "out",
    )  # fmt: skip
    return folder, samples


def rows(path):
    return {row["motif"]: row for row in pq.read_table(path).to_pylist()}


def test_motifs_that_differ_in_hits_or_scores_are_found(folder):
    path, _ = folder
    found = rows(path / "out/motifs.parquet")

    by_hits = {name for name, row in found.items() if row["q_hits"] <= 0.05}
    by_score = {name for name, row in found.items() if row["q_score"] <= 0.05}
    assert by_hits == {"m0", "m1"}
    assert by_score == {"m2"}
    assert found["m0"]["log2_ratio"] > 1
    assert found["m1"]["log2_ratio"] < -1
    assert found["m2"]["quantile_change"] > 0.2


def test_rates_are_those_of_the_query_counts(folder):
    path, samples = folder
    table = pq.read_table(path / "out/samples.parquet").to_pylist()
    with package.open_run(path / "run") as run:
        counts = run.query("counts").to_arrow().to_pylist()

    expected = {(r["sample"], r["motif_name"], r["n_hits"], r["hits_per_region"]) for r in counts}
    columns = ("sample", "motif", "n_hits", "hits_per_region")
    assert {tuple(r[name] for name in columns) for r in table} == expected
    assert {(r["sample"], r["group"]) for r in table} == {
        (s, "AB"[i // N_EACH]) for i, s in enumerate(samples)
    }


def test_sites_are_those_of_a_loop(folder, tmp_path):
    path, samples = folder
    done = package.compare(
        path / "run", tmp_path / "out", first=samples[:2], second=samples[-3:], share=0.3,
        change=0.1,
    )  # fmt: skip
    with open_catalog(path / "run") as catalog:
        hits = catalog.rows(
            "SELECT sample, motif_name, strand, start, hit_coefficient, hit_coefficient_global"
            " FROM hits"
        )
    chosen = [*samples[:2], *samples[-3:]]
    quantile = {}
    for sample in chosen:
        own = [np.floor(16 * np.log2(float(h[4]) * float(h[5]))) for h in hits if h[0] == sample]
        bins, counts = np.unique(own, return_counts=True)
        below = (np.cumsum(counts) - counts / 2) / counts.sum()
        quantile[sample] = dict(zip(bins, below, strict=True))
    sites = {}
    for sample, motif, strand, start, one, other in hits:
        if sample in chosen:
            value = quantile[sample][np.floor(16 * np.log2(float(one) * float(other)))]
            sites.setdefault((motif, strand, start), {})[sample] = value
    expected = {}
    for site, of in sites.items():
        a = [of[s] for s in samples[:2] if s in of]
        b = [of[s] for s in samples[-3:] if s in of]
        has_a, has_b = len(a) >= 0.6, len(b) >= 0.9
        if has_a and has_b:
            apart = min(b) > max(a) or min(a) > max(b)
            is_changed = apart and abs(np.mean(a) - np.mean(b)) >= 0.1
            expected[site] = "changed" if is_changed else "shared"
        elif has_a and not b:
            expected[site] = "specific_first"
        elif has_b and not a:
            expected[site] = "specific_second"

    table = pq.read_table(done.sites).to_pylist()
    found = {(r["motif_name"], r["strand"], r["start"]): r["class"] for r in table}
    assert found == expected
    places = [(r["chr"], r["start"], r["end"], r["motif_name"], r["strand"]) for r in table]
    assert places == sorted(places)
    assert set(found.values()) == {"shared", "changed", "specific_first", "specific_second"}
    assert done.n_sites == {k: list(found.values()).count(k) for k in done.n_sites}
    motifs = rows(done.motifs)
    for name, row in motifs.items():
        own = [kind for (motif, *_), kind in found.items() if motif == name]
        assert row["n_sites_shared"] == own.count("shared")


def test_only_regions_of_every_sample_are_compared(tmp_path):
    samples = write_groups(
        tmp_path / "run", np.full((3, 4), 1.0), seed=3, n_regions=[40, 40, 25, 40]
    )

    done = package.compare(
        tmp_path / "run", tmp_path / "out", first=samples[:2], second=samples[2:], share=0.5
    )

    ends = pq.read_table(done.sites)["end"].to_pylist()
    # Regions lie 200 bases apart and are 100 wide; those from the 26th on are not of all samples.
    assert 24 * 200 < max(ends) <= 24 * 200 + 100


def test_without_replicates_there_is_no_test_but_words(folder, tmp_path, capsys):
    path, samples = folder

    answer = answer_of(
        capsys, "compare", path / "run", "-a", samples[0], "-b", *samples[-2:],
        "-o", tmp_path / "out", "--json",
    )  # fmt: skip

    assert answer.status == 0
    said = json.loads(answer.out)
    assert "No test was made: group 'first' has 1 sample" in said["words"]
    assert said["n_different"] == 0
    assert {row["q_hits"] for row in rows(tmp_path / "out/motifs.parquet").values()} == {None}


def test_words_say_what_so_few_samples_can_reach(folder, tmp_path):
    path, samples = folder

    done = package.compare(path / "run", tmp_path / "out", first=samples[:3], second=samples[-3:])

    assert "smallest p-value with so many is 0.1. No motif can reach q 0.05" in done.words


def test_groups_that_are_alike_rarely_differ(tmp_path):
    n_called, n_tested = 0, 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        rates = rng.uniform(0.1, 0.6, (N_MOTIFS, 1)) * np.exp(rng.normal(0, 0.2, (N_MOTIFS, 12)))
        samples = write_groups(tmp_path / f"r{seed}", rates, seed=seed, n_regions=50)
        done = package.compare(
            tmp_path / f"r{seed}", tmp_path / f"o{seed}", first=samples[:6], second=samples[6:]
        )
        n_called += done.n_different
        n_tested += done.n_motifs

    assert n_called / n_tested <= 0.05


def test_a_matrix_of_samples_and_motifs_is_written(folder):
    path, samples = folder
    found = anndata.read_h5ad(path / "out/compare.h5ad")

    assert list(found.obs_names) == samples
    assert list(found.obs["meta.batch"]) == [str(i % 2) for i in range(len(samples))]
    assert list(found.obs["group"]) == ["A"] * N_EACH + ["B"] * N_EACH
    assert set(found.layers) == {"n_hits", "score_quantile"}
    table = rows(path / "out/motifs.parquet")
    assert found.var["log2_ratio"].tolist() == [row["log2_ratio"] for row in table.values()]


def test_the_page_links_marks_to_rows_and_asks_for_nothing(folder):
    path, _ = folder
    text = (path / "out/compare.html").read_text()

    for i in range(N_MOTIFS):
        assert f'id="m{i}"' in text
        assert text.count(f'href="#m{i}"') == 2
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "default-src &#39;none&#39;" in text
    assert "meta.batch" in text
    assert text.count("dot different") == 3


def test_names_never_become_markup(tmp_path):
    rates = np.full((3, 4), 0.5)
    samples = write_groups(tmp_path / "run", rates, seed=1, n_regions=10)
    sheet = "name\tx\n" + "".join(
        f"{s}\t{'<script>' if i < 2 else 'b'}\n" for i, s in enumerate(samples)
    )
    (tmp_path / "sheet.tsv").write_text(sheet)

    package.compare(tmp_path / "run", tmp_path / "out", sheet=tmp_path / "sheet.tsv", by="x")

    text = (tmp_path / "out/compare.html").read_text()
    assert "&lt;script&gt;" in text
    assert text.count("<script>") == 1


def test_regions_without_coordinates_have_no_sites(tmp_path):
    samples = write_groups(tmp_path / "run", np.full((3, 4), 0.5), is_placed=False, n_regions=10)

    done = package.compare(
        tmp_path / "run", tmp_path / "out", first=samples[:2], second=samples[2:]
    )

    assert done.n_sites == {}
    assert not done.sites.exists()
    assert len(read_tsv(tmp_path / "out/motifs.tsv")) == 3


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """m2 is stronger in the second group, and m3 has no q; models differ in scale."""
    run = tmp_path_factory.mktemp("judged") / "run"
    rng = np.random.default_rng(4)
    rates = np.full((4, 2 * N_EACH), 0.8)
    scores = np.zeros(rates.shape)
    scores[2, N_EACH:] += 1.0
    scale = np.exp(rng.normal(0, 2, 2 * N_EACH))
    samples = write_groups(run, rates, scores=scores, seed=5, scale=scale)
    thresholds = dict(zip(samples, 1.5 * scale, strict=True))
    write_q(run, thresholds, motifs=["m0", "m1", "m2"])
    return run, samples, thresholds


def test_with_q_the_share_of_believed_hits_is_compared(judged, tmp_path):
    run, samples, thresholds = judged

    done = package.compare(
        run, tmp_path / "out", first=samples[:N_EACH], second=samples[N_EACH:], h5ad=True
    )

    assert "a hit with at most 0.05 is believed" in done.words
    found = rows(done.motifs)
    assert {name for name, row in found.items() if (row["q_believed"] or 1) <= 0.05} == {"m2"}
    assert found["m2"]["believed_change"] > 0.2
    assert found["m3"]["believed_share_first"] is found["m3"]["p_believed"] is None
    with open_catalog(run) as catalog:
        hits = catalog.rows("SELECT sample, motif_name, hit_score FROM hits")
    for row in pq.read_table(tmp_path / "out/samples.parquet").to_pylist():
        own = [h[2] for h in hits if (h[0], h[1]) == (row["sample"], row["motif"])]
        expected = np.mean([score >= thresholds[row["sample"]] for score in own])
        assert row["believed_share"] == (None if row["motif"] == "m3" else pytest.approx(expected))
    matrix = anndata.read_h5ad(tmp_path / "out/compare.h5ad")
    assert np.isnan(matrix.layers["believed_share"][:, 3]).all()
    page = done.page.read_text()
    assert page.count("decoy q ≤ 0.05") == 1


def test_no_hit_is_believed_at_a_smaller_q_and_scale_goes_before_it(judged, tmp_path):
    run, samples, _ = judged
    groups = {"first": samples[:N_EACH], "second": samples[N_EACH:]}

    strict = package.compare(run, tmp_path / "strict", **groups, believed_q=0.005)
    plain = package.compare(run, tmp_path / "plain", **groups, scale="quantile")

    assert rows(strict.motifs)["m2"]["believed_share_second"] == 0
    assert rows(plain.motifs)["m2"]["believed_share_second"] is None
    assert rows(plain.motifs)["m2"]["q_score"] <= 0.05
    assert "believed" not in plain.words
    assert "decoy q" not in plain.page.read_text()


def test_q_is_compared_where_every_sample_has_it(tmp_path):
    samples = write_groups(tmp_path / "run", np.full((3, 4), 0.5), seed=6, n_regions=40)
    write_q(tmp_path / "run", dict.fromkeys(samples[:3], 1.0))
    groups = {"first": samples[:2], "second": samples[2:]}

    done = package.compare(tmp_path / "run", tmp_path / "out", **groups)

    assert "believed" not in done.words
    with pytest.raises(UsageError, match="sample 's003' has no q"):
        package.compare(tmp_path / "run", tmp_path / "other", **groups, scale="decoy_q")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"first": ["s000"], "second": ["s0"]}, UsageError, "has no sample 's0'"),
        ({"first": ["s000"], "second": ["s000"]}, UsageError, "in both groups"),
        ({"sheet": "sheet.tsv", "by": "tissue"}, UsageError, "has no column 'tissue'"),
        ({"sheet": "sheet.tsv", "by": "meta.condition", "groups": ["A", "C"]}, UsageError, "'C'"),
        ({"sheet": "empty.tsv", "by": "x"}, InputError, "names no sample of the run"),
        ({}, UsageError, "Nothing says what to compare"),
        ({"first": ["s000"], "second": ["s001"], "scale": "q"}, UsageError, "no scale 'q'"),
    ],
)
def test_what_is_no_comparison_is_refused(folder, tmp_path, options, error, message):
    path, _ = folder
    (path / "empty.tsv").write_text("name\tx\nother\t1\n")
    if "sheet" in options:
        options = options | {"sheet": path / options["sheet"]}

    with pytest.raises(error, match=message):
        package.compare(path / "run", tmp_path / "out", **options)

    assert not (tmp_path / "out").exists()
