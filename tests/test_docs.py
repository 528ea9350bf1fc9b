"""Help, documentation and commands say the same: nothing is missing and nothing is stale."""

import re

import click
import pytest
import yaml

import finemo_dist
from finemo_dist.catalog.named import named_queries
from finemo_dist.cli.main import cli
from tests.command import PROJECT
from tests.pages import NOTEBOOKS, PAGES, blocks_of, fences_of, name_of

COMMANDS = {name: cli.get_command(None, name) for name in cli.list_commands(click.Context(cli))}
TEXTS = {path: path.read_text("utf-8") for path in [*PAGES, *NOTEBOOKS]}
RUN = "\n".join(block.code for page in PAGES for block in blocks_of(page))
"""All blocks that a test runs."""
ELSEWHERE = {
    "call-variants": "test_variants.py",
    "submit": "test_submit.py",
    "demo": "test_demo.py",
}
"""Commands that need what a page does not have, and the tests that run them."""
FUNCTION_OF = {
    "extract-regions-bw": "extract_regions",
    "extract-regions-chrombpnet-h5": "extract_regions",
    "extract-regions-bpnet-h5": "extract_regions",
    "extract-regions-modisco-fmt": "extract_regions",
    "run": "run_config",
    "sql": "open_run",
    "query": "open_run",
}
"""Functions with another name than their command."""
WITHOUT_COMMAND = {"find_hits", "read_motifs", "load_config"}
"""Functions of arrays and of values, which no command has."""


def calls_of(text):
    """Every call of finemo-dist in a text, as words; paths and values are not looked at."""
    for line in text.replace("\\\n", " ").splitlines():
        for found in re.findall(r"(?:^|[\s`;|(])finemo-dist ([a-z][^`#|;>]*)", line):
            yield found.split()


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_an_example_that_runs(name):
    assert (f"finemo-dist {name} " in RUN) != (name in ELSEWHERE)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_command_without_one_is_tested_where_it_says(name):
    assert list((PROJECT / "tests").rglob(ELSEWHERE[name])), name
    assert any(f"finemo-dist {name}" in text or f"make {name}" in text for text in TEXTS.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself_and_its_options(name):
    command = COMMANDS[name]

    assert command.help
    assert command.get_short_help_str()
    for option in command.params:
        is_shown = isinstance(option, click.Option) and not option.hidden
        assert not is_shown or option.help, option.name


@pytest.mark.parametrize("page", TEXTS, ids=name_of)
def test_no_page_names_a_command_or_option_that_is_not_there(page):
    for name, *words in calls_of(TEXTS[page]):
        if name in {"shared", "calls", "has", "finds"}:
            continue  # the program in a sentence
        assert name in COMMANDS or not words, (name, words)
        if name in COMMANDS:
            known = {flag for option in COMMANDS[name].params for flag in option.opts}
            given = {word.split("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)}
            assert given <= known | {"--help", "-h"}, (name, given - known)


@pytest.mark.parametrize("query", named_queries(), ids=lambda query: query.name)
def test_each_named_query_has_an_example_that_runs(query):
    assert f"finemo-dist query {query.name} " in RUN


def test_each_function_is_the_one_of_a_command_or_listed_as_none():
    functions = {name for name in finemo_dist.__all__ if name[0].islower()}
    mapped = {FUNCTION_OF.get(name, name.replace("-", "_")) for name in COMMANDS} & functions

    assert functions - mapped == WITHOUT_COMMAND
    assert set(FUNCTION_OF.values()) <= functions
    assert FUNCTION_OF.keys() <= COMMANDS.keys()


def test_each_function_is_on_a_page():
    text = "\n".join(TEXTS.values())

    for name in finemo_dist.__all__:
        if name[0].islower():
            assert re.search(rf"\b{name}\b", text), name


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_is_not_run_says_that_it_is_text(page):
    # A fence without a language would be a command that nobody runs.
    for language, text in fences_of(page):
        assert language in {"sh", "python", "text", "yaml"} or "finemo-dist" not in text


def test_each_page_is_in_the_navigation():
    config = yaml.safe_load((PROJECT / ".mkdocs.yml").read_text())
    listed = set(re.findall(r"[\w/-]+\.md", str(config["nav"])))
    there = {p.relative_to(PROJECT / "docs").as_posix() for p in TEXTS if p.parent != PROJECT}
    made = {"commands", "python", "queries", "tables", "configuration"}

    assert listed == there | {f"reference/{name}.md" for name in made}
