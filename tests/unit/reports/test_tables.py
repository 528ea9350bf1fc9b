import csv
from collections import Counter

import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.reports import tables
from finemo_dist.reports.scope import Scope, prepare
from finemo_dist.reports.tables import (
    motif_report,
    seqlet_confusion,
    write_occurrences,
    write_seqlets,
    write_table,
)
from tests.unit.catalog.builder import hit
from tests.unit.reports.conftest import WIDTH, WINDOW_BP, hits_in, write_overlapping
from tests.unit.reports.regions import seqlets_at


@pytest.fixture
def scope(scene):
    return prepare(scene.catalog, scene.motifs, scene.seqlets, window_bp=WINDOW_BP)


def rows_of(path):
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def test_hits_and_seqlets_are_counted_as_a_loop_counts_them(scene, scope):
    places, seqlets = scene.places, scene.seqlet_places
    inside = {place for place, is_inside in places.items() if is_inside}

    for row in motif_report(scene.catalog, scene.motifs, None, scope).to_pylist():
        name = row["motif_name"]
        mine = [place for place, _ in seqlets if place[2] == name]
        assert row["num_hits_total"] == sum(place[2] == name for place in places)
        assert row["num_hits_restricted"] == sum(place[2] == name for place in inside)
        assert row["num_seqlets"] == len(mine) > 0
        assert row["num_overlaps"] == sum(place in inside for place in mine) > 0
        assert row["num_seqlets_only"] == sum(place not in places for place in mine)
        assert row["num_hits_restricted_only"] == row["num_hits_restricted"] - row["num_overlaps"]
        assert row["seqlet_recall"] == row["num_overlaps"] / row["num_seqlets"]


def test_a_seqlet_named_twice_counts_once(scene):
    seqlets = seqlets_at([("pos_patterns.m0", 2, 30, False)] * 2)

    scope = prepare(scene.catalog, scene.motifs, seqlets, window_bp=WINDOW_BP)

    assert scope.n_shared == 1


def test_a_seqlet_that_only_another_region_called_is_neither_recalled_nor_alone(tmp_path):
    """The hit lies before the window of its own region, and in that of its neighbour."""
    first = 5 + 50 * 4
    called = hit(start=first + 2, end=first + 8, start_untrimmed=first, end_untrimmed=first + WIDTH,
                 peak_id=4)  # fmt: skip
    run = write_overlapping(tmp_path / "run", {"liver": [called]})
    seqlets = seqlets_at([("pos_patterns.m0", 3, 5 + 50 - 20, False)])
    with open_catalog(run) as catalog:
        motifs = read_motifs(run)
        scope = prepare(catalog, motifs, seqlets, window_bp=WINDOW_BP)
        row, *_ = motif_report(catalog, motifs, None, scope).to_pylist()

    assert row["num_seqlets"] == 1
    assert row["num_overlaps"] == row["num_seqlets_only"] == 0


def test_the_scope_says_how_many_seqlets_are_shared_and_outside(scene, scope):
    s = scene.seqlets

    assert scope.n_shared == len(scene.seqlet_places)
    assert scope.n_outside == np.count_nonzero((s.start < 0) | (s.end > WINDOW_BP)) > 0
    assert f"{scope.n_shared:,} of {len(s):,} seqlets" in scope.sentence


def test_seqlets_outside_the_window_are_warned_about_once(scene, caplog):
    prepare(scene.catalog, scene.motifs, scene.seqlets, window_bp=WINDOW_BP)

    assert sum("outside the middle 60 bases" in message for message in caplog.messages) == 1


def test_a_window_other_than_that_of_the_modisco_file_is_warned_about(scene, caplog):
    seqlets = seqlets_at([("pos_patterns.m0", 0, 5, False)], window_bp=80)

    prepare(scene.catalog, scene.motifs, seqlets, window_bp=WINDOW_BP)

    assert any("window of 80 bases, and -W gives 60" in message for message in caplog.messages)


def test_seqlets_and_hits_are_confused_by_shared_bins(scene, scope):
    pairs, totals = Counter(), Counter()
    for place, _ in scene.seqlet_places:
        totals[place[2]] += 1
        for other in scene.places:
            if other[0] == place[0] and other[1] // WIDTH == place[1] // WIDTH:
                pairs[place[2], other[2]] += 1

    table = seqlet_confusion(scene.catalog, scene.motifs).to_pylist()

    found = {(r["motif_name_seqlets"], r["motif_name_hits"]): r["frac_overlap"] for r in table}
    assert found == {pair: n / totals[pair[0]] for pair, n in pairs.items()}


@pytest.mark.parametrize("block_peaks", [5, 4096])
def test_occurrences_count_every_hit_of_regions_that_have_one(
    scene, scope, tmp_path, monkeypatch, block_peaks
):
    monkeypatch.setattr(tables, "_BLOCK_PEAKS", block_peaks)
    write_occurrences(scene.catalog, scene.motifs, tmp_path / "occurrences.tsv")

    counts = Counter((row["peak_id"], row["motif_name"]) for row in scene.hits)
    rows = rows_of(tmp_path / "occurrences.tsv")
    assert [int(row["peak_id"]) for row in rows] == sorted({h["peak_id"] for h in scene.hits})
    for row in rows:
        of_motif = {name: int(row[name]) for name in ("m0", "m1", "m2")}
        assert of_motif == {name: counts[int(row["peak_id"]), name] for name in of_motif}
        assert int(row["total"]) == sum(of_motif.values())


def test_seqlets_are_listed_with_their_trimmed_place(scene, scope, tmp_path):
    write_seqlets(scene.catalog, tmp_path / "seqlets.tsv")

    rows = rows_of(tmp_path / "seqlets.tsv")
    assert len(rows) == len(scene.seqlet_places)
    for row in rows:
        assert row["chr"] == ("chrA" if scene.has_coordinates else "NA")
        assert int(row["start"]) == int(row["start_untrimmed"]) + 2
        assert int(row["end_untrimmed"]) == int(row["start_untrimmed"]) + WIDTH


def test_without_seqlets_there_are_no_columns_about_them(scene):
    scope = prepare(scene.catalog, scene.motifs, None, window_bp=WINDOW_BP)

    table = motif_report(scene.catalog, scene.motifs, None, scope)

    assert table.column_names == [
        "motif_name",
        "num_hits_total",
        "num_hits_restricted",
        "cwm_similarity",
    ]


def test_without_recall_seqlets_are_only_counted(scene, scope):
    table = motif_report(scene.catalog, scene.motifs, None, scope, with_recall=False)

    assert "num_seqlets" in table.column_names
    assert "seqlet_recall" not in table.column_names


def test_what_is_unknown_is_written_as_finemo_writes_it(scene, tmp_path):
    scope = Scope(WINDOW_BP)
    prepare(scene.catalog, scene.motifs, None, window_bp=WINDOW_BP)

    write_table(tmp_path / "t.tsv", motif_report(scene.catalog, scene.motifs, None, scope))

    assert {row["cwm_similarity"] for row in rows_of(tmp_path / "t.tsv")} == {"NaN"}


def test_several_samples_have_no_recall_and_a_column_of_their_own(tmp_path, caplog):
    rng = np.random.default_rng(5)
    run = write_overlapping(tmp_path / "run", {"b": hits_in(rng, 50), "a": hits_in(rng, 60)})
    with open_catalog(run) as catalog:
        motifs = read_motifs(run)
        seqlets = seqlets_at([("pos_patterns.m0", 0, 5, False)])
        scope = prepare(catalog, motifs, seqlets, window_bp=WINDOW_BP)
        write_occurrences(catalog, motifs, tmp_path / "o.tsv")

        assert not scope.has_seqlets
        assert any("Recall is left out" in message for message in caplog.messages)
        assert {row["sample"] for row in rows_of(tmp_path / "o.tsv")} == {"a", "b"}
