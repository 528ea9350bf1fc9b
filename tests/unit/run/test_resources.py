"""Which device, how many workers, and what they are worth starting for."""

import dataclasses
import sys

import pytest
import torch

from finemo_dist.core.config import CallConfig, ResourceConfig, SolverConfig
from finemo_dist.core.errors import UsageError
from finemo_dist.core.memory import Demand, Need
from finemo_dist.core.records import Stage, Unit
from finemo_dist.run import resources as module
from finemo_dist.run import space
from finemo_dist.run.in_turn import InTurn, SideBySide
from finemo_dist.run.plan import RunPlan
from finemo_dist.run.process_pool import ProcessExecutor
from finemo_dist.run.ray_pool import RayExecutor
from finemo_dist.run.resources import (
    Machine,
    choose_executor,
    cores_of_each,
    count_gpus,
    find_machine,
    n_core_workers,
    resolve_device,
)

LAPTOP = Machine(n_cores=4, n_gpus=0)
YOUNG_CLUSTER = Machine(n_cores=2, n_gpus=0, can_grow=True)
SERVER = Machine(n_cores=64, n_gpus=8)


@pytest.fixture
def choose(inputs, tmp_path, monkeypatch):
    """Return what is chosen for six shards of work that takes so many seconds of one core."""
    plan = inputs.plan(tmp_path)
    spec = inputs.spec(plan)

    def make(*, machine=LAPTOP, seconds=0.1, device="cpu", plan=plan, **resources):
        monkeypatch.setattr(module, "_estimated_seconds", lambda *_: seconds)
        executor = choose_executor(
            ResourceConfig(**resources), plan, dataclasses.replace(spec, device=device), machine
        )
        return tuple(executor.describe().values())

    make.plan = plan
    return make


def test_little_work_is_done_in_this_process(choose):
    assert choose() == ("serial", 1, "cpu")


def test_much_work_takes_a_worker_for_each_core(choose):
    assert choose(seconds=100) == ("processes", 4, "cpu")


@pytest.mark.parametrize(
    ("n_units", "asked", "cores"),
    [
        (1, {}, 4),
        (2, {}, 2),
        (9, {}, 1),
        (0, {}, 4),
        (1, {"n_workers": 1}, 1),
        (1, {"n_cores": 3}, 3),
        (1, {"executor": "serial"}, 4),
        (1, {"executor": "ray"}, None),
        (1, {"ray_address": "auto"}, None),
    ],
)
def test_units_that_are_few_share_the_cores_of_workers_that_have_none(n_units, asked, cores):
    assert cores_of_each(n_units, ResourceConfig(**asked), LAPTOP) == cores


def test_cores_and_gpus_are_two_numbers(choose):
    gpus = {"machine": SERVER, "device": "cuda", "executor": "ray"}

    assert choose(**gpus, n_gpus=2, workers_per_gpu=3) == ("ray", 6, "cuda")
    assert choose(**gpus, n_gpus=2, n_workers=4) == ("ray", 4, "cuda")
    assert choose(**gpus, n_cores=5) == ("ray", 6, "cuda"), "as many as units, whatever the cores"
    assert choose(seconds=100, n_cores=3) == ("processes", 3, "cpu")
    assert choose(seconds=100, n_cores=3, n_workers=2) == ("processes", 2, "cpu")


@pytest.mark.parametrize(
    ("given", "n_cores"),
    [
        ({"device": "cuda", "n_workers": 16}, None),
        ({"device": "auto", "n_workers": 16, "n_cores": 40}, 40),
        ({"device": "cpu", "n_workers": 16}, 16),
        ({"device": "cpu"}, None),
    ],
)
def test_workers_of_gpus_are_no_limit_of_cores(given, n_cores):
    assert n_core_workers(ResourceConfig(**given), SERVER) == n_cores


def test_cores_write_files_once_gpus_are_let_go(choose, inputs):
    plan = dataclasses.replace(choose.plan, pending_outputs=(Unit("a", 0, Stage.OUTPUTS),) * 3)
    spec = inputs.spec(plan)
    resources = ResourceConfig(executor="processes", n_workers=2, n_cores=5)

    executor = choose_executor(
        resources, plan, dataclasses.replace(spec, device="cuda"), SERVER, others=spec
    )

    assert isinstance(executor, InTurn)
    assert executor.describe() == {
        "kind": "processes", "n_workers": 2, "device": "cuda", "n_cores": 5,
    }  # fmt: skip
    # CPUs have one pool for both.
    alone = choose_executor(resources, plan, spec, LAPTOP, others=spec)
    assert not isinstance(alone, InTurn)


@pytest.mark.parametrize(
    ("given", "beside", "n_cores", "n_more"),
    [
        # Cores of Ray's cluster or session, so that its session has to have room for them.
        ({"executor": "ray", "n_cores": 5}, RayExecutor, 5, 5),
        ({"executor": "ray", "ray_address": "head:1"}, RayExecutor, "cluster", 1),
        # Processes of this machine beside Ray's workers: as many as there are files.
        ({"n_cores": 5}, ProcessExecutor, 5, 0),
        ({}, ProcessExecutor, 1, 0),
        ({"executor": "ray"}, RayExecutor, 3, 3),
    ],
)
def test_cores_write_files_while_workers_of_ray_call_hits(
    choose, inputs, given, beside, n_cores, n_more
):
    plan = dataclasses.replace(choose.plan, pending_outputs=(Unit("a", 0, Stage.OUTPUTS),) * 3)
    spec = inputs.spec(plan)
    resources = ResourceConfig(**given, n_gpus=2)

    executor = choose_executor(
        resources, plan, dataclasses.replace(spec, device="cuda"), SERVER, others=spec
    )

    assert isinstance(executor, SideBySide)
    assert executor.describe() == {
        "kind": "ray", "n_workers": 2, "device": "cuda", "n_cores": n_cores,
    }  # fmt: skip
    assert type(executor._others) is beside
    assert executor._n_others == n_more


def test_nothing_is_called_beside_the_files_where_all_is_called(choose, inputs):
    plan = dataclasses.replace(
        choose.plan, pending=(), pending_outputs=(Unit("a", 0, Stage.OUTPUTS),) * 3
    )
    spec = inputs.spec(plan)

    executor = choose_executor(
        ResourceConfig(executor="ray", n_gpus=2), plan,
        dataclasses.replace(spec, device="cuda"), SERVER, others=spec,
    )  # fmt: skip

    assert isinstance(executor, InTurn)


@pytest.mark.parametrize(("n_regions", "n_workers"), [(10**4, 1), (10**7, 3)])
def test_files_take_as_many_cores_as_are_done_sooner(
    choose, inputs, monkeypatch, n_regions, n_workers
):
    """A second to start them, against 50 microseconds a region."""
    monkeypatch.setattr(RunPlan, "n_output_regions", n_regions)
    plan = dataclasses.replace(choose.plan, pending_outputs=(Unit("a", 0, Stage.OUTPUTS),) * 3)
    spec = inputs.spec(plan)

    executor = choose_executor(
        ResourceConfig(n_gpus=1, executor="auto"), plan,
        dataclasses.replace(spec, device="cuda"), Machine(64, 1), others=spec,
    )  # fmt: skip

    assert executor.describe()["n_cores"] == n_workers


def test_a_gpu_is_estimated_by_regions_and_their_width_alone(inputs, tmp_path, monkeypatch):
    plan = inputs.plan(tmp_path)
    width = plan.record.samples[0].region_width

    assert module._estimated_seconds(plan, "cuda") == pytest.approx(1e-7 * width * 24)
    monkeypatch.setattr(RunPlan, "n_output_regions", 1000)
    files = dataclasses.replace(plan, pending=())
    assert module._estimated_seconds(files, "cuda") == pytest.approx(0.05)


def test_on_other_systems_pytorch_is_asked_for_gpus(monkeypatch):
    """A driver has other names there."""
    monkeypatch.setattr(module.sys, "platform", "darwin")
    monkeypatch.setattr(module.ctypes, "CDLL", lambda name: pytest.fail("was looked for"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)

    assert count_gpus() == 1


def test_what_is_not_known_of_the_disk_refuses_and_warns_of_nothing(caplog):
    space.require(Need("the hits", "/run", 1_000, "Free some."), None)
    assert caplog.records == []
    with pytest.raises(UsageError, match=r"^/run: the hits will take about 1 kB, and 9 bytes"):
        space.require(Need("the hits", "/run", 1_000, "Free some."), 9)
    space.require(Need("the hits", "/run", 1_000, "Free some."), 1_100)
    assert len(caplog.records) == 1


def test_no_more_workers_than_units(choose):
    assert choose(seconds=100, machine=SERVER) == ("processes", 6, "cpu")


@pytest.mark.parametrize(("n_cores", "least_s"), [(2, 6.0), (4, 4.0), (6, 3.6)])
def test_processes_are_started_as_soon_as_they_end_sooner(choose, n_cores, least_s):
    """They take three seconds to start."""
    machine = Machine(n_cores, 0)

    assert choose(seconds=least_s - 0.1, machine=machine) == ("serial", 1, "cpu")
    assert choose(seconds=least_s + 0.1, machine=machine) == ("processes", n_cores, "cpu")


def test_a_machine_of_one_core_needs_no_processes(choose):
    assert choose(seconds=100, machine=Machine(1, 0)) == ("serial", 1, "cpu")


def test_one_unit_needs_no_processes(choose):
    plan = dataclasses.replace(choose.plan, pending=choose.plan.pending[:1])

    assert choose(seconds=100, plan=plan) == ("serial", 1, "cpu")


def test_nothing_left_needs_no_processes(choose):
    plan = dataclasses.replace(choose.plan, pending=())

    assert choose(seconds=0, plan=plan) == ("serial", 1, "cpu")


@pytest.mark.parametrize(("n_workers", "kind"), [(1, "serial"), (3, "processes")])
def test_the_number_of_workers_asked_for_is_taken(choose, n_workers, kind):
    assert choose(n_workers=n_workers) == (kind, n_workers, "cpu")


def test_gpus_are_counted_instead_of_cores(choose):
    assert choose(device="cuda", machine=Machine(64, 2)) == ("ray", 2, "cuda")
    assert choose(device="cuda", machine=Machine(64, 1)) == ("serial", 1, "cuda")


def test_a_gpu_has_several_workers_where_that_is_worth_ray(choose):
    options = {"device": "cuda", "workers_per_gpu": 2}

    assert choose(seconds=100, machine=Machine(64, 2), **options) == ("ray", 4, "cuda")
    assert choose(seconds=100, machine=Machine(64, 1), **options) == ("ray", 2, "cuda")
    assert choose(seconds=1, machine=Machine(64, 1), **options) == ("serial", 1, "cuda")


@pytest.mark.parametrize(
    ("free", "n_cores", "asked", "expected"),
    [
        ((40 << 30, 80 << 30), 8, None, 4),
        ((40 << 30, 80 << 30), 2, None, 2),
        ((40 << 30, 2 << 30), 8, None, 2),
        ((1 << 30,), 8, None, 1),
        (None, 8, None, 4),
        (None, 3, None, 3),
        ((40 << 30,), 1, 5, 5),
    ],
)
def test_workers_share_a_gpu_as_memory_and_cores_allow(
    inputs, monkeypatch, free, n_cores, asked, expected
):
    monkeypatch.setattr(space, "free_gpu_memory", lambda: free)
    demand = Demand(SolverConfig(), inputs.motifs(CallConfig()), 1000)

    found = space.workers_per_gpu_that_fit(
        ResourceConfig(workers_per_gpu=asked), demand, n_cores_per_gpu=n_cores
    )

    assert found == expected


def test_a_gpu_without_memory_for_a_region_is_refused(inputs, monkeypatch):
    monkeypatch.setattr(space, "free_gpu_memory", lambda: (40 << 30, 100 << 20))

    with pytest.raises(UsageError, match="GPU 1: a worker with a single region"):
        space.workers_per_gpu_that_fit(
            ResourceConfig(),
            Demand(SolverConfig(), inputs.motifs(CallConfig()), 1000),
            n_cores_per_gpu=8,
        )


def test_an_executor_asked_for_is_taken(choose):
    assert choose(executor="ray", n_workers=1) == ("ray", 1, "cpu")
    assert choose(executor="ray") == ("ray", 4, "cpu")
    assert choose(executor="serial", seconds=100) == ("serial", 1, "cpu")
    assert choose(executor="processes") == ("processes", 4, "cpu")
    assert choose(executor="processes", n_workers=1) == ("processes", 1, "cpu")


def test_an_address_asks_for_ray(choose):
    assert choose(ray_address="auto", n_workers=1) == ("ray", 1, "cpu")
    assert choose(ray_address="auto", executor="serial") == ("serial", 1, "cpu")
    assert choose(ray_address="auto", executor="processes") == ("processes", 4, "cpu")


def test_on_a_cluster_its_own_size_counts(choose):
    assert choose(ray_address="auto") == ("ray", "cluster", "cpu")
    assert choose(ray_address="auto", machine=SERVER, device="cuda") == ("ray", "cluster", "cuda")


def test_the_machine_is_the_cluster_where_there_is_one(monkeypatch):
    monkeypatch.setattr("finemo_dist.run.ray_session.cluster_places", lambda address: (96, 12))
    monkeypatch.setattr("finemo_dist.run.resources.count_gpus", lambda: 1)

    found = [
        find_machine(ResourceConfig(**resources), n_cores=4)
        for resources in ({}, {"ray_address": "auto"}, {"ray_address": "x", "executor": "serial"})
    ]

    assert found == [Machine(4, 1), Machine(96, 12, can_grow=True), Machine(4, 1)]


def test_work_is_estimated_from_what_is_left(inputs, tmp_path):
    plan = inputs.plan(tmp_path)
    less = dataclasses.replace(plan, pending=plan.pending[:3])
    spec = inputs.spec(plan)

    assert module._estimated_seconds(less, spec) == module._estimated_seconds(plan, spec) / 2 > 0


def test_the_dense_solver_is_estimated_to_take_longer(inputs, tmp_path):
    plan = inputs.plan(tmp_path)
    spec = inputs.spec(plan)
    ((name, sample),) = spec.samples.items()
    solver = sample.solver.model_copy(update={"name": "dense"})
    dense = dataclasses.replace(spec, samples={name: dataclasses.replace(sample, solver=solver)})

    assert module._estimated_seconds(plan, dense) >= module._estimated_seconds(plan, spec)


@pytest.mark.parametrize(
    ("asked", "machine", "device"),
    [
        ("auto", LAPTOP, "cpu"),
        ("auto", SERVER, "cuda"),
        ("cpu", SERVER, "cpu"),
        ("cuda", SERVER, "cuda"),
        ("auto", YOUNG_CLUSTER, "cpu"),
        ("cuda", YOUNG_CLUSTER, "cuda"),
    ],
)
def test_a_gpu_is_taken_where_there_is_one(asked, machine, device):
    assert resolve_device(asked, machine) == device


def test_cuda_without_a_device_is_refused():
    with pytest.raises(UsageError, match=r"PyTorch sees no CUDA device.*--device cpu"):
        resolve_device("cuda", LAPTOP)


def test_processes_use_no_gpu():
    assert resolve_device("auto", SERVER, "processes") == "cpu"
    with pytest.raises(UsageError, match=r"--executor processes: works on CPUs.*--device cpu"):
        resolve_device("cuda", SERVER, "processes")


def test_gpus_are_those_that_pytorch_sees(monkeypatch):
    monkeypatch.setattr(module, "_has_gpu_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert count_gpus() == 3
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert count_gpus() == 0


def test_pytorch_is_not_asked_for_gpus_where_there_is_no_driver(monkeypatch, tmp_path):
    def no_driver(name):
        raise OSError(name)

    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.ctypes, "CDLL", no_driver)
    monkeypatch.setattr(module, "Path", lambda _: tmp_path / "none")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("was asked"))
    assert count_gpus() == 0

    monkeypatch.setattr(module, "Path", lambda _: tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert count_gpus() == 2, "of AMD"


@pytest.mark.parametrize(
    ("options", "n_regions", "device", "is_begun"),
    [
        ({}, 40_000, "cpu", True),
        # One worker is done before a second has started.
        ({}, 1_000, "cpu", False),
        ({"n_workers": 2}, 1_000, "cpu", True),
        ({"n_cores": 2}, 1_000, "cpu", True),
        ({"executor": "processes"}, 1_000, "cpu", True),
        ({"n_workers": 1}, 40_000, "cpu", False),
        ({"executor": "serial"}, 40_000, "cpu", False),
        ({"executor": "ray"}, 40_000, "cpu", False),
        ({"ray_address": "auto"}, 40_000, "cpu", False),
        ({}, 40_000, "cuda", False),
    ],
)
def test_a_parent_is_begun_where_workers_will_be_its_copies(
    monkeypatch, options, n_regions, device, is_begun
):
    monkeypatch.setattr(module, "Parent", tuple)
    machine = Machine(n_cores=4, n_gpus=0)
    found = module.parent_for_new_run(
        ResourceConfig(**options), machine, device, [(n_regions, 1000, 48)], modules=["module"]
    )
    expected = ("module",) if is_begun and sys.platform == "linux" else None
    assert found == expected
