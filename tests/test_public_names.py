"""What the package exports, and what importing it or asking for help costs."""

import subprocess
import sys

import pytest

import finemo_dist
from tests.command import run_process

HEAVY = ("torch", "ray", "zarr", "duckdb", "pyarrow", "h5py", "numpy", "pydantic", "pyBigWig")


def modules_after(code: str) -> set[str]:
    listing = f"{code}\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    result = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.split(".")[0] for name in result.stderr.splitlines()}


def test_all_is_sorted_and_complete():
    public = {name for name in vars(finemo_dist) if not name.startswith("_")}
    modules = {name for name in public if type(vars(finemo_dist)[name]).__name__ == "module"}

    assert list(finemo_dist.__all__) == sorted(finemo_dist.__all__)
    assert public - modules <= set(finemo_dist.__all__)
    for name in finemo_dist.__all__:
        assert hasattr(finemo_dist, name)


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
