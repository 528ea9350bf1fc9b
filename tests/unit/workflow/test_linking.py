"""Motifs of different files joined by the similarity of their CWMs."""

from dataclasses import replace

import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.named import rows_of
from finemo_dist.core.errors import RunError
from finemo_dist.core.records import MotifAnnotation
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.hits.annotation import write_annotation
from finemo_dist.hits.motifs import write_motifs
from finemo_dist.workflow.annotating import annotate
from finemo_dist.workflow.exporting import export
from finemo_dist.workflow.linking import clusters, link_motifs
from tests.command import finemo_dist, read_tsv
from tests.unit.catalog.builder import hit, motif_set, write_run


def alike(motifs, of):
    """Let motif ``i`` have the CWM of ``of[i]``, those that are copies on the other strand."""
    cwm = motifs.cwm.copy()
    for i, source in enumerate(of):
        forward = motifs.cwm[2 * source]
        cwm[2 * i] = forward if i == source else forward[::-1, ::-1]
        cwm[2 * i + 1] = cwm[2 * i][::-1, ::-1]
    return replace(motifs, cwm=cwm)


@pytest.fixture
def run(tmp_path):
    """m0 and m2 are one motif on different strands."""
    rows = [hit(motif_name=f"m{i}", motif_id=2 * i, start=9 * i, end=9 * i + 6) for i in range(3)]
    run = write_run(tmp_path / "run", {"a": [rows], "b": [rows[:1]]})
    write_motifs(run, alike(motif_set(), [0, 1, 0]))
    return run


def write_tsv(path, lines):
    path.write_text("\n".join(lines))
    return path


def clusters_of(run):
    with open_catalog(run, threads=1) as catalog:
        rows = catalog.rows("SELECT DISTINCT motif_name, tf, cluster FROM motifs ORDER BY 1")
        return rows, rows_of(catalog, "cluster_counts")


def test_motifs_that_are_alike_share_a_cluster_and_factors_stay(run):
    write_annotation(run, [MotifAnnotation("m1", "REB1")])

    finemo_dist("annotate", run, "--link", "0.9")

    rows, counts = clusters_of(run)
    assert [row[1] for row in rows] == [None, "REB1", None]
    assert rows[0][2] == rows[2][2] != rows[1][2]
    assert [tuple(row.values()) for row in counts] == [
        ("a", rows[0][2], 2, 2, 1, 1.0),
        ("a", rows[1][2], 1, 1, 1, 0.5),
        ("b", rows[0][2], 2, 1, 1, 0.5),
        ("b", rows[1][2], 1, 0, 0, 0.0),
    ]


def test_hits_carry_the_cluster_of_their_motif(run):
    with open_catalog(run, threads=1) as catalog:
        assert catalog.rows("SELECT DISTINCT cluster FROM hits") == [(None,)]

    link_motifs(run, least=0.9)

    of_motif = {name: cluster for name, _, cluster in clusters_of(run)[0]}
    with open_catalog(run, threads=1) as catalog:
        for view, n_hits in (("hits", 4), ("hits_unique", 4), ("hits_primary", 4)):
            found = catalog.rows(f"SELECT motif_name, cluster FROM {view}")
            assert len(found) == n_hits
            assert all(of_motif[name] == cluster for name, cluster in found)


@pytest.mark.parametrize("view", ["hits", "hits_unique", "hits_primary"])
def test_a_query_without_clusters_reads_no_motifs(run, view):
    link_motifs(run, least=0.9)

    with open_catalog(run, threads=1) as catalog:
        ((_, plain),) = catalog.rows(f"EXPLAIN SELECT sum(hit_coefficient) FROM {view}")
        ((_, asked),) = catalog.rows(f"EXPLAIN SELECT DISTINCT cluster FROM {view}")

    assert "motif_data" in asked or "motif_parts" in asked or "any_value" in asked
    assert "any_value" not in plain


def test_a_table_of_text_has_names_and_clusters_and_other_files_stay(run, tmp_path):
    before = [export(run, to, tmp_path / f"before.{to}") for to in ("tsv", "parquet")]
    annotate(run, write_tsv(tmp_path / "a.tsv", ["motif_name\ttf", "m0\tREB1", "m1\tREB1"]))
    link_motifs(run, least=0.9)

    after = [export(run, to, tmp_path / f"after.{to}") for to in ("tsv", "parquet")]
    more = export(run, "tsv", tmp_path / "more.tsv", columns="cluster,display_name")

    assert [path.read_bytes() for path in after] == [path.read_bytes() for path in before]
    cluster = {name: label for name, _, label in clusters_of(run)[0]}
    shown = {"m0": "REB1 (m0)", "m1": "REB1 (m1)", "m2": "m2"}
    rows = read_tsv(more)
    assert list(rows[0]) == ["sample", *FINEMO_HIT_COLUMNS, "display_name", "cluster"]
    assert [(r["motif_name"], r["display_name"], r["cluster"]) for r in rows] == [
        (name, shown[name], cluster[name]) for name in ("m0", "m1", "m2", "m0")
    ]


def test_clusters_keep_their_names_when_motifs_are_added(run):
    link_motifs(run, least=0.9)
    before = {row[0]: row[2] for row in clusters_of(run)[0]}
    more = motif_set(("m0", "m1", "m2", "m3"))
    kept = alike(motif_set(), [0, 1, 0])
    write_motifs(run, replace(more, cwm=np.concatenate([kept.cwm, kept.cwm[2:4]])))

    link_motifs(run, least=0.9, force=True)

    after = {row[0]: row[2] for row in clusters_of(run)[0]}
    assert {name: after[name] for name in before} == before
    assert after["m3"] == after["m1"]


def test_clusters_of_an_annotation_are_replaced_by_force_alone(run):
    write_annotation(run, [MotifAnnotation("m1", cluster="mine")])

    with pytest.raises(RunError, match="has clusters already"):
        link_motifs(run, least=0.9)

    assert clusters_of(run)[0][1][2] == "mine"


def test_a_motif_joins_the_most_similar_first_motif_and_no_chain():
    cosine = np.array([[1, 0.95, 0.5, 0.7], [0.95, 1, 0.92, 0.9], [0.5, 0.92, 1, 0.93],
                       [0.7, 0.9, 0.93, 1]])  # fmt: skip

    assert clusters(cosine, 0.9) == [0, 0, 2, 2]
