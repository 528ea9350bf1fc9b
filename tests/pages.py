"""The README and the pages of ``docs/``: their blocks, and a place where these run."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

import finemo_dist as fd
from finemo_dist.testing.dataset import write_demo
from tests.command import PROJECT

NOTEBOOKS: Final = sorted((PROJECT / "docs/notebooks").glob("*.md"))
PAGES: Final = [
    PROJECT / "README.md",
    *(path for path in sorted((PROJECT / "docs").rglob("*.md")) if path not in NOTEBOOKS),
]
"""Pages whose blocks run one by one; a notebook runs as a whole."""

_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_RUN: Final = ("sh", "python")


@dataclass(frozen=True)
class Block:
    """Lines that a reader may run, and what the page says that they print."""

    language: str
    code: str
    output: str | None

    def written(self) -> set[str]:
        """The paths that it writes, as far as options, ``cp``, ``>`` and ``confidence`` say so."""
        named = r"(?:\s-o|\s--out[a-z-]*|>|\bcp -r \S+|dist confidence)[ =]+([\w-]*[/.]?[\w./-]*)"
        return {path for path in re.findall(named, self.code) if re.search(r"[/.]|yeast", path)}

    def words(self) -> set[str]:
        """All that may be a path in it."""
        return set(re.findall(r"[\w./-]+", self.code))


def name_of(page: Path) -> str:
    """Return a page as tests name it."""
    return page.relative_to(PROJECT).as_posix()


def fences_of(page: Path) -> list[tuple[str, str]]:
    """Return the language and text of every fence of a page."""
    return _FENCE.findall(page.read_text("utf-8"))


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page that run; ``text`` right behind one is what it prints."""
    text = page.read_text("utf-8")
    found = []
    for match in _FENCE.finditer(text):
        if match[1] in _RUN:
            behind = re.match(r"\n\n```text\n(.*?)^```$", text[match.end() :], re.M | re.S)
            found.append(Block(match[1], match[2], behind[1] if behind else None))
    return found


def write_source(folder: Path, client: str) -> None:
    """Write what the pages take for granted: a clone in which the demo ran, with fewer regions.

    ``client`` is what ``preloaded`` gives, with which programs in Python start.
    """
    dataset = write_demo(folder / "demo/inputs", n_regions=60, write_every_format=True)
    stores = {}
    for sample in dataset.samples:
        given = fd.ChromBpnetInput(
            h5s=(folder / f"demo/inputs/{sample.name}/chrombpnet.h5",),
            peaks=sample.peaks, fasta=dataset.fasta, region_width=dataset.region_width,
        )  # fmt: skip
        store = folder / f"demo/regions/{sample.name}.zarr"
        stores[sample.name] = fd.extract_regions(given, store).path
    config = folder / "demo.yaml"
    asked = [{"name": name, "regions": str(store)} for name, store in stores.items()]
    settings = {"output": "demo/run", "modisco_h5": str(dataset.modisco_h5), "samples": asked}
    config.write_text(yaml.safe_dump(settings))
    fd.run_config(fd.load_config(config))
    for part in ("configs", "docs/notebooks", "tests/data/yeast_slice"):
        shutil.copytree(PROJECT / part, folder / part)
    activate = folder / ".venv/bin/activate"
    activate.parent.mkdir(parents=True)
    activate.touch()
    made = '[ "$*" = demo ] || exit 2\n'
    programs = {
        "bin/finemo-dist": client,
        "bin/make": f"#!/bin/sh\n{made}",
        "bin/jupytext": f"#!{sys.executable}\nfrom jupytext.cli import jupytext\njupytext()\n",
        # Not on the path: a block of Python runs by it.
        "by/python": client,
    }
    for name, text in programs.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


class Workplace:
    """A copy of what a page takes for granted, in which its blocks run."""

    def __init__(self, page: Path, source: Path, folder: Path) -> None:
        self.blocks = blocks_of(page)
        self.done: set[int] = set()
        self.folder = folder
        shutil.copytree(source, folder)

    def needed_by(self, n: int) -> list[int]:
        """Return the earlier blocks that write what block ``n`` names."""
        words = self.blocks[n].words()
        return [
            i for i in range(n)
            if any(
                f"{w}/".startswith(f"{path}/") for path in self.blocks[i].written() for w in words
            )
        ]  # fmt: skip

    def run(self, n: int) -> None:
        """Run a block, after those it needs; none is run twice."""
        if n in self.done:
            return
        for earlier in self.needed_by(n):
            self.run(earlier)
        block = self.blocks[n]
        shell, python = ["bash", "-euo", "pipefail", "-c"], [str(self.folder / "by/python"), "-c"]
        result = subprocess.run(
            [*(shell if block.language == "sh" else python), block.code],
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": str(PROJECT),
                "OMP_NUM_THREADS": "1",
                "COLUMNS": "100",
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert result.returncode == 0, f"{block.code}\n{result.stderr}"
        if block.output is not None:
            assert says(block.output, result.stdout), f"{block.output}\n!=\n{result.stdout}"
        self.done.add(n)


def says(expected: str, said: str) -> bool:
    """Whether an output is the one of a page, where ``...`` is anything and spaces are alike."""
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(expected, said, options)
