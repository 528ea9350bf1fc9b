"""The answer to a query on standard output or in a file."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from finemo_dist.cli.options import LOCAL_OUTPUT

if TYPE_CHECKING:
    from finemo_dist.workflow.asking import Screen

_Function = TypeVar("_Function", bound=Callable[..., Any])


def answer_options(function: _Function) -> _Function:
    """Add how an answer is written, where to, and the memory it may take."""
    for option in (
        click.option(
            "--memory-limit",
            help="Memory that DuckDB may use, such as 2GB. Beyond that it spills to disk.",
        ),
        click.option(
            "-o", "--out", type=LOCAL_OUTPUT, help="File to write, instead of standard output."
        ),
        click.option(
            "--format",
            "output_format",
            default="table",
            show_default=True,
            type=click.Choice(["table", "tsv", "csv", "json", "parquet"]),
            help="Format of the answer.",
        ),
    ):
        function = option(function)
    return function


@contextmanager
def answer_to(out: Path | None) -> Iterator[TextIO | Path]:
    """Yield where an answer goes: ``out``, or standard output as long as somebody reads it."""
    if out is not None:
        yield out
        return
    with until_the_reader_has_enough():
        yield sys.stdout


def screen_of(out: Path | None) -> "Screen | None":
    """Return the terminal that an answer is read on; None where it goes to a file or a program."""
    if out is not None or not sys.stdout.isatty():
        return None
    from finemo_dist.workflow.asking import Screen

    return Screen(width=shutil.get_terminal_size().columns)


@contextmanager
def until_the_reader_has_enough() -> Iterator[None]:
    """End quietly when standard output is closed, as by `head`; click would exit 1."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered must go somewhere when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
