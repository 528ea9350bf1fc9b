"""Whether a process runs, and which others it has started, directly or not."""

import os
from contextlib import suppress
from pathlib import Path

import psutil

ACTOR = "ray::_RegionAct"
"""The worker of a run on Ray, as far as the kernel keeps a name. One that is stopped before it has
this name may hold up Ray."""


def is_alive(pid: int) -> bool:
    """Whether a process has not ended; one that ended and that nobody has waited for has."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return status not in "ZX"


def pids_below(pid: int, *names: str) -> list[int]:
    """Return the descendants of a process; with names, those whose own begins with one of them."""
    found = []
    # All that run are asked who started them: while others come and go, the kernel's list of the
    # children of one process may lack some.
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if process.name().startswith(names or ""):
                    found.append(process.pid)
    return found


def signal_below(pid: int, sent: int, *names: str) -> list[int]:
    """Send a signal to such descendants; return those that it reached."""
    found = []
    for each in pids_below(pid, *names):
        with suppress(ProcessLookupError):
            os.kill(each, sent)
            found.append(each)
    return found
