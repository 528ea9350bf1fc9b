"""What a measurement was made on: machine, versions, commit."""

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from finemo_dist import __version__
from tests.benchmarks.processes import PROJECT

_PACKAGES = ("torch", "numpy", "zarr", "ray", "duckdb", "pyarrow")


def describe(others: Mapping[str, str] | None = None) -> list[str]:
    """Return a line on the machine, on versions and on the commit.

    ``others`` adds versions by name, of what is measured beside this package.
    """
    own = {"finemo-dist": __version__, "python": platform.python_version()}
    versions = {**own, **_versions(), **(others or {})}
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {commit()}",
        f"{processor()}, {n_cores()} cores, {memory_bytes() / 2**30:.0f} GiB, "
        f"{platform.system()} {platform.release()}; load before the run {load}",
        ", ".join(f"{name} {number}" for name, number in versions.items()),
    ]


def commit() -> str:
    """Return the commit that is checked out and whether files differ from it."""
    try:
        name = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return "no commit known"
    n_changed = len(changed.splitlines())
    return f"commit {name} " + (f"with {n_changed} files changed" if n_changed else "(clean)")


def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def n_cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int:
    """Return the memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", "--no-optional-locks", *words],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
