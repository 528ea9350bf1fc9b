"""``python -m tests.fuzz``: run many cases of every kind and say what failed.

    python -m tests.fuzz                               20,000 cases
    FUZZ_CASES=500 FUZZ_SECONDS=60 python -m tests.fuzz
    FUZZ_KINDS="store,parts" FUZZ_SEED=7 python -m tests.fuzz

A failing case is kept as a folder below ``fuzz-failures`` with its files, what was drawn
(``case.json``) and why it failed (``why.txt``).
"""

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.driver import Plan, Tally, run_kind
from tests.fuzz.kinds import KINDS


def main() -> int:
    """Run what the environment asks for and return the exit status."""
    n_cases = int(os.environ.get("FUZZ_CASES", "20000"))
    seconds = float(os.environ.get("FUZZ_SECONDS", "36000"))
    first_seed = int(os.environ.get("FUZZ_SEED", "0"))
    n_workers = int(os.environ.get("FUZZ_WORKERS", "2"))
    wanted = os.environ.get("FUZZ_KINDS", "")
    kinds = [name.strip() for name in wanted.split(",") if name.strip()] or list(KINDS)
    save_dir = Path(os.environ.get("FUZZ_SAVE", "fuzz-failures"))
    weights = sum(KINDS[name].weight for name in kinds)
    deadline = time.time() + seconds
    started = time.monotonic()

    def run(name: str, work: Path) -> Tally:
        share = -(-n_cases * KINDS[name].weight // weights)
        tally = run_kind(Plan(name, share, first_seed, deadline, save_dir), work)
        _say(f"{name:14} {tally.n_cases:6,} cases {tally.seconds:7.1f} s  "
             f"{len(tally.failures)} failures")  # fmt: skip
        for failure in tally.failures:
            _say(f"    {failure}")
        return tally

    with tempfile.TemporaryDirectory(prefix="fuzz-") as work, ThreadPoolExecutor(n_workers) as pool:
        tallies = list(pool.map(lambda name: run(name, Path(work, name)), kinds))
    n_failures = sum(len(tally.failures) for tally in tallies)
    _say(
        f"{sum(tally.n_cases for tally in tallies):,} cases of {len(kinds)} kinds in "
        f"{time.monotonic() - started:.0f} s, seed {first_seed}: {n_failures} failures"
    )
    return bool(n_failures)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
