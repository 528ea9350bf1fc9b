"""Running many cases: each kind in a process of its own, so that a crash or a hang is a finding.

A worker writes the case it is at into its folder before it runs it; when the process dies or says
nothing for a minute, that folder is kept as the failing case and another worker goes on.
"""

import json
import multiprocessing
import resource
import shutil
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.corpus import Corpus, make_corpus
from tests.fuzz.kinds import KINDS, Kind

HANG_S = 90.0
MEMORY_BYTES = 8 << 30
"""Address space of a worker: a size read from a harmed header must not be allocated."""
MAX_FAILURES = 5
_ROUND_CASES = 200


@dataclass(slots=True)
class Tally:
    """What became of the cases of one kind."""

    n_cases: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked of one kind."""

    kind: str
    n_cases: int
    seed: int
    deadline: float
    """Seconds since the epoch."""
    save_dir: Path


def run_kind(plan: Plan, work: Path) -> Tally:
    """Run the cases of a kind in worker processes, starting another where one dies."""
    tally = Tally()
    started = time.monotonic()
    attempt = 0
    while tally.n_cases < plan.n_cases and len(tally.failures) < MAX_FAILURES:
        if time.time() >= plan.deadline:
            break
        _run_worker(plan, work / f"{attempt}", tally, plan.seed + 100_003 * attempt)
        attempt += 1
    tally.seconds = time.monotonic() - started
    return tally


def _run_worker(plan: Plan, work: Path, tally: Tally, worker_seed: int) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    n_left = plan.n_cases - tally.n_cases
    n_failures_left = MAX_FAILURES - len(tally.failures)
    process = context.Process(
        target=_work,
        args=(plan, work, worker_seed, n_left, n_failures_left, theirs),
        daemon=True,
    )
    process.start()
    theirs.close()
    try:
        while True:
            if not ours.poll(HANG_S):
                process.kill()
                _keep(plan, work, tally, f"nothing for {HANG_S:.0f} s: a hang")
                break
            n_new, failure = ours.recv()
            tally.n_cases += n_new
            if failure is not None:
                tally.failures.append(failure)
    except EOFError:
        process.join()
        if process.exitcode:
            _keep(plan, work, tally, f"the process died with status {process.exitcode}")
    finally:
        process.join()
        ours.close()
        shutil.rmtree(work, ignore_errors=True)


def _keep(plan: Plan, work: Path, tally: Tally, why: str) -> None:
    tally.n_cases += 1
    tally.failures.append(_save(plan, work / "case", why, f"dead-{len(tally.failures)}"))


def _save(plan: Plan, case: Path, why: str, name: str) -> str:
    target = plan.save_dir / f"{plan.kind.replace(' ', '-')}-{plan.seed}-{name}"
    shutil.rmtree(target, ignore_errors=True)
    if case.is_dir():
        shutil.copytree(case, target, symlinks=True)
    target.mkdir(parents=True, exist_ok=True)
    (target / "why.txt").write_text(why + "\n")
    return f"{target}: {why.strip().splitlines()[-1]}"


def _work(
    plan: Plan, work: Path, first_seed: int, n_cases: int, n_failures: int, pipe: Connection
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("error")
    corpus = make_corpus(work / "corpus")
    cases = Cases(KINDS[plan.kind], corpus, work / "case", lambda: pipe.send((1, None)))
    round_seed = first_seed
    while cases.n_run < n_cases and n_failures and time.time() < plan.deadline:
        try:
            cases.run(min(_ROUND_CASES, n_cases - cases.n_run), round_seed)
        except Exception as error:
            n_failures -= 1
            why = f"seed {round_seed}\n{traceback.format_exc()}\n{_one_line(error)}"
            pipe.send((0, _save(plan, work / "case", why, str(round_seed))))
        round_seed += 1
    pipe.close()


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


class Cases:
    """Draws cases of one kind and runs them, each in a clean folder."""

    def __init__(
        self, kind: Kind, corpus: Corpus, folder: Path, on_case: Callable[[], None]
    ) -> None:
        self._kind = kind
        self._corpus = corpus
        self._folder = folder
        self._on_case = on_case
        self.n_run = 0

    def run(self, n_cases: int, first_seed: int) -> None:
        """Run cases of a seed; the first that fails raises, its files left in the folder."""

        @seed(first_seed)
        @settings(
            max_examples=n_cases,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        @given(self._kind.strategy)
        def run_all(case: Any) -> None:
            self.run_one(case)

        run_all()

    def run_one(self, case: Any) -> None:
        """Run one case in a clean folder."""
        if self._folder.exists():
            shutil.rmtree(self._folder)
        self._folder.mkdir(parents=True)
        # Written first: a process that dies cannot say what it was at.
        (self._folder / "case.json").write_text(json.dumps(repr(case), ensure_ascii=True))
        self.n_run += 1
        self._on_case()
        self._kind.check(self._corpus, self._folder, case)
