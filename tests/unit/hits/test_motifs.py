import numpy as np
import pyarrow.parquet as pq
import pytest

from finemo_dist.core.errors import RunError
from finemo_dist.hits.motifs import motif_cwms_path, motif_data_path, read_motifs, write_motifs
from finemo_dist.hits.seal import seal
from tests.unit.catalog.builder import motif_set

ARRAYS = ("cwm", "start", "end", "scale", "penalty")
TEXTS = ("name", "name_orig", "strand")


@pytest.fixture
def run(tmp_path):
    write_motifs(tmp_path, motif_set())
    return tmp_path


def test_motifs_come_back_as_they_were(run):
    read, written = read_motifs(run), motif_set()

    assert all(getattr(read, f) == getattr(written, f) for f in TEXTS)
    for field in ARRAYS:
        np.testing.assert_array_equal(getattr(read, field), getattr(written, field))


def test_motifs_written_twice_are_the_same_bytes(run):
    before = [p.read_bytes() for p in (motif_data_path(run), motif_cwms_path(run))]

    write_motifs(run, motif_set())

    assert [p.read_bytes() for p in (motif_data_path(run), motif_cwms_path(run))] == before


@pytest.mark.parametrize("path_of", [motif_data_path, motif_cwms_path])
@pytest.mark.parametrize("content", [None, b"", b"PAR1", b"\x93NUMPY\x01\x00"])
def test_a_missing_or_damaged_file_is_named(run, path_of, content):
    path = path_of(run)
    path.unlink() if content is None else path.write_bytes(content)

    with pytest.raises(RunError, match=path.name):
        read_motifs(run)


def test_pickles_are_refused(run):
    with motif_cwms_path(run).open("wb") as handle:
        np.save(handle, np.array([{}], dtype=object), allow_pickle=True)

    with pytest.raises(RunError, match=r"motif_cwms\.npy"):
        read_motifs(run)


def test_a_table_and_cwms_of_different_length_are_refused(run):
    with motif_cwms_path(run).open("wb") as handle:
        np.save(handle, motif_set().cwm[:2])

    with pytest.raises(RunError, match="one CWM for each row"):
        read_motifs(run)


def test_a_table_of_another_version_is_refused(run):
    table = pq.read_table(motif_data_path(run), partitioning=None)
    pq.write_table(table.replace_schema_metadata(None), motif_data_path(run))

    with pytest.raises(RunError, match="version 1"):
        read_motifs(run)


def test_a_table_of_an_older_release_does_not_say_where_motifs_come_from(run):
    path = motif_data_path(run)
    table = pq.read_table(path, partitioning=None)
    assert "source" in table.column_names
    metadata = table.schema.metadata
    pq.write_table(table.drop_columns(["source"]).replace_schema_metadata(metadata), path)
    seal(path)

    found = read_motifs(run)

    assert found.source == ()
    assert found.name == motif_set().name
