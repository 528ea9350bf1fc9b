"""Options with many values: ``-b a.bw b.bw``, as finemo's scripts write them."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.cli.options import ManyValuesCommand


@click.command(cls=ManyValuesCommand, examples=["echo -b a.bw b.bw"])
@click.option("-b", "--bigwigs", multiple=True)
@click.option("-o", "--out")
@click.option("--force", is_flag=True)
@click.argument("rest", nargs=-1)
def echo(**values):
    click.echo(repr(values))


def parse(*words):
    result = CliRunner().invoke(echo, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return eval(result.output)


@pytest.mark.parametrize(
    "words",
    [
        ("-b", "x", "y", "-o", "z"),
        ("-o", "z", "-b", "x", "y"),
        ("-b", "x", "-b", "y", "-o", "z"),
        ("--bigwigs", "x", "y", "-o", "z"),
        ("-b", "x", "-o", "z", "--bigwigs", "y"),
        ("--bigwigs=x", "-b", "y", "-o", "z"),
    ],
)
def test_values_may_follow_one_flag_or_have_one_each(words):
    assert parse(*words) == {"bigwigs": ("x", "y"), "out": "z", "force": False, "rest": ()}


def test_other_options_take_one_value():
    assert parse("-o", "z", "w")["rest"] == ("w",)


def test_a_flag_ends_the_values():
    assert parse("-b", "x", "--force", "y") == {
        "bigwigs": ("x",), "out": None, "force": True, "rest": ("y",),
    }  # fmt: skip


def test_a_dash_alone_is_a_value():
    assert parse("-b", "x", "-")["bigwigs"] == ("x", "-")


def test_a_flag_without_a_value_is_refused():
    result = CliRunner().invoke(echo, ["-b"])

    assert result.exit_code == 2
    assert "requires an argument" in result.output


WORDS = st.text("abc./", min_size=1, max_size=5)


@given(groups=st.lists(st.lists(WORDS, min_size=1, max_size=4), max_size=4))
def test_all_values_arrive_in_order(groups):
    words = [word for group in groups for word in ("-b", *group)]

    assert parse(*words)["bigwigs"] == tuple(word for group in groups for word in group)


def test_a_shell_pattern_of_paths_is_many_values(tmp_path):
    paths = [str(Path(tmp_path, f"{i}.bw")) for i in range(3)]

    assert parse("-b", *paths, "-o", "z")["bigwigs"] == tuple(paths)
