"""What the process of a worker loads: nothing of the command line, and no PyTorch to extract."""

import pickle
import subprocess
import sys
from functools import partial
from itertools import product

import pytest

from finemo_dist.run.extraction_worker import ExtractionSpec, SampleExtraction, Stage
from finemo_dist.run.worker_spec import WorkerSpec
from finemo_dist.sources.make import SOURCE_KINDS, make_source


def loaded_by(code: str, *specifications: object, before: str = "") -> list[set[str]]:
    """Modules that a process has after it unpickled a specification and ran some code.

    Each specification has a process of its own, which has loaded nothing but what ``before`` does.
    """
    program = f"""\
import os, pickle, sys
{before}
for text in pickle.load(sys.stdin.buffer):
    if os.fork() == 0:
        spec = pickle.loads(text)
        {code}
        print(*sys.modules, flush=True)
        os._exit(0)
    assert os.wait()[1] == 0
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps([pickle.dumps(each) for each in specifications]),
        capture_output=True,
        check=True,
        timeout=120,
    )
    loaded = [set(line.split()) for line in done.stdout.decode().splitlines()]
    assert len(loaded) == len(specifications)
    return loaded


def rooms(modules: set[str]) -> set[str]:
    return {name.split(".")[1] for name in modules if name.startswith("finemo_dist.")}


@pytest.fixture(scope="module")
def loaded_to_extract():
    """Modules of a worker that extracts, by stage and kind of source."""
    cases = list(product(Stage, SOURCE_KINDS))
    specifications = [
        ExtractionSpec(
            stage,
            {"a": SampleExtraction(partial(make_source, kind, {}), "s.zarr", "staged")},
            overwrite=False,
        )
        for stage, kind in cases
    ]
    code = """spec.make_worker('w')
        try: spec.samples['a'].make_source()
        except TypeError: pass"""
    loaded = loaded_by(code, *specifications, before="import finemo_dist.run.ray_pool")
    return dict(zip(cases, loaded, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("kind", SOURCE_KINDS)
@pytest.mark.parametrize("stage", Stage)
def test_a_worker_that_extracts_loads_neither_torch_nor_the_command_line(
    loaded_to_extract, kind, stage
):
    loaded = loaded_to_extract[stage, kind]

    assert "finemo_dist.sources.make" in loaded
    assert "torch" not in loaded
    assert not rooms(loaded) & {"cli", "workflow", "catalog", "reports", "solver"}


@pytest.mark.slow
def test_a_worker_that_solves_does_not_load_the_command_line():
    spec = WorkerSpec(run_dir="run", samples={}, device="cpu", batch_regions=None)

    (loaded,) = loaded_by("spec.make_worker('w')", spec)

    assert "torch" in loaded
    assert not rooms(loaded) & {"cli", "workflow", "catalog", "reports", "sources"}


@pytest.mark.slow
def test_a_driver_whose_workers_are_processes_does_without_pytorch():
    (loaded,) = loaded_by("import finemo_dist.workflow.running", None)

    assert "finemo_dist.workflow.calling" in loaded
    assert "torch" not in loaded
