"""Figures of loci: what is drawn is what was called, and what cannot be drawn is said."""

import numpy as np
import pytest

import finemo_dist as fd
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.errors import UsageError
from finemo_dist.reports.locus_view import rebuilt
from finemo_dist.workflow import plotting
from finemo_dist.workflow.plotting import draw
from tests.command import PROJECT
from tests.unit.catalog.builder import hit, write_run
from tests.unit.reports.regions import random_regions

SLICE = PROJECT / "tests" / "data" / "yeast_slice"


@pytest.fixture(scope="module")
def arrays():
    return [np.load(SLICE / f"{name}.npz")["arr_0"] for name in ("ohe", "attr")]


@pytest.mark.parametrize(
    ("mode", "sqrt"), [("pp", False), ("ph", False), ("hh", False), ("pp", True)]
)
def test_the_reconstruction_and_the_residual_of_the_solver_add_up(arrays, mode, sqrt):
    one_hot, scores = arrays
    motifs = fd.read_motifs(SLICE / "modisco_results.h5")
    hits = fd.find_hits(one_hot, scores, motifs, mode=mode, sqrt_transform=sqrt)
    called = motifs.both_strands(fd.SolverConfig(mode=mode).mode)
    row = int(np.bincount(hits["peak_id"]).argmax())
    sequence = np.where(one_hot[row].any(axis=0), one_hot[row].argmax(axis=0), 4).astype(np.uint8)
    observed = (one_hot[row] * scores[row]).sum(axis=0)
    compared = scores[row] if mode[1] == "h" else observed
    placed = [
        (
            hit["start"],
            hit["hit_coefficient"],
            called.cwm[hit["motif_id"]][
                :, called.start[hit["motif_id"]] : called.end[hit["motif_id"]]
            ],
        )
        for hit in hits
        if hit["peak_id"] == row
    ]
    assert len(placed) > 3

    found = rebuilt(sequence, compared, placed, sqrt_transform=sqrt)

    residual = hits.residual(row)
    if mode[1] == "h":
        residual = (one_hot[row] * residual).sum(axis=0)
    target = np.sign(observed) * np.sqrt(np.abs(observed)) if sqrt else observed
    expected = target - residual
    expected = np.sign(expected) * expected**2 if sqrt else expected
    assert np.allclose(found, expected, rtol=1e-3, atol=2e-3 * np.abs(observed).max())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Return a figure of two regions, chrA:0-100 and chrA:1-101, with a hit at 10 to 16."""
    run = write_run(tmp_path_factory.mktemp("run") / "run", {"a": [[hit()]]})
    regions = random_regions(np.random.default_rng(0), 2, starts=[0, 1])
    with open_catalog(run) as catalog:
        yield lambda *loci, **options: draw(catalog, lambda _: regions, loci, **options)


def places_of(figure):
    return [(view.name, view.chrom, view.start, view.end) for view in figure.views]


def test_loci_of_a_bed_have_its_names_and_follow_those_that_were_asked_for(drawn, tmp_path):
    bed = tmp_path / "loci.bed"
    bed.write_text("chrA\t10\t20\tmine\nchrA\t30\t40\t.\nchrA\t50\t50\nchrB\t1\t2\tnowhere\n")

    assert places_of(drawn("chrA:5-15", bed=bed)) == [
        ("chrA:5-15", "chrA", 5, 15),
        ("mine", "chrA", 10, 20),
        ("chrA:30-40", "chrA", 30, 40),
        # A place without bases, as that of an insertion, is a base wide.
        ("chrA:50-51", "chrA", 50, 51),
    ]


def test_a_width_is_around_the_middle(drawn):
    (view,) = drawn("chrA:5-15", width=4).views

    assert (view.start, view.end) == (8, 12)


@pytest.mark.parametrize("width", [0, -1, 20_001])
def test_a_width_that_cannot_be_drawn_is_refused(drawn, width):
    with pytest.raises(UsageError) as caught:
        drawn("chrA:5-15", width=width)

    assert str(caught.value) == f"width {width}: expected 1 to 20,000 bases."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chrA\t0\t20001", ", line 2: has 20,001 bases; a figure shows at most 20,000. Give"),
        ("chrB\t1\t2\nchrB\t3\t4", ": no region covers any of its 2 loci."),
    ],
)
def test_loci_of_a_bed_that_cannot_be_drawn_are_refused(drawn, tmp_path, line, said):
    bed = tmp_path / "loci.bed"
    bed.write_text(f"# loci\n{line}\n")

    with pytest.raises(UsageError) as caught:
        drawn(bed=bed)

    assert str(caught.value).startswith(f"{bed}{said}")


def test_a_page_has_no_more_loci_than_a_reader_can_open(drawn, monkeypatch):
    monkeypatch.setattr(plotting, "_MOST_LOCI", 2)

    assert len(drawn("chrA:1-5", "chrA:2-5").views) == 2
    with pytest.raises(UsageError, match="3 loci: a page shows at most 2"):
        drawn("chrA:1-5", "chrA:2-5", "chrA:3-5")


@pytest.mark.parametrize("scale", [0, -1.0, float("nan")])
def test_a_scale_that_is_none_is_refused(drawn, scale):
    with pytest.raises(UsageError) as caught:
        drawn("chrA:5-15").png(scale=scale)

    assert str(caught.value) == f"scale {scale}: expected a number above 0."
