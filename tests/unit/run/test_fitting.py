"""Batches that memory cannot hold."""

import dataclasses

import pytest
import torch

from finemo_dist.core.config import CallConfig
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.memory import CPU_BUDGET_BYTES, MAX_BATCH_REGIONS
from finemo_dist.core.records import Unit
from finemo_dist.run.fitting import BatchFitter
from finemo_dist.run.solving import RegionCaller, device_here, make_caller, memory_budget
from finemo_dist.run.worker import RegionWorker
from finemo_dist.store.read import open_store
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


class OnGpu:
    """Regions on a GPU that is not there."""

    device = torch.device("cuda")

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, part):
        return OnGpu(len(range(self.n)[part]))


def test_what_a_gpu_keeps_is_given_back_before_less_is_tried(monkeypatch):
    emptied = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(None))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3 << 20, 80 << 20))
    cramped = Cramped(None, 0, torch.OutOfMemoryError("CUDA out of memory"))

    with pytest.raises(RunError) as caught:
        BatchFitter(cramped, 5 << 20).solve(OnGpu(4), OnGpu(4))

    assert cramped.asked == [4, 2, 1]
    assert len(emptied) == 3
    assert str(caught.value) == (
        "One region takes about 5 MiB to solve, and 3 of 80 MiB of the GPU are free. Use a "
        "machine with more memory, fewer motifs or narrower regions."
    )


def test_a_gpu_is_given_its_share_of_what_is_free_and_a_bounded_batch(inputs, monkeypatch):
    """Its memory would hold hundreds of thousands of regions, which gain nothing."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1 << 40, 1 << 40))
    gpu, cpu = torch.device("cuda"), torch.device("cpu")
    budget = memory_budget(gpu)
    assert memory_budget(gpu, n_sharing=4) == budget // 4
    assert budget == 1 << 39, "half of what is free"
    assert memory_budget(cpu, n_sharing=4) == CPU_BUDGET_BYTES

    config = CallConfig()
    caller = make_caller(inputs.motifs(config), config.solver, cpu)
    (store,) = map(open_store, inputs.stores.values())
    sizes = {
        device.type: RegionCaller(
            dataclasses.replace(caller, device=device), store, budget_bytes=budget
        ).batch_regions
        for device in (cpu, gpu)
    }

    assert sizes == {"cpu": MAX_BATCH_REGIONS, "cuda": 2048}


@pytest.mark.parametrize(
    ("asked", "has_gpu", "found"),
    [
        ("auto", False, "cpu"),
        ("auto", True, "cuda"),
        ("cpu", True, "cpu"),
        ("cuda", True, "cuda"),
        ("cuda", False, "device 'cuda': PyTorch sees no CUDA device here. Use 'cpu'."),
        ("gpu", True, "device 'gpu': expected 'auto', 'cpu' or 'cuda'."),
    ],
)
def test_the_device_of_this_process_is_one_that_is_there(monkeypatch, asked, has_gpu, found):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)

    if found in ("cpu", "cuda"):
        assert device_here(asked).type == found
    else:
        with pytest.raises(UsageError) as caught:
            device_here(asked)
        assert str(caught.value) == found
