"""The harness runs, on a few simulated regions; no figure is asserted."""

import contextlib
import io
import re
import sys
from dataclasses import replace

import pytest
import torch

from tests.benchmarks import processes, programs, scheduling, scheduling_probe, solver_rates
from tests.benchmarks.__main__ import Settings, run_benchmark
from tests.benchmarks.datasets import CopiedSource, simulated_dataset, spaced_rows, write_regions
from tests.benchmarks.efforts import QUICK
from tests.benchmarks.finemo_default import run_at_default
from tests.benchmarks.finemo_env import Finemo
from tests.benchmarks.gaps import gaps_of_hits
from tests.benchmarks.gpu_estimate import GPUS, cost, stage_of
from tests.benchmarks.hit_runs import write_hit_run
from tests.benchmarks.probe import probe
from tests.benchmarks.processes import BenchmarkError, Measured, TimeLimitError, measure
from tests.benchmarks.programs import DistCaller, FinemoCaller, summary
from tests.benchmarks.tables import table, write_section
from tests.benchmarks.timings import work_seconds
from tests.command import finemo_dist, wait_until
from tests.fake_cuda import Launch
from tests.processes import is_alive

# It measures; the tests of what it measures guard correctness.
pytestmark = [pytest.mark.slow, pytest.mark.system]

TINY = replace(
    QUICK,
    finemo_regions={"simulated": 4},
    gap_regions=2,
    work_s=0.01,
    trial_regions=4,
    probe_regions=4,
    gpu_regions=4,
    catalog_hits=2_400,
    catalog_samples=2,
    catalog_sample_hits=480,
    atlas_samples=(1, 2),
    speedup_regions=64,
)


@pytest.fixture
def in_process(monkeypatch):
    """Commands run in this process: starting eight others would take longer than all they do."""

    def measure_here(words, **_):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            finemo_dist(*words[words.index(programs.MAIN) + 1 :])
        return Measured(1.0, 1, output.getvalue())

    monkeypatch.setattr(programs, "measure", measure_here)
    monkeypatch.setattr(solver_rates, "run_probe", probe)


def test_the_fastest_batch_of_finemo_is_the_one_that_is_compared(tmp_path, monkeypatch):
    seconds = {8: 5.0, 32: 2.0, 128: 3.0}
    monkeypatch.setattr(
        FinemoCaller, "call", lambda self, *_, **__: Measured(seconds[self.batch_regions], 1, "")
    )
    dataset = simulated_dataset(tmp_path, n_regions=1)
    effort = replace(TINY, finemo_batches={"simulated": tuple(seconds)})
    finemo = Finemo(tmp_path / "finemo", {"finemo": "0.41"})

    caller = solver_rates._fastest_finemo(finemo, effort, dataset, tmp_path / "r.npz", tmp_path)

    assert caller.batch_regions == 32


def test_the_solver_benchmark_runs_without_finemo_and_without_reference_data(tmp_path, in_process):
    settings = Settings(TINY, tmp_path / "work", None, tmp_path / "absent", n_workers=1)
    out = tmp_path / "RESULTS.md"

    section = run_benchmark("solver", settings, out)

    assert "| simulated, 100 " in section
    assert "reference data not present" in section
    assert "conv1d" in section
    assert section.strip() in out.read_text()


def test_the_estimate_for_gpus_runs_without_reference_data(tmp_path):
    settings = Settings(TINY, tmp_path / "work", None, tmp_path / "absent", n_workers=1)

    section = run_benchmark("gpu-estimate", settings, None)

    assert "An estimate, not a measurement" in section
    # A few regions: nothing but launches takes any time.
    assert len(re.findall(r"\| active set .* launch .* launch \|", section)) == 1
    assert len(re.findall(r"\| simulated, 100 +\| +(?:A100|H100) SXM", section)) == 2


@pytest.mark.parametrize(
    ("launch", "seconds", "bound"),
    [
        ({"n_kernels": 3}, 15e-6, "launch"),
        ({"n_bytes": 10**9}, 1e9 / (0.6 * 1.555e12), "memory"),
        ({"n_flops": 10**12}, 1e12 / (0.5 * 19.5e12), "compute"),
        ({"n_flops": 10**12, "dtype": torch.float64}, 1e12 / (0.5 * 9.7e12), "compute"),
    ],
)
def test_an_operation_takes_the_longest_of_its_times(launch, seconds, bound):
    nothing = Launch("aten", "", 1, 0, 0, (), torch.float32)

    found = cost([replace(nothing, **launch)], 0, GPUS[0])

    assert found.seconds == pytest.approx(seconds)
    assert found.bound == bound


def test_a_stage_is_that_of_the_innermost_function_known():
    assert stage_of("working_set.solve/clusters.solve_clusters/clusters._gram") == "Gram matrices"
    with pytest.raises(KeyError, match=r"new\.function"):
        stage_of("new.function")


def test_the_catalog_benchmark_runs_without_finemo(tmp_path, in_process):
    settings = Settings(TINY, tmp_path / "work", None, tmp_path / "absent", n_workers=1)

    section = run_benchmark("catalog", settings, None)

    assert "| collapse, TSV to TSV" in section
    assert "| intersection of three runs" in section
    assert "| one locus, all samples" in section
    standing = tmp_path / "work" / "catalog" / "run" / "run.json"
    written = standing.stat()
    assert write_hit_run(standing.parent, {"s": 1}, n_hits=TINY.catalog_hits) == standing.parent
    assert standing.stat().st_mtime_ns == written.st_mtime_ns


def test_the_scheduling_benchmark_runs(tmp_path, monkeypatch):
    def run_here(*words, n_workers, **options):
        return scheduling_probe.scheduling(*words, n_workers=0, **options)

    monkeypatch.setattr(scheduling, "run_scheduling", run_here)
    monkeypatch.setattr(scheduling, "_REGIONS_PER_SAMPLE", 50)
    settings = Settings(TINY, tmp_path / "work", None, tmp_path / "absent", n_workers=1)

    section = run_benchmark("scheduling", settings, None)

    assert "| 2, Ray, 2 workers " in section
    assert "| 1,500 (drawn), in process " in section
    assert " 37,500 |" in section
    assert "times one Ray worker" in section


def test_the_gap_of_our_own_hits_is_within_the_tolerance(tmp_path, in_process):
    dataset = simulated_dataset(tmp_path, n_regions=3, n_strands=8)
    store = write_regions(dataset.source, tmp_path / "regions.zarr")
    called = DistCaller(1).call(store, dataset.modisco_h5, tmp_path / "run", options=["-f"])

    gaps = gaps_of_hits(tmp_path / "run" / "hits.tsv", store, dataset.modisco_h5)

    assert summary(called)["n_hits"] > 0
    # The table holds float32, good to 1e-7 of the objective.
    assert torch.all(gaps < 1e-6)
    assert torch.all(gaps > -1e-12)


def test_a_gap_shows_that_a_hit_is_missing(tmp_path, in_process):
    dataset = simulated_dataset(tmp_path, n_regions=3, n_strands=8)
    store = write_regions(dataset.source, tmp_path / "regions.zarr")
    DistCaller(1).call(store, dataset.modisco_h5, tmp_path / "run", options=["-f"])
    hits = tmp_path / "run" / "hits.tsv"
    header, first, *rest = hits.read_text().splitlines(keepends=True)
    hits.write_text("".join([header, *rest]))

    gaps = gaps_of_hits(hits, store, dataset.modisco_h5)

    assert gaps[int(first.split("\t")[-1])] > 1e-6


def test_copies_of_regions_have_their_scores_and_places_of_their_own(tmp_path):
    source = simulated_dataset(tmp_path, n_regions=5, n_strands=4).source
    rows = spaced_rows(5, 2)

    copies = CopiedSource(source, rows, 3)

    original, copied = source.read(0, 5), copies.read(0, 6)
    assert (copied.contributions[4:6] == original.contributions[rows]).all()
    assert (copied.sequence[2:4] == original.sequence[rows]).all()
    assert len(set(copies.regions.start.tolist())) == 6
    assert copies.regions.peak_id.tolist() == list(range(6))


def test_a_section_is_replaced_and_what_is_written_by_hand_stays(tmp_path):
    path = tmp_path / "RESULTS.md"
    write_section(path, "solver", "old solver")
    write_section(path, "growth", "growth")
    path.write_text(path.read_text() + "\n## What was tried\n\nby hand\n")

    write_section(path, "solver", "new solver")

    content = path.read_text()
    assert "old solver" not in content
    assert content.endswith("## What was tried\n\nby hand\n")
    assert content.index("new solver") < content.index("\ngrowth\n")


def test_a_section_without_an_end_is_not_replaced(tmp_path):
    path = tmp_path / "RESULTS.md"
    path.write_text("<!-- begin solver -->\nby hand")

    with pytest.raises(ValueError, match="end solver"):
        write_section(path, "solver", "new")

    assert path.read_text().endswith("by hand")


def test_memory_of_a_tree_counts_its_children(tmp_path, monkeypatch):
    """The child holds its memory until it has been counted: a busy machine looks seldom."""
    held, counted = tmp_path / "held", tmp_path / "counted"
    looks = []
    look = processes.pids_below

    def noted(pid):
        # The look before this one, if it began with everything held, has ended.
        if looks and looks[-1]:
            counted.touch()
        looks.append(held.exists())
        return look(pid)

    monkeypatch.setattr(processes, "pids_below", noted)
    hold = (
        "import os, time; b = bytearray(60_000_000); time.sleep(1)\n"
        f"open({str(held)!r}, 'w').close()\n"
        f"while not os.path.exists({str(counted)!r}): time.sleep(0.01)"
    )
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"

    measured = measure(
        [sys.executable, "-c", f"b = bytearray(60_000_000); {code}"], follows_children=True
    )

    assert 120_000_000 < measured.peak_bytes < 200_000_000
    assert measured.wall_s > 1


def test_memory_of_a_process_is_its_own_and_not_that_of_the_harness():
    held = bytearray(150_000_000)

    measured = measure([sys.executable, "-c", "b = bytearray(20_000_000)"])

    assert len(held) > measured.peak_bytes > 20_000_000


def test_a_command_that_fails_says_so():
    with pytest.raises(BenchmarkError, match="no luck"):
        measure([sys.executable, "-c", "raise SystemExit('no luck')"])


def test_work_that_is_lost_in_the_start_has_no_rate():
    assert work_seconds([5.9], [5.0]) == []
    assert work_seconds([6.9, 15.0, 15.0], [4.0, 5.0, 6.0]) == []


def test_work_is_what_is_left_of_the_wall_time_after_the_median_start():
    assert work_seconds([7.5], [5.0]) == [2.5]
    assert work_seconds([15.0, 25.0, 8.0], [4.0, 5.0, 6.0]) == [10.0, 20.0, 3.0]


def test_a_table_is_markdown():
    assert table(["a", "b"], [["x", 12]]).splitlines() == ["| a |  b |", "| - | -: |", "| x | 12 |"]


def test_a_command_that_takes_too_long_is_stopped_with_all_it_started(tmp_path, monkeypatch):
    written = tmp_path / "pid"
    words = ["sh", "-c", f"sleep 600 & echo $! > {written}.new; mv {written}.new {written}; wait"]
    ends_within = processes._ends_within

    def ends_within_once_begun(process, limit_s):
        wait_until(lambda: written.exists() or process.poll() is not None)
        return ends_within(process, limit_s)

    monkeypatch.setattr(processes, "_ends_within", ends_within_once_begun)

    with pytest.raises(TimeLimitError, match=r"after 1\.5 s: sh"):
        measure(words, limit_s=1.5)

    # A signal is sent at once and heeded in time.
    wait_until(lambda: not is_alive(int(written.read_text())))
    assert measure(["true"], limit_s=60).wall_s < 60


@pytest.mark.parametrize(
    ("is_stopped", "texts"), [(True, ("< 10", "> 5", "> 20")), (False, ("10", "5", "20"))]
)
def test_what_was_stopped_is_said_as_a_bound(is_stopped, texts, tmp_path, monkeypatch):
    def call(self, regions, *_, **__):
        if self.batch_regions is None and is_stopped:
            raise TimeLimitError
        return Measured(5.0 if self.batch_regions is None else 1.0, 1, "")

    monkeypatch.setattr(FinemoCaller, "call", call)
    effort = replace(TINY, default_regions={"simulated": 40}, default_limit_s=5.0)
    dataset = simulated_dataset(tmp_path, n_regions=10)

    found = run_at_default(
        dataset, effort, tmp_path, Finemo(tmp_path, {"finemo": "0.41"}), tmp_path
    )

    assert found.n_regions == 40
    assert (found.rate_text, found.wall_text, found.times([150.0, 200.0, 250.0])) == texts
