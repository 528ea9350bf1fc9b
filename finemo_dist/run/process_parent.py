"""A process that loads what workers need once; each worker begins as a copy of it.

Importing PyTorch takes 1.5 s of a core and reads hundreds of files, which may lie on a network
disk. A copy takes milliseconds and shares what was loaded. The parent loads while the driver reads
and checks its inputs, and the driver never waits for it to finish.

Only a process of one thread can be copied. If a library has started another thread, the parent
starts each worker anew.
"""

import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
import weakref
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Final, NoReturn, Protocol

from finemo_dist.core.libraries import loading
from finemo_dist.run.process_worker import BOOTSTRAP, serve

_PARENT: Final = (
    "import json, socket, sys; s = socket.socket(fileno=int(sys.argv[1])); "
    "sys.path[:], modules = json.loads(s.recv(1 << 20)); "
    "from finemo_dist.run.process_parent import be_parent; be_parent(s, modules)"
)
_COPY: Final = b"copy"
_MESSAGE_BYTES: Final = 64
_THREADS: Final = Path("/proc/self/task")
_COPIED_THREADS: Final = frozenset({"jemalloc_bg_thd"})
"""Those of jemalloc, which Arrow brings; jemalloc starts them again in a copy."""


class Child(Protocol):
    """What a driver does with a process besides talking to it."""

    def kill(self) -> None:
        """End it at once."""
        ...

    def wait(self) -> int:
        """Return its exit status, or the signal that ended it as a negative number."""
        ...


class Parent:
    """Starts workers as copies of a process that has loaded what they need; Linux only.

    The process ends with this object, or with the process that has it.

    Parameters
    ----------
    modules
        Modules to load. The workers load those that the process cannot, and report why they fail.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        # Messages on this kind of socket keep their bounds.
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = started_process(_PARENT, theirs.fileno(), subprocess.DEVNULL)
        weakref.finalize(self, _end, self._socket, self._process)
        self._awaited: deque[_Copy] = deque()
        with suppress(BrokenPipeError):
            self._socket.send(json.dumps([sys.path, list(modules)]).encode())

    def start(self, descriptor: int, said: IO[bytes]) -> Child:
        """Have a worker begin as soon as all is loaded.

        Parameters
        ----------
        descriptor
            Descriptor of the connection that brings its work.
        said
            File that takes its standard error.

        Raises
        ------
        OSError
            The parent has died.
        """
        socket.send_fds(self._socket, [_COPY], [descriptor, said.fileno()])
        copy = _Copy(self)
        self._awaited.append(copy)
        return copy

    def learn_of(self, copy: "_Copy", *, waits: bool) -> None:
        """Read answers until the process id of a copy is known, or that it will not begin.

        Parameters
        ----------
        waits
            Whether to wait for answers that have not come yet.
        """
        while copy in self._awaited:
            try:
                answer = self._socket.recv(_MESSAGE_BYTES, 0 if waits else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                answer = b""
            if not answer:
                self._awaited.clear()
                return
            self._awaited.popleft().pid = int(answer)

    def status_of(self, copy: "_Copy") -> int:
        """Wait for a copy to end and return its status; that of the parent if it never began."""
        if copy.pid:
            if self._awaited:
                self.learn_of(self._awaited[-1], waits=True)
            with suppress(OSError):
                self._socket.send(str(copy.pid).encode())
                if answer := self._socket.recv(_MESSAGE_BYTES):
                    return int(answer)
        return self._process.poll() or 0


class _Copy:
    """A worker that the parent has begun, or is going to; satisfies ``Child``."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self.pid: int | None = None
        """None until it is known; 0 if the system refused to start it."""
        self._status: int | None = None

    def kill(self) -> None:
        """End it. One that has not begun ends by itself: it finds its connection closed."""
        self._parent.learn_of(self, waits=False)
        if self.pid is None:
            self._status = 0
        elif self.pid and self._status is None:
            # No other process gets this id before the parent has asked how this one ended.
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Return its exit status."""
        if self._status is None:
            self._parent.learn_of(self, waits=True)
            self._status = self._parent.status_of(self)
        return self._status


def started_process(
    program: str, descriptor: int, said: IO[bytes] | int
) -> "subprocess.Popen[bytes]":
    """Start a process that never sees SIGINT: a terminal sends it to all, and the driver ends all.

    A worker has one core: libraries that would take more are told so.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", program, str(descriptor)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            pass_fds=(descriptor,),
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(ours: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    ours.close()
    process.kill()
    process.wait()


def be_parent(driver: socket.socket, modules: Sequence[str]) -> NoReturn:
    """Load modules, and do what the driver asks until it is gone."""
    with loading():
        for module in modules:
            with suppress(Exception):
                importlib.import_module(module)
        # Collection writes to the objects that it visits, and then they are no longer shared.
        gc.freeze()
    with suppress(OSError):
        while True:
            asked, given, _, _ = socket.recv_fds(driver, _MESSAGE_BYTES, 2)
            if not asked:
                break
            answer = _begun(driver, *given) if asked == _COPY else _ended(int(asked))
            driver.send(str(answer).encode())
    os._exit(0)


def _begun(driver: socket.socket, descriptor: int, said: int) -> int:
    """Start a worker and return its process id, or 0 if the system refused to start it."""
    try:
        if not _is_alone():
            return started_process(BOOTSTRAP, descriptor, said).pid
        if pid := os.fork():
            return pid
        _be_copy(driver, descriptor, said)
    except OSError:
        return 0
    finally:
        os.close(descriptor)
        os.close(said)


def _be_copy(driver: socket.socket, descriptor: int, said: int) -> NoReturn:
    """Become a worker, and never return."""
    try:
        driver.close()
        os.dup2(said, 2)
        connection = Connection(descriptor)
        sys.path[:] = connection.recv()
        serve(connection)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _is_alone() -> bool:
    """Whether this process has one thread, beside those that begin again in a copy."""
    names = [(task / "comm").read_text().strip() for task in _THREADS.iterdir()]
    return sum(name not in _COPIED_THREADS for name in names) == 1


def _ended(pid: int) -> int:
    """Wait for a worker to end and return its status."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
