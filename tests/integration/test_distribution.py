"""What others get: wheel, sdist, citation and the workflow of Snakemake, each as it is used."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import finemo_dist
from tests.command import PROJECT
from tests.conftest import skip_or_fail
from tests.pages import write_source
from tests.preloaded import preloaded

pytestmark = [pytest.mark.slow, pytest.mark.system]

TOOLS = PROJECT / ".venv-tools/bin"
_BARE = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def run(*words, cwd, **environment):
    done = subprocess.run(
        [*map(str, words)],
        cwd=cwd,
        env={**_BARE, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tools():
    """The folder of programs that `make .venv-tools/installed` installs."""
    missing = [name for name in ("snakemake", "hadolint") if not (TOOLS / name).exists()]
    if missing:
        skip_or_fail("tools", f"{missing[0]} is not there: make .venv-tools/installed")
    return TOOLS


@pytest.fixture(scope="module")
def built(tools, tmp_path_factory):
    """Wheel and sdist, as `make dist` builds them."""
    folder = tmp_path_factory.mktemp("dist")
    run(tools / "python", "-m", "build", "--no-isolation", "--outdir", folder, PROJECT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def installed(tools, built, tmp_path_factory):
    """An environment with the wheel in it; what it depends on is found where the tests find it."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    # The folders themselves, and no .pth in them: that of an editable install leads to the source.
    known = [path for path in sys.path if Path(path).name == "site-packages"]
    (site / "base.pth").write_text("\n".join({*known, sysconfig.get_path("purelib")}))
    run(
        tools / "python", "-m", "pip", "--python", folder / "bin/python", "install",
        "--no-deps", "--no-index", "--ignore-installed", built[0], cwd=folder,
    )  # fmt: skip
    return folder / "bin"


def test_twine_takes_wheel_and_sdist(tools, built):
    run(tools / "python", "-m", "twine", "check", "--strict", *built, cwd=PROJECT)


def test_the_wheel_holds_the_package_and_the_sdist_what_tests_it(built):
    wheel, sdist = built
    files = {
        path.relative_to(PROJECT).as_posix()
        for path in (PROJECT / "finemo_dist").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    with tarfile.open(sdist) as archive:
        source = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}

    assert {name for name in held if ".dist-info/" not in name} == files
    assert {"docs/tutorial.md", "tests/pages.py", "cluster/Containerfile", ".mkdocs.yml",
            "CITATION.cff", "LICENSE", "Makefile"} <= source  # fmt: skip


def test_the_wheel_alone_calls_hits(installed, yeast_slice, tmp_path):
    program = installed / "finemo-dist"
    where = "import finemo_dist; print(finemo_dist.__file__)"

    assert run(installed / "python", "-c", where, cwd=tmp_path).startswith(str(installed.parent))
    assert finemo_dist.__version__ in run(program, "--version", cwd=tmp_path)
    run(program, "extract-regions-chrombpnet-h5", "-c", yeast_slice / "chrombpnet_contribs.h5",
        "-p", yeast_slice / "peaks.narrowPeak", "-o", "regions.zarr", cwd=tmp_path)  # fmt: skip
    run(program, "call-hits", "-r", "regions.zarr", "-m", yeast_slice / "modisco_results.h5",
        "-o", "run", cwd=tmp_path)  # fmt: skip
    run(program, "report", "-H", "run", "-o", "report", cwd=tmp_path)
    assert len((tmp_path / "run/hits.tsv").read_text().splitlines()) == 105


def test_the_citation_is_valid(tools):
    said = run(tools / "cffconvert", "--validate", "-i", PROJECT / "CITATION.cff", cwd=PROJECT)

    assert "valid according to schema" in said


def test_the_conda_recipe_renders_and_its_script_builds_the_sdist(tools, built, tmp_path):
    recipe = PROJECT / "cluster/conda/recipe.yaml"
    render = (
        "import json, sys\n"
        "from rattler_build import Stage0Recipe\n"
        "(found,) = Stage0Recipe.from_file(sys.argv[1]).render()\n"
        "print(json.dumps(found.recipe.to_dict()))\n"
    )
    rendered = json.loads(run(tools / "python", "-c", render, recipe, cwd=tmp_path))
    script = rendered["build"]["script"]

    assert rendered["package"] == {"name": "finemo-dist", "version": finemo_dist.__version__}
    assert Path(rendered["source"][0]["path"]).name == built[1].name
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = (path for path in tmp_path.iterdir() if path.is_dir())
    place = tmp_path / "site"
    # rattler-build runs the script in the unpacked source with the python of the recipe.
    words = script.replace("python", str(tools / "python"), 1).split()
    run(*words, "--target", place, cwd=source)
    assert (place / "finemo_dist/cli/main.py").is_file()


def test_a_linter_finds_no_fault_in_the_container_file(tools):
    # DL3008 wants exact versions of Debian's packages, which Debian removes with each update.
    run(tools / "hadolint", "--ignore", "DL3008", PROJECT / "cluster/Containerfile", cwd=PROJECT)


@pytest.fixture
def source(tmp_path, tmp_path_factory):
    with preloaded(tmp_path_factory.mktemp("by")) as client:
        write_source(tmp_path, client)
        yield tmp_path


@pytest.mark.usefixtures("source")
def test_the_workflow_of_snakemake_makes_a_report_of_each_sample(tools, tmp_path):
    words = [
        tools / "snakemake", "-s", PROJECT / "cluster/snakemake/Snakefile",
        "--configfile", PROJECT / "cluster/snakemake/config.yaml", "--cores", "2",
    ]  # fmt: skip
    paths = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    there = {"PATH": paths, "PYTHONPATH": str(PROJECT), "XDG_CACHE_HOME": str(tmp_path / "cache")}

    run(*words, cwd=tmp_path, **there)

    for sample in ("sample_a", "sample_b"):
        assert (tmp_path / f"demo/snakemake/{sample}/report/report.html").exists()
        assert (tmp_path / f"demo/snakemake/{sample}/run/hits_unique.tsv").exists()
    # Nothing is left to do.
    again = subprocess.run(
        [*map(str, words), "--dry-run", "--quiet"], cwd=tmp_path, env={**os.environ, **there},
        capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip
    assert "rule call" not in again.stdout + again.stderr
