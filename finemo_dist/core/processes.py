"""Processes by name: of which machine, and whether they still run.

A number alone names no process, because it is given again. Here a process is its machine, its
number and the moment it was started, as the kernel counts it. A machine is a host since it was
started, as seen from one namespace of processes: two containers of one host are two machines.
"""

import functools
import hashlib
import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_PROC: Final = Path("/proc")
_OVER: Final = frozenset("ZXx")
"""States of a process that has ended and was not waited for yet."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process on some machine."""

    host: str
    """For people."""
    machine: str
    pid: int
    start: int
    """In ticks of the kernel since its machine was started; 0 where nothing says so."""

    @classmethod
    def this(cls) -> Self:
        """Return this process."""
        return cls(platform.node(), this_machine(), os.getpid(), _own_start())

    def is_alive(self) -> bool | None:
        """Whether it runs; None where it is of another machine, which only that machine knows."""
        return _is_alive(self.pid, self.start) if self.machine == this_machine() else None


@functools.cache
def this_machine() -> str:
    """Return a name of this machine that no other has, and that it loses when it is restarted."""
    known = [platform.node()]
    with suppress(OSError):
        known.append((_PROC / "sys/kernel/random/boot_id").read_text().strip())
    with suppress(OSError):
        known.append(str((_PROC / "self/ns/pid").readlink()))
    return hashlib.blake2b("\n".join(known).encode(), digest_size=6).hexdigest()


@functools.cache
def _own_start() -> int:
    """Return when this process was started; asked for with every temporary file."""
    _, start = _state_of(os.getpid()) or ("", 0)
    return start


# A copy of a process starts later than it.
os.register_at_fork(after_in_child=_own_start.cache_clear)


def _is_alive(pid: int, start: int) -> bool:
    found = _state_of(pid)
    if found is not None:
        state, begun = found
        return state not in _OVER and start in {0, begun}
    try:
        # Signal 0 asks and sends nothing. The kernel may hide processes of others in /proc.
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _state_of(pid: int) -> tuple[str, int] | None:
    """Return the state of a process and when it was started; None where the kernel shows none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name of the program comes before, in parentheses, and may hold anything.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])
