"""What the package exports, and what importing it or asking for help costs."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import finemo_dist
from tests.command import run_process
from tests.syntax import parsed

HEAVY = ("torch", "ray", "zarr", "duckdb", "pyarrow", "h5py", "numpy", "pydantic", "pyBigWig")


def modules_after(code: str) -> set[str]:
    listing = f"{code}\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    result = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True, timeout=240
    )
    return {name.split(".")[0] for name in result.stderr.splitlines()}


SOURCE = parsed(Path(finemo_dist.__file__))


def typed_names():
    """What type checkers see: module to names, as imported under TYPE_CHECKING."""
    block = next(node for node in SOURCE.body if isinstance(node, ast.If))
    return {
        node.module.removeprefix("finemo_dist."): tuple(sorted(alias.name for alias in node.names))
        for node in block.body
        if isinstance(node, ast.ImportFrom)
    }


def test_all_lists_what_is_loaded_and_what_type_checkers_see():
    loaded = {module: tuple(sorted(names)) for module, names in finemo_dist._MODULES.items()}

    assert loaded == typed_names()
    assert finemo_dist.__all__ == sorted({*finemo_dist._MODULE_OF, "__version__"})


@pytest.mark.parametrize("name", finemo_dist.__all__)
def test_a_public_name_is_there_listed_and_documented(name):
    found = getattr(finemo_dist, name)

    assert name in dir(finemo_dist)
    if name != "__version__":
        assert found.__name__ == name
        assert len(inspect.getdoc(found).split()) > 3


@pytest.mark.parametrize("name", [n for n in finemo_dist.__all__ if n[0].islower()])
def test_a_public_function_documents_its_parameters_and_errors(name):
    function = getattr(finemo_dist, name)
    text = inspect.getdoc(function)

    documented = {word for line in text.splitlines() for word in line.split(", ")}
    assert set(inspect.signature(function).parameters) <= documented
    assert "Raises\n" in text


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="open_walk"):
        finemo_dist.open_walk  # noqa: B018


def test_importing_the_package_loads_nothing_heavy():
    assert not modules_after("import finemo_dist") & set(HEAVY)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["call-hits", "--help"]])
def test_help_loads_nothing_heavy(words):
    code = (
        "from finemo_dist.cli.main import cli\n"
        f"try: cli.main({words!r}, standalone_mode=True)\n"
        "except SystemExit: pass"
    )

    assert not modules_after(code) & set(HEAVY)


def test_a_report_loads_no_statistics():
    assert "scipy" not in modules_after("import finemo_dist.workflow.reporting")


def test_every_listed_command_has_help():
    from finemo_dist.cli.main import _COMMANDS, cli

    for name in _COMMANDS:
        command = cli.get_command(None, name)
        assert command is not None
        assert command.name == name
        assert command.get_short_help_str()


def test_version_is_printed():
    result = run_process("--version")

    assert result.returncode == 0
    assert finemo_dist.__version__ in result.stdout
