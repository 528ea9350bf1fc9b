"""Disk and memory are checked before long work; free space is told to the commands here."""

import logging
import os

import pytest

from finemo_dist.run import resources, space
from finemo_dist.workflow import calling as pipeline
from tests.command import finemo_dist
from tests.unit.sources.samples import WIDTH, make_samples


@pytest.fixture
def free(monkeypatch):
    """Return a function that sets what is free."""

    def set_free(*, disk=10**15, memory=10**15):
        monkeypatch.setattr(space, "free_disk", lambda _path: disk)
        monkeypatch.setattr(space, "free_memory", lambda: memory)

    return set_free


@pytest.fixture
def extract_words(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    samples = make_samples(folder)
    return ["extract-regions-modisco-fmt", "-s", samples / "ohe.npz", "-a", samples / "attr.npz",
            "-w", WIDTH]  # fmt: skip


@pytest.fixture
def call_words(inputs, tmp_path):
    return ["call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5, "-o", tmp_path / "run"]


@pytest.mark.parametrize("name", ["out.zarr", "out.npz"])
def test_an_extraction_that_does_not_fit_the_disk_is_refused(
    refused, extract_words, free, tmp_path, name
):
    free(disk=9_000)

    message = refused(*extract_words, "-o", tmp_path / name)

    assert f"{tmp_path / name}: the region" in message
    assert "and 9 kB are free. Free some" in message
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_an_extraction_that_barely_fits_is_warned_of(command, extract_words, free, tmp_path):
    free(disk=40_000)

    answer = command(*extract_words, "-o", tmp_path / "out.zarr")

    assert answer.status == 0
    assert "WARNING" in answer.err
    assert "40 kB are free. That is enough" in answer.err


def test_a_call_that_does_not_fit_the_disk_is_refused(refused, call_words, free, tmp_path):
    free(disk=1_000)

    message = refused(*call_words)

    assert "the hits will take about" in message
    assert "1 kB are free" in message
    assert not (tmp_path / "run").exists()


def test_a_call_that_stands_needs_no_more_disk(command, call_words, free):
    assert command(*call_words).status == 0
    free(disk=60_000)

    assert command(*call_words).status == 0


def test_a_call_that_memory_does_not_hold_is_refused(refused, call_words, free, tmp_path):
    free(memory=10**8)

    message = refused(*call_words)

    assert "Memory: a worker will take about 524 MB, and 100 MB are free" in message
    assert not (tmp_path / "run").exists()


def test_more_workers_than_memory_holds_are_refused_with_the_number_that_fits(
    refused, call_words, free, tmp_path
):
    free(memory=int(1.1e9))

    message = refused(*call_words, "--workers", 4, "--executor", "ray")

    assert "4 workers will take about 2.1 GB, and 1.1 GB are free. Use --workers 2." in message
    assert not (tmp_path / "run").exists()


@pytest.fixture
def gpus(monkeypatch, tmp_path):
    """Return a function that puts GPUs with so many MiB free into this machine."""

    def put(*free, visible=None):
        rows = [f"{i}, GPU-{chr(97 + i)}1, {size}" for i, size in enumerate(free)]
        tool = tmp_path / "bin" / "nvidia-smi"
        tool.parent.mkdir()
        tool.write_text("#!/bin/sh\n" + "\n".join(f"echo '{row}'" for row in rows) + "\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
        monkeypatch.setattr(resources, "count_gpus", lambda: len(free))
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return put


def test_a_call_of_which_a_gpu_does_not_hold_one_region_is_refused(
    refused, call_words, gpus, tmp_path
):
    gpus(40_000, 300)

    message = refused(*call_words, "--device", "cuda")

    assert "GPU 1: a worker with a single region will take about 629 MB, and 315 MB" in message
    assert "CUDA_VISIBLE_DEVICES" in message
    assert not (tmp_path / "run").exists()


def test_a_region_that_alone_outgrows_a_gpu_is_refused(refused, call_words, gpus, monkeypatch):
    gpus(40_000)
    monkeypatch.setattr("finemo_dist.core.memory.region_bytes", lambda *_, **__: 50 << 30)

    assert "will take about 54.3 GB, and 41.9 GB are free" in refused(*call_words)


def test_a_gpu_that_no_worker_will_use_may_be_full(call_words, gpus, monkeypatch):
    gpus(40_000, 300)
    monkeypatch.setattr(pipeline, "plan_run", lambda *_, **__: pytest.exit("went on"))

    with pytest.raises(pytest.exit.Exception, match="went on"):
        finemo_dist(*call_words, "--executor", "serial")


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, (40_000, 300, 20_000)), ("2,0", (20_000, 40_000)), ("GPU-b1", (300,)),
        ("GPU-c", (20_000,)), ("MIG-5", None), ("7", None),
    ],
)  # fmt: skip
def test_the_free_memory_of_gpus_is_of_those_that_cuda_shows(gpus, visible, expected):
    gpus(40_000, 300, 20_000, visible=visible)

    assert space.free_gpu_memory() == (expected and tuple(size << 20 for size in expected))


def test_without_the_tool_of_the_driver_nothing_says_what_a_gpu_has(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert space.free_gpu_memory() is None


def test_where_nothing_says_what_is_free_nothing_is_refused(command, call_words, free):
    free(memory=None)

    assert command(*call_words).status == 0


def test_a_file_that_goes_while_parts_are_counted_stops_no_command(command, call_words, tmp_path):
    folder = tmp_path / "run" / "hits" / "sample=a"
    folder.mkdir(parents=True)
    # A link to what is gone has a name and no size, as such a file has.
    (folder / "notes").symlink_to(tmp_path / "gone")

    assert command(*call_words).status == 0


def test_what_is_free_is_asked_of_the_disk_that_a_path_would_be_on(tmp_path):
    assert space.free_disk(tmp_path / "not" / "there") == pytest.approx(
        space.free_disk(tmp_path), rel=0.2
    )


@pytest.mark.parametrize(
    ("meminfo", "group", "expected"),
    [
        ("MemTotal: 9 kB\nMemAvailable:   5 kB\n", {}, 5 * 1024),
        ("MemAvailable:   5 kB\n", {"memory.max": "max\n", "memory.current": "7\n"}, 5 * 1024),
        (
            "MemAvailable:   5 kB\n",
            {"memory.max": "900\n", "memory.current": "700\n",
             "memory.stat": "anon 5\ninactive_file 30\n"},
            230,
        ),
        (None, {}, None),
    ],
)  # fmt: skip
def test_free_memory_is_what_the_system_and_the_job_leave(
    monkeypatch, tmp_path, meminfo, group, expected
):
    if meminfo is not None:
        (tmp_path / "meminfo").write_text(meminfo)
    for name, text in group.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(space, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(space, "_GROUP", tmp_path)

    assert space.free_memory() == expected


def test_fewer_workers_than_there_are_cores_are_said(free, caplog):
    from finemo_dist.core.config import ResourceConfig, SolverConfig
    from finemo_dist.core.memory import Demand
    from finemo_dist.run.space import workers_that_fit

    class Motifs:
        width = 30

        def __len__(self):
            return 48

    free(memory=int(1.1e9))
    with caplog.at_level(logging.WARNING):
        fitting = workers_that_fit(8, ResourceConfig(), Demand(SolverConfig(), Motifs(), 1000))

    assert fitting == 2
    assert "Using 2 of 8 workers" in caplog.text
