"""``sql`` as a shell, and what a person at a terminal gets that a program does not."""

import errno
import io
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.format import Screen, screen_lines
from finemo_dist.catalog.readonly import run_user_query
from finemo_dist.cli import shell
from tests.command import PROJECT, wait_until


def shown(run, query, **screen):
    with open_catalog(run) as catalog:
        answer = run_user_query(catalog, query)
        return "".join(screen_lines(answer, Screen(**{"width": 200} | screen)))


def test_a_terminal_shows_the_first_rows_and_says_how_many_there_are(finished):
    text = shown(finished, "SELECT i FROM range(100) AS r(i)", most_rows=40)

    assert text.splitlines()[1:41] == [f"{i:2}" for i in range(40)]
    assert text.splitlines()[-1] == "(60 of 100 rows left out; -o FILE writes all)"
    assert "left out" not in shown(finished, "SELECT i FROM range(40) AS r(i)", most_rows=40)


def test_a_terminal_rounds_numbers_and_nothing_else(finished):
    text = shown(
        finished,
        "SELECT 0.6305609284332688::DOUBLE AS a, 123456789 AS b, '0.6305609284332688' AS c, "
        "1.5e-20::DOUBLE AS d, 2::DOUBLE AS e",
    )

    assert text.splitlines()[1].split() == [
        "0.630561", "123456789", "0.6305609284332688", "1.5e-20", "2",
    ]  # fmt: skip


def test_columns_that_do_not_fit_are_named(finished):
    text = shown(finished, "SELECT 'x' AS first, repeat('y', 30) AS second, 1 AS third", width=20)

    assert text == "first\nx\n(2 columns left out: second, third)\n"


def test_a_program_gets_every_row_as_it_is(command, finished):
    answer = command("sql", finished, "SELECT i, i / 7 AS x FROM range(100) AS r(i)")

    assert len(answer.out.splitlines()) == 101
    assert "0.14285714285714285" in answer.out


def test_show_tables_lists_what_is_documented_and_no_more(command, finished):
    tables = command("sql", finished, "show tables;", "--format", "tsv").out.splitlines()
    dictionary = command(
        "sql", finished, "SELECT DISTINCT view_name FROM data_dictionary", "--format", "tsv"
    )

    assert tables[0] == "name"
    assert sorted(tables[1:]) == sorted([*dictionary.out.splitlines()[1:], "data_dictionary"])


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("SELECT moti_name FROM hits", 'Candidate bindings: "motif_name"'),
        ("SELECT * FROM hitz", 'Did you mean "hits"?'),
        ("SELECT start, end FROM hits", 'write it as "end", in double quotes'),
    ],
)
def test_suggestions_of_DuckDB_are_kept_in_one_line(refused, finished, query, hint):  # noqa: N802
    assert hint in refused("sql", finished, query)


def test_a_query_comes_from_standard_input_or_a_file(command, finished, tmp_path, monkeypatch):
    file = tmp_path / "query.sql"
    file.write_text("SELECT 41 + 1 AS n -- the answer\n")
    assert command("sql", finished, "-f", file).out == "n\n42\n".replace("n\n", " n\n")

    for words in ([], ["-"]):
        monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 43 AS n"))
        assert command("sql", finished, *words).out.split() == ["n", "43"]


def test_a_query_is_given_once(refused, finished, tmp_path):
    (tmp_path / "q.sql").write_text("SELECT 1")

    assert "Give one" in refused("sql", finished, "SELECT 1", "-f", tmp_path / "q.sql")


class Answering:
    """A session that notes what it is asked."""

    def __init__(self):
        self.asked = []

    def answer(self, text, out, *, screen):
        self.asked.append(text)


TABLES = {
    "hits": [("chr", "VARCHAR", "chromosome"), ("motif_name", "VARCHAR", "the motif")],
    "samples": [("sample", "VARCHAR", "its name")],
}


def typed(monkeypatch, *lines):
    """Type lines into a shell, and return what was asked of the session."""
    left = iter(lines)

    def type_in(_prompt):
        if (line := next(left, None)) is None:
            raise EOFError
        if isinstance(line, type):
            raise line
        return line

    monkeypatch.setattr("builtins.input", type_in)
    session = Answering()
    shell._loop(session, TABLES)
    assert next(left, None) is None, "the shell ended before"
    return session.asked


@pytest.mark.parametrize(
    ("lines", "asked"),
    [
        (["", "  ", "SELECT 1;"], ["SELECT 1"]),
        # A line within a query may be empty, and may begin as a command does.
        (["SELECT", "", ".5", ";", ""], ["SELECT\n\n.5\n"]),
        (["SELECT", KeyboardInterrupt, "SELECT 2;"], ["SELECT 2"]),
        (["SELECT 1;", "quit"], ["SELECT 1"]),
        (["SELECT 'q", "quit", "';"], ["SELECT 'q\nquit\n'"]),
    ],
)
def test_lines_are_a_query_up_to_a_semicolon(monkeypatch, lines, asked):
    assert typed(monkeypatch, *lines) == asked


@pytest.mark.parametrize(
    ("line", "out", "err"),
    [
        ("\\d", ["hits            2 columns", "samples         1 column"], ""),
        (".tables", ["hits            2 columns", "samples         1 column"], ""),
        ("\\d hits;", ["chr         VARCHAR     chromosome", "motif_name  VARCHAR     the motif"],
         ""),
        (".schema samples", ["sample  VARCHAR     its name"], ""),
        ("\\d hitz", [], "There is no table 'hitz'. Did you mean 'hits'?\n"),
        ("\\d q", [], "There is no table 'q'.\n"),
        ("\\?", shell._HELP.splitlines(), ""),
        (".help", shell._HELP.splitlines(), ""),
        ("\\x on", [], "\\x on: no such command. \\? lists them.\n"),
        (".schema sample", [], "There is no table 'sample'. Did you mean 'samples'?\n"),
        (".schema", ["hits            2 columns", "samples         1 column"], ""),
    ],
)  # fmt: skip
def test_commands_of_the_shell(monkeypatch, capsys, line, out, err):
    assert typed(monkeypatch, line) == []

    said = capsys.readouterr()
    assert said.out.splitlines() == [*out, ""], "the last line is that of the end of input"
    assert said.err == err


class Terminal:
    """A process on a terminal of its own, typed into as by hand."""

    def __init__(self, *words, **environment):
        ours, theirs = pty.openpty()
        self.fd, self.text = ours, ""
        code = "from finemo_dist.cli.main import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, words)],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=PROJECT, start_new_session=True,
            env={**os.environ, "TERM": "dumb", **environment},
        )  # fmt: skip
        os.close(theirs)

    def read_until(self, end, timeout_s=240):
        """Return what is said up to and with ``end``."""
        self.read(timeout_s, end)
        assert end in self.text, f"waited for {end!r} in {self.text!r}"
        said, _, self.text = self.text.partition(end)
        return said

    def read(self, timeout_s, end):
        """Read until ``end`` is said, the other end is closed, or the time is over."""
        deadline = time.monotonic() + timeout_s
        while end not in self.text and time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode()
                except OSError as error:
                    # The other end was closed.
                    if error.errno != errno.EIO:
                        raise
                    return

    def interrupt_until(self, end):
        """Send Ctrl-C until ``end`` is said.

        Python hears one that comes between its prompt and its wait for a line only with the next
        input.
        """
        for _ in range(20):
            self.process.send_signal(signal.SIGINT)
            self.read(3, end)
            if end in self.text:
                break
        return self.read_until(end, timeout_s=0)

    def cpu_s(self):
        """Return what the process has taken of the processor."""
        after_name = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, after_name[11:13])) / os.sysconf("SC_CLK_TCK")

    def type(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.fd)


@pytest.fixture
def terminal(finished, tmp_path):
    at = Terminal("sql", finished, XDG_STATE_HOME=str(tmp_path))
    at.read_until("sql> ")
    yield at
    at.close()


@pytest.mark.slow
def test_the_shell_answers_over_several_lines_and_remembers(terminal, tmp_path):
    terminal.type("SELECT 6 *\n")
    terminal.read_until("...> ")
    terminal.type("7 AS n;\n")
    assert "42" in terminal.read_until("sql> ")
    terminal.type("SELECT moti_name FROM hits;\n")
    said = terminal.read_until("sql> ")
    assert 'Candidate bindings: "motif_name"' in said
    assert "^" in said
    terminal.type("\\d hits\n")
    assert "0-based" in terminal.read_until("sql> ")
    terminal.type("\\d\n")
    assert "hits_unique" in terminal.read_until("sql> ")
    terminal.type("\\x\n")
    assert "no such command" in terminal.read_until("sql> ")

    terminal.type("\\q\n")

    assert terminal.process.wait(240) == 0
    assert "SELECT 6 *" in (tmp_path / "finemo_dist" / "sql_history").read_text()


@pytest.mark.slow
def test_control_c_ends_a_query_and_forgets_lines_but_not_the_shell(terminal):
    before = terminal.cpu_s()
    terminal.type("SELECT count(*) FROM range(100000000) AS a, range(1000000) AS b;\n")
    wait_until(lambda: terminal.cpu_s() > before + 0.5)
    for _ in range(2):
        terminal.process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    assert "ended" in terminal.read_until("sql> ")
    terminal.type("SELECT 'half\n")
    terminal.read_until("...> ")
    terminal.interrupt_until("sql> ")
    terminal.type("SELECT 40 + 4 AS n;\n")
    terminal.read_until("44")
    terminal.read_until("sql> ")

    terminal.type("\x04")

    assert terminal.process.wait(240) == 0
