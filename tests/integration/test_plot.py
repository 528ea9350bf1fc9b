"""``plot`` and ``Run.plot`` on a small run: from a place to a file."""

import base64
import json
import re
import zlib

import numpy as np
import pytest

import finemo_dist as fd
from finemo_dist.testing.dataset import write_demo
from tests.command import answer_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plot")
    demo = write_demo(folder / "inputs", n_regions=40, n_motifs=6)
    sample = demo.samples[0]
    given = fd.BigWigInput(
        peaks=sample.peaks, fasta=demo.fasta, bigwigs=(sample.bigwig,), region_width=400
    )
    fd.extract_regions(given, folder / "s.zarr")
    fd.call_hits(folder / "s.zarr", demo.modisco_h5, folder / "run")
    return fd.open_run(folder / "run")


@pytest.fixture(scope="module")
def best(run):
    """The region of the strongest hit: its name and place."""
    (row,) = run.sql(
        "SELECT p.name, p.chr, p.start, p.end, p.peak_id FROM hits h JOIN peaks p USING (peak_id) "
        "ORDER BY hit_coefficient_global DESC LIMIT 1"
    )
    return row


def test_a_peak_is_drawn_with_its_hits_and_contributions(run, best):
    figure = run.plot(best["name"])

    (view,) = figure.views
    (row,) = view.rows
    hits = list(run.hits(locus=f"{best['chr']}:{best['start']}-{best['end']}", table="unique"))
    assert (view.chrom, view.start, view.end) == (best["chr"], best["start"], best["end"])
    assert [(h.start, h.motif_name, h.strand) for h in row.hits] == [
        (h["start"], h["motif_name"], h["strand"]) for h in hits
    ]
    strongest = max(row.hits, key=lambda h: h.coefficient)
    under = slice(strongest.start - view.start, strongest.end - view.start)
    # The strongest hit explains more of its site than of anything else, and leaves less.
    assert np.abs(row.residual[under]).sum() < np.abs(row.contributions[under]).sum()
    assert row.rebuilt[under].sum() > 0.2 * row.contributions[under].sum()
    assert figure._repr_svg_().startswith("<svg")


def test_the_function_draws_what_the_open_run_draws(run, best, tmp_path):
    figure = fd.plot(run.path, best["name"])

    again = run.plot(best["name"], out=tmp_path / "x.svg")

    assert again.svg == figure.svg == (tmp_path / "x.svg").read_text("utf-8")


def test_a_place_a_number_and_a_width_name_the_same_bases(run, best):
    whole = f"{best['chr']}:{best['start'] + 100:,}-{best['start'] + 300:,}"

    by_place = run.plot(whole).views[0].rows[0]
    by_name = run.plot(best["name"], width=200).views[0].rows[0]
    by_number = run.plot(str(best["peak_id"]), width=200).views[0].rows[0]

    assert np.array_equal(by_place.contributions, by_name.contributions)
    assert np.array_equal(by_place.contributions, by_number.contributions)


def test_what_no_region_covers_is_not_drawn_as_zero(run, best):
    place = f"{best['chr']}:{best['start'] - 50}-{best['start'] + 50}"

    row = run.plot(place).views[0].rows[0]

    assert np.isnan(row.contributions[:10]).all() or "peak" in row.note
    assert not np.isnan(row.contributions[50:]).any()


@pytest.mark.parametrize("ending", ["svg", "png", "html"])
def test_the_command_writes_each_kind_of_file(run, best, tmp_path, capsys, ending):
    out = tmp_path / f"locus.{ending}"

    answer = answer_of(capsys, "plot", run.path, best["name"], "-o", out)

    assert answer.status == 0, answer.err
    starts = {"svg": b"<svg", "png": b"\x89PNG", "html": b"<!DOCTYPE html>"}
    assert out.read_bytes().lstrip().startswith(starts[ending])


def test_a_page_lists_the_loci_of_a_file_and_leaves_out_what_is_nowhere(run, tmp_path):
    rows = list(run.sql('SELECT chr, start, "end", name FROM peaks ORDER BY peak_id LIMIT 5'))
    bed = tmp_path / "loci.bed"
    lines = [f"{r['chr']}\t{max(r['start'], 0)}\t{r['end']}\t{r['name']}" for r in rows]
    bed.write_text("\n".join([*lines, "chr1\t90000000\t90000100\tnowhere", ""]))
    genes = tmp_path / "genes.gtf"
    genes.write_text(
        f'{rows[0]["chr"]}\t.\tgene\t1\t9000000\t.\t+\t.\tgene_id "g1"; gene_name "TFC3";\n'
    )

    figure = fd.plot(run.path, bed=bed, out=tmp_path / "loci.html", tracks=[genes])

    assert [view.name for view in figure.views] == [r["name"] for r in rows]
    assert figure.views[0].tracks[0].features[0].name == "TFC3"
    text = (tmp_path / "loci.html").read_text("utf-8")
    packed = json.loads(re.search(r'id="data">(.*?)</script>', text)[1])["packed"]
    held = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert len(held["loci"]) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no_such_peak"], "has no peak of this name"),
        (["chr1:90000000-90000100"], "no region covers it. The nearest is chr1:"),
        (["1:100-200"], "Did you mean 'chr1'"),
        (["chr1:0-50000"], "a figure shows at most 20,000"),
        ([], "No locus was given"),
        (["chr1:1-2", "chr1:3-4"], "an image shows one locus"),
        (["chr1:1000-2000", "--sample", "liver"], "has no sample 'liver'"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(run, capsys, tmp_path, words, said):
    answer = answer_of(capsys, "plot", run.path, *words, "-o", tmp_path / "x.svg")

    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_ending_that_is_no_format_is_refused_before_the_work(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    answer = answer_of(capsys, "plot", tmp_path / "run", "a", "-o", tmp_path / "x.pdf")

    assert answer.status == 2
    assert "expected .svg, .png, .html" in answer.err
