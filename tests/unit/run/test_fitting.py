"""Batches that memory cannot hold."""

import dataclasses

import pytest
import torch

from finemo_dist.core.errors import RunError
from finemo_dist.core.records import Unit
from finemo_dist.run.fitting import BatchFitter
from finemo_dist.run.worker import RegionWorker
from tests.unit.run.runs import parts


class Cramped:
    """A solver on a machine that holds few regions; the rest is the real one's."""

    def __init__(self, solver, n_fit, error):
        self.solver, self.n_fit, self.error = solver, n_fit, error
        self.asked = []

    def solve(self, sequence, contributions):
        self.asked.append(len(sequence))
        if len(sequence) > self.n_fit:
            raise self.error
        return self.solver.solve(sequence, contributions)


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
]


@pytest.fixture
def worker(inputs, tmp_path):
    return RegionWorker(inputs.spec(inputs.plan(tmp_path / "run")), "w")


def cramp(worker, monkeypatch, n_fit, error):
    caller = worker._caller_of(next(iter(worker._spec.samples.values())))
    cramped = Cramped(caller.solver, n_fit, error)
    monkeypatch.setattr(worker, "_caller", dataclasses.replace(caller, solver=cramped))
    return cramped


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_batch_that_does_not_fit_is_halved_and_leaves_the_same_bytes(
    inputs, worker, tmp_path, monkeypatch, caplog, error
):
    RegionWorker(inputs.spec(inputs.plan(tmp_path / "roomy")), "w").process(Unit("a", 0))
    cramped = cramp(worker, monkeypatch, 1, error)

    worker.process(Unit("a", 0))

    assert cramped.asked == [4, 2, 1, 1, 1, 1]
    assert parts(tmp_path / "run") == parts(tmp_path / "roomy")
    assert "continuing with 1" in caplog.text


def test_the_size_that_fits_is_kept_for_the_next_shard(worker, monkeypatch):
    cramped = cramp(worker, monkeypatch, 2, MemoryError())
    worker.process(Unit("a", 0))
    cramped.asked.clear()

    worker.process(Unit("a", 1))

    assert cramped.asked == [2, 2]


def test_a_region_that_does_not_fit_alone_is_refused_with_its_size(worker, monkeypatch):
    cramp(worker, monkeypatch, 0, MemoryError())

    with pytest.raises(RunError, match=r"One region takes about \d+ MiB to solve"):
        worker.process(Unit("a", 0))


def test_other_errors_pass_through():
    fitter = BatchFitter(Cramped(None, 0, RuntimeError("shapes differ")), 1)

    with pytest.raises(RuntimeError, match="shapes differ"):
        fitter.solve(torch.zeros(2, 5), torch.zeros(2, 5))
