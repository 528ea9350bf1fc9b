"""From bigWig and from H5 to ``hits.tsv``: the same commands of both programs, start and all."""

import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import h5py
import hdf5plugin
import numpy as np

from tests.benchmarks.datasets import ABSENT
from tests.benchmarks.efforts import Effort
from tests.benchmarks.finemo_env import Finemo
from tests.benchmarks.programs import DistCaller, FinemoCaller, summary
from tests.benchmarks.tables import megabytes, number, spread, table
from tests.benchmarks.timings import spread_or_lost, times, work_seconds

_CALL_STAGES = (
    "start", "prepare", "worker.read", "worker.solve", "worker.write", "call", "outputs",
)  # fmt: skip

_COPIES = 10
"""Of the regions: enough for the work of finemo-dist to stand out from its start."""

_NOTE = """Both commands of each program (extract, call) on yeast with its 48 motif-strands,
{n_regions} regions; wall times of whole processes, alternately. "Less start" takes off the same two
commands on one region and one step. finemo-dist is also given {copies} times the regions, each copy
a base further along, because its work on the {n_regions} takes less time than its start. finemo is
given a batch smaller than its default of 2,000, which wastes less: it steps all slots of a batch,
filled or not. finemo-dist chooses its executor itself.
"""


@dataclass(frozen=True, slots=True)
class _Inputs:
    """Files of some regions: peaks, genome and contributions."""

    n_regions: int
    peaks: Path
    genome: Path
    bigwig: Path
    h5: Path

    def words(self, kind: str) -> Sequence[object]:
        """Return the words of the extract command of both programs."""
        if kind == "bigWig":
            return ("extract-regions-bw", "-p", self.peaks, "-f", self.genome, "-b", self.bigwig)
        return ("extract-regions-chrombpnet-h5", "-p", self.peaks, "-c", self.h5)


@dataclass(slots=True)
class _Run:
    """One program on one kind of input, with its timings."""

    kind: str
    caller: FinemoCaller | DistCaller
    inputs: _Inputs
    extract_s: list[float] = field(default_factory=list)
    call_s: list[float] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    stages: dict[str, list[float]] = field(default_factory=dict)

    @property
    def wall_s(self) -> list[float]:
        """Both commands, by repeat."""
        return [a + b for a, b in zip(self.extract_s, self.call_s, strict=True)]

    @property
    def rates(self) -> list[float]:
        """Regions a second less the start; none where the work is lost in it."""
        return [self.inputs.n_regions / s for s in work_seconds(self.wall_s, self.start_s)]

    @property
    def label(self) -> str:
        """How the tables call it."""
        return f"{self.kind}, {self.inputs.n_regions:,} regions, {self.caller.label}"


def measure_end_to_end(effort: Effort, work: Path, *, finemo: Finemo | None, shared: Path) -> str:
    """Return the table of wall times and the table of stages."""
    if not shared.is_dir():
        return f"Not measured: {ABSENT}."
    work.mkdir(parents=True, exist_ok=True)
    yeast = shared / "yeast"
    n_regions = effort.end_to_end_regions
    whole = _some_inputs(yeast, work / "whole", n_regions)
    copied = _some_inputs(yeast, work / "copied", n_regions, copies=_COPIES)
    one = _some_inputs(yeast, work / "one", 1)
    runs = [
        _Run(kind, caller, inputs)
        for kind in ("bigWig", "ChromBPNet H5")
        for caller, inputs in _callers(effort, finemo, whole, copied)
    ]
    for repeat in range(effort.repeats):
        for run in runs:
            click.echo(f"end to end: repeat {repeat + 1}, {run.label}", err=True)
            _time_once(run, one, yeast / "modisco_results.h5", work / "out")
    return "\n".join(
        [
            _NOTE.format(n_regions=f"{whole.n_regions:,}", copies=_COPIES),
            _wall_table(runs),
            "\nWhere the time of finemo-dist goes, from its own timers (`--json`), seconds, median "
            "of the repeats; `worker` stages are part of `call`, summed over workers, and "
            "not in the sum; `start` is the libraries of `call`; what is left of the wall time is "
            "the start of both processes and the libraries of `extract`:\n",
            _stage_table([run for run in runs if isinstance(run.caller, DistCaller)]),
        ]
    )


def _callers(
    effort: Effort, finemo: Finemo | None, whole: _Inputs, copied: _Inputs
) -> list[tuple[FinemoCaller | DistCaller, _Inputs]]:
    """Return what is run on one kind of input, finemo first where there is one."""
    ours = DistCaller(None)
    callers: list[tuple[FinemoCaller | DistCaller, _Inputs]] = [(ours, whole), (ours, copied)]
    if finemo is not None:
        batches = sorted(effort.finemo_batches["yeast"])
        callers.insert(0, (FinemoCaller(finemo, batches[len(batches) // 2]), whole))
    return callers


def _some_inputs(data: Path, folder: Path, n_regions: int | None, *, copies: int = 1) -> _Inputs:
    """Write the first regions of each input; the genome is a link, as finemo indexes beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (data / "peaks.narrowPeak").read_text().splitlines(keepends=True)[:n_regions]
    n_lines = len(lines)
    lines = [_moved(line, copy) for copy in range(copies) for line in lines]
    peaks, genome, h5 = folder / "peaks.narrowPeak", folder / "genome.fa", folder / "scores.h5"
    peaks.write_text("".join(lines))
    genome.unlink(missing_ok=True)
    genome.symlink_to(data / "genome.fa")
    with h5py.File(data / "chrombpnet_contribs.h5") as source, h5py.File(h5, "w") as target:
        for name in ("raw/seq", "shap/seq", "projected_shap/seq"):
            if name in source:
                values = np.tile(source[name][:n_lines], (copies, 1, 1))
                target.create_dataset(name, data=values, chunks=True, **hdf5plugin.Blosc())
    return _Inputs(len(lines), peaks, genome, data / "contribs.bw", h5)


def _moved(line: str, n_bases: int) -> str:
    """Return a line of peaks so many bases further along."""
    chrom, start, end, *rest = line.split("\t")
    return "\t".join([chrom, str(int(start) + n_bases), str(int(end) + n_bases), *rest])


def _time_once(run: _Run, one: _Inputs, modisco_h5: Path, out: Path) -> None:
    is_finemo = isinstance(run.caller, FinemoCaller)
    regions = out.with_suffix(".npz" if is_finemo else ".zarr")
    start_s = 0.0
    for inputs, options in ((one, ("-S", 1)), (run.inputs, ())):
        shutil.rmtree(out, ignore_errors=True)
        extracted = run.caller.extract(inputs.words(run.kind), regions)
        called = run.caller.call(regions, modisco_h5, out, options=options)
        if inputs is one:
            start_s = extracted.wall_s + called.wall_s
    run.start_s.append(start_s)
    run.extract_s.append(extracted.wall_s)
    run.call_s.append(called.wall_s)
    run.peak_bytes = max(run.peak_bytes, extracted.peak_bytes, called.peak_bytes)
    if not is_finemo:
        seconds = {"extract": summary(extracted)["seconds"], **summary(called)["seconds"]}
        for stage, value in seconds.items():
            run.stages.setdefault(stage, []).append(value)


def _wall_table(runs: list[_Run]) -> str:
    rows = []
    for run in runs:
        first = next(other for other in runs if other.kind == run.kind)
        has_finemo = isinstance(first.caller, FinemoCaller)
        is_same = run.inputs.n_regions == first.inputs.n_regions
        rows.append(
            [
                run.kind,
                f"{run.inputs.n_regions:,}",
                run.caller.label,
                spread(run.extract_s),
                spread(run.call_s),
                spread(run.wall_s),
                times(first.wall_s, run.wall_s) if has_finemo and is_same else "-",
                spread_or_lost(run.rates),
                times(run.rates, first.rates) if has_finemo else "-",
                megabytes(run.peak_bytes),
            ]
        )
    return table(
        ["from", "regions", "program", "extract s", "call s", "both s", "times finemo, both",
         "regions/s less start", "times finemo, less start", "peak"],
        rows,
    )  # fmt: skip


def _stage_table(runs: list[_Run]) -> str:
    rows = []
    for run in runs:
        stages = {stage: statistics.median(values) for stage, values in run.stages.items()}
        inside = sum(stages[stage] for stage in ("extract", "start", "prepare", "call", "outputs"))
        left = statistics.median(run.wall_s) - inside
        shown = [number(stages[stage]) for stage in ("extract", *_CALL_STAGES)]
        rows.append([run.label, *shown, number(inside), number(left)])
    header = ["from", "extract", *_CALL_STAGES, "sum", "left of wall"]
    return table(header, rows)
