"""Temporary files by their makers: those of dead ones go, those of living ones stay."""

import dataclasses
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from finemo_dist.core.processes import Process, _state_of
from finemo_dist.storage import temporary
from finemo_dist.storage.files import committed
from finemo_dist.storage.folders import merged_folder, replaced_folder
from finemo_dist.storage.temporary import is_left_behind, scratch_folder, temporary_path

DIE = """
import os, sys
from pathlib import Path
from finemo_dist.storage.files import committed
from finemo_dist.storage.folders import merged_folder, replaced_folder
from finemo_dist.storage.temporary import scratch_folder
place, kind = Path(sys.argv[1]), sys.argv[2]
match kind:
    case "file":
        with committed(place / "f") as path:
            path.write_text("x")
            os._exit(9)
    case "folder":
        with replaced_folder(place / "f") as path:
            (path / "x").touch()
            os._exit(9)
    case "merged":
        with merged_folder(place, last="f") as path:
            (path / "x").touch()
            os._exit(9)
    case "scratch":
        with scratch_folder() as path:
            (Path(path) / "x").touch()
            os._exit(9)
"""


@pytest.fixture(autouse=True)
def first():
    """As a process that has not looked anywhere."""
    temporary._remove_left_behind.cache_clear()


def die(place, kind):
    words = [sys.executable, "-c", DIE, str(place), kind]
    done = subprocess.run(words, check=False, env={**os.environ, "TMPDIR": str(place)})
    assert done.returncode == 9
    return [p.name for p in place.iterdir()]


def of(monkeypatch, path, **changed):
    """Return a temporary path as another process would make it."""
    process = dataclasses.replace(Process.this(), **changed)
    with monkeypatch.context() as patch:
        patch.setattr(temporary.Process, "this", classmethod(lambda _: process))
        return temporary_path(path)


def another_alive():
    return {"pid": os.getppid(), "start": _state_of(os.getppid())[1]}


def test_a_name_says_whose_it_is(monkeypatch, tmp_path):
    path = tmp_path / "part-00001.parquet"
    this = Process.this()
    names = {
        temporary_path(path).name: False,
        temporary_path(path, "").name: False,
        of(monkeypatch, path, **another_alive()).name: False,
        of(monkeypatch, path, start=this.start + 1).name: True,
        of(monkeypatch, path, machine="0" * 12).name: None,
        f".{path.name}.{'0' * 32}.tmp": None,
        path.name: None,
    }

    assert {name: is_left_behind(name) for name in names} == names
    assert len(temporary_path(path).name) <= len(f".{path.name}.{'0' * 32}.tmp") + 3
    assert temporary_path(path) != temporary_path(path)


@pytest.mark.parametrize("kind", ["file", "folder", "merged"])
def test_what_a_killed_writer_left_goes_with_the_next_that_writes_there(tmp_path, kind):
    (left,) = die(tmp_path, kind)
    assert left.endswith(".tmp")
    assert is_left_behind(left)

    match kind:
        case "file":
            with committed(tmp_path / "other") as path:
                path.write_text("y")
        case "folder":
            with replaced_folder(tmp_path / "other"):
                pass
        case "merged":
            with merged_folder(tmp_path, last="other") as path:
                (path / "other").touch()

    assert [p.name for p in tmp_path.iterdir()] == ["other"]


def test_what_living_writers_and_other_machines_made_stays(monkeypatch, tmp_path):
    kept = {
        of(monkeypatch, tmp_path / "f", **another_alive()),
        of(monkeypatch, tmp_path / "f", machine="0" * 12),
        tmp_path / f".f.{'0' * 32}.tmp",
        tmp_path / ".others.tmp",
    }
    for path in kept:
        path.write_text("x")
        os.utime(path, (0, 0))

    with committed(tmp_path / "f") as path:
        path.write_text("y")

    assert set(tmp_path.iterdir()) == {*kept, tmp_path / "f"}


def test_scratch_folders_of_killed_processes_go_when_one_is_made(monkeypatch, tmp_path):
    (left,) = die(tmp_path, "scratch")
    assert is_left_behind(left)
    cache = tmp_path / f"finemo_dist-{os.getuid()}"
    cache.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with scratch_folder() as folder:
        assert {p.name for p in tmp_path.iterdir()} == {cache.name, Path(folder).name}
        assert is_left_behind(Path(folder).name) is False

    assert list(tmp_path.iterdir()) == [cache]


def test_nothing_else_makes_names_of_its_own():
    """What names no process is never removed; Ray's folder must be short."""
    package = Path(temporary.__file__).parents[1]
    own = re.compile(r"TemporaryDirectory\(|mkdtemp\(|uuid4\(\)\.hex\}")
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if own.search(path.read_text())
    }

    assert found == {"storage/temporary.py", "run/ray_folder.py"}
