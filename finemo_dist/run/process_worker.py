"""The other end of ``process_pool.py``: a process that does one unit after another.

It is started with the file descriptor of a connection, over which come, in this order: the folders
to import from, the maker of the worker with its name, and then units. Each is answered.
"""

import os
import platform
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Final

from finemo_dist.core.errors import brief
from finemo_dist.run.pool import Answer, Ready

BOOTSTRAP: Final = (
    "import sys; from multiprocessing.connection import Connection; "
    "c = Connection(int(sys.argv[1])); sys.path[:] = c.recv(); "
    "from finemo_dist.run.process_worker import serve; serve(c)"
)
"""A program, so that the main module of the driver is not imported a second time: a script of a
user may have no guard."""


def serve(connection: "Connection[Any, Any]") -> None:
    """Do what comes until the driver is gone."""
    # A driver that was killed closes its end; nobody is there to be told.
    with suppress(EOFError, OSError):
        try:
            maker, name = connection.recv()
            worker = maker.make_worker(name)
        except Exception as error:
            connection.send(Answer(error=brief(error)))
            return
        connection.send(Answer(ready=Ready(host=platform.node(), node=platform.node())))
        while True:
            unit = connection.recv()
            try:
                answer = Answer(result=worker.process(unit))
            except Exception as error:
                answer = Answer(error=brief(error))
            connection.send(answer)
    # Threads of libraries may be in the way of an ordinary end.
    os._exit(0)
