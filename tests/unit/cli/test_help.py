"""Help: grouped, with an example for every command, and each example works as it is printed."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.main import _COMMANDS, _GROUPS, cli
from tests.command import PROJECT, finemo_dist

ELSEWHERE = {
    "submit": "needs a cluster with a shared folder; see tests/integration/launch",
    "call-variants": "needs scores of alleles; see tests/integration/test_variants.py",
}
"""Commands whose inputs the demo does not have, and where they are tested."""


def click_command(name):
    return cli.get_command(None, name)


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_has_an_example_of_itself(command, name):
    found = click_command(name)

    assert isinstance(found, HelpfulCommand)
    assert found.examples
    for line in found.examples:
        assert f"finemo-dist {name}" in line
    text = command(name, "--help").out
    assert all(line in text for line in found.examples)


def test_groups_of_call_hits_hold_options_that_there_are():
    found = click_command("call-hits")
    names = [p.name for p in found.params]
    grouped = [name for group in found.groups.values() for name in group]

    assert len(set(grouped)) == len(grouped)
    assert set(grouped) <= set(names)
    # Only what every command has is left over.
    hidden = {p.name for p in found.params if getattr(p, "hidden", False)}
    assert set(names) - set(grouped) - hidden == {"as_json"}


def test_the_list_of_commands_is_grouped_and_no_line_is_cut(command):
    text = command("--help").out

    for title in _GROUPS:
        assert f"{title}:" in text
    for name in _COMMANDS:
        assert f"  {name} " in text
    assert "..." not in text.replace("[ARGS]...", "")
    assert "_FINEMO_DIST_COMPLETE=bash_source" in text


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory):
    """A folder with the demo, the configurations, and what the examples name beside it."""
    folder = tmp_path_factory.mktemp("examples")
    finemo_dist("demo", "-o", folder / "demo", "--no-cluster")
    shutil.copytree(PROJECT / "configs", folder / "configs")
    (folder / "annotation.tsv").write_text("motif_name\ttf\npos_patterns.pattern_0\tREB1\n")
    inputs = folder / "demo" / "inputs"
    for kind, source, name in (
        ("contribs", "sample_a/ohe.npz", "A_oh.npz"),
        ("contribs", "sample_a/attr.npz", "A_contrib.npz"),
        ("contribs", "sample_a/peaks.narrowPeak", "A.narrowPeak"),
        ("modisco", "modisco.h5", "A_modisco_results.h5"),
    ):
        (folder / "crested" / kind).mkdir(parents=True, exist_ok=True)
        (folder / "crested" / kind / name).symlink_to(inputs / source)
    (folder / "genome.fa").symlink_to(inputs / "genome.fa")
    return folder


EXAMPLES = [
    (name, line)
    for name in _COMMANDS
    if name not in ELSEWHERE and name != "demo"
    for line in click_command(name).examples
]


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.parametrize(("name", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_an_example_works_as_it_is_printed(demo_folder, monkeypatch, name, line):
    monkeypatch.chdir(demo_folder)
    if "|" not in line:
        finemo_dist(*shlex.split(line)[1:])
        return
    (demo_folder / "bin").mkdir()
    program = demo_folder / "bin" / "finemo-dist"
    program.write_text(f"#!{sys.executable}\nfrom finemo_dist.cli.main import main\nmain()\n")
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=demo_folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout


@pytest.mark.slow
def test_a_run_is_given_by_place_or_by_option(command, finished, tmp_path):
    by_place = tmp_path / "a.tsv", tmp_path / "b.tsv"

    assert command("collapse-hits", finished, "-o", by_place[0]).status == 0
    assert command("collapse-hits", "-i", finished, "-o", by_place[1]).status == 0
    assert by_place[0].read_bytes() == by_place[1].read_bytes()
    assert command("report", finished, "-o", tmp_path / "report").status == 0
    twice = command("report", finished, "-H", finished, "-o", tmp_path / "other")
    assert "RUN and -H are both given" in twice.err
    assert "Missing RUN (or -i)" in command("intersect-hits", "-o", tmp_path / "c.tsv").err


def test_a_call_ends_with_few_lines_and_what_to_do_next(command, inputs, tmp_path):
    answer = command(
        "call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5, "-o", tmp_path / "run"
    )

    lines = [line for line in answer.err.splitlines() if not line.startswith("INFO")]
    assert len(lines) <= 5
    assert "hits per region; most are of " in answer.err
    assert lines[-1].startswith("next: ")
    assert lines[-1].endswith(f"report {tmp_path / 'run'} -o {tmp_path / 'run-report'}")
