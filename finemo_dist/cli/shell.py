"""The shell of ``sql``: queries over several lines, with history, until the end of input."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from finemo_dist.cli.messages import one_line, printable
from finemo_dist.core.errors import FinemoDistError, nearest
from finemo_dist.core.words import count

if TYPE_CHECKING:
    from finemo_dist.workflow.asking import Session

_PROMPT: Final = "sql> "
_MORE: Final = "...> "
_HISTORY_LINES: Final = 2_000
_INTERRUPT_AGAIN_S: Final = 0.1
_HELP: Final = """\
A query ends with ; and may have several lines.
  \\d         list the tables
  \\d NAME    list the columns of a table, with their meanings
  \\q         leave (as does Ctrl-D)
  Ctrl-C     end a query, or forget the lines typed so far
"""


def run_shell(run: Path, *, unsafe: bool, memory_limit: str | None) -> None:
    """Answer queries that are typed until the end of input.

    Raises
    ------
    RunError
        There is no run, or it is damaged.
    """
    from finemo_dist.workflow.asking import open_session

    with open_session(run, unsafe=unsafe, memory_limit=memory_limit) as session:
        tables = session.columns()
        click.echo(f"{one_line(str(run))}: {count(len(tables), 'table')}. \\? for help.")
        with _line_editing(tables), _own_interrupts():
            _loop(session, tables)


def _loop(session: "Session", tables: dict[str, list[tuple[str, str, str]]]) -> None:
    held: list[str] = []
    while True:
        try:
            line = input(_MORE if held else _PROMPT)
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            click.echo()
            held = []
            continue
        word = line.strip()
        if not held and word in ("\\q", "exit", "quit", ".exit", ".quit"):
            return
        if not held and word.startswith(("\\", ".")):
            _command(word, tables)
        elif word or held:
            held.append(line)
            if word.endswith(";"):
                _answer(session, "\n".join(held))
                held = []


def _answer(session: "Session", query: str) -> None:
    from finemo_dist.workflow.asking import Screen

    screen = Screen(width=shutil.get_terminal_size().columns)
    try:
        with ThreadPoolExecutor(1) as thread:
            text = query.strip().rstrip(";")
            answer = thread.submit(session.answer, text, sys.stdout, screen=screen)
            if _is_interrupted(answer):
                _end(session, answer)
                click.echo("\nThe query was ended.", err=True)
                return
        answer.result()
    except FinemoDistError as error:
        # DuckDB points into the query, which the error of a command leaves out.
        for line in str(error.__cause__ or error).splitlines():
            click.echo(printable(line), err=True)


def _is_interrupted(answer: "Future[None]") -> bool:
    """Wait for an answer; whether Ctrl-C came before it.

    The query has a thread of its own: DuckDB looks for a Ctrl-C only where its main thread waits,
    and that thread may be the one that computes.
    """
    try:
        wait([answer])
    except KeyboardInterrupt:
        return True
    return False


def _end(session: "Session", answer: "Future[None]") -> None:
    """Interrupt a query until it ends; it may be between two statements."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while not answer.done():
            session.interrupt()
            wait([answer], timeout=_INTERRUPT_AGAIN_S)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _command(word: str, tables: dict[str, list[tuple[str, str, str]]]) -> None:
    name, _, argument = word[1:].partition(" ")
    argument = argument.strip().rstrip(";")
    if name in ("d", "dt", "tables", "schema") and not argument:
        for table, columns in tables.items():
            click.echo(f"{table:16}{count(len(columns), 'column')}")
    elif name in ("d", "schema") and argument in tables:
        width = max(len(column) for column, _, _ in tables[argument])
        for column, kind, meaning in tables[argument]:
            click.echo(f"{column:{width}}  {kind:10}  {meaning}")
    elif name in ("d", "schema"):
        click.echo(f"There is no table {argument!r}.{nearest(argument, tables)}", err=True)
    elif name in ("?", "h", "help"):
        click.echo(_HELP, nl=False)
    else:
        click.echo(f"{word}: no such command. \\? lists them.", err=True)


@contextmanager
def _own_interrupts() -> Iterator[None]:
    """Let every Ctrl-C end what runs: in a command, a second one within seconds is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _line_editing(tables: dict[str, list[tuple[str, str, str]]]) -> Iterator[None]:
    """Edit lines with history and completion of names, where Python has readline."""
    try:
        import readline
    except ImportError:
        yield
        return
    path = _history_path()
    with suppress(OSError):
        readline.read_history_file(path)
    readline.set_history_length(_HISTORY_LINES)
    names = sorted({*tables, *(name for columns in tables.values() for name, _, _ in columns)})

    def complete(text: str, state: int) -> str | None:
        found = [name for name in names if name.startswith(text)]
        return found[state] if state < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" \t\n(),;.=<>+-*/\"'")
    readline.parse_and_bind("tab: complete")
    try:
        yield
    finally:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(path)


def _history_path() -> Path:
    state = os.environ.get("XDG_STATE_HOME")
    folder = Path(state) if state else Path.home() / ".local" / "state"
    return folder / "finemo_dist" / "sql_history"
