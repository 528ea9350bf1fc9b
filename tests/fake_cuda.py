"""A solve on a GPU that is not there.

PyTorch's fake tensors carry shapes and devices and no data: running on them shows every device
that is mixed up, without a device. What needs the data stops them: it makes the host wait for a
real GPU. A solve needs it in a few places, where the number of atoms or of programs still under
way decides what comes next. ``record`` notes those answers during a real solve on the CPU, and
``replay`` gives them to the same solve on fake CUDA tensors. Anything else that asks for data
raises. Both note where they were asked, and what was launched.
"""

import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from unittest import mock

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from finemo_dist.solver import clusters, indices, products, quadratic
from finemo_dist.solver.screening import Screen
from finemo_dist.solver.solution import Solution
from finemo_dist.solver.working_set import WorkingSetSolver
from tests.fake_calls import SpelledOutCalls
from tests.launch_costs import is_free, n_bytes, n_flops, n_kernels, tensors_in

PACKAGE = str(Path(__file__).resolve().parents[1] / "finemo_dist")

_ASKING = {
    torch.ops.aten.nonzero.default,
    torch.ops.aten._local_scalar_dense.default,
}
"""What makes the host wait: the shape or the value of the result depends on data."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One operation that is not a view."""

    name: str
    stage: str
    """Function of the solver that asked for it, outermost first, as ``module.function``."""
    n_kernels: int
    n_flops: int
    n_bytes: int
    """Read and written."""
    inputs: tuple[tuple[int, ...], ...]
    """Shapes of the tensors that went in."""
    dtype: torch.dtype | None


@dataclass(slots=True)
class Log:
    """What a solve did."""

    answers: list[tuple[int, ...] | int | float | bool] = field(default_factory=list)
    """In order: the shape of each ``nonzero`` and the value of each scalar."""
    places: list[str] = field(default_factory=list)
    """Where the host waited, ``module.function``."""
    waits: list[str] = field(default_factory=list)
    """The same with the functions that asked, as ``Launch.stage``."""
    launches: list[Launch] = field(default_factory=list)
    peak_bytes: int = 0
    """Most that tensors made on the way held at once."""


class _Mode(TorchDispatchMode):
    """Notes what passes, and lets ``answer`` take what asks for data."""

    def __init__(self, log: Log, answer: Callable[..., object]) -> None:
        super().__init__()
        self.log, self.answer = log, answer
        self._held: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in _ASKING:
            stack = _stack()
            self.log.places.append(stack[-1])
            self.log.waits.append("/".join(stack))
            result = self.answer(func, args, kwargs)
        else:
            result = func(*args, **kwargs)
        if not is_free(func):
            self.log.launches.append(_launch(func, args, kwargs, result))
        self._note_memory(result)
        return result

    def _note_memory(self, result: object) -> None:
        for tensor in tensors_in(result):
            storage = tensor.untyped_storage()
            held = StorageWeakRef(storage)
            self._held[held.cdata] = held, storage.nbytes()
        self._held = {key: kept for key, kept in self._held.items() if not kept[0].expired()}
        now_bytes = sum(size for _, size in self._held.values())
        self.log.peak_bytes = max(self.log.peak_bytes, now_bytes)


@contextmanager
def record() -> Iterator[Log]:
    """Note what a solve on real tensors does."""
    log = Log()

    def answer(func, args, kwargs):
        result = func(*args, **kwargs)
        log.answers.append(tuple(result.shape) if isinstance(result, Tensor) else result)
        return result

    with _Mode(log, answer):
        yield log


@contextmanager
def replay(answers: list[object]) -> Iterator[Log]:
    """Note what a solve on fake tensors does, given what a real one was told."""
    log, given = Log(), iter(answers)

    def answer(func, args, kwargs):
        del func, kwargs
        told = next(given)
        log.answers.append(told)
        return args[0].new_empty(told, dtype=torch.int64) if isinstance(told, tuple) else told

    with _Mode(log, answer):
        yield log


def solve_on_fake_cuda(
    solver: WorkingSetSolver, sequence: Tensor, contributions: Tensor
) -> tuple[Log, Log]:
    """Solve on the CPU as on a GPU, then on fake CUDA tensors; return what each did."""
    with sizes_of_cuda(), record() as real:
        _solve(solver, sequence, contributions)
    with FakeTensorMode(), SpelledOutCalls():
        twin = copy.copy(solver)
        twin._cwms = _to_cuda(solver._cwms)
        twin._screen = Screen(twin._cwms, tuple(map(_to_cuda, solver._screen.groups)))
        inputs = _to_cuda(sequence), _to_cuda(contributions)
        with replay(real.answers) as faked:
            solution = _solve(twin, *inputs)
    assert solution.hits.coefficient.device.type == "cuda"
    return real, faked


def _solve(solver: WorkingSetSolver, sequence: Tensor, contributions: Tensor) -> Solution:
    """Solve outside of inference mode, where operations come before they are taken apart."""
    return WorkingSetSolver.solve.__wrapped__(solver, sequence, contributions)


@contextmanager
def sizes_of_cuda() -> Iterator[None]:
    """Give the CPU the sizes that are set for a GPU, so that both ask the same in one order."""
    with ExitStack() as patches:
        for sizes in (
            indices._COUNTS_BY_NUMPY,
            products._HAS_BAGS,
            products._WINDOWS_PER_PRODUCT,
            products._PRODUCTS_AT_ONCE,
            clusters._MAX_VALUES,
            clusters._LOG_PADDING,
            quadratic._STEPS_BETWEEN_SYNCS,
        ):
            patches.enter_context(mock.patch.dict(sizes, cpu=sizes["cuda"]))
        yield


def _to_cuda(value: object) -> object:
    """Return the same with fake CUDA tensors of the same shapes for its tensors."""
    if isinstance(value, Tensor):
        return torch.empty(value.shape, dtype=value.dtype, device="cuda")
    if is_dataclass(value):
        return replace(value, **{f.name: _to_cuda(getattr(value, f.name)) for f in fields(value)})
    return value


def _launch(func, args, kwargs, result) -> Launch:
    tensors = [*tensors_in((args, kwargs)), *tensors_in(result)]
    return Launch(
        name=str(func),
        stage="/".join(_stack()),
        n_kernels=n_kernels(func, args),
        n_flops=n_flops(func, args, kwargs, result),
        n_bytes=n_bytes(func, args, kwargs, result),
        inputs=tuple(tuple(tensor.shape) for tensor in tensors_in((args, kwargs))),
        dtype=tensors[0].dtype if tensors else None,
    )


def _stack() -> list[str]:
    """Functions of the package that are under way, outermost first.

    ``true_rows`` only asks for others.
    """
    found, frame = [], sys._getframe()
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(PACKAGE) and frame.f_code is not indices.true_rows.__code__:
            found.append(f"{Path(name).stem}.{frame.f_code.co_name}")
        frame = frame.f_back
    return found[::-1]
