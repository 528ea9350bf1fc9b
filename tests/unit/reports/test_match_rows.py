"""Matches of a database are drawn below the motif, column below column."""

from dataclasses import replace

import numpy as np
import pytest

from finemo_dist.hits.matches import StoredMatch
from finemo_dist.reports.atlas import atlas_rows
from finemo_dist.reports.logo import COLUMN_UNITS
from finemo_dist.reports.match_rows import match_rows
from finemo_dist.reports.page import render_atlas, render_report
from tests.unit.reports.page_data import HOSTILE, atlas_data, report_data


def match(name, heights, *, offset, strand="+", q=0.01, target="MA1.1"):
    return StoredMatch(
        name, target, f"{target}-factor", q / 10, q, strand, offset, 4, "db.meme",
        np.asarray(heights, np.float32),
    )  # fmt: skip


def first_x(path):
    """The least x of the corners that a path begins with."""
    return min(float(part.split()[0].split("-")[0]) for part in path.split("M")[1:])


@pytest.mark.parametrize("offset", [-3, 0, 2])
@pytest.mark.parametrize("strand", ["+", "-"])
def test_aligned_columns_lie_below_each_other(offset, strand):
    data = atlas_data(2)
    name, start = data.motifs.name[0], int(data.motifs.start[0])
    # One letter, in the column that lies below the first of the trim window.
    column = max(offset, 0)
    heights = np.zeros((4, 6))
    heights[2, column] = 1
    stored = heights if strand == "+" else heights[::-1, ::-1]
    rows = atlas_rows(data)

    (found,) = match_rows({name: [match(name, stored, offset=offset, strand=strand)]},
                          data.motifs, rows)  # fmt: skip

    (drawn,) = found.matches
    trim_x = drawn.query_x + drawn.query.trim[0]
    ((base, path),) = drawn.paths
    expected = trim_x + (column - offset) * COLUMN_UNITS
    assert base == "G"
    assert 0 <= drawn.match_x + first_x(path) - expected < COLUMN_UNITS
    assert min(drawn.query_x, drawn.match_x) == 0
    assert start >= 0


def test_weak_matches_are_text_and_names_are_escaped():
    data = report_data(("alpha", "beta"))
    own = [match("alpha", np.ones((4, 5)), offset=0, target=t, q=q)
           for t, q in ((HOSTILE, 0.2), ("B", 0.3), ("C", 0.3))]  # fmt: skip

    page = render_report(replace(data, matches={"alpha": own}))

    assert page.count('<figure class="match">') == 1
    assert "B-factor (q 0.3); C-factor (q 0.3)" in page
    assert HOSTILE not in page
    assert '<h3 id="matches">Motifs of db.meme' in page


def test_pages_without_matches_have_no_table_of_them():
    assert 'id="matches"' not in render_report(report_data(("alpha", "beta")))
    assert 'id="matches"' not in render_atlas(atlas_data())


def test_many_motifs_have_one_drawing_each():
    data = atlas_data(101)
    own = [match("motif_0", np.ones((4, 5)), offset=0, target=t) for t in "AB"]

    (row,) = match_rows({"motif_0": own}, data.motifs, atlas_rows(data))

    assert [m.target for m in row.matches] == ["A"]
    assert row.others == "B-factor (q 0.01)"
