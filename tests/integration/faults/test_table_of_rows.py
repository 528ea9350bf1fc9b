"""The table of inputs at fault in ``tests/README.md``: every row, and tests that are there."""

import ast
import re
from pathlib import Path

import pytest

from tests.syntax import nodes

FOLDER = Path(__file__).parent
README = FOLDER.parents[1] / "README.md"
ROWS = [
    *(f"S{i}" for i in range(1, 40)),
    *(f"C{i}" for i in range(1, 26)),
    *(f"F{i}" for i in (1, 3, 4, 5, 7, 8, 9)),
    "damage",
    "pickles",
    "metacluster",
]


def table() -> dict[str, list[str]]:
    """Return what the table names in its last column, by row."""
    text = README.read_text().split("## Inputs at fault")[1]
    lines = re.findall(r"^\| (\S+) \| .+? \| (.*) \|$", text, re.MULTILINE)
    return {row: re.findall(r"`([^`]+)`", tests) for row, tests in lines if row != "row"}


def functions_of(path: Path) -> set[str]:
    return {
        node.name
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def rows_of(name: str) -> list[str]:
    """Return the rows that a test is named after."""
    tags = re.match(r"test_((?:[SCF]\d+_)*)", name)
    return tags[1].split("_")[:-1] if tags else []


def test_every_row_stands_in_the_table_once():
    text = README.read_text().split("## Inputs at fault")[1]
    rows = re.findall(r"^\| ([SCF]\d+|damage|pickles|metacluster) \|", text, re.MULTILINE)

    assert rows == ROWS
    assert list(table()) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_a_row_names_a_test_that_is_there(row):
    named = [name.split("::") for name in table()[row] if "::" in name]

    assert named
    for file, test in named:
        assert test in functions_of(FOLDER / file), f"{file}::{test}"
        assert row in rows_of(test) or not re.fullmatch(r"[SCF]\d+", row)


def test_every_test_of_a_row_is_in_the_table():
    named = {tuple(name.split("::")) for names in table().values() for name in names}
    there = {
        (path.name, name)
        for path in FOLDER.glob("test_*.py")
        for name in functions_of(path)
        if rows_of(name)
    }

    assert there <= named
