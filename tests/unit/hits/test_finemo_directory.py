import json
import shutil

import numpy as np
import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.errors import InputError
from finemo_dist.exports.finemo_files import write_finemo_files
from finemo_dist.hits import hits_tsv
from finemo_dist.hits.finemo_directory import FILES, import_finemo, is_finemo_directory
from finemo_dist.hits.motifs import read_motifs
from tests.unit.reports.conftest import N_REGIONS, hits_in, write_overlapping
from tests.unit.reports.regions import random_regions


@pytest.fixture(scope="module", params=[True, False], ids=["coordinates", "no coordinates"])
def has_coordinates(request):
    return request.param


@pytest.fixture(scope="module")
def written_once(tmp_path_factory, has_coordinates):
    """A directory as finemo writes it, and the run it was made from."""
    folder = tmp_path_factory.mktemp("written")
    rng = np.random.default_rng(4)
    run = write_overlapping(
        folder / "run",
        {"liver": hits_in(rng, 80, has_coordinates=has_coordinates)},
        has_coordinates=has_coordinates,
    )
    out = folder / "theirs"
    with open_catalog(run) as catalog:
        write_finemo_files(catalog, "liver", out)
    settings = {"lambda_default": 0.7, "convergence_tol": 1e-6, "mode": "pp"}
    (out / "parameters.json").write_text(json.dumps(settings))
    return out, run


@pytest.fixture
def written(written_once, tmp_path):
    """A copy of the directory, which a test may change, and the run."""
    theirs, ours = written_once
    return shutil.copytree(theirs, tmp_path / "theirs"), ours


@pytest.fixture(scope="module")
def regions(has_coordinates):
    starts = None if has_coordinates else np.zeros(N_REGIONS, int)
    found = random_regions(np.random.default_rng(1), N_REGIONS, starts=starts)
    if not has_coordinates:
        places = type(found.places).without_coordinates(N_REGIONS)
        found = type(found)(found.sequence, found.contributions, places)
    return found


TABLES = (
    "SELECT * EXCLUDE (sample) FROM hits ORDER BY ALL",
    "SELECT * EXCLUDE (sample) FROM peaks_qc ORDER BY ALL",
    "SELECT * FROM motifs ORDER BY ALL",
)


@pytest.mark.parametrize("block_bytes", [16 << 20, 2000])
def test_the_tables_are_those_that_were_written(
    written, regions, tmp_path, monkeypatch, block_bytes
):
    monkeypatch.setattr(hits_tsv, "BLOCK_BYTES", block_bytes)
    theirs, ours = written

    record = import_finemo(theirs, tmp_path / "read", regions)

    assert (record.samples[0].n_shards > 1) == (block_bytes == 2000)
    assert record.config["motifs"]["penalty"] == 0.7
    with open_catalog(tmp_path / "read") as read, open_catalog(ours) as asked:
        for query in TABLES:
            assert read.rows(query) == asked.rows(query)
        assert read.run("sample_numbers")[0][1:] == (
            N_REGIONS, record.samples[0].n_shards, record.samples[0].n_shards, N_REGIONS,
            *asked.run("sample_numbers")[0][5:],
        )  # fmt: skip
    np.testing.assert_array_equal(read_motifs(tmp_path / "read").cwm, read_motifs(ours).cwm)


def test_a_run_of_ours_is_not_taken_for_finemos(written):
    theirs, ours = written

    assert is_finemo_directory(theirs)
    assert not is_finemo_directory(ours)
    (theirs / "run.json").write_text("{}")
    assert not is_finemo_directory(theirs)


@pytest.mark.parametrize("name", FILES)
def test_a_directory_that_lacks_a_file_is_not_finemos(written, name):
    theirs, _ = written
    (theirs / name).unlink()

    assert not is_finemo_directory(theirs)


def test_without_a_column_converged_the_gap_decides(written, regions, tmp_path):
    theirs, _ = written
    path = theirs / "peaks_qc.tsv"
    lines = [line.split("\t")[:-1] for line in path.read_text().splitlines()]
    lines[2][lines[0].index("dual_gap")] = "6e-4"
    # The next number that float32 has is over the tolerance by a ten-millionth of it.
    lines[3][lines[0].index("dual_gap")] = str(np.float32(5e-4))
    path.write_text("".join("\t".join(line) + "\n" for line in lines))
    settings = json.loads((theirs / "parameters.json").read_text())
    (theirs / "parameters.json").write_text(json.dumps(settings | {"convergence_tol": 5e-4}))

    import_finemo(theirs, tmp_path / "read", regions)

    with open_catalog(tmp_path / "read") as catalog:
        assert catalog.rows("SELECT count(*) FROM peaks_qc WHERE NOT converged") == [(1,)]


def test_hits_none_of_them(written, regions, tmp_path):
    theirs, _ = written
    path = theirs / "hits.tsv"
    path.write_text(path.read_text().splitlines()[0] + "\n")

    import_finemo(theirs, tmp_path / "read", regions)

    with open_catalog(tmp_path / "read") as catalog:
        assert catalog.rows("SELECT count(*), max(n_hits) FROM peaks_qc") == [(N_REGIONS, 0)]


@pytest.mark.parametrize(
    ("name", "old", "new", "match"),
    [
        ("hits.tsv", "m1", "m9", "names motif 'm9'"),
        ("hits.tsv", "hit_similarity", "similarity", "no column 'hit_similarity'"),
        ("parameters.json", "{", "", "cannot be read as JSON"),
        ("parameters.json", "{", "[{", r"json: has no settings\. Run finemo's call-hits again\."),
        ("peaks_qc.tsv", "nll", "loss", "no column 'nll'"),
    ],
)
def test_damaged_files_are_refused(written, regions, tmp_path, name, old, new, match):
    theirs, _ = written
    path = theirs / name
    text = path.read_text().replace(old, new)
    path.write_text(f"{text}]" if new == "[{" else text)

    with pytest.raises(InputError, match=match):
        import_finemo(theirs, tmp_path / "read", regions)


def test_a_region_that_only_hits_name_is_refused(written, regions, tmp_path):
    theirs, _ = written
    path = theirs / "hits.tsv"
    *lines, last = path.read_text().splitlines()
    path.write_text("\n".join([*lines, "\t".join([*last.split("\t")[:-1], "99"])]) + "\n")

    with pytest.raises(InputError, match="names region 99"):
        import_finemo(theirs, tmp_path / "read", regions)


def test_cwms_of_another_number_are_refused(written, regions, tmp_path):
    theirs, _ = written
    np.save(theirs / "motif_cwms.npy", np.zeros((2, 4, 10)))

    with pytest.raises(InputError, match=r"shape \(2, 4, 10\)"):
        import_finemo(theirs, tmp_path / "read", regions)


def test_regions_of_another_place_are_refused(written, tmp_path):
    theirs, _ = written
    others = random_regions(
        np.random.default_rng(1), N_REGIONS, starts=np.arange(N_REGIONS, dtype=np.int64) * 7 + 1
    )

    with pytest.raises(InputError, match="Give the regions in which the hits were called"):
        import_finemo(theirs, tmp_path / "read", others)
    shutil.rmtree(tmp_path / "read", ignore_errors=True)
