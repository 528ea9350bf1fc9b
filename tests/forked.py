"""Worker processes forked from one that has loaded what they need: a start takes milliseconds.

For tests of what workers do. Those of their start, their end and their bytes start them for real.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

# It does what it is asked in turn: fork a worker that has two descriptors, or wait for one's end.
_PARENT = """
import os, socket, sys
from multiprocessing.connection import Connection
import finemo_dist.run.extraction_worker, finemo_dist.run.process_worker, finemo_dist.run.worker
ours = socket.socket(fileno=int(sys.argv[1]))
while True:
    asked, given, _, _ = socket.recv_fds(ours, 64, 2)
    if not asked:
        sys.exit()
    if asked == b"fork":
        answer = os.fork()
        if answer == 0:
            ours.close()
            os.dup2(given[1], 2)
            connection = Connection(given[0])
            sys.path[:] = connection.recv()
            finemo_dist.run.process_worker.serve(connection)
            os._exit(0)
        for descriptor in given:
            os.close(descriptor)
    else:
        answer = os.waitstatus_to_exitcode(os.waitpid(int(asked), 0)[1])
    ours.send(str(answer).encode())
"""


class _Forked:
    """What ``process_pool`` uses of a ``Popen``."""

    def __init__(self, parent: socket.socket, pid: int) -> None:
        self._parent, self._pid = parent, pid
        self._status: int | None = None

    def kill(self) -> None:
        if self._status is None:
            os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        if self._status is None:
            self._parent.send(str(self._pid).encode())
            self._status = int(self._parent.recv(64))
        return self._status


@contextmanager
def forked_workers() -> Iterator[Callable[[int, IO[bytes]], _Forked]]:
    """Give what starts a worker as ``process_pool`` does, by a fork."""
    ours, theirs = socket.socketpair()

    def started(descriptor: int, said: IO[bytes]) -> _Forked:
        socket.send_fds(ours, [b"fork"], [descriptor, said.fileno()])
        return _Forked(ours, int(ours.recv(64)))

    with ours:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            parent = subprocess.Popen(
                [sys.executable, "-c", _PARENT, str(theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),), env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        try:
            yield started
        finally:
            ours.close()
            parent.wait()
