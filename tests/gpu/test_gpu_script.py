"""The script for a GPU runs on this machine's CPU and on CUDA tensors that are not there."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from tests.gpu import __main__ as script
from tests.gpu import sections
from tests.gpu.setup import QUICK, Setup

# It measures; the tests of what it measures guard correctness.
pytestmark = [pytest.mark.slow, pytest.mark.system]


def found_by(tmp_path: Path, *words: str) -> tuple[int, dict]:
    out = tmp_path / "gpu.json"
    done = CliRunner().invoke(script.main, ["--quick", "--out", str(out), *words])
    return done.exit_code, json.loads(out.read_text())


def test_on_the_cpu_everything_is_measured_and_hits_are_those_of_the_cpu(tmp_path):
    status, found = found_by(tmp_path, "--device", "cpu")

    assert status == 0, found
    cases = found["same_hits"]["cases"]
    assert len(cases) == 9
    assert all(case["equal"] and case["n_hits"] == case["n_hits_device"] for case in cases.values())
    assert sum(case["n_hits"] for case in cases.values()) > 0
    rate = found["rates"]["16"]
    assert rate["regions_per_s"] > 0
    assert rate["memory"] is None
    assert found["whole_run"]["n_regions"] == QUICK.run_regions
    assert found["whole_run"]["utilisation"] is None
    assert "--finemo" in found["beside_finemo"]["not_run"]


def test_on_fake_cuda_no_device_is_mixed_up(tmp_path):
    status, found = found_by(tmp_path, "--device", "fake")

    assert status == 0, found
    assert all(case["equal"] for case in found["same_hits"]["cases"].values())
    assert found["rates"]["16"]["n_kernels"] > 0


def test_hits_that_differ_and_sections_that_fail_are_errors(tmp_path, monkeypatch):
    def fails(_):
        raise RuntimeError("no kernel image")

    solved = sections.make_solver

    class Other:
        """A device that loses a hit."""

        def __init__(self, solver):
            self.solver = solver

        def solve(self, *batch):
            solution = self.solver.solve(*batch)
            kept = torch.arange(max(0, len(solution.hits) - 1))
            return replace(solution, hits=solution.hits[kept])

    made = []

    def make(*words):
        made.append(solved(*words))
        return made[-1] if len(made) % 2 else Other(made[-1])

    monkeypatch.setattr(sections, "make_solver", make)
    monkeypatch.setitem(script.SECTIONS, "rates", fails)
    monkeypatch.setitem(script.SECTIONS, "whole_run", lambda _: {})

    status, found = found_by(tmp_path, "--device", "cpu")

    assert status == 1
    assert found["same_hits"]["n_failed"] >= 7
    assert script.problems(found) == [
        f"same_hits: {found['same_hits']['n_failed']} cases differ",
        "rates: RuntimeError: no kernel image",
    ]


def test_no_section_begins_when_the_time_is_over():
    over = Setup("cpu", QUICK, Path("unused"), None, ends_at=time.monotonic() - 1)

    found = script.run(over)

    assert {found[name]["not_run"] for name in script.SECTIONS} == {"the time was over"}


def test_utilisation_is_from_the_first_kernel_to_the_last():
    busy = sections._Utilisation("cpu")
    busy._shares = [0, 0, 50, 100, 0, 90, 0]

    assert busy.summary() == {"mean_percent": 60, "n_samples": 4, "sample_ms": 100}
