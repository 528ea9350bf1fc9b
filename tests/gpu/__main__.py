"""``python -m tests.gpu``: check and measure everything on one GPU, into one JSON file."""

import json
import sys
import tempfile
import time
import traceback
from pathlib import Path

import click
import torch

from tests.benchmarks.machine import describe
from tests.gpu import sections
from tests.gpu.setup import FULL, QUICK, Section, Setup

SECTIONS: dict[str, Section] = {
    "same_hits": sections.same_hits,
    "rates": sections.rates,
    "whole_run": sections.whole_run,
    "beside_finemo": sections.beside_finemo,
}
"""In order: what matters most comes first, because the time is limited."""


def run(setup: Setup) -> dict[str, object]:
    """Return what every section found; one that fails says so and does not stop the others."""
    found: dict[str, object] = {"device": _name(setup), "machine": describe()}
    for name, section in SECTIONS.items():
        if setup.remaining_s <= 0:
            found[name] = {"not_run": "the time was over"}
            continue
        click.echo(f"gpu: {name}, {setup.remaining_s:.0f} s left", err=True)
        started = time.monotonic()
        try:
            told = section(setup)
        except Exception as error:
            traceback.print_exc()
            told = {"failed": f"{type(error).__name__}: {error}"}
        found[name] = {**told, "section_s": time.monotonic() - started}
    return found


def _name(setup: Setup) -> str:
    return torch.cuda.get_device_name() if setup.device == "cuda" else setup.device


def problems(found: dict[str, object]) -> list[str]:
    """Return the sections that failed, and a device whose hits differ from those of the CPU."""
    told = []
    for name in SECTIONS:
        section = found[name]
        assert isinstance(section, dict)
        if "failed" in section:
            told.append(f"{name}: {section['failed']}")
        if section.get("n_failed"):
            told.append(f"{name}: {section['n_failed']} cases differ")
    return told


@click.command()
@click.option(
    "--device", type=click.Choice(["cuda", "cpu", "fake"]), default="cuda", show_default=True,
    help="fake: CUDA tensors without data; shows mixed devices and times nothing.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="A few regions: does it run?")
@click.option(
    "--finemo", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An executable of finemo 0.41 to run beside.",
)  # fmt: skip
@click.option(
    "--limit-s", type=click.FloatRange(min=0), default=450.0, show_default=True,
    help="Time after which no further section begins.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("gpu.json"),
    show_default=True, help="JSON file to write.",
)  # fmt: skip
def main(*, device: str, quick: bool, finemo: Path | None, limit_s: float, out: Path) -> None:
    """Check and measure everything on one device."""
    if device == "cuda" and not torch.cuda.is_available():
        click.echo("Error: PyTorch sees no CUDA device here. Use --device cpu or fake.", err=True)
        sys.exit(2)
    with tempfile.TemporaryDirectory(prefix="finemo-dist-gpu-") as work:
        setup = Setup(
            device=device,
            sizes=QUICK if quick else FULL,
            work=Path(work),
            finemo=finemo,
            ends_at=time.monotonic() + limit_s,
        )
        found = run(setup)
    out.write_text(json.dumps(found, indent=2) + "\n")
    for problem in problems(found):
        click.echo(f"Error: {problem}", err=True)
    sys.exit(1 if problems(found) else 0)


if __name__ == "__main__":
    main()
