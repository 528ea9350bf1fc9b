"""Whether somebody drives a run, for those who only look.

The clocks of two machines are never compared. A driver on this machine is looked for among its
processes. Of one on another machine the last sign of life has a time by the clock of the file
system, and so has a file that is made there now: the difference is how long it has been silent.
Where nothing can be made, as on object storage or without the right to write, its lease is watched
for two or three signs of life.
"""

import platform
from pathlib import Path

from finemo_dist.core.processes import Process
from finemo_dist.record import lease
from finemo_dist.record.lease import LEASE_NAME, SILENCE_S, Holder
from finemo_dist.record.run_record import Invocation
from finemo_dist.storage.claims import read_claim
from finemo_dist.storage.files import file_system_time

_BEATS: float = 2.5
"""Between which a driver that is alive gives a sign of life, even if one comes late."""


def is_driven(run_dir: Path) -> bool | None:
    """Return whether the driver that has the lease of a run is alive; None where none has it."""
    path = run_dir / LEASE_NAME
    try:
        found = read_claim(path)
    except OSError:
        return None
    if found is None:
        return None
    holder = Holder.of(found)
    is_alive = None if holder is None else holder.process.is_alive()
    if is_alive is None:
        is_alive = _is_fresh(path)
    if is_alive is None:
        return lease.watch(path, found, _BEATS * lease.timing.beat_s) == "alive"
    return is_alive


def is_heard_of(path: Path, invocation: Invocation | None = None) -> bool:
    """Return whether a driver without a lease, of an earlier release, was heard of lately.

    Parameters
    ----------
    path
        Its log, which it adds to, or the record it wrote last.
    """
    here = Process.this()
    if invocation is not None and invocation.host == platform.node():
        process = Process(here.host, here.machine, invocation.pid, 0)
        if process.is_alive() is False:
            return False
    return bool(_is_fresh(path))


def _is_fresh(path: Path) -> bool | None:
    """Whether a file was written lately; None where nothing says what time it is there."""
    now = file_system_time(path.parent)
    try:
        return None if now is None else now - path.stat().st_mtime < SILENCE_S
    except OSError:
        return False
