"""One driver at a time: ``RUN/lease.json``, the claim of the process that writes a run.

It names the process, and holds a count that its process raises every ``BEAT_S`` seconds. A process
of this machine is asked for directly. Of one on another machine only the count is looked at: one
that moves is alive, and one that stays the same for ``SILENCE_S`` seconds, by the clock of whoever
looks, is dead. The clocks of two machines are never compared.

A driver whose lease was taken ends in order: its process was stopped, or cut off from the disk,
for so long that another took it for dead.
"""

import errno
import functools
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, Final, Literal, ParamSpec, Self, TypeVar

from finemo_dist.core.errors import IncompleteRunError, RunError
from finemo_dist.core.processes import Process
from finemo_dist.core.system_errors import fault, is_full
from finemo_dist.core.ticker import every
from finemo_dist.storage.claims import Claim, OwnClaim, claim, read_claim
from finemo_dist.storage.locations import is_local, location

logger = logging.getLogger(__name__)

LEASE_NAME: Final = "lease.json"

BEAT_S: Final = 10.0
SILENCE_S: Final = 90.0
"""Longer than a network file system keeps names and times that have changed (a minute)."""

_FORMAT: Final = "finemo_dist.lease"
_FORMAT_VERSION: Final = 1
_READ_ONLY: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Timing:
    """How often a driver gives a sign of life, and how long another waits for one, in seconds."""

    beat_s: float = BEAT_S
    silence_s: float = SILENCE_S
    look_s: float = 1.0
    """Between two looks of whoever waits."""


timing = Timing()


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a lease."""

    process: Process
    since: str
    """ISO 8601, by the clock of its machine."""
    beat: int

    @classmethod
    def of(cls, found: Claim) -> Self | None:
        """Return what a claim says; None where it is damaged or of another release."""
        try:
            told = json.loads(found.text)
            if (told["format"], told["format_version"]) != (_FORMAT, _FORMAT_VERSION):
                return None
            names = {"host": str, "machine": str, "pid": int, "start": int}
            process = Process(**{name: kind(told[name]) for name, kind in names.items()})
            return cls(process, str(told["since"]), int(told["beat"]))
        except (ValueError, KeyError, TypeError):
            return None

    def text(self) -> str:
        """Return what the claim says."""
        told: dict[str, Any] = {
            "format": _FORMAT,
            "format_version": _FORMAT_VERSION,
            "host": self.process.host,
            "machine": self.process.machine,
            "pid": self.process.pid,
            "start": self.process.start,
            "since": self.since,
            "beat": self.beat,
        }
        return json.dumps(told)


class _Held:
    """A lease that this process has."""

    def __init__(self, shown: Path, own: OwnClaim, holder: Holder, path: Path) -> None:
        self._shown = shown
        self._path = path
        self.thread = threading.get_ident()
        self.lost: IncompleteRunError | None = None
        self.token = own.token
        self._own = own
        self._holder = holder
        self._lock = threading.Lock()
        self._is_over = False
        self._is_warned = False

    def beat(self) -> None:
        """Give a sign of life, and find out whether the lease was taken; raises nothing."""
        with self._lock:
            if self._is_over or self.lost is not None:
                return
            holder = Holder(self._holder.process, self._holder.since, self._holder.beat + 1)
            try:
                is_ours = self._own.renew(holder.text())
            except OSError as error:
                if not self._is_warned:
                    logger.warning(
                        "%s: the lease of this driver cannot be renewed (%s)",
                        self._shown, error.strerror or error,
                    )  # fmt: skip
                self._is_warned = True
                return
            self._is_warned = False
            self._holder = holder
            if not is_ours:
                self._lose()

    def close(self) -> None:
        """End the lease."""
        with self._lock:
            self._is_over = True
        if self.lost is None:
            try:
                self._own.release(self._holder.text())
            except OSError as error:
                # Its process is gone then, which others see.
                logger.debug("%s: the lease cannot be removed (%s)", self._shown, error)

    def _lose(self) -> None:
        other = _named(read_holder(self._path.parent))
        self.lost = IncompleteRunError(
            f"{self._shown}: was taken over by another driver{other}, which had no sign of life of "
            "this one. This one writes nothing more. Committed work is kept: let the other driver "
            "finish, or run the same command again after it."
        )
        logger.debug("%s", self.lost)
        # The thread that drives may wait for a worker. Only the main thread takes signals.
        main = threading.main_thread().ident
        if self.thread == main and callable(signal.getsignal(signal.SIGINT)):
            signal.pthread_kill(main, signal.SIGINT)


_held: dict[tuple[int, str], _Held] = {}
"""By process, because a fork is another one, and resolved run directory."""
_held_lock = threading.Lock()


@contextmanager
def driving(folder: str | Path, *, of: Path | None = None) -> Iterator[None]:
    """Be the only driver of a run directory, or of another folder, while the context is open.

    The same thread may open it again. The folder is made, and removed if nothing came of it. On a
    disk that cannot be written there is no lease, and nothing to be guarded.

    Parameters
    ----------
    of
        What is written, for messages, if it is not the folder.

    Raises
    ------
    RunError
        Another driver works on it, or the lease cannot be written.
    IncompleteRunError
        Another driver took over meanwhile, or the run has no space left. Committed work is kept.
    """
    run_dir = location(folder)
    key = _key(run_dir)
    with _held_lock:
        outer = _held.get(key)
    if outer is not None and outer.thread == threading.get_ident():
        yield
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(_made(run_dir))
            held = _acquired(run_dir, of or run_dir)
        except OSError as error:
            if error.errno not in _READ_ONLY or not run_dir.exists():
                what = f"{of or folder}: cannot be written ({error.strerror or error})."
                where = of or folder
                raise fault(where, error, otherwise=what, kind=RunError, doing="written") from error
            logger.debug("%s: has no lease (%s)", run_dir, error)
            yield
            return
        stack.callback(held.close)
        with _held_lock:
            _held[key] = held
        stack.callback(_held.pop, key, None)
        try:
            with every(timing.beat_s, held.beat):
                yield
        except BaseException as error:
            if held.lost is not None and error is not held.lost:
                raise held.lost from error
            if of is None and is_full(error) and not isinstance(error, IncompleteRunError):
                raise _out_of_space(run_dir, error) from error
            raise
        if held.lost is not None:
            raise held.lost


def by_one_driver(
    act: Callable[Concatenate[Path, _Given], _Result],
) -> Callable[Concatenate[Path, _Given], _Result]:
    """Have a function be the only driver of the run directory that is its first argument."""

    @functools.wraps(act)
    def alone(run_dir: Path, /, *given: _Given.args, **named: _Given.kwargs) -> _Result:
        with driving(run_dir):
            return act(run_dir, *given, **named)

    return alone


def driving_run(run: str | Path) -> AbstractContextManager[None]:
    """Return `driving` for a run that is there; what is no run is left to whoever opens it."""
    return driving(run) if (location(run) / "run.json").exists() else nullcontext()


def require_held(folder: Path) -> None:
    """Refuse to go on with a run, or with a part of one, whose lease this process has lost.

    Raises
    ------
    IncompleteRunError
        Another driver took over.
    """
    if not _held:
        return
    for place in (folder, *folder.parents):
        held = _held.get(_key(place))
        if held is not None and held.lost is not None:
            raise held.lost


def read_holder(run_dir: Path) -> Holder | None:
    """Return who has the lease of a run; None where nobody has, or it cannot be read."""
    with suppress(OSError):
        found = read_claim(run_dir / LEASE_NAME)
        return None if found is None else Holder.of(found)
    return None


def _key(run_dir: Path) -> tuple[int, str]:
    return os.getpid(), str(run_dir.resolve())


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Have a folder; those that were made for it go again if they stay empty."""
    new = [place for place in (folder, *folder.parents) if is_local(folder) and not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for place in new:
            # Files were written there, or the folder has gone already.
            with suppress(OSError):
                place.rmdir()


def _acquired(run_dir: Path, shown: Path) -> _Held:
    path = run_dir / LEASE_NAME
    now = datetime.now(UTC).isoformat(timespec="seconds")
    holder = Holder(Process.this(), now, 0)
    while True:
        found = read_claim(path)
        last = None if found is None else Holder.of(found)
        if found is not None:
            match _state(path, found, last):
                case "alive":
                    raise RunError(_refusal(shown, last))
                case "changed":
                    continue
        own = claim(path, holder.text(), over=found)
        if own is None:
            # Another was quicker to follow.
            continue
        if found is not None:
            logger.info("%s: the last driver%s is dead; this one goes on", shown, _named(last))
        return _Held(shown, own, holder, path)


def _state(path: Path, found: Claim, holder: Holder | None) -> Literal["alive", "dead", "changed"]:
    """Return how a driver is that has a claim; may take as long as a sign of life may."""
    is_alive = None if holder is None else holder.process.is_alive()
    if holder is not None and holder.process == Process.this():
        # Another thread, or what an interrupt of this very process left.
        with _held_lock:
            is_alive = any(held.token == found.token for held in _held.values())
    if is_alive is not None:
        return "alive" if is_alive else "dead"
    logger.info(
        "%s: has another driver%s; waiting for up to %.0f s for a sign of life of it",
        path.parent, _named(holder), timing.silence_s,
    )  # fmt: skip
    return watch(path, found, timing.silence_s)


def watch(path: Path, found: Claim, seconds: float) -> Literal["alive", "dead", "changed"]:
    """Return what becomes of a claim within some time: whether its holder gives a sign of life."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(timing.look_s)
        with suppress(OSError):
            now = read_claim(path)
            if now is None or now.token != found.token:
                return "changed"
            if now.text != found.text:
                return "alive"
    return "dead"


def _out_of_space(run_dir: Path, error: BaseException) -> IncompleteRunError:
    """Return the error to raise where space runs out in a run: a rerun goes on with it."""
    said = str(error)
    if isinstance(error, OSError):
        said = str(fault(error.filename or run_dir, error, otherwise=said, kind=RunError,
                         doing="written"))  # fmt: skip
    return IncompleteRunError(
        f"{said} Committed work is kept; run the same command again to go on with it."
    )


def _named(holder: Holder | None) -> str:
    if holder is None:
        return ""
    return f" (process {holder.process.pid} on {holder.process.host}, since {holder.since})"


def _refusal(shown: Path, holder: Holder | None) -> str:
    end = "" if holder is None else f", or end it there with `kill {holder.process.pid}`"
    return (
        f"{shown}: another driver{_named(holder)} is writing here. Wait until it ends{end}; "
        "then run the same command again."
    )
