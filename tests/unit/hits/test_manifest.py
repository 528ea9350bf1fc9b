"""The manifest is a cache: it saves looking at parts and never changes an answer."""

import errno
import os
import shutil

import numpy as np
import pytest

from finemo_dist.core.errors import RunError
from finemo_dist.core.records import Unit
from finemo_dist.core.system_errors import fault
from finemo_dist.hits import manifest as manifest_module
from finemo_dist.hits import read as read_module
from finemo_dist.hits.layout import part_path
from finemo_dist.hits.manifest import MANIFEST_NAME, load_manifest
from finemo_dist.hits.read import survey_run
from tests.unit.catalog.builder import hit, random_hits, region, write_shard

SAMPLES = ("a", "b")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(read_module, "_MOST_UNKNOWN", 0)
    rng = np.random.default_rng(3)
    for sample in SAMPLES:
        for shard in range(3):
            write_shard(tmp_path, sample, shard, random_hits(rng, 9), [region(), region()])
    return tmp_path


@pytest.fixture
def opened(monkeypatch):
    """Paths of the parts whose footers are read."""
    found = []
    read_footer = read_module._read_footer

    def noted(path, *args):
        found.append(path)
        return read_footer(path, *args)

    monkeypatch.setattr(read_module, "_read_footer", noted)
    return found


def test_parts_that_are_as_they_were_are_not_opened_again(run, opened):
    first = survey_run(run, SAMPLES)
    assert len(opened) == 12
    opened.clear()

    assert survey_run(run, SAMPLES) == first
    assert survey_run(run, ["b"]) == {"b": first["b"]}
    assert opened == []


def test_only_parts_that_changed_are_opened(run, opened):
    survey_run(run, SAMPLES)
    opened.clear()
    write_shard(run, "b", 1, [hit()], [region()])
    write_shard(run, "b", 3, [hit()], [region()])
    part_path(run, "hits", Unit("a", 0)).unlink()

    found = survey_run(run, SAMPLES)

    assert {path.name for path in opened} == {"part-00001.parquet", "part-00003.parquet"}
    assert {name: sorted(parts.units) for name, parts in found.items()} == {
        "a": [1, 2],
        "b": [0, 1, 2, 3],
    }
    assert found["b"].units[1].n_rows == 1


def test_parts_of_the_same_size_and_another_time_are_opened(run, opened):
    survey_run(run, SAMPLES)
    opened.clear()
    path = part_path(run, "peaks_qc", Unit("a", 2))
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))

    survey_run(run, SAMPLES)
    assert {path.parent.name for path in opened} == {"sample=a"}


@pytest.mark.parametrize("content", [b"", b"PAR1", None])
def test_a_damaged_manifest_is_made_anew(run, opened, content):
    first = survey_run(run, SAMPLES)
    path = run / MANIFEST_NAME
    packed = bytearray(path.read_bytes())
    packed[len(packed) // 2] ^= 1
    path.write_bytes(packed if content is None else content)
    opened.clear()

    assert load_manifest(run) == {}
    assert survey_run(run, SAMPLES) == first
    assert len(opened) == 12
    assert len(load_manifest(run)) == 6


def test_bytes_are_checked_once(run, opened):
    survey_run(run, SAMPLES)
    opened.clear()
    survey_run(run, SAMPLES, check_bytes=True)
    assert len(opened) == 12
    opened.clear()
    survey_run(run, SAMPLES, check_bytes=True)
    assert opened == []

    path = part_path(run, "hits", Unit("a", 1))
    damaged = bytearray(path.read_bytes())
    damaged[20] ^= 1
    path.write_bytes(damaged)
    assert list(survey_run(run, SAMPLES, check_bytes=True)["a"].units) == [0, 2]


def test_no_byte_is_checked_of_parts_that_are_larger_together(run):
    path = part_path(run, "hits", Unit("a", 1))
    damaged = bytearray(path.read_bytes())
    damaged[20] ^= 1
    path.write_bytes(damaged)
    size = sum(file.stat().st_size for file in run.glob("*/sample=a/*"))

    for most, units in ((size, [0, 2]), (size - 1, [0, 1, 2])):
        found = survey_run(run, ["a"], check_bytes=True, most_checked=most)
        assert list(found["a"].units) == units


def test_extents_hold_all_rows(run):
    write_shard(run, "c", 0, [hit(start=5, end=9), hit(start=-3, end=40)], [region()])
    write_shard(run, "c", 1, [hit(chr=None, peak_name=None)], [region(chr=None, peak_name=None)])
    write_shard(run, "c", 2, [], [])
    found = survey_run(run, ["c"])["c"].extents

    hits = found[0]["hits"]
    assert (hits.first_start, hits.last_start, hits.last_end) == (-3, 5, 40)
    assert hits.first_chr == hits.last_chr == hit()["chr"]
    assert found[1]["hits"].first_chr is None
    assert found[1]["peaks_qc"].first_chr is None
    assert set(found[2]["hits"]) == {None}


def test_a_small_run_has_no_manifest(run, monkeypatch):
    monkeypatch.setattr(read_module, "_MOST_UNKNOWN", 6)
    survey_run(run, SAMPLES)
    assert not (run / MANIFEST_NAME).exists()


def test_a_run_that_cannot_be_written_is_read_all_the_same(run, opened, monkeypatch):
    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("finemo_dist.hits.manifest.seal", refuse)
    first = survey_run(run, SAMPLES)
    assert survey_run(run, SAMPLES) == first
    assert len(opened) == 24


def test_a_copy_of_a_run_is_read_anew(run, opened, tmp_path_factory):
    first = survey_run(run, SAMPLES)
    copy = tmp_path_factory.mktemp("copy") / "run"
    shutil.copytree(run, copy, copy_function=shutil.copyfile)
    opened.clear()

    assert survey_run(copy, SAMPLES) == first
    assert len(opened) == 12


def test_a_manifest_of_another_release_is_made_anew(run, opened, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(manifest_module, "_formats", lambda: {"parts": 0})
        first = survey_run(run, SAMPLES)
        assert len(load_manifest(run)) == 6
    opened.clear()

    assert load_manifest(run) == {}
    assert survey_run(run, SAMPLES) == first
    assert len(opened) == 12
    assert len(load_manifest(run)) == 6


def test_a_part_that_cannot_be_read_now_is_not_called_damaged(run, monkeypatch):
    """Else it would be made again, which takes long and may fail the same way."""
    away = OSError(errno.EIO, "Input/output error")

    def broken(path, *_):
        raise fault(path, away, otherwise="damaged", kind=RunError)

    monkeypatch.setattr(read_module, "_read_footer", broken)

    with pytest.raises(RunError, match="its disk or network does not respond properly"):
        survey_run(run, SAMPLES)
