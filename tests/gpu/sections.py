"""What is checked and measured on a device, one function each."""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from finemo_dist.core.config import SolverConfig, SolverName
from finemo_dist.core.memory import batch_regions, region_bytes
from finemo_dist.core.records import Mode, ScoreKind
from finemo_dist.run.solving import memory_budget
from finemo_dist.solver.api import Solver, make_solver
from finemo_dist.solver.solution import Hits
from finemo_dist.solver.working_set import WorkingSetSolver
from finemo_dist.store.staging import encode
from finemo_dist.testing.modisco import write_modisco_h5
from tests.benchmarks.datasets import CopiedSource, spaced_rows, write_regions
from tests.benchmarks.finemo_env import Finemo
from tests.benchmarks.processes import PROJECT, Measured, TimeLimitError, measure
from tests.benchmarks.programs import MAIN, FinemoCaller, summary
from tests.fake_cuda import solve_on_fake_cuda
from tests.gpu.setup import REGION_WIDTH, Setup, motif_set, simulated, tensors

_TOLERANCE = 1e-5
"""Largest relative difference of a coefficient between CPU and device that counts as equal: both
solve to round-off in float64, from sums in another order."""
_DENSE_SHARE = 0.99
"""Least share of keys in common for the dense solver, whose steps are in float32."""
_DENSE_REGIONS = 4
_SAMPLE_MS = 100


def same_hits(setup: Setup) -> dict[str, object]:
    """Return how hits of the device differ from those of the CPU, by solver, mode and transform."""
    cases = [
        (SolverName.WORKING_SET, mode, use_sqrt) for mode, use_sqrt in product(Mode, (False, True))
    ] + [(SolverName.DENSE, Mode.PP, False)]
    found = {}
    for name, mode, use_sqrt in cases:
        config = SolverConfig(name=name, mode=mode, use_sqrt_transform=use_sqrt)
        label = f"{name}, {mode}" + (", square root" if use_sqrt else "")
        found[label] = _compared(setup, config)
    n_failed = sum(not case["equal"] for case in found.values())
    return {"cases": found, "n_failed": n_failed}


def _compared(setup: Setup, config: SolverConfig) -> dict[str, object]:
    kind = (
        ScoreKind.HYPOTHETICAL
        if config.mode.contributions_are_hypothetical
        else ScoreKind.PROJECTED
    )
    is_dense = config.name is SolverName.DENSE
    n_regions = _DENSE_REGIONS if is_dense else setup.sizes.equal_regions
    if is_dense:
        config = config.model_copy(update={"max_steps": setup.sizes.dense_steps})
    motifs, source = simulated(min(48, setup.sizes.strands[0]), n_regions, kind)
    called = motif_set(motifs, config)
    batch = tensors(source, n_regions)
    on_cpu = make_solver(called, config, torch.device("cpu"))
    if setup.device == "fake":
        if not isinstance(on_cpu, WorkingSetSolver):
            return {"equal": True, "not_run": "the dense solver is not replayed on fake tensors"}
        real, faked = solve_on_fake_cuda(on_cpu, *batch)
        return {"equal": faked.places == real.places, "n_waits": len(faked.waits)}
    expected = on_cpu.solve(*batch).hits
    device = setup.torch_device
    there = make_solver(called, config, device).solve(*(part.to(device) for part in batch)).hits
    return _difference(expected, there, is_exact=not is_dense)


def _difference(expected: Hits, found: Hits, *, is_exact: bool) -> dict[str, object]:
    """Return how many hits both have, and the largest difference of a coefficient of those."""
    ours, theirs = _coefficients(expected), _coefficients(found)
    both = ours.keys() & theirs.keys()
    either = ours.keys() | theirs.keys()
    share = len(both) / len(either) if either else 1.0
    largest = max((abs(ours[k] - theirs[k]) / max(ours[k], 1e-12) for k in both), default=0.0)
    is_equal = (share == 1 and largest <= _TOLERANCE) if is_exact else share >= _DENSE_SHARE
    return {
        "equal": is_equal,
        "n_hits": len(ours),
        "n_hits_device": len(theirs),
        "share_in_common": share,
        "largest_relative_difference": largest,
    }


def _coefficients(hits: Hits) -> dict[tuple[int, int, int], float]:
    """Return the coefficient of every hit by region, motif and position."""
    columns = (hits.region, hits.motif, hits.position, hits.coefficient)
    return {
        (region, motif, position): coefficient
        for region, motif, position, coefficient in zip(
            *(column.tolist() for column in columns), strict=True
        )
    }


def rates(setup: Setup) -> dict[str, object]:
    """Return the regions a second that the solver alone does, by motif-strands."""
    return {str(n): _rate(setup, n) for n in setup.sizes.strands}


def _rate(setup: Setup, n_strands: int) -> dict[str, object]:
    config = SolverConfig()
    motifs, source = simulated(n_strands, setup.sizes.rate_regions, ScoreKind.PROJECTED)
    called = motif_set(motifs, config)
    device = setup.torch_device
    solver = make_solver(called, config, device)
    predicted = region_bytes(
        config.name, n_motifs=n_strands, region_width=REGION_WIDTH, motif_width=called.width,
        is_hypothetical=False,
    )  # fmt: skip
    n_regions = batch_regions(predicted, memory_budget(device), most=setup.sizes.rate_regions)
    batch = tuple(part.to(device) for part in tensors(source, n_regions))
    if setup.device == "fake":
        _, faked = solve_on_fake_cuda(solver, *batch)
        kernels = sum(launch.n_kernels for launch in faked.launches)
        return {"n_regions": n_regions, "n_kernels": kernels, "n_waits": len(faked.waits)}
    memory = _memory(setup, solver, batch, predicted)
    times: list[float] = []
    until = time.monotonic() + min(setup.sizes.rate_s, setup.remaining_s)
    while not times or time.monotonic() < until:
        setup.wait()
        started = time.perf_counter()
        solver.solve(*batch)
        setup.wait()
        times.append(time.perf_counter() - started)
    median = statistics.median(times)
    return {
        "n_regions": n_regions,
        "n_solves": len(times),
        "regions_per_s": n_regions / median,
        "us_per_region": 1e6 * median / n_regions,
        "us_per_region_least": 1e6 * min(times) / n_regions,
        "memory": memory,
    }


def _memory(
    setup: Setup, solver: Solver, batch: tuple[Tensor, ...], predicted: int
) -> dict[str, object] | None:
    """Return the bytes of a region as the model has them and as measured; warms the device up.

    None on a CPU, where ``tests.memory_probe`` measures it in a process of its own.
    """
    solver.solve(*(part[:4] for part in batch))
    if setup.device != "cuda":
        return None
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    solver.solve(*batch)
    torch.cuda.synchronize()
    measured = (torch.cuda.max_memory_allocated() - before) / len(batch[0])
    return {"predicted": predicted, "measured": measured, "ratio": measured / predicted}


def whole_run(setup: Setup) -> dict[str, object]:
    """Return the rate of ``finemo-dist run`` on a store, and how busy the GPU was meanwhile."""
    if setup.device == "fake":
        return {"not_run": "nothing can be timed on fake tensors"}
    n_strands = setup.sizes.strands[0]
    n_distinct = min(4_096, setup.sizes.run_regions)
    motifs, source = simulated(n_strands, n_distinct, ScoreKind.PROJECTED)
    modisco_h5, store = setup.work / "motifs.h5", setup.work / "run.zarr"
    write_modisco_h5(modisco_h5, motifs)
    n_copies = -(-setup.sizes.run_regions // n_distinct)
    copies = CopiedSource(source, spaced_rows(n_distinct, n_distinct), n_copies)
    encode(copies, store, overwrite=True)
    config = setup.work / "run.yaml"
    config.write_text(
        json.dumps(
            {
                "output": str(setup.work / "run"),
                "modisco_h5": str(modisco_h5),
                "samples": [{"name": "a", "regions": str(store)}],
            }
        )
    )
    with _Utilisation(setup.device) as busy:
        done = _finemo_dist("run", config, "--device", setup.device, "--force", "--json")
    told = summary(done)
    n_regions = n_distinct * n_copies
    call_s = told["seconds"]["call"]
    return {
        "n_regions": n_regions,
        "wall_s": done.wall_s,
        "call_s": call_s,
        "regions_per_s": n_regions / call_s,
        "executor": told["executor"],
        "seconds": told["seconds"],
        "utilisation": busy.summary(),
    }


class _Utilisation:
    """Samples how busy the GPU is, as its driver says."""

    def __init__(self, device: str) -> None:
        self._is_asked = device == "cuda"
        self._shares: list[int] = []
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "_Utilisation":
        if self._is_asked:
            self._process = subprocess.Popen(
                ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits",
                 f"-lms={_SAMPLE_MS}"],
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._thread is not None:
            self._process.terminate()
            self._thread.join()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # One line for each GPU; the first is ours.
            if line.strip().isdecimal():
                self._shares.append(int(line))

    def summary(self) -> dict[str, object] | None:
        """Return percent of the time in which a kernel ran, from the first kernel to the last."""
        at_work = [i for i, share in enumerate(self._shares) if share]
        if not at_work:
            return None
        while_at_work = self._shares[at_work[0] : at_work[-1] + 1]
        return {
            "mean_percent": statistics.mean(while_at_work),
            "n_samples": len(while_at_work),
            "sample_ms": _SAMPLE_MS,
        }


def beside_finemo(setup: Setup) -> dict[str, object]:
    """Return the rates of finemo 0.41 and of this package on the same regions and device."""
    if setup.finemo is None:
        return {"not_run": "no executable of finemo 0.41 was given (--finemo)"}
    if setup.device == "fake":
        return {"not_run": "nothing can be timed on fake tensors"}
    motifs, source = simulated(setup.sizes.strands[0], setup.sizes.finemo_regions,
                               ScoreKind.PROJECTED)  # fmt: skip
    modisco_h5 = setup.work / "beside.h5"
    write_modisco_h5(modisco_h5, motifs)
    npz = write_regions(source, setup.work / "beside.npz")
    ours = _finemo_dist(
        "call-hits", "-r", npz, "-m", modisco_h5, "-o", setup.work / "ours", "--force", "--json",
        "--device", setup.device,
    )  # fmt: skip
    n_regions = len(source.regions)
    found: dict[str, object] = {"n_regions": n_regions, "finemo_dist_s": ours.wall_s}
    limit_s = max(1.0, setup.remaining_s)
    caller = FinemoCaller(Finemo(setup.finemo, {"finemo": "0.41"}), setup.sizes.finemo_batch)
    words = [setup.finemo, "call-hits", "-r", npz, "-m", modisco_h5, "-o", setup.work / "theirs",
             "-b", caller.batch_regions]  # fmt: skip
    try:
        theirs = measure(words, environment=_visible(), limit_s=limit_s)
    except TimeLimitError:
        return {**found, "finemo_s": None, "finemo_stopped_after_s": limit_s}
    return {
        **found,
        "finemo_s": theirs.wall_s,
        "ratio": theirs.wall_s / ours.wall_s,
        "jaccard_of_keys": _jaccard(setup.work / "ours", setup.work / "theirs"),
    }


def _jaccard(*folders: Path) -> float:
    """Return the share of hits that both tables have: same peak, motif, start and strand."""
    both = []
    for folder in folders:
        header, *lines = (folder / "hits.tsv").read_text().splitlines()
        names = header.split("\t")
        columns = [names.index(n) for n in ("peak_id", "motif_name", "start_untrimmed", "strand")]
        both.append({tuple(line.split("\t")[i] for i in columns) for line in lines})
    first, second = both
    return len(first & second) / max(1, len(first | second))


def _finemo_dist(*words: object) -> Measured:
    environment = {"PYTHONPATH": str(PROJECT), **_visible()}
    return measure([sys.executable, "-c", MAIN, *words], environment=environment)


def _visible() -> dict[str, str]:
    """Return the GPUs that this process sees: benchmarks of the CPU hide them."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    return {"CUDA_VISIBLE_DEVICES": "0" if shown is None else shown}
