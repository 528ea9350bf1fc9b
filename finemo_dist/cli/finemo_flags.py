"""What finemo 0.41 still takes and has replaced, as data; each is taken here with one warning."""

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

from finemo_dist.cli.messages import say
from finemo_dist.cli.options import DEVICE, EXISTING_FILE

_Function = TypeVar("_Function", bound=Callable[..., Any])

OLD_COMMANDS: Final = {"extract-regions-h5": "extract-regions-chrombpnet-h5"}
"""Command that finemo replaced to its replacement."""


@dataclass(frozen=True, slots=True)
class OldFlag:
    """A flag that finemo replaced."""

    names: tuple[str, ...]
    instead: str
    """What to write instead, for people."""
    into: str | None = None
    """The parameter that takes the value, whatever it was given itself; ignored when None."""
    type: click.ParamType[Any] | type | None = None
    is_flag: bool = False

    @property
    def parameter(self) -> str:
        """Name of the value among those of the command."""
        return "old_" + self.names[-1].lstrip("-").replace("-", "_")

    def option(self) -> Callable[[_Function], _Function]:
        """Return the option, which no help shows."""
        return click.option(
            *self.names, self.parameter, type=self.type, is_flag=self.is_flag, default=None,
            hidden=True,
        )  # fmt: skip


_PEAKS: Final = OldFlag(
    ("-p", "--peaks"), "-p of extract-regions-*", into="peaks", type=EXISTING_FILE
)

CALL_HITS: Final = (
    _PEAKS,
    OldFlag(
        ("-C", "--chrom-order"), "-C of extract-regions-*", into="chrom_order", type=EXISTING_FILE
    ),
    # `--a` is a prefix of --address here, and was one of --alpha alone.
    OldFlag(
        ("-a", "--a", "--alpha"), "-l/--global-lambda", into="penalty",
        type=click.FloatRange(min=0, min_open=True),
    ),
    OldFlag(("-A", "--motif-alphas"), "-L/--motif-lambdas", into="penalties", type=EXISTING_FILE),
    OldFlag(("-d",), "--device, or CUDA_VISIBLE_DEVICES", into="device", type=DEVICE),
)  # fmt: skip

_CALL_SAYS: Final = "the report follows call-hits"
REPORT: Final = (
    _PEAKS,
    OldFlag(("-I", "--motifs-include"), f"-I of call-hits: {_CALL_SAYS}"),
    OldFlag(("-N", "--motif-names"), f"-N of call-hits: {_CALL_SAYS}"),
    OldFlag(("-t", "--cwm-trim-threshold"), f"-t of call-hits: {_CALL_SAYS}", type=float),
    OldFlag(("-s", "--no-seqlets"), "-n/--no-recall", into="no_seqlets", is_flag=True),
)

OPTIONS: Final = {
    "extract-regions-bw": ("peaks", "chrom-order", "fasta", "bigwigs", "out-path", "region-width"),
    "extract-regions-chrombpnet-h5": ("peaks", "chrom-order", "h5s", "out-path", "region-width"),
    "extract-regions-bpnet-h5": ("peaks", "chrom-order", "h5s", "out-path", "region-width"),
    "extract-regions-modisco-fmt": (
        "peaks", "chrom-order", "sequences", "attributions", "out-path", "region-width",
    ),
    "call-hits": (
        "mode", "regions", "modisco-h5", "peaks", "chrom-order", "motifs-include", "motif-names",
        "out-dir", "cwm-trim-threshold", "cwm-trim-thresholds", "cwm-trim-coords", "global-lambda",
        "motif-lambdas", "alpha", "motif-alphas", "no-post-filter", "sqrt-transform",
        "step-size-max", "step-size-min", "step-adjust", "convergence-tol", "max-steps",
        "batch-size", "device", "compile",
    ),
    "report": (
        "regions", "hits", "peaks", "modisco-h5", "motifs-include", "motif-names", "out-dir",
        "modisco-region-width", "cwm-trim-threshold", "no-recall", "no-seqlets",
    ),
    "collapse-hits": ("hits", "out-path", "overlap-frac"),
    "intersect-hits": ("hits", "out-path", "relaxed"),
}  # fmt: skip
"""The long options of finemo's commands: a prefix that one of them alone has stays that one's."""


def options_of(command: str) -> frozenset[str]:
    """Return the long options that finemo has for a command."""
    return frozenset(f"--{name}" for name in OPTIONS.get(OLD_COMMANDS.get(command, command), ()))


def taken(*flags: OldFlag) -> Callable[[_Function], _Function]:
    """Let a command take flags that finemo replaced, each with one warning."""

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def command(**values: Any) -> Any:  # noqa: ANN401  (options and result of any command)
            for flag in flags:
                value = values.pop(flag.parameter)
                if flag.into is not None:
                    values.setdefault(flag.into, None)
                if value is None:
                    continue
                warn("/".join(dict.fromkeys((flag.names[0], flag.names[-1]))), flag.instead)
                if flag.into is not None:
                    values[flag.into] = value
            return function(**values)

        for flag in reversed(flags):
            command = flag.option()(command)
        return command  # type: ignore[return-value]

    return decorate


def warn(old: str, instead: str) -> None:
    """Say that finemo replaced what was typed."""
    say(f"Warning: {old} is deprecated since finemo 0.41; use {instead}.", level=logging.WARNING)
