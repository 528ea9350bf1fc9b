"""Watching the head of a Ray cluster, so that a run whose head is gone ends in order.

A process that loses Ray's head is ended by Ray a minute later, from within, without a word and
with status 1; until then it waits in whatever it asked the head. So the driver looks for itself
whether anybody listens there, and asks nothing without looking.
"""

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import ray

from finemo_dist.core.errors import CutShortError
from finemo_dist.core.ticker import every

_Answer = TypeVar("_Answer")
_Address = tuple[str, int]

LOOK_S: Final = 1.0
GONE_S: Final = 10.0
"""For which a port is closed before its process counts as dead: a head may be restarted."""
SILENT_S: Final = 40.0
"""For which a machine is out of reach; a network may be."""
RECONNECT_S: Final = 120
"""For which Ray lets a process live without a head: longer than all of the above, and than Ray
needs to let go of a cluster that is not there."""
_KNOCK_S: Final = 5.0
_HEAD: Final = "the head of the Ray cluster"


_watched: "Head | None" = None


class Head:
    """Whether what a driver needs of its cluster is there.

    Parameters
    ----------
    addresses
        Where somebody has to listen, by what it is. More may be added to it.
    """

    def __init__(self, addresses: Mapping[str, _Address]) -> None:
        self.addresses = dict(addresses)
        self._closed: dict[str, tuple[float, OSError]] = {}
        """Since when, and what was met last."""
        self._lost: str | None = None

    def look(self) -> None:
        """Knock at every address, and note which have been closed for too long."""
        for what, address in list(self.addresses.items()):
            try:
                knock(address, timeout_s=_KNOCK_S)
            except OSError as error:
                since, _ = self._closed.get(what, (time.monotonic(), None))
                self._closed[what] = (since, error)
            else:
                self._closed.pop(what, None)
        if any(self._is_gone(what) for what in self._closed):
            # What is closed with it may be the cause.
            self._lost = self._said(min(self._closed, key=list(self.addresses).index))

    def _is_gone(self, what: str) -> bool:
        since, error = self._closed[what]
        most = GONE_S if error.errno == errno.ECONNREFUSED else SILENT_S
        return time.monotonic() - since >= most

    def _said(self, what: str) -> str:
        host, port = self.addresses[what]
        since, error = self._closed[what]
        return (
            f"{host}:{port}: {what} has not answered for {time.monotonic() - since:.0f} s "
            f"({error.strerror or error}), so no worker can be given anything. Its process was "
            "killed or ran out of memory, or its machine is down."
        )

    def check(self) -> None:
        """Raise where something is gone for good.

        Raises
        ------
        CutShortError
            So that the run ends, and a rerun resumes.
        """
        if self._lost is not None:
            raise CutShortError(self._lost)

    def ask(self, question: Callable[[], _Answer]) -> _Answer:
        """Return Ray's answer to a question that only the head can answer.

        Ray waits for it without end, in code that nothing interrupts. So another thread does.

        Raises
        ------
        CutShortError
            The head is gone.
        """
        answers: list[_Answer] = []
        errors: list[Exception] = []

        def put() -> None:
            try:
                answers.append(question())
            except Exception as error:
                errors.append(error)

        self.check()
        thread = threading.Thread(target=put, name="finemo_dist-question", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(LOOK_S)
            if thread.is_alive():
                self.check()
        if errors:
            raise errors[0]
        return answers[0]


@contextmanager
def watched_head() -> Iterator[Head]:
    """Watch the head of the cluster that is joined, and what this machine has of it."""
    # A process has one Ray.
    global _watched
    if _watched is not None:
        yield _watched
        return
    # A client of Ray (ray://) reaches neither, and is told by an error that its server is gone.
    is_client = ray.util.client.ray.is_connected()  # type: ignore[no-untyped-call]
    context = ray.get_runtime_context()
    head = Head({} if is_client else {_HEAD: _split(context.gcs_address)})
    with every(LOOK_S, head.look):
        if not is_client:
            own = context.get_node_id()
            nodes: list[dict[str, Any]] = head.ask(ray.nodes)
            for node in nodes:
                if node["NodeID"] == own:
                    here = (node["NodeManagerAddress"], int(node["NodeManagerPort"]))
                    head.addresses["Ray on the machine of the driver"] = here
        _watched = head
        try:
            yield head
        finally:
            _watched = None


def the_head() -> Head:
    """Return the head that is watched."""
    assert _watched is not None, "nobody watches the head of Ray"
    return _watched


def knock(address: _Address, *, timeout_s: float) -> None:
    """Raise ``OSError`` where nobody listens."""
    socket.create_connection(address, timeout=timeout_s).close()


def _split(address: str) -> _Address:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
