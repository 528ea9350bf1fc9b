"""The executor of many workers: one Ray actor for each GPU or core, fed by a queue in the driver.

Who does what is decided in ``schedule.py``. Safety comes from the
commit, not from Ray: retries by Ray are off, the driver resubmits, and a unit that runs twice
replaces itself with the same bytes.
"""

import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any, Final

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from finemo_dist.core.errors import CutShortError, RunError
from finemo_dist.core.events import RunEvent, UnitDone, UnitFailed
from finemo_dist.core.protocols import Worker, WorkerMaker
from finemo_dist.core.records import Unit
from finemo_dist.run.pool import Answer, Pool, Ready
from finemo_dist.run.ray_head import Head, the_head, watched_head
from finemo_dist.run.ray_session import Resource, first_line, n_of, session
from finemo_dist.run.schedule import Schedule

_READY_TIMEOUT_S: Final = 120.0
"""For a worker that has a place; also for the answer of Ray to anything."""
_COUNT_PLACES_S: Final = 2.0
"""How often a cluster is asked how large it is by now."""


class _RegionActor:
    """A worker in a process of its own."""

    def __init__(self, spec: WorkerMaker, name: str) -> None:
        self._spec = spec
        self._name = name
        self._worker: Worker | None = None

    def ready(self) -> Ready:
        """Make the worker and say where it is: a constructor's errors Ray reports as a death."""
        node, error = ray.get_runtime_context().get_node_id(), None
        try:
            self._worker = self._spec.make_worker(self._name)
        except Exception as problem:
            error = first_line(problem)
        return Ready(platform.node(), node, error)

    def process(self, unit: Unit) -> UnitDone | UnitFailed:
        """Do and commit a unit."""
        assert self._worker is not None
        return self._worker.process(unit)


_ACTOR: Final[Any] = ray.remote(max_restarts=0, max_task_retries=0)(_RegionActor)


class RayExecutor:
    """Processes units on Ray actors; satisfies ``Executor``.

    Parameters
    ----------
    n_workers
        Actors at most; as many as the cluster has places, now and later, when None.
    resource
        What each actor owns one of; a GPU where the spec says CUDA when None.
    workers_per_gpu
        Actors that share a GPU.
    """

    def __init__(
        self,
        spec: WorkerMaker,
        *,
        n_workers: int | None,
        address: str | None,
        unit_timeout_s: float,
        resource: Resource | None = None,
        workers_per_gpu: int = 1,
    ) -> None:
        self._spec = spec
        self._n_workers = n_workers
        self._address = address
        self.unit_timeout_s = unit_timeout_s
        self._resource: Resource = resource or ("GPU" if spec.device == "cuda" else "CPU")
        self._n_sharing = workers_per_gpu if self._resource == "GPU" else 1

    def describe(self) -> Mapping[str, str | int]:
        """Return what runs the work; as many workers as a cluster holds are ``cluster``."""
        n_workers = "cluster" if self._n_workers is None else self._n_workers
        return {"kind": "ray", "n_workers": n_workers, "device": self._spec.device}

    def run(self, units: Sequence[Unit]) -> Iterator[RunEvent]:
        """Process every unit on some worker; actors that die are replaced, their units resubmitted.

        Raises
        ------
        RunError
            No worker could be started.
        CutShortError
            The head of the cluster is gone.
        """
        with self.session():
            schedule = Schedule(
                units, unit_timeout_s=self.unit_timeout_s, may_copy=self._spec.may_run_twice
            )
            yield from self.pool(schedule).run()

    @contextmanager
    def session(self, *, n_more: int = 0) -> Iterator[None]:
        """Keep a session of Ray open: of the caller, whose it is to close, or one of our own.

        Parameters
        ----------
        n_more
            Workers of another kind, which take a core each.
        """
        n_workers = self._n_workers or 1
        n_gpus = -(-n_workers // self._n_sharing)
        own = (
            nullcontext()
            if ray.is_initialized()
            else session(self._address, n_workers + n_more, self._spec.device, n_gpus=n_gpus)
        )
        with own, watched_head():
            yield

    def pool(self, schedule: Schedule, *, prefix: str = "worker") -> Pool:
        """Return the actors that take the units of a schedule; a session must be open."""
        crew = _RayCrew(the_head(), self._spec, self._n_workers, self._resource, self._n_sharing)
        return Pool(crew, schedule, device=self._spec.device, prefix=prefix)


@dataclass(slots=True)
class _Actor:
    """An actor and what it was asked."""

    handle: Any
    answer: Any
    """Ray's reference to what is asked of it: to get ready, or a unit; None when it is idle."""


class _RayCrew:
    """The actors of a run; satisfies ``Crew``."""

    what = "Ray worker"
    ready_timeout_s = _READY_TIMEOUT_S

    def __init__(
        self,
        head: Head,
        spec: WorkerMaker,
        n_workers: int | None,
        resource: Resource,
        n_sharing: int,
    ) -> None:
        self._head = head
        self._spec = spec
        self._n_workers = n_workers
        self._resource = resource
        self._n_sharing = n_sharing
        """Actors that share one of it."""
        self._actors: dict[str, _Actor] = {}
        self._n_places = n_workers or 0
        self._places_counted = float("-inf")

    def n_places(self, now: float) -> int:
        """Return how many actors there may be; a cluster is asked, because nodes come and go."""
        self._head.check()
        if self._n_workers is None and now - self._places_counted > _COUNT_PLACES_S:
            # At least one: an actor that waits for its place is what makes a cluster grow.
            self._n_places = max(1, self._n_sharing * self._n_of(ray.cluster_resources))
            self._places_counted = now
        return self._n_places

    def places(self) -> dict[str, int]:
        """Return how many actors fit on each node that is there."""
        return {
            node["NodeID"]: self._n_sharing * int(node["Resources"].get(self._resource, 0))
            for node in self._head.ask(ray.nodes)
            if node["Alive"]
        }

    def has_room(self) -> bool:
        """Whether a core or a GPU is free."""
        return self._n_of(ray.available_resources) > 0

    def start(self, name: str, node: str | None) -> None:
        """Start an actor."""
        handle = _ACTOR.options(
            num_cpus=1,
            num_gpus=_share(self._n_sharing) if self._resource == "GPU" else 0,
            scheduling_strategy="SPREAD"
            if node is None
            else NodeAffinitySchedulingStrategy(node, soft=False),
        ).remote(self._spec, name)
        self._actors[name] = _Actor(handle, handle.ready.remote())

    def give(self, name: str, unit: Unit) -> None:
        """Let an actor do a unit."""
        actor = self._actors[name]
        actor.answer = actor.handle.process.remote(unit)

    def answers(self, timeout_s: float) -> Iterator[tuple[str, Answer]]:
        """Yield what actors say within a time."""
        waiting = {a.answer: name for name, a in self._actors.items() if a.answer is not None}
        if not waiting:
            time.sleep(timeout_s)
            return
        answers, _ = ray.wait(list(waiting), timeout=timeout_s)
        for answer in answers:
            name = waiting[answer]
            self._actors[name].answer = None
            yield name, _answer(answer)

    def end(self, name: str) -> None:
        """Kill an actor; where the head is gone, its cluster ends it."""
        handle = self._actors.pop(name).handle
        with suppress(CutShortError):
            self._head.ask(lambda: ray.kill(handle))

    def _n_of(self, question: Callable[[], Any]) -> int:
        return n_of(self._resource, self._head.ask(question))

    def refusal(self, reason: str) -> RunError:
        """Return the error of a run without actors."""
        return RunError(
            f"No worker could be started; the last one {reason.rstrip('.')}. Check that the "
            f"cluster has a free {'GPU' if self._resource == 'GPU' else 'CPU core'} for each "
            "worker, and the logs of Ray."
        )


def _answer(asked: Any) -> Answer:  # noqa: ANN401
    """Return what came of what was asked of an actor."""
    try:
        said = ray.get(asked, timeout=_READY_TIMEOUT_S)
    except RayActorError as error:
        return Answer(lost=f"died ({first_line(error)})")
    except RayTaskError as error:
        return Answer(error=first_line(error.cause or error))
    except (RayError, GetTimeoutError) as error:
        return Answer(lost=f"stopped answering ({first_line(error)})")
    return Answer(ready=said) if isinstance(said, Ready) else Answer(result=said)


def _share(n_sharing: int) -> float:
    """Return the part of a GPU that each of some actors owns; Ray knows four decimals."""
    return math.floor(10_000 / n_sharing) / 10_000
