"""``plot``: figures that would be too large."""

from finemo_dist.reports import loci


def test_a_figure_of_very_many_samples_is_refused(refused, finished, tmp_path, monkeypatch):
    monkeypatch.setattr(loci, "_MOST_ROWS", 0)

    said = refused("plot", finished, "0", "-o", tmp_path / "x.svg")

    assert said.startswith("0: ")
    assert said.endswith(
        "samples have regions there, and a figure shows 0. Choose some with --sample."
    )
    assert list(tmp_path.iterdir()) == []
