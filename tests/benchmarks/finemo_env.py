"""finemo 0.41 in an environment of its own, made on first use."""

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.processes import BenchmarkError

FINEMO_VARIABLE: Final = "FINEMO_DIST_BENCH_FINEMO"
"""Names a finemo executable to use instead."""
ENVIRONMENT_VARIABLE: Final = "FINEMO_DIST_BENCH_ENV"
"""Names the folder of the environment that is made."""

# finemo 0.41 leaves its versions open and stops working with polars 2.
_REQUIREMENTS: Final = ("finemo==0.41", "torch==2.13.0", "polars<2")


@dataclass(frozen=True, slots=True)
class Finemo:
    """An installed finemo."""

    executable: Path
    versions: dict[str, str]
    """Of finemo and of the torch it runs on."""


def find_finemo(executable: Path | None = None) -> Finemo:
    """Return the finemo that is named, or the one in an environment that is made if need be.

    An executable given here goes before the one the environment variable names.

    Raises
    ------
    BenchmarkError
        There is none where one is said to be, or it cannot be installed.
    """
    named = executable or os.environ.get(FINEMO_VARIABLE)
    path = Path(named).absolute() if named else _installed(_environment_folder())
    if not path.is_file():
        raise BenchmarkError(f"{path}: no such file; expected an executable of finemo 0.41.")
    return Finemo(path, _versions(path))


def _environment_folder() -> Path:
    if named := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "finemo-dist-bench" / "finemo-0.41"


def _installed(folder: Path) -> Path:
    """Return the executable in the environment at ``folder``, which is made or completed."""
    executable = folder / "bin" / "finemo"
    if executable.is_file():
        return executable
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *_REQUIREMENTS], stdout=sys.stderr, check=False)
    if done.returncode:
        raise BenchmarkError(
            f"{folder}: {', '.join(_REQUIREMENTS)} cannot be installed. Give an executable with "
            f"--finemo or {FINEMO_VARIABLE}, or leave finemo out with --no-finemo."
        )
    return executable


def _versions(executable: Path) -> dict[str, str]:
    code = (
        "from importlib.metadata import version\n"
        "print(version('finemo'), version('torch'), version('polars'))"
    )
    done = subprocess.run(
        [executable.parent / "python", "-c", code], capture_output=True, text=True, check=False
    )
    numbers = done.stdout.split()
    names = ("finemo", "its torch", "its polars")
    if len(numbers) != len(names):
        return {"finemo": "of unknown version"}
    return dict(zip(names, numbers, strict=True))
