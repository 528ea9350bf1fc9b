"""The import table of DESIGN.md, read off the source: who knows whom, and one door a library."""

import ast
import sys
from pathlib import Path

import pytest

import finemo_dist
from tests.syntax import nodes

PACKAGE = Path(__file__).resolve().parents[1] / "finemo_dist"

FRONT_DOOR = {"catalog", "core", "hit_tables", "workflow"}
"""What ``finemo_dist/__init__.py`` hands out, imported when it is asked for."""

MAY_IMPORT = {
    "core": set(),
    "storage": {"core"},
    "record": {"core", "storage"},
    "sources": {"core", "storage"},
    "motifs": {"core", "storage"},
    "store": {"core", "storage"},
    "solver": {"core"},
    "hits": {"core", "storage", "record"},
    "catalog": {"core", "storage", "record", "hits"},
    "hit_tables": {"core", "storage", "record", "hits", "catalog"},
    "exports": {"core", "storage", "record", "catalog", "hits"},
    "reports": {"core", "storage", "record", "catalog", "hits"},
    "testing": {"core", "storage"},
    "run": {"core", "storage", "record", "store", "motifs", "solver", "hits"},
    "workflow": {
        "core", "storage", "record", "sources", "motifs", "store", "solver", "hits", "catalog",
        "hit_tables", "exports", "reports", "testing", "run",
    },
    # record: the log as JSON lines is what the log of a run holds.
    "cli": {"core", "storage", "record", "hit_tables", "workflow"},
}  # fmt: skip

DOORS = {
    "core": {"numpy", "pydantic"},
    "storage": {"pydantic", "obstore", "h5py"},
    "record": {"pydantic"},
    "sources": {"numpy", "pybigtools", "h5py", "hdf5plugin"},
    "motifs": {"numpy", "h5py", "memelite"},
    "store": {"numpy", "zarr"},
    "solver": {"torch"},
    "hits": {"numpy", "pyarrow"},
    "catalog": {"duckdb", "numpy", "pyarrow", "pandas", "polars"},
    "hit_tables": {"duckdb", "numpy", "pyarrow"},
    "exports": {"numpy", "h5py", "pyBigWig", "anndata", "pandas", "pysam", "pybigtools"},
    "reports": {"numpy", "pyarrow", "jinja2", "altair", "vl_convert", "scipy", "markupsafe"},
    "testing": {"numpy", "h5py", "pyBigWig"},
    "run": {"numpy", "torch", "ray"},
    "workflow": {"duckdb", "numpy", "polars", "pyarrow", "pydantic", "scipy", "yaml"},
    "cli": {"click", "rich"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    """Full names of everything a file imports: at its top, inside functions, or by ``require``."""
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "finemo_dist":
                # Its rooms, and what it hands out of them.
                found |= {room_of(alias.name) for alias in node.names} - {None}
            else:
                found.add(node.module)
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", None) == "require"
            and node.keywords
        ):
            named = node.args[0]
            assert isinstance(named, ast.Constant), f"{path}: a library that is not named"
            found.add(named.value)
    return found


def is_required(node: ast.AST) -> bool:
    """Whether a node is a call of ``core.optional.require``, whose reason is a keyword."""
    is_call = isinstance(node, ast.Call) and getattr(node.func, "id", None) == "require"
    return is_call and any(keyword.arg == "needed_for" for keyword in node.keywords)


def room_of(name: str) -> str | None:
    if name.startswith("__"):
        return None
    return f"finemo_dist.{finemo_dist._MODULE_OF.get(name, name)}"


def test_imports_are_seen_in_every_way_there_is(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "from finemo_dist import open_run, __version__\n"
        "from finemo_dist import catalog\n"
        "import numpy.typing\n"
        "def f(): return require('obstore.store', needed_for='x')\n"
    )

    assert imports_of(path) == {
        "finemo_dist.workflow.opening", "finemo_dist.catalog", "numpy.typing", "obstore.store"
    }  # fmt: skip


def layer_of(path: Path) -> str | None:
    inside = path.relative_to(PACKAGE).parts
    return inside[0] if len(inside) > 1 else None


def test_every_folder_is_a_layer_of_the_table():
    folders = {layer_of(path) for path in MODULES} - {None}

    assert folders == MAY_IMPORT.keys() == DOORS.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_layer_may(path):
    layer = layer_of(path)
    for name in imports_of(path):
        top, *rest = name.split(".")
        if top == "finemo_dist":
            other = rest[0] if rest else None
            allowed = MAY_IMPORT.get(layer, FRONT_DOOR) | {layer, None}
            assert other in allowed, f"{layer} imports {name}"
        elif top not in sys.stdlib_module_names:
            assert top in DOORS.get(layer, set()), f"{layer} imports {top}"


def test_ray_is_imported_by_four_files():
    importers = [p for p in MODULES if any(n.split(".")[0] == "ray" for n in imports_of(p))]

    assert [str(p.relative_to(PACKAGE)) for p in importers] == [
        "run/ray_head.py",
        "run/ray_job.py",
        "run/ray_pool.py",
        "run/ray_session.py",
    ]


def body_lines(function: ast.FunctionDef) -> int:
    """Lines of a function without its docstring, which may say as much as users need."""
    length = function.end_lineno - function.lineno
    if ast.get_docstring(function) is None:
        return length
    docstring = function.body[0]
    return length - (docstring.end_lineno - docstring.lineno)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_stays_readable(path):
    lines = path.read_text().splitlines()
    longest = max(
        (body_lines(node) for node in nodes(path)
         if isinstance(node, ast.FunctionDef)),
        default=0,
    )  # fmt: skip

    assert len(lines) <= 500
    assert longest <= 60


def test_no_module_is_named_after_the_library_it_shadows():
    names = {path.stem for path in MODULES} - {"__init__"}

    assert not names & {"inspect", "typing", "types", "copy", "ray", "zarr", "torch", "duckdb"}
