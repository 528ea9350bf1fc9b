"""Which device, how many workers, and what they are worth starting for."""

import ctypes
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from finemo_dist.core.config import ResourceConfig, SolverName
from finemo_dist.core.errors import UsageError
from finemo_dist.core.protocols import Executor, WorkerMaker
from finemo_dist.run.extraction import ExtractionPlan
from finemo_dist.run.in_turn import InTurn, SideBySide
from finemo_dist.run.plan import RunPlan
from finemo_dist.run.process_parent import Parent
from finemo_dist.run.process_pool import ProcessExecutor
from finemo_dist.run.serial import SerialExecutor

_WORTH_RAY_S = 30.0
"""Work of one GPU below which starting Ray (4 to 10 s) gains nothing."""
_START_CALLER_S = 3.0
"""For a process to import PyTorch, and whatever else it needs to call hits."""
_START_EXTRACTOR_S = 1.0
"""For a process that extracts, which does without PyTorch."""
_GPU_REGION_S = 1e-4
"""A region of 1,000 bases on a worker with a GPU: its host reads and writes for longer than the GPU
solves."""
_HERE = ("serial", "processes")
"""Executors that use nothing but this machine."""
_OUTPUT_REGION_S = 5e-5
"""To write the hits of a region as text."""
_OPEN_S = 0.5
"""To check the inputs of a sample and begin its store."""
_EXTRACT_S = 1e-7
"""A base: to read, compress and write it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the workers of this process may use, here or on a cluster."""

    n_cores: int
    n_gpus: int
    can_grow: bool = False
    """Whether more may come: nodes of a cluster do, when they are asked for."""

    @property
    def n_cores_per_gpu(self) -> int:
        """Cores for each GPU, at least one."""
        return max(1, self.n_cores // max(1, self.n_gpus))


def resolve_device(asked: str, machine: Machine, executor: str = "auto") -> str:
    """Return ``cpu`` or ``cuda``.

    Raises
    ------
    UsageError
        CUDA is asked for and there is none, or the executor does without.
    """
    if asked == "cuda" and not machine.n_gpus and not machine.can_grow:
        raise UsageError(
            "--device cuda: PyTorch sees no CUDA device here. Check `nvidia-smi`, "
            "CUDA_VISIBLE_DEVICES and that the installed PyTorch is a CUDA build, or use "
            "--device cpu."
        )
    if executor == "processes" and asked == "cuda":
        raise UsageError(
            "--executor processes: works on CPUs. Use --executor auto or ray for GPUs, or "
            "--device cpu."
        )
    if asked == "auto":
        return "cuda" if machine.n_gpus and executor != "processes" else "cpu"
    return asked


def count_gpus() -> int:
    """Return how many CUDA devices PyTorch sees."""
    if not _has_gpu_driver():
        return 0
    # Extraction, and a driver whose workers are elsewhere, do without PyTorch.
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _has_gpu_driver() -> bool:
    """Whether PyTorch could see a device; to ask it takes more than a second."""
    if sys.platform != "linux":
        return True
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        # PyTorch calls GPUs of AMD by the name of CUDA as well.
        return Path("/dev/kfd").exists()
    return True


def find_machine(resources: ResourceConfig, *, n_cores: int) -> Machine:
    """Return what this machine has, or the cluster whose address is given.

    Raises
    ------
    RunError
        No cluster answers there.
    """
    if resources.ray_address is None or resources.executor in _HERE:
        return Machine(n_cores=n_cores, n_gpus=count_gpus())
    from finemo_dist.run.ray_session import cluster_places

    n_cores, n_gpus = cluster_places(resources.ray_address)
    return Machine(n_cores=n_cores, n_gpus=n_gpus, can_grow=True)


def n_core_workers(resources: ResourceConfig, machine: Machine) -> int | None:
    """Return how many workers the user wants for what GPUs do not do; None where nothing is said.

    Without GPUs there is one kind of workers, and one number is enough.
    """
    if resources.n_cores is not None:
        return resources.n_cores
    has_gpus = resources.device == "cuda" or (resources.device == "auto" and machine.n_gpus > 0)
    return None if has_gpus else resources.n_workers


def cores_of_each(n_units: int, resources: ResourceConfig, machine: Machine) -> int | None:
    """Return how many cores each of some units may use; None where Ray decides that.

    Workers of this machine that have no unit leave their cores to the others.
    """
    if not _is_here(resources) or resources.executor == "ray":
        return None
    n_cores = n_core_workers(resources, machine) or machine.n_cores
    return max(1, n_cores // max(1, n_units))


def choose_executor(
    resources: ResourceConfig,
    plan: RunPlan,
    spec: WorkerMaker,
    machine: Machine,
    *,
    others: WorkerMaker | None = None,
    parent: Parent | None = None,
) -> Executor:
    """Return the executor for the work at hand; the choice never changes a hit.

    ``auto`` takes one worker in this process when one is asked for, when one unit is left, or when
    several would not be done sooner, with the time that they take to start. Otherwise it takes a
    process for each core, or Ray with ``workers_per_gpu`` for each GPU; no more than units. On a
    cluster these are the cluster's, now and later.

    Parameters
    ----------
    others
        Of workers that make stores and write files where GPUs call hits, and that need none.
    parent
        The process that workers on cores are copied from.
    """
    n_workers = _asked(resources, spec)
    if n_workers is None and _is_here(resources):
        n_workers = _n_workers(resources, plan, spec, machine)
    executor = _executor_of(resources, spec, n_workers, parent)
    is_alone = not (plan.pending_outputs or plan.extraction.units)
    if others is None or spec.device == "cpu" or is_alone:
        return executor
    n_others = n_core_workers(resources, machine)
    if n_others is None and _is_here(resources):
        n_others = _n_others(resources, plan, machine)
    beside = _executor_of(resources, others, n_others)
    if executor.describe()["kind"] != "ray" or not plan.pending:
        return InTurn(executor, beside)
    return _side_by_side(executor, beside, resources, others)


def _side_by_side(
    calling: Executor, beside: Executor, resources: ResourceConfig, others: WorkerMaker
) -> Executor:
    from finemo_dist.run.ray_pool import RayExecutor

    assert isinstance(calling, RayExecutor)
    if isinstance(beside, SerialExecutor):
        timeout_s = resources.unit_timeout_s
        beside = ProcessExecutor(others, n_workers=1, unit_timeout_s=timeout_s)
    if isinstance(beside, RayExecutor):
        n_workers = beside.describe()["n_workers"]
        return SideBySide(calling, beside, n_others=n_workers if isinstance(n_workers, int) else 1)
    assert isinstance(beside, ProcessExecutor)
    return SideBySide(calling, beside)


def _asked(resources: ResourceConfig, spec: WorkerMaker) -> int | None:
    """Return how many workers are asked for to call hits."""
    if resources.n_workers is not None:
        return resources.n_workers
    if spec.device == "cpu":
        return resources.n_cores
    return resources.n_gpus and resources.n_gpus * (resources.workers_per_gpu or 1)


def _n_others(resources: ResourceConfig, plan: RunPlan, machine: Machine) -> int:
    n_units = max(len(plan.pending_outputs), len(plan.extraction.units))
    n_workers = max(1, min(machine.n_cores, n_units))
    seconds = _OUTPUT_REGION_S * plan.n_output_regions + _EXTRACT_S * plan.extraction.n_bases
    is_sooner = _is_sooner(n_workers, seconds, _START_EXTRACTOR_S)
    return n_workers if is_sooner or resources.executor != "auto" else 1


def choose_extractor(resources: ResourceConfig, plan: ExtractionPlan, machine: Machine) -> Executor:
    """Return the executor of an extraction, by the rules of ``choose_executor``: cores only."""
    seconds = len(plan.units) * _OPEN_S if not plan.n_bases else plan.n_bases * _EXTRACT_S
    n_workers = n_core_workers(resources, machine)
    if n_workers is None and _is_here(resources):
        n_workers = max(1, min(machine.n_cores, len(plan.units)))
        is_sooner = _is_sooner(n_workers, seconds, _START_EXTRACTOR_S)
        n_workers = n_workers if is_sooner or resources.executor != "auto" else 1
    return _executor_of(resources, plan.spec, n_workers)


def _is_here(resources: ResourceConfig) -> bool:
    return resources.ray_address is None or resources.executor in _HERE


def _is_sooner(n_workers: int, seconds: float, start_s: float) -> bool:
    """Return whether workers that have to start are done sooner than one that is there."""
    return start_s + seconds / n_workers < seconds


def _executor_of(
    resources: ResourceConfig,
    spec: WorkerMaker,
    n_workers: int | None,
    parent: Parent | None = None,
) -> Executor:
    kind = resources.executor
    if kind == "auto" and _is_here(resources) and (n_workers == 1 or spec.device == "cpu"):
        kind = "serial" if n_workers == 1 else "processes"
    if kind == "serial":
        return SerialExecutor(spec)
    if kind == "processes":
        timeout_s = resources.unit_timeout_s
        return ProcessExecutor(
            spec, n_workers=n_workers or 1, unit_timeout_s=timeout_s, parent=parent
        )
    # Ray takes a second to import.
    from finemo_dist.run.ray_pool import RayExecutor

    return RayExecutor(
        spec,
        n_workers=n_workers,
        address=resources.ray_address,
        unit_timeout_s=resources.unit_timeout_s,
        workers_per_gpu=resources.workers_per_gpu or 1,
    )


def _n_workers(
    resources: ResourceConfig, plan: RunPlan, spec: WorkerMaker, machine: Machine
) -> int:
    seconds, is_gpu = _estimated_seconds(plan, spec.device), spec.device == "cuda"
    places = machine.n_gpus * (resources.workers_per_gpu or 1) if is_gpu else machine.n_cores
    n_units = max(len(plan.pending), len(plan.pending_outputs))
    if not is_gpu:
        n_units = max(n_units, len(plan.extraction.units))
    n_workers = max(1, min(places, n_units))
    if resources.executor != "auto":
        return n_workers
    if is_gpu:
        return 1 if seconds < _WORTH_RAY_S and machine.n_gpus == 1 else n_workers
    return n_workers if _is_sooner(n_workers, seconds, _START_CALLER_S) else 1


def _estimated_seconds(plan: RunPlan, device: str) -> float:
    """Return about how long one worker takes, from what was measured on a server core."""
    n_motif_strands = max(motif_set.n_motifs for motif_set in plan.record.sets)
    width = max((sample.region_width for sample in plan.record.samples), default=0)
    outputs = _OUTPUT_REGION_S * plan.n_output_regions
    if device == "cuda":
        return _GPU_REGION_S * width / 1000 * plan.n_pending_regions + outputs
    solvers = (plan.record.settings_of(sample).get("solver", {}) for sample in plan.record.samples)
    is_dense = any(solver.get("name") == SolverName.DENSE for solver in solvers)
    per_region = _region_seconds(width, n_motif_strands, is_dense=is_dense)
    return per_region * plan.n_pending_regions + outputs + _EXTRACT_S * plan.extraction.n_bases


def _region_seconds(width: int, n_motif_strands: int, *, is_dense: bool = False) -> float:
    """Return about how long hits are called in a region on a core."""
    if is_dense:
        return 4e-6 * n_motif_strands * width
    return (1.5e-4 + 2e-6 * n_motif_strands) * width / 1000


def parent_for_new_run(
    resources: ResourceConfig,
    machine: Machine,
    device: str,
    regions: Iterable[tuple[int, int, int]],
    *,
    modules: Sequence[str],
) -> Parent | None:
    """Return the process that the workers of a new run will be copied from.

    It loads what they need while the driver still prepares the run. None where the run may use
    no worker processes.

    Parameters
    ----------
    regions
        For each sample: number of regions, their width, and number of motif-strands.
    modules
        Modules that workers need.
    """
    n_workers = resources.n_workers or resources.n_cores or machine.n_cores
    is_here = resources.executor in {"auto", "processes"} and _is_here(resources)
    if sys.platform != "linux" or device != "cpu" or not is_here or n_workers == 1:
        return None
    is_asked = (resources.n_workers or resources.n_cores) is not None
    seconds = sum(n * _region_seconds(width, n_strands) for n, width, n_strands in regions)
    is_sure = is_asked or resources.executor != "auto"
    is_sure = is_sure or _is_sooner(n_workers, seconds, _START_CALLER_S)
    return Parent(modules) if is_sure else None
