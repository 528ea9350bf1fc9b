"""Fixtures of the whole suite, and what happens when something a test needs is not there."""

import gc
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# No deadline: the machines that run this are shared, and a slow example is not a wrong one.
settings.register_profile("suite", deadline=None, max_examples=50)
# The same examples each time, so that a red build is about the change it tests.
settings.register_profile("ci", settings.get_profile("suite"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "suite")

PROJECT = Path(__file__).resolve().parents[1]
SHARED_DATA = PROJECT.parent / "shared" / "data"

REQUIRED = frozenset(filter(None, os.environ.get("FINEMO_DIST_REQUIRE", "").split(",")))
"""What must be there: its absence is a failure instead of a skip (continuous integration)."""


def skip_or_fail(name: str, reason: str) -> None:
    """End a test that lacks something: a counted skip, or a failure where it is required."""
    if name in REQUIRED:
        pytest.fail(f"{name} is required here: {reason}")
    pytest.skip(reason)


SYSTEM_MARKS = frozenset({"chromium", "ray"})
SYSTEM_FIXTURES = frozenset({"s3_endpoint", "slurm"})
"""What starts clusters, browsers and servers; tests of kills have the mark in their files."""

LONGEST = (
    "integration/launch/test_slurm.py",
    "integration/cluster",
    "integration/launch",
    "unit/cli/test_annotate.py",
    "unit/solver/test_compiled.py",
    "integration/objects",
    "integration/test_readme.py",
    "integration/test_resume.py",
    "integration/test_extraction.py",
    "contracts",
    "integration",
    "fuzz",
    "benchmarks",
    "unit/run/test_memory_model.py",
    "unit/catalog/test_named.py",
)
"""Files and folders with long tests, which begin first: the last of many processes then ends with
short ones."""

# Half a million objects of modules and tests are made and none of them ends before the process.
gc.disable()

COLLECTED = pytest.StashKey[list[pytest.Item]]()
"""Every test that was collected, before any was left out."""


def _rank(item: pytest.Item) -> int:
    place = item.path.relative_to(PROJECT / "tests").as_posix()
    ranks = (i for i, name in enumerate(LONGEST) if f"{place}/".startswith(f"{name}/"))
    return next(ranks, len(LONGEST))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what belongs to ``make test-system``, and put long tests first."""
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if marks & SYSTEM_MARKS or SYSTEM_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.system)
    items.sort(key=_rank)
    config.stash[COLLECTED] = list(items)


def pytest_collection_finish() -> None:
    """Collect garbage from now on, without looking again and again at what was made so far."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Let everything end as it does without pytest: libraries report what is left."""
    gc.unfreeze()


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Solve as the workers do."""
    # The process that hands out tests does not need it.
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _no_power_cut():
    """Flush nothing to the disk: thousands of files are committed, and none outlives its test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def ray_address():
    """Of a Ray of two cores for all tests that leave it as it is: it takes seconds to start."""
    # ray is not loaded before a test needs it.
    from tests.ray_node import ray_node

    with ray_node(2) as address:
        yield address


@pytest.fixture
def rng():
    """A seeded random generator."""
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def shared_data():
    """The reference data: real attributions, and finemo's output on them."""
    if not SHARED_DATA.is_dir():
        skip_or_fail("shared_data", "reference data not present: ../shared/data")
    return SHARED_DATA


@pytest.fixture(scope="session")
def yeast_mini(shared_data):
    """224 regions of three yeast chromosomes."""
    return shared_data / "yeast_mini"


@pytest.fixture(scope="session")
def yeast(shared_data):
    """1,034 regions of six yeast chromosomes."""
    return shared_data / "yeast"


@pytest.fixture(scope="session")
def yeast_slice(tmp_path_factory):
    """24 regions of yeast that are part of the project: see tests/data/PROVENANCE.md.

    A copy: the index of a genome is written beside it.
    """
    folder = tmp_path_factory.mktemp("data") / "yeast_slice"
    return shutil.copytree(PROJECT / "tests" / "data" / "yeast_slice", folder)


@pytest.fixture(
    scope="session", params=["slice", pytest.param("mini", marks=pytest.mark.shared_data)]
)
def real_data(request, tmp_path_factory):
    """Real attributions in every layout: the slice, and the larger set where it is there."""
    if request.param == "mini":
        return request.getfixturevalue("yeast_mini")
    folder = tmp_path_factory.mktemp("slice")
    for path in request.getfixturevalue("yeast_slice").iterdir():
        (folder / path.name).symlink_to(path)
    # The process that hands out tests does not need it.
    import h5py

    # BPNet's layout holds the same numbers, so it is made here.
    with h5py.File(folder / "bpnet_contribs.h5", "w") as file:
        for name, key in (("ohe", "input_seqs"), ("attr", "hyp_scores")):
            file[key] = np.load(folder / f"{name}.npz")["arr_0"].swapaxes(1, 2)
    return folder


@pytest.fixture
def interruptible():
    """Handle SIGINT: shells make the jobs that they run in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
