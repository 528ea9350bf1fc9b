"""Long options cut short, and ``-x=VALUE``, as argparse takes them."""

import argparse

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.cli.main import cli
from finemo_dist.cli.prefixes import spelt_out


@click.command("echo")
@click.option("-o", "--out-dir")
@click.option("--out-path")
@click.option("-f", "--force", is_flag=True)
@click.option("--alpha", hidden=True)
@click.option("--address")
@click.option("--on/--off", "is_on")
def echo(**_values):
    pass


def spelt(*words, first=()):
    return spelt_out(echo, click.Context(echo), list(words), first=first)


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        (("--out-d", "x"), ["--out-dir", "x"]),
        (("--out-p=x",), ["--out-path=x"]),
        (("--out-dir=--out",), ["--out-dir=--out"]),
        (("--f", "--of", "--he"), ["--force", "--off", "--help"]),
        (("-o=x",), ["-o", "x"]),
        (("-o=",), ["-o", ""]),
        (("-ox=y", "-o", "-f=1"), ["-ox=y", "-o", "-f=1"]),
        (("--nothing", "-", "x"), ["--nothing", "-", "x"]),
        (("--f", "--", "--f"), ["--force", "--", "--f"]),
    ],
)
def test_words_are_spelt_out(words, whole):
    assert spelt(*words) == whole


def test_what_is_ambiguous_is_refused_and_its_options_named():
    with pytest.raises(click.UsageError, match=r"--out is ambiguous.* --out-dir, --out-path\."):
        spelt("--out", "x")


def test_options_that_go_first_are_not_made_ambiguous_by_others():
    assert spelt("--a", "1", first={"--alpha"}) == ["--alpha", "1"]
    with pytest.raises(click.UsageError, match="--a is ambiguous"):
        spelt("--a", "1")
    with pytest.raises(click.UsageError, match="--o"):
        spelt("--o", "1", first={"--out-dir", "--out-path"})


NAMES = st.lists(st.text("abc-", min_size=1, max_size=4).filter(lambda n: n[0] != "-"),
                 min_size=1, max_size=6, unique=True)  # fmt: skip


@given(names=NAMES, word=st.text("abc-", min_size=1, max_size=4).filter(lambda n: n[0] != "-"))
def test_the_same_words_are_prefixes_as_to_argparse(names, word):
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    options = []
    for i, name in enumerate(names):
        parser.add_argument(f"--{name}", action="store_true", dest=f"d{i}")
        options.append(click.Option([f"--{name}", f"d{i}"], is_flag=True))
    ours = click.Command("x", params=options, add_help_option=False)
    try:
        given = vars(parser.parse_known_args([f"--{word}"])[0])
        theirs = next((f"--{names[int(k[1:])]}" for k, v in given.items() if v), f"--{word}")
    except (argparse.ArgumentError, SystemExit):
        theirs = None

    try:
        found = spelt_out(ours, click.Context(ours), [f"--{word}"])[0]
    except click.UsageError:
        found = None
    assert found == theirs


@pytest.mark.parametrize("name", cli.list_commands(click.Context(cli)))
def test_every_command_takes_prefixes(command, name):
    found = cli.get_command(None, name)
    long = [o for p in found.params if isinstance(p, click.Option) for o in p.opts if o[:2] == "--"]
    option = max(long, key=len, default="--help")

    assert "No such option" not in command(name, option[:-1]).err


def test_options_before_the_command_too(command):
    answer = command("--log=json", "--verb", "status", "nowhere")

    assert answer.status == 2
    assert "nowhere" in answer.err
    assert "No such option" not in answer.err
