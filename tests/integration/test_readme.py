"""The blocks of the README and of the pages of ``docs/`` run as they are, one by one."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.command import PROJECT
from tests.pages import NOTEBOOKS, PAGES, Workplace, blocks_of, name_of, says, write_source
from tests.preloaded import preloaded

README = (PROJECT / "README.md").read_text()
BLOCKS = [(page, n) for page in PAGES for n in range(len(blocks_of(page)))]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clone")
    with preloaded(tmp_path_factory.mktemp("by")) as client:
        write_source(folder, client)
        yield folder


@pytest.fixture(scope="module")
def workplaces(source, tmp_path_factory):
    """The workplaces of all pages, each made when it is first asked for."""
    made = {}

    def of(page: Path) -> Workplace:
        if page not in made:
            made[page] = Workplace(page, source, tmp_path_factory.mktemp("pages") / page.stem)
        return made[page]

    return of


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.parametrize(("page", "n"), BLOCKS, ids=[f"{name_of(p)}-{n}" for p, n in BLOCKS])
def test_every_block_of_a_page_works(workplaces, page, n):
    workplace = workplaces(page)

    workplace.run(n)

    assert n in workplace.done


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name_of)
def test_a_notebook_runs_from_top_to_bottom(notebook):
    jupytext = pytest.importorskip("jupytext")
    client = pytest.importorskip("nbclient")
    cells = jupytext.read(notebook)

    client.NotebookClient(cells, timeout=240, resources={"metadata": {"path": PROJECT}}).execute()

    shown = [cell for cell in cells.cells if cell.cell_type == "code" and cell.outputs]
    assert len(shown) >= 4


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.parametrize(
    ("program", "words", "status", "out", "err"),
    [
        ("by/python", ["-c", "print(os)"], 1, "", "NameError: name 'os' is not defined"),
        ("by/python", ["-c", "import os; os.kill(os.getpid(), 9)"], 137, "", ""),
        ("by/python", ["-c", "import os; print(os.getcwd(), os.environ['A'])"], 0, "{} b", ""),
        ("bin/finemo-dist", ["status", "nowhere"], 2, "", "Path 'nowhere' does not exist."),
        ("bin/finemo-dist", ["--version"], 0, "finemo-dist, version", ""),
    ],
)
def test_a_program_of_a_page_ends_and_says_as_one_that_is_started(
    source, tmp_path, program, words, status, out, err
):
    done = subprocess.run(
        [source / program, *words], cwd=tmp_path, env={"A": "b"}, capture_output=True, text=True,
        timeout=240, check=False,
    )  # fmt: skip

    assert done.returncode == status, done.stderr
    assert out.format(tmp_path) in done.stdout
    assert err in done.stderr


def test_there_are_two_notebooks():
    assert len(NOTEBOOKS) == 2


def test_an_output_of_a_page_is_compared_with_what_is_printed():
    assert says("a  1\n... s\n", "a 1\n0.3 s\n")
    assert not says("a  1\n", "a 2\n")


def test_the_tutorial_says_what_its_commands_print():
    blocks = blocks_of(PROJECT / "docs/tutorial.md")

    assert sum(block.output is not None for block in blocks) >= 5


def test_readme_opens_with_three_commands_that_lead_to_a_report():
    first = blocks_of(PROJECT / "README.md")[0].code.splitlines()

    assert [line.split()[0] for line in first] == ["make", "source", "finemo-dist"]
    assert first[0].startswith("make demo ")
    assert " report " in first[2]


def test_the_readme_is_short_and_shows_two_pictures():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)

    assert len(README.splitlines()) <= 150
    assert len(pictures) == 2
    for picture in pictures:
        assert (PROJECT / picture).stat().st_size < 200_000


def test_make_knows_every_target_the_readme_names():
    makefile = (PROJECT / "Makefile").read_text()

    for target in set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=name_of)
def test_links_of_a_page_lead_somewhere(page):
    made = {"commands", "python", "queries", "tables", "configuration", "report", "loci"}
    for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        is_made = Path(link).parent.name in {"reference", "example"} and Path(link).stem in made
        if "://" not in link and not is_made:
            assert (page.parent / link).exists(), link


@pytest.mark.parametrize(
    "script", sorted((PROJECT / "cluster").glob("*.sbatch")), ids=lambda p: p.name
)
def test_launch_scripts_are_valid_shell(script: Path):
    subprocess.run(["bash", "-n", script], check=True, timeout=30)
    assert "finemo-dist run" in script.read_text()
