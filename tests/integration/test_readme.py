"""The README's commands run as they are, block by block."""

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
FIRST, *BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def written_by(block: str) -> set[str]:
    """The paths that a block writes, as far as ``-o`` and ``>`` say so."""
    return set(re.findall(r"(?:\s-o|\s--out[a-z-]*|>)[ =]+([\w-]*[/.][\w./-]*)", block))


def needed_by(n: int) -> list[int]:
    """The earlier blocks that write what block ``n`` names."""
    words = set(re.findall(r"[\w./-]+", BLOCKS[n]))
    return [
        i for i in range(n)
        if any(f"{w}/".startswith(f"{path}/") for path in written_by(BLOCKS[i]) for w in words)
    ]  # fmt: skip


class Workplace:
    """A folder with what `make demo` leaves, and finemo-dist on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.done: set[int] = set()
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

    def run(self, n: int) -> None:
        """Run a block, after those it needs; none is run twice."""
        if n in self.done:
            return
        for earlier in needed_by(n):
            self.run(earlier)
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", BLOCKS[n]],
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "OMP_NUM_THREADS": "1",
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert result.returncode == 0, f"{BLOCKS[n]}\n{result.stderr}"
        self.done.add(n)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    return Workplace(tmp_path_factory.mktemp("readme"))


def test_readme_opens_with_the_two_commands():
    assert re.findall(r"^make (\w+)", FIRST, flags=re.MULTILINE) == ["demo", "test"]


def test_make_knows_every_target_the_readme_names():
    makefile = (PROJECT / "Makefile").read_text()

    for target in set(re.findall(r"`?make ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.parametrize("n", range(len(BLOCKS)))
def test_every_command_of_the_readme_works(workplace, n):
    workplace.run(n)

    assert n in workplace.done


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
