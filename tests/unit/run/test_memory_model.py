"""The memory model against the memory that a process really takes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]

CASES = [
    ("working-set", "pp", 48, 1000, 1500),
    ("working-set", "pp", 400, 2114, 500),
    ("working-set", "hh", 100, 500, 1500),
    ("dense", "pp", 100, 1000, 40),
]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, Linux only")
@pytest.mark.parametrize(("solver", "mode", "n_strands", "width", "n_regions"), CASES)
def test_a_region_takes_what_the_model_says_within_a_quarter(
    solver, mode, n_strands, width, n_regions
):
    words = [sys.executable, "-m", "tests.memory_probe", solver, mode]
    words += [str(number) for number in (n_strands, width, n_regions)]
    # Arrays of 64 kB and more go back to the system when they are freed: what is resident is used.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "PYTHONPATH": str(PROJECT)}

    output = subprocess.run(
        words, capture_output=True, check=True, text=True, env=environment, cwd=PROJECT
    ).stdout

    predicted, measured = json.loads(output)
    assert predicted == pytest.approx(measured, rel=0.25)
