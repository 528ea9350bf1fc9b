"""Cures fit faults: what the operating system refuses is named as that, wherever it is handled.

Walks the handlers of ``OSError`` in the package: what one raises in words of its own goes through
``core.system_errors``, so that none can call a full disk a damaged file.
"""

import ast
import errno
from pathlib import Path

import pytest

from finemo_dist.core import system_errors
from finemo_dist.core.errors import InputError, ServiceError, StoreError
from finemo_dist.core.system_errors import fault, system_fault
from tests.syntax import parsed

PACKAGE = Path(__file__).resolve().parents[1] / "finemo_dist"
CATCHES_SYSTEM = {"OSError", "EnvironmentError", "IOError", "Exception", "BaseException"}
BY_OTHER_MEANS = {
    # DuckDB and Arrow say in words of their own what ran out.
    ("catalog/connection.py", "stream_errors"),
    # Asked of the network: nothing answers at an address, whatever the number.
    ("run/ray_session.py", "_connect"),
    ("run/ray_job.py", "_understood"),
    # That the lease was lost goes before whatever broke because of it.
    ("record/lease.py", "driving"),
}


@pytest.fixture(scope="module")
def trees():
    """The package: path to module."""
    return {path: parsed(path) for path in sorted(PACKAGE.rglob("*.py"))}


@pytest.fixture(scope="module")
def functions(trees):
    """Path to the functions of a module."""
    return {
        path: [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for path, tree in trees.items()
    }


def groups_of(tree: ast.Module) -> dict[str, set[str]]:
    """Return the names of tuples of exceptions, and what is in them."""
    return {
        node.targets[0].id: {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    } | {
        node.target.id: {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    }


@pytest.fixture(scope="module")
def asking(functions):
    """The helper, and every function that gives what it made."""
    found = {"fault", "system_fault"}
    for function in (each for of_file in functions.values() for each in of_file):
        returned = [n.value for n in ast.walk(function) if isinstance(n, ast.Return) and n.value]
        calls = (n.func for value in returned for n in ast.walk(value) if isinstance(n, ast.Call))
        if any(isinstance(f, ast.Name) and f.id in ("fault", "system_fault") for f in calls):
            found.add(function.name)
    return found


@pytest.fixture(scope="module")
def sites(trees, functions):
    """File, function and raise statement of every handler that may catch ``OSError``."""
    found: list[tuple[str, str, ast.Raise]] = []
    groups = {path: groups_of(tree) for path, tree in trees.items()}
    shared = {name: group for each in groups.values() for name, group in each.items()}
    for path, of_file in functions.items():
        known = shared | groups[path]
        for function in of_file:
            for handler in (n for n in ast.walk(function) if isinstance(n, ast.ExceptHandler)):
                caught = {
                    n.id for n in ast.walk(handler.type or handler) if isinstance(n, ast.Name)
                }
                caught |= {member for name in caught for member in known.get(name, ())}
                if caught & CATCHES_SYSTEM:
                    found += [
                        (str(path.relative_to(PACKAGE)), function.name, node)
                        for node in ast.walk(handler)
                        if isinstance(node, ast.Raise) and node.exc is not None
                    ]
    return found


def asks_the_system(node: ast.Raise, asking: set[str]) -> bool:
    """Whether what is raised is made by the one helper, or by a function that calls it."""
    calls = (n.func for n in ast.walk(node) if isinstance(n, ast.Call))
    return any(isinstance(f, ast.Name) and f.id in asking for f in calls)


def test_no_handler_of_system_errors_has_a_fixed_cure(sites, asking):
    fixed = [
        f"{file}:{node.lineno} ({function}): {ast.unparse(node)[:200]}"
        for file, function, node in sites
        if (file, function) not in BY_OTHER_MEANS and not asks_the_system(node, asking)
    ]
    assert sites
    assert not fixed


def test_what_is_left_out_is_there(sites):
    there = {(file, function) for file, function, _ in sites}

    assert there >= BY_OTHER_MEANS


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space is left"),
        (errno.EMFILE, "too many files are open. Raise the limit"),
        (errno.EACCES, "permission is denied"),
        (errno.ENOLCK, "has no locks"),
        (524, "has no locks"),
        (errno.EIO, "does not respond"),
        (errno.ENOENT, "no such file. Check the path."),
    ],
)
def test_a_fault_of_the_system_is_named_as_such(number, said):
    error = fault("x", OSError(number, "?"), otherwise="x: is damaged.", kind=StoreError)

    assert isinstance(error, StoreError)
    assert said in str(error)
    assert "damaged" not in str(error)


@pytest.mark.parametrize(
    "error", [OSError("file signature not found"), ValueError("x"), OSError(errno.EINVAL, "?")]
)
def test_a_fault_of_the_file_is_left_to_its_reader(error):
    assert system_fault(error) is None
    assert str(fault("x", error, otherwise="x: is damaged.", kind=InputError)) == "x: is damaged."


def test_every_cure_is_a_sentence():
    for what, cure in system_errors._FAULTS.values():
        assert cure.endswith(".")
        assert not what.endswith(".")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOSPC, "full"), True),
        (OSError("a library's own"), False),
        (ValueError("damaged"), False),
        (InputError("damaged"), False),
        (ServiceError("away"), True),
    ],
)
def test_a_condition_is_what_another_machine_may_not_have(error, expected):
    assert system_errors.is_condition(error) is expected
