"""Options that several commands share, and the kinds that click does not have."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.messages import say
from finemo_dist.core import defaults
from finemo_dist.core.words import count

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Place(click.Path):
    """A local path, checked as click does, or ``s3://BUCKET/KEY``, which is asked for when used."""

    def convert(
        self,
        value: Any,  # noqa: ANN401  (click's)
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401
        """Return a path."""
        from finemo_dist.storage.objects import SCHEME

        if str(value).startswith(SCHEME):
            from finemo_dist.storage.locations import location

            return location(value)
        return super().convert(value, param, ctx)


class _LocalPlace(click.Path):
    """A path on a local disk."""

    def convert(
        self,
        value: Any,  # noqa: ANN401  (click's)
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401
        """Return a path."""
        from finemo_dist.storage.objects import SCHEME

        if str(value).startswith(SCHEME):
            what = f"{value}: object storage is not supported here. Give a local path."
            self.fail(what, param, ctx)
        return super().convert(value, param, ctx)


EXISTING_FILE = _Place(exists=True, dir_okay=False, path_type=Path)
EXISTING_PATH = _Place(exists=True, path_type=Path)
ANY_PATH = _Place(path_type=Path)
LOCAL_FILE = _LocalPlace(exists=True, dir_okay=False, path_type=Path)
LOCAL_PATH = _LocalPlace(exists=True, path_type=Path)
LOCAL_OUTPUT = _LocalPlace(path_type=Path)


class _Regions(_Place):
    """Regions; ``X.npz`` that does not exist is the store ``X`` or ``X.zarr``.

    numpy appends ``.npz`` to any other name, so that scripts extract to X and call in X.npz.
    """

    def convert(
        self,
        value: Any,  # noqa: ANN401  (click's)
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401
        """Return a path."""
        given = Path(value)
        if given.suffix == ".npz" and not given.exists():
            bare = given.with_suffix("")
            for store in (bare, bare.with_name(f"{bare.name}.zarr")):
                if (store / "zarr.json").is_file():
                    say(f"{given}: does not exist; using the region store {store} instead")
                    return store
        return super().convert(value, param, ctx)


class _Device(click.Choice[str]):
    """Where to solve. ``cuda:N`` is one GPU of those there are: the others are hidden."""

    def convert(
        self,
        value: Any,  # noqa: ANN401  (click's)
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        """Return ``auto``, ``cpu`` or ``cuda``."""
        kind, _, number = str(value).partition(":")
        if kind == "cuda" and number.isdecimal():
            self._hide_others(int(number), param, ctx)
            value = kind
        return super().convert(value, param, ctx)

    def _hide_others(
        self, number: int, param: click.Parameter | None, ctx: click.Context | None
    ) -> None:
        # CUDA reads it when it is first used, and workers inherit it.
        seen = os.environ.get("CUDA_VISIBLE_DEVICES")
        names = None if seen is None else [name for name in seen.split(",") if name]
        if names is not None and number >= len(names):
            what = f"cuda:{number}: CUDA_VISIBLE_DEVICES={seen} shows {count(len(names), 'GPU')}."
            self.fail(what, param, ctx)
        os.environ["CUDA_VISIBLE_DEVICES"] = str(number) if names is None else names[number]


REGIONS = _Regions(exists=True, path_type=Path)
DEVICE = _Device(["auto", "cpu", "cuda"])


class ManyValuesCommand(HelpfulCommand):
    """A command whose options declared ``multiple`` take several values: ``-b a.bw b.bw``.

    finemo's scripts write them so; click knows only ``-b a.bw -b b.bw``, which works as well.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse arguments after repeating the options that were given once for many values."""
        many = {
            name
            for option in self.params
            if isinstance(option, click.Option) and option.multiple
            for name in option.opts
        }
        return super().parse_args(ctx, _repeat_option(args, many))


def _repeat_option(args: list[str], many: set[str]) -> list[str]:
    """Return arguments with ``-b x y`` as ``-b x -b y`` for the options in ``many``."""
    repeated: list[str] = []
    current: str | None = None
    n_values = 0
    for word in args:
        if word.startswith("-") and word != "-":
            current = word if word in many else None
            n_values = 0
        elif current is not None:
            n_values += 1
            if n_values > 1:
                repeated.append(current)
        repeated.append(word)
    return repeated


def given_once(
    option: str, positional: Sequence[Path | None], named: Sequence[Path | None]
) -> tuple[Path, ...]:
    """Return the run or runs of a command that takes them by place or, as finemo, by an option.

    Raises
    ------
    click.UsageError
        They are given in both ways, or in neither.
    """
    by_place, by_name = (tuple(p for p in given if p is not None) for given in (positional, named))
    if by_place and by_name:
        raise click.UsageError(f"RUN and {option} are both given. Give one.")
    if not by_place and not by_name:
        raise click.UsageError(f"Missing RUN (or {option}).")
    return by_place or by_name


motif_files = click.option(
    "-m",
    "--modisco-h5",
    type=EXISTING_FILE,
    multiple=True,
    required=True,
    help="Motifs: TF-MoDISco H5, MEME or JASPAR. Several files form one set.",
)
"""The motif files of a call."""
mode_option = click.option(
    "-M",
    "--mode",
    type=click.Choice(["pp", "ph", "hp", "hh"]),
    default=defaults.MODE,
    show_default=True,
    help="Scores to compare, first of the CWMs, then of the regions: p projected, h hypothetical.",
)
"""Which scores are compared."""
trim_option = click.option(
    "-t",
    "--cwm-trim-threshold",
    "trim_threshold",
    type=click.FloatRange(0, 1),
    default=defaults.TRIM_THRESHOLD,
    show_default=True,
    help="Trim off the columns of a CWM below this share of its largest column.",
)
"""One trim threshold for all motifs."""
lambda_option = click.option(
    "-l",
    "--global-lambda",
    "penalty",
    type=click.FloatRange(min=0, min_open=True),
    default=defaults.PENALTY,
    show_default=True,
    help="Weight of the L1 penalty. A higher lambda calls fewer hits.",
)
"""One lambda for all motifs."""


def group_options(sheet_help: str) -> Callable[[_Function], _Function]:
    """Add ``--sheet``, ``--by`` and ``--groups``: two groups of samples by a table."""
    return _stack(
        click.option("--sheet", type=EXISTING_FILE, help=sheet_help),
        click.option("--by", help="Column of the sheet whose values are the groups."),
        click.option(
            "--groups", multiple=True, help="Two values of that column. [default: its two values]"
        ),
    )


def json_option(function: _Function) -> _Function:
    """Add ``--json``: the summary as JSON on standard output."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print the summary as JSON on standard output."
    )(function)


def _stack(*options: Callable[[_Function], _Function]) -> Callable[[_Function], _Function]:
    def decorate(function: _Function) -> _Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def executor_options(function: _Function) -> _Function:
    """Add where the work is done; none of these changes a hit."""
    return _executor_options(defaults.EXECUTOR)(function)


def executor_overrides(function: _Function) -> _Function:
    """Add the same for a configuration that says it too: what is not given is None."""
    return _executor_options(None)(function)


def _executor_options(default: str | None) -> Callable[[_Function], _Function]:
    return _stack(
        click.option(
            "--executor", type=click.Choice(["auto", "serial", "processes", "ray"]),
            default=default, show_default=True,
            help="One worker in this process, processes on this machine's CPUs, or Ray. auto uses "
            "processes, or Ray for GPUs, as soon as that is faster.",
        ),
        click.option("--address", "ray_address", help="Address of a running Ray cluster to join."),
        worker_options(default),
    )  # fmt: skip


def worker_options(default: str | None) -> Callable[[_Function], _Function]:
    """Add how many workers there are and what each of them is."""
    return _stack(
        click.option(
            "--workers", "n_workers", type=click.IntRange(min=1),
            help="Number of workers that call hits. [default: --workers-per-gpu times --gpus, or "
            "one per core without GPUs]",
        ),
        click.option(
            "--cores", "n_cores", type=click.IntRange(min=1),
            help="Number of workers that extract regions and write files. [default: all cores "
            "beside GPUs, otherwise as --workers]",
        ),
        click.option(
            "--gpus", "n_gpus", type=click.IntRange(min=1),
            help="Number of GPUs that call hits. [default: all]",
        ),
        click.option(
            "--workers-per-gpu", type=click.IntRange(1, 16),
            help="Number of workers that share a GPU: one reads or writes while another solves. "
            "[default: up to 3, from the available memory and cores]",
        ),
        click.option(
            "--device", type=DEVICE, default=default,
            show_default=True, help="Device to solve on.",
        ),
        click.option(
            "-b", "--batch-size", "batch_regions", type=click.IntRange(min=1),
            help="Number of regions to solve together. [default: from the available memory]",
        ),
    )  # fmt: skip


def max_q_option(function: _Function) -> _Function:
    """Add ``--max-q``: hits that cannot be believed are left out."""
    return click.option(
        "--max-q",
        "largest_q",
        type=click.FloatRange(0, 1),
        help="Leave out hits with a larger q against decoy motifs. The run needs `confidence`.",
    )(function)


def limit_options(function: _Function) -> _Function:
    """Add what DuckDB may take; neither changes a result."""
    return _stack(
        click.option(
            "--memory-limit",
            help="Memory that DuckDB may use, such as 2GB. Beyond that it spills to disk.",
        ),
        click.option(
            "--threads",
            type=click.IntRange(min=1),
            help="Number of threads. [default: one per core]",
        ),
    )(function)
