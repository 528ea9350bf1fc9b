"""Files that are damaged, and work that cannot be written or is stopped."""

import os
import pickle
import shutil
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

from tests.command import PROJECT, files_of, read_tsv, wait_until
from tests.integration.faults.inputs import KINDS, SCORES_FLAG
from tests.integration.faults.outcomes import lines_with, tables_of
from tests.unit.run.runs import corrupt_shard, parts

PROGRAM = "from finemo_dist.cli.main import main; main()"
# What a full disk is to a program: a write that fails.
LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0})); "


@pytest.fixture
def call(inputs, sharded, tmp_path):
    """Return a function that gives the words of a call into ``run``."""

    def words(*more, run="run", regions=sharded):
        return ("call-hits", "-r", regions, "-m", inputs.modisco_h5, "-o", tmp_path / run, *more)

    return words


def start(words, *, file_size=None, prelude=""):
    """Start a command in a process of its own, which may write files of a size at most."""
    limit = "" if file_size is None else LIMIT.format(file_size)
    return subprocess.Popen(
        [sys.executable, "-c", limit + prelude + PROGRAM, *map(str, words)],
        cwd=PROJECT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_C14_missing_output_folders_are_made(works, inputs, call, tmp_path):
    for name in ("a/b/s.zarr", "c/d/s.npz"):
        works(*inputs.extract("bw"), "-o", tmp_path / name)
        works(*call(regions=tmp_path / name, run=f"new/{name}/run"))


def test_C14_an_output_below_a_file_is_refused_before_the_work(refused, inputs, call, tmp_path):
    (tmp_path / "file").write_text("precious")

    for name in ("s.zarr", "s.npz"):
        refused(*inputs.extract("bw"), "-o", tmp_path / "file" / name, says=(tmp_path / "file",))
    refused(*call(run="file/run"), says=(tmp_path / "file",))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bw", "chrombpnet-h5"])
def test_C14_a_disk_that_fills_up_while_extracting_leaves_nothing(inputs, tmp_path, kind):
    for name in ("s.zarr", "s.npz"):
        process = start([*inputs.extract(kind), "-o", tmp_path / name], file_size=2000)
        out, err = process.communicate(timeout=120)

        assert (process.returncode, out) == (2, "")
        assert "Traceback" not in err
        assert err.count("Error: ") == 1
        assert "space" in err
        assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_C14_a_disk_that_fills_up_while_calling_keeps_what_is_committed(
    works, call, whole, tmp_path
):
    sizes = sorted(len(content) for content in parts(whole).values())
    # A file that is larger than most parts, and smaller than the others.
    process = start(call(), file_size=sizes[-3])
    _, err = process.communicate(timeout=240)

    assert process.returncode == 3
    assert "Traceback" not in err
    assert err.count("Error: ") == 1
    kept = parts(tmp_path / "run")
    assert not list((tmp_path / "run").rglob("*.tmp"))
    said = works(*call())
    assert parts(tmp_path / "run") == parts(whole)
    assert kept.items() <= parts(tmp_path / "run").items()
    assert tables_of(tmp_path / "run") == tables_of(whole)
    assert lines_with(said, "largest duality gap")


@pytest.mark.slow
@pytest.mark.system
def test_C15_a_call_killed_at_any_instant_resumes(works, call, whole, tmp_path):
    for n_committed in (1, 13):
        process = start(call())
        wait_until(
            lambda n=n_committed, at=process: (
                len(parts(tmp_path / "run")) >= n or at.poll() is not None
            )
        )
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    works(*call())

    assert parts(tmp_path / "run") == parts(whole)
    assert tables_of(tmp_path / "run") == tables_of(whole)
    assert len(read_tsv(tmp_path / "run/peaks_qc.tsv")) == 12


@pytest.mark.slow
@pytest.mark.system
def test_C15_an_extraction_killed_at_any_instant_resumes(works, inputs, tmp_path):
    words = [*inputs.extract("bw"), "-o", tmp_path / "s", "--shard-size", "1"]
    process = start(words)
    wait_until(
        lambda: process.poll() is not None or files_of(tmp_path, ".s.staging/*/partitions/*")
    )
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)

    recorded = tmp_path.glob(".s.staging/*/partitions/[!.]*")
    names = [f"sequence/c.{int(record.stem)}.0" for record in recorded]
    written = {n: p.stat().st_mtime_ns for n in names for p in tmp_path.glob(f".s.staging/*/{n}")}
    if not (tmp_path / "s").exists():
        works(*words)
    works("verify", tmp_path / "s")
    assert {name: (tmp_path / "s" / name).stat().st_mtime_ns for name in written} == written
    assert not list(tmp_path.glob(".s*"))


def truncated(path, target):
    content = path.read_bytes()
    target.write_bytes(content[: len(content) // 2])
    return target


def overwritten(path, target):
    """Copy with zeros in the middle third: the length and the header stay."""
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(third)
    target.write_bytes(content)
    return target


@pytest.mark.parametrize("damage", [truncated, overwritten])
@pytest.mark.parametrize("kind", KINDS)
def test_truncated_or_corrupt_contributions_are_refused(refused, inputs, tmp_path, kind, damage):
    words = inputs.extract(kind)
    path = words[words.index(SCORES_FLAG[kind]) + 1]
    bad = damage(path, tmp_path / f"bad{path.suffix}")

    refused(*inputs.extract(kind, scores=bad), "-o", tmp_path / "s", says=(bad,))


@pytest.mark.parametrize("damage", [truncated, overwritten])
def test_truncated_or_corrupt_regions_npz_is_refused(
    refused, works, inputs, call, tmp_path, damage
):
    works(*inputs.extract("bw"), "-o", tmp_path / "r.npz")
    bad = damage(tmp_path / "r.npz", tmp_path / "bad.npz")

    refused(*call(regions=bad), says=(bad,))


@pytest.mark.parametrize("damage", [truncated, overwritten])
def test_a_truncated_or_corrupt_modisco_file_is_refused(refused, inputs, sharded, tmp_path, damage):
    bad = damage(inputs.modisco_h5, tmp_path / "bad.h5")

    refused("call-hits", "-r", sharded, "-m", bad, "-o", tmp_path / "run", says=(bad,))


def test_a_corrupt_Zarr_chunk_loses_its_shard_alone(command, works, call, sharded, tmp_path):
    shutil.copytree(sharded, tmp_path / "s.zarr")
    bad = corrupt_shard(tmp_path / "s.zarr", 3)

    answer = command(*call(regions=tmp_path / "s.zarr"))

    assert answer.status == 3
    assert "Traceback" not in answer.err
    (message,) = lines_with(answer, "Error: ")
    for text in (bad, "1 of 12 shards is missing", "Extract the regions again"):
        assert str(text) in message
    assert not (tmp_path / "run/hits.tsv").exists()
    shutil.rmtree(tmp_path / "s.zarr")
    shutil.copytree(sharded, tmp_path / "s.zarr")
    works(*call(regions=tmp_path / "s.zarr"))


@pytest.mark.parametrize("table", ["hits", "peaks_qc"])
def test_a_corrupt_Parquet_part_is_named_and_made_again(works, call, whole, tmp_path, table):
    shutil.copytree(whole, tmp_path / "run")
    (part,) = (tmp_path / "run" / table).glob("*/part-00004.parquet")
    part.write_bytes(part.read_bytes()[:-100])

    said = works(*call())

    assert len(lines_with(said, str(part))) == 1
    assert lines_with(said, "11 of 12 shards were already committed")
    assert parts(tmp_path / "run") == parts(whole)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("flag", ["sequences", "scores"])
def test_arrays_that_hold_pickles_are_refused_and_never_loaded(
    refused, inputs, tmp_path, suffix, flag
):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    path = tmp_path / f"objects{suffix}"
    save = np.save if suffix == ".npy" else np.savez
    save(path, np.array([Trap()], dtype=object), allow_pickle=True)
    assert pickle.dumps(Trap())

    refused(
        *inputs.extract("modisco-fmt", **{flag: path}), "-o", tmp_path / "s",
        says=(path, "Python objects"),
    )  # fmt: skip


def test_regions_that_hold_pickles_are_refused(refused, inputs, call, tmp_path):
    arrays = inputs.finemo_arrays() | {"peak_name": np.array(["a"] * 12, dtype=object)}
    np.savez(tmp_path / "r.npz", **arrays)

    refused(*call(regions=tmp_path / "r.npz"), says=(tmp_path / "r.npz", "Python objects"))


def test_a_metacluster_modisco_file_is_refused(refused, sharded, tmp_path):
    old = tmp_path / "old.h5"
    with h5py.File(old, "w") as file:
        file["metacluster_idx_to_submetacluster_results/metacluster_0/x"] = 1

    refused(
        "call-hits", "-r", sharded, "-m", old, "-o", tmp_path / "run",
        says=(old, "metacluster", "`modisco convert`"),
    )  # fmt: skip
