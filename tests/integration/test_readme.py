"""The README's commands run as they stand, one after the other."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from finemo_dist.testing.dataset import write_demo
from tests.command import PROJECT

README = (PROJECT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with what `make demo` leaves, and finemo-dist on the path."""
    folder = tmp_path_factory.mktemp("readme")
    write_demo(folder / "demo/inputs", n_regions=60, write_every_format=True)
    shutil.copytree(PROJECT / "configs", folder / "configs")
    script = folder / "bin/finemo-dist"
    script.parent.mkdir()
    script.write_text(
        f"#!{sys.executable}\n"
        f"import sys\nsys.path.insert(0, {str(PROJECT)!r})\n"
        "from finemo_dist.cli.main import main\nmain()\n"
    )
    script.chmod(0o755)
    return folder


def test_readme_opens_with_the_two_commands():
    assert re.findall(r"^make (\w+)", BLOCKS[0], flags=re.MULTILINE) == ["demo", "test"]


def test_make_knows_every_target_the_readme_names():
    makefile = (PROJECT / "Makefile").read_text()

    for target in set(re.findall(r"`?make ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.mark.slow
def test_every_command_of_the_readme_works(workplace):
    path = f"{workplace / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for block in BLOCKS[1:]:
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=workplace,
            env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

        assert result.returncode == 0, f"{block}\n{result.stderr}"


def test_links_of_the_readme_lead_somewhere():
    for link in re.findall(r"\]\(([^)#]+?)\)", README):
        if "://" not in link:
            assert (PROJECT / link).exists(), link


@pytest.mark.parametrize(
    "script", sorted((PROJECT / "cluster").glob("*.sbatch")), ids=lambda p: p.name
)
def test_launch_scripts_are_valid_shell(script: Path):
    subprocess.run(["bash", "-n", script], check=True, timeout=30)
    assert "finemo-dist run" in script.read_text()
