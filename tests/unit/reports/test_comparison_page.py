"""The comparison of two groups as a part of the report of an atlas."""

import re

import numpy as np
import pytest

import finemo_dist as package
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.errors import UsageError
from finemo_dist.core.records import MotifAnnotation
from finemo_dist.hits.annotation import write_annotation
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.reports.write import is_output_shared, write_report
from finemo_dist.workflow.comparing import compare_on_page
from tests.compared import write_groups
from tests.unit.reports.regions import random_regions

pytestmark = pytest.mark.slow

N_MOTIFS = 5
N_REGIONS = 20


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    """Four samples of two tissues and batches; m0 is more frequent in the second tissue."""
    folder = tmp_path_factory.mktemp("atlas")
    rates = np.full((N_MOTIFS, 4), 0.5)
    rates[0, 2:] = 3
    samples = write_groups(folder / "run", rates, seed=1, n_regions=N_REGIONS)
    write_annotation(folder / "run", [MotifAnnotation("m0", "REB1")])
    lines = [f"{s}\t{'ab'[i // 2]}\tbatch{i % 2}" for i, s in enumerate(samples)]
    (folder / "sheet.tsv").write_text("\n".join(["name\tmeta.tissue\tmeta.batch", *lines]))
    return folder, samples


def written(folder, samples, out, by="meta.tissue", **options):
    rng = np.random.default_rng(3)
    with open_catalog(folder / "run") as catalog:
        compare = None if by is None else compare_on_page(catalog, folder / "sheet.tsv", by, ())
        write_report(
            out, catalog, {name: random_regions(rng, N_REGIONS) for name in samples},
            read_motifs(folder / "run"), None, window_bp=40, title="t", compare=compare, **options,
        )  # fmt: skip
    return (out / "report.html").read_text()


def test_an_atlas_with_groups_holds_the_comparison(atlas, tmp_path):
    folder, samples = atlas

    page = written(folder, samples, tmp_path / "report")

    assert '<li><a href="#comparison">Comparison</a></li>' in page
    section = page[page.index('<section id="comparison">') : page.index('<section id="samples">')]
    ids = set(re.findall(r'<tr id="(motif-\d+)"', page))
    assert len(ids) == N_MOTIFS
    # Marks, names of the map and rows all lead to rows of the table of motifs.
    targets = re.findall(r'href="#([^"]+)"', section)
    assert set(targets) == ids
    assert [t for t in targets if t == "motif-0"] == ["motif-0"] * 3
    assert "meta.batch" in section
    assert "meta.tissue" not in section
    assert section.count('class="tree"') == 2
    table = section[section.index("<tbody>") :]
    assert table.index("REB1") < table.index("m1")
    assert "http" not in section


def test_tables_and_the_page_of_the_comparison_lie_in_the_folder(atlas, tmp_path):
    folder, samples = atlas
    written(folder, samples, tmp_path / "report")

    names = {path.name for path in (tmp_path / "report/compare").iterdir()}
    assert names >= {"compare.html", "motifs.parquet", "sites.parquet", "samples.tsv"}
    text = (tmp_path / "report/compare/compare.html").read_text()
    assert 'href="../report.html"' in text
    done = package.compare(
        folder / "run", tmp_path / "alone", sheet=folder / "sheet.tsv", by="meta.tissue"
    )
    same = (tmp_path / "report/compare/motifs.tsv").read_bytes()
    assert (done.folder / "motifs.tsv").read_bytes() == same
    assert "report.html" not in done.page.read_text()


def test_a_report_without_groups_leaves_no_comparison_of_an_earlier_one(atlas, tmp_path):
    folder, samples = atlas
    out = tmp_path / "report"
    written(folder, samples, out)
    assert not is_output_shared(out, folder / "run")
    (out / "mine.txt").touch()

    page = written(folder, samples, out, by=None, is_shared=True)

    assert "Comparison" not in page
    assert not (out / "compare").exists()
    assert (out / "mine.txt").exists()


def test_each_number_of_the_table_has_its_name_on_a_phone(atlas, tmp_path):
    folder, _ = atlas
    done = package.compare(
        folder / "run", tmp_path / "out", sheet=folder / "sheet.tsv", by="meta.tissue"
    )

    text = done.page.read_text()
    body = text[text.index("<tbody>") : text.index("</tbody>")]
    assert body.count("<td") == body.count("data-label=") == 11 * N_MOTIFS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "meta.tissue"}, "give both --sheet and --by"),
        ({"sheet": "sheet.tsv"}, "give both --sheet and --by"),
        ({"sheet": "sheet.tsv", "by": "tissue"}, "has no column 'tissue'"),
        ({"sheet": "sheet.tsv", "by": "meta.tissue", "sample": "s000"}, "has no groups"),
    ],
)
def test_groups_that_are_none_are_refused_before_the_work(atlas, tmp_path, options, message):
    folder, _ = atlas
    if "sheet" in options:
        options = options | {"sheet": folder / options["sheet"]}

    with pytest.raises(UsageError, match=message):
        package.report(folder / "run", tmp_path / "out", **options)

    assert not (tmp_path / "out").exists()
