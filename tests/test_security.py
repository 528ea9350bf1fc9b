"""What no module may do, read off the source: run what is in a file, or let a shell run it."""

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.syntax import nodes

PACKAGE = Path(__file__).resolve().parents[1] / "finemo_dist"
MODULES = sorted(PACKAGE.rglob("*.py"))

FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal",
                     "shelve", "xmlrpc", "telnetlib", "ftplib"}  # fmt: skip
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load",
                   "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "tempfile.mktemp",
                   "torch.load", "pandas.read_pickle", "np.loads", "numpy.loads",
                   "os.chmod"}  # fmt: skip
BETWEEN_OWN_PROCESSES = {"run/staged.py": ["imports pickle"]}
"""What a driver sends to its workers is pickled by the library that sends it, and holds what is
pickled here: nothing that is read from a file."""
LOADS = {"np.load", "numpy.load", "np.save", "numpy.save", "read_array", "np.lib.format.read_array"}


def name_of(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def problems_in(module: Iterable[ast.AST]) -> list[str]:
    """Return what a module does that none may."""
    found = []
    for node in module:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [f"imports {n}" for n in names if n.split(".")[0] in FORBIDDEN_MODULES]
        if isinstance(node, ast.Call):
            name = name_of(node.func)
            options = {k.arg: k.value for k in node.keywords}
            if name in FORBIDDEN_CALLS:
                found.append(f"calls {name}")
            if name in LOADS and not _is(options.get("allow_pickle"), value=False):
                found.append(f"{name} without allow_pickle=False")
            if "shell" in options and not _is(options["shell"], value=False):
                found.append("runs a shell")
    return found


def _is(node: ast.expr | None, *, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_in_a_file_is_ever_run(path):
    allowed = BETWEEN_OWN_PROCESSES.get(str(path.relative_to(PACKAGE)), [])
    assert problems_in(nodes(path)) == allowed


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "import numpy as np; np.load(x)",
        "np.load(x, allow_pickle=True)",
        "np.save(x, y)",
        "yaml.load(x)",
        "eval(x)",
        "subprocess.run(x, shell=True)",
        "subprocess.run(x, shell=y)",
        "os.system(x)",
        "torch.load(x)",
    ],
)
def test_what_is_forbidden_is_seen(source):
    assert problems_in(ast.walk(ast.parse(source)))


@pytest.mark.parametrize(
    "source", ["np.load(x, allow_pickle=False)", "yaml.safe_load(x)", "subprocess.run([x])"]
)
def test_what_is_allowed_is_passed_over(source):
    assert problems_in(ast.walk(ast.parse(source))) == []
