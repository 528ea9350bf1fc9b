"""What the process of a worker loads: nothing of the command line, and no PyTorch to extract."""

import pickle
import subprocess
import sys
from functools import partial

import pytest

from finemo_dist.run.extraction_worker import ExtractionSpec, SampleExtraction, Stage
from finemo_dist.run.worker_spec import WorkerSpec
from finemo_dist.sources.make import SOURCE_KINDS, make_source


def loaded_by(code: str, specification: object) -> set[str]:
    """Modules that a fresh process has after it unpickled a specification and ran some code."""
    program = (
        "import pickle, sys\n"
        "spec = pickle.load(sys.stdin.buffer)\n"
        f"{code}\n"
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps(specification),
        capture_output=True,
        check=True,
        timeout=120,
    )
    return set(done.stdout.decode().split())


def rooms(modules: set[str]) -> set[str]:
    return {name.split(".")[1] for name in modules if name.startswith("finemo_dist.")}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SOURCE_KINDS)
@pytest.mark.parametrize("stage", Stage)
def test_a_worker_that_extracts_loads_neither_torch_nor_the_command_line(kind, stage):
    sample = SampleExtraction(partial(make_source, kind, {}), "s.zarr", "staged")
    code = (
        "import finemo_dist.run.ray_pool\n"
        "spec.make_worker('w')\n"
        "try: spec.samples['a'].make_source()\n"
        "except TypeError: pass"
    )

    loaded = loaded_by(code, ExtractionSpec(stage, {"a": sample}, overwrite=False))

    assert "finemo_dist.sources.make" in loaded
    assert "torch" not in loaded
    assert not rooms(loaded) & {"cli", "workflow", "catalog", "reports", "solver"}


@pytest.mark.slow
def test_a_worker_that_solves_does_not_load_the_command_line():
    spec = WorkerSpec(run_dir="run", samples={}, device="cpu", batch_regions=None)

    loaded = loaded_by("spec.make_worker('w')", spec)

    assert "torch" in loaded
    assert not rooms(loaded) & {"cli", "workflow", "catalog", "reports", "sources"}


@pytest.mark.slow
def test_a_driver_whose_workers_are_processes_does_without_pytorch():
    loaded = loaded_by("import finemo_dist.workflow.running", None)

    assert "finemo_dist.workflow.calling" in loaded
    assert "torch" not in loaded
