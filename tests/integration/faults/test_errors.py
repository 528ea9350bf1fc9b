"""Errors reach the user in one style, from wherever they were raised."""

import ast
import inspect
import pickle
import shutil
from pathlib import Path

import pytest

import finemo_dist
from finemo_dist.core import errors
from finemo_dist.core.errors import FinemoDistError, nearest
from tests.command import finemo_dist as run_command
from tests.integration.faults.outcomes import lines_with
from tests.syntax import nodes
from tests.unit.run.runs import corrupt_shard

PACKAGE = Path(inspect.getfile(finemo_dist)).parent


def tree_of(kind: type) -> list[type]:
    # Ray makes classes of its own below ours, in a process that has received one.
    children = (c for c in kind.__subclasses__() if not c.__name__.startswith("RayTaskError"))
    return [kind, *(k for child in children for k in tree_of(child))]


def defined_errors() -> set[str]:
    """Return the names of all exception classes that the package defines."""
    names = set()
    for path in PACKAGE.rglob("*.py"):
        for node in nodes(path):
            if isinstance(node, ast.ClassDef) and node.name.endswith(("Error", "Exception")):
                names.add(node.name)
    return names


def test_every_error_of_the_package_is_in_the_one_tree():
    assert defined_errors() == {kind.__name__ for kind in tree_of(FinemoDistError)}
    assert all(kind.__module__ == errors.__name__ for kind in tree_of(FinemoDistError))


@pytest.mark.parametrize("kind", tree_of(FinemoDistError), ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling_with_its_cause_left_behind(kind):
    error = kind("a.bw: found 'x', expected 'y'. Do z.")
    error.__cause__ = OSError(5, "Input/output error")

    back = pickle.loads(pickle.dumps(error))

    assert (type(back), back.args) == (kind, ("a.bw: found 'x', expected 'y'. Do z.",))
    assert back.exit_status == kind.exit_status


@pytest.mark.ray
@pytest.mark.slow
def test_an_error_in_a_Ray_worker_reaches_the_user_as_one_line(
    command, inputs, ray_address, tmp_path
):
    run_command(*inputs.extract("bw"), "-o", tmp_path / "s", "--shard-size", "4")
    bad = corrupt_shard(tmp_path / "s", 1)
    words = ("call-hits", "-r", tmp_path / "s", "-m", inputs.modisco_h5)

    on_ray = ("--executor", "ray", "--workers", "1", "--address", ray_address)
    answer = command(*words, "-o", tmp_path / "ray", *on_ray)
    serial = command(*words, "-o", tmp_path / "serial", "--executor", "serial")

    for said in (answer, serial):
        assert said.status == 3
        assert "Traceback" not in said.err
        assert "ray::" not in said.err
    (message,) = lines_with(answer, "Error: ")
    assert str(bad) in message
    (expected,) = lines_with(serial, "Error: ")
    assert message == expected.replace(str(tmp_path / "serial"), str(tmp_path / "ray"))


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("chr1", ["1", "2"], "'1'? (names here differ by the 'chr' prefix)"),
        ("X", ["chr1", "chrX"], "'chrX'? (names here differ by the 'chr' prefix)"),
        ("pattern_3", ["pos_patterns.pattern_3", "pos_patterns.pattern_30"],
         "'pos_patterns.pattern_3'?"),
        ("chrx", ["chr1", "chrX"], "'chrX'?"),
        ("pos_patern.pattern_12", ["pos_patterns.pattern_1", "pos_patterns.pattern_12"],
         "'pos_patterns.pattern_12'?"),
    ],
)  # fmt: skip
def test_the_nearest_name_is_suggested(name, known, expected):
    assert nearest(name, known) == f" Did you mean {expected}"


def test_a_command_misspelt_is_refused_with_the_nearest(refused):
    refused("call-hit", says=("call-hit", "Did you mean 'call-hits'?"))


def test_a_key_misspelt_in_a_run_configuration_is_refused_by_its_path(refused, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("output: run\nmodisco_h5: m.h5\nsolver: {mod: pp}\n"
                    "samples: [{name: a, regions: s}]\n")  # fmt: skip

    refused("run", path, says=(path, "solver.mod"))


def test_a_file_that_is_no_run_configuration_is_refused(refused, inputs, tmp_path):
    shutil.copyfile(inputs.peaks, tmp_path / "notes.txt")

    refused("run", tmp_path / "notes.txt", says=(tmp_path / "notes.txt", "is not YAML"))
