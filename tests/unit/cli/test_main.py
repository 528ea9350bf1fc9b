"""The group of commands: names, help, errors and exit statuses."""

import json
import re
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from finemo_dist import __version__
from finemo_dist.cli import main as module
from finemo_dist.cli.main import cli
from finemo_dist.core.errors import IncompleteRunError, InputError
from tests.command import PROJECT, answer_of


def test_the_version_is_told(command):
    """C1, C16."""
    answer = command("--version")

    assert (answer.status, answer.out) == (0, f"finemo-dist, version {__version__}\n")


@pytest.mark.parametrize("name", cli.list_commands(click.Context(cli)))
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help(command, name, flag):
    answer = command(name, flag)

    assert answer.status == 0
    assert answer.out.startswith(f"Usage: finemo-dist {name}")


def test_the_list_of_commands_has_a_line_for_each(command):
    said = command("--help").out

    for name in cli.list_commands(click.Context(cli)):
        assert re.search(rf"^  {name} +\S", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("word", "near"), [("call_hits", "call-hits"), ("stats", "status"), ("extract-bw", "extract-")]
)
def test_an_unknown_command_gets_the_nearest(refused, word, near):
    assert f"No such command '{word}'. Did you mean '{near}" in refused(word)


def test_a_command_like_no_other_gets_no_hint(refused):
    assert refused("xyzzy") == "No such command 'xyzzy'."


@pytest.mark.parametrize("words", [(), ("call-hits",), ("call-hits", "--colour"), ("verify",)])
def test_bad_usage_exits_2(command, words):
    answer = command(*words)

    assert (answer.status, answer.out) == (2, "")
    assert "Usage: finemo-dist" in answer.err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InputError("a.bw: is broken."), 2, "Error: a.bw: is broken."),
        (IncompleteRunError("run: 1 of 2."), 3, "Error: run: 1 of 2."),
        (
            OSError(28, "no space is left. Free someice", "/x/y"),
            2,
            "Error: /x/y: no space is left. Free some",
        ),
        (OSError("odd"), 2, "Error: odd. Committed work"),
        (KeyboardInterrupt(), 130, "resume with: finemo-dist status 'a run'"),
        (click.Abort(), 130, "resume with: finemo-dist status 'a run'"),
        (click.UsageError("what?"), 2, "Error: what?"),
    ],
)
def test_each_error_has_its_exit_status(command, monkeypatch, error, status, said):
    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr(module.cli, "main", fail)
    answer = command("status", "a run")

    assert (answer.status, answer.out) == (status, "")
    assert said in answer.err


def test_the_line_that_resumes_does_not_begin_anew(command, monkeypatch):
    def fail(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.cli, "main", fail)

    said = command("run", "--force", "a.yaml", "-o", "out").err
    assert said.endswith("resume with: finemo-dist run a.yaml -o out\n")


def test_a_mistake_of_ours_is_not_hidden(capsys, monkeypatch):
    def fail(*_arguments, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr(module.cli, "main", fail)
    with pytest.raises(ZeroDivisionError):
        answer_of(capsys)


@pytest.mark.slow
def test_a_reader_that_has_enough_ends_the_command_quietly(finished):
    """As in ``finemo-dist sql ... | head -1``."""
    query = "SELECT a.*, b.* FROM hits a, hits b, hits c LIMIT 200000"
    code = "from finemo_dist.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "sql", str(finished), query, "--format", "tsv"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline().startswith(b"sample\t")
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize("kind", [InputError, KeyboardInterrupt])
def test_errors_are_json_where_json_was_asked_for(command, finished, monkeypatch, kind):
    def fail(*_arguments, **_options):
        raise kind("a.bw: is broken.")

    monkeypatch.setattr("finemo_dist.workflow.standing.open_catalog", fail)
    said = command("--log-format", "json", "status", finished).err

    (entry,) = [json.loads(line) for line in said.splitlines()]
    assert entry["event"] == "message"
    assert "is broken" in entry["message"] or "resume with: finemo-dist --log-format" in said


def test_an_interrupt_ends_the_line_of_the_terminal_and_says_how_to_go_on(
    command, finished, monkeypatch
):
    def interrupt(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("finemo_dist.workflow.standing.open_catalog", interrupt)
    answer = command("status", finished)

    assert answer.status == 130
    assert answer.err.startswith("\n")
    assert answer.err.count("\n\n") == 0


@pytest.mark.parametrize(
    ("words", "incomplete", "found"),
    [
        ([], "stat", ["status"]),
        # As if nothing had been typed: to say what is wrong is for when it is run.
        (["no-such-command"], "stat", ["status"]),
        (["status"], "--wa", ["--watch"]),
    ],
)
def test_a_shell_is_told_how_a_line_may_go_on(words, incomplete, found):
    complete = ShellComplete(cli, {}, "finemo-dist", "_FINEMO_DIST_COMPLETE")

    completions = [item.value for item in complete.get_completions(words, incomplete)]

    assert completions == found
