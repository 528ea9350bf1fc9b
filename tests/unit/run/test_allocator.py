"""What the C library is told, and that it may be one that cannot be told."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from finemo_dist.run import allocator

FEWEST = 1000
ROUNDS = """
import resource, sys
import numpy as np
from finemo_dist.run.allocator import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()

def batch():
    # Each below what numpy asks huge pages for.
    arrays = [np.ones(1 << 17) for _ in range(16)]
    return sum(array[0] for array in arrays)

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

batch()
before = faults()
for _ in range(8):
    batch()
print(faults() - before)
"""


def faults_of_eight_batches(how):
    """Page faults of eight times 16 MiB of arrays, 32,768 pages."""
    done = subprocess.run(
        [sys.executable, "-c", ROUNDS, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library has no mallopt"
)
def test_memory_of_a_batch_serves_the_next():
    left = faults_of_eight_batches("leave")
    if left < FEWEST:
        pytest.skip("pages are so large here that there is nothing to save")

    assert faults_of_eight_batches("keep") * 4 < left


def test_a_c_library_without_the_call_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())

    allocator.keep_freed_memory()


def test_both_limits_are_set(monkeypatch):
    told = []
    library = SimpleNamespace(mallopt=lambda *given: told.append(given))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)

    allocator.keep_freed_memory()

    # M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h; setting either ends glibc's own adapting.
    assert dict(told) == {-3: 32 << 20, -1: 256 << 20}
