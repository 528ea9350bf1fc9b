"""Pages that the build makes: the reference, from what the package says of itself, and an example.

MkDocs calls ``on_files``. Nothing here is written to ``docs/``, so that no page can be stale.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from mkdocs.structure.files import File, Files

import finemo_dist
from finemo_dist.catalog.named import NamedQuery, named_queries
from finemo_dist.cli.main import cli
from finemo_dist.core.schema import VIEWS, Column

PROJECT = Path(__file__).resolve().parents[1]
YEAST = PROJECT / "tests/data/yeast_slice"


def on_files(files: Files, config: Any) -> Files:  # noqa: ANN401  (MkDocs's)
    """Add the generated pages and the example report."""
    for place, text in {
        "reference/commands.md": commands_page(),
        "reference/python.md": python_page(),
        "reference/queries.md": queries_page(),
        "reference/tables.md": tables_page(),
        "reference/configuration.md": configuration_page(),
    }.items():
        files.append(File.generated(config, place, content=text))
    for place, page in example().items():
        files.append(File.generated(config, place, content=page))
    return files


def help_of(name: str) -> str:
    """Return what ``finemo-dist NAME --help`` prints."""
    group = click.Context(cli, info_name="finemo-dist")
    command = cli.get_command(group, name)
    assert command is not None, name
    context = click.Context(command, info_name=name, parent=group, max_content_width=88)
    return command.get_help(context)


def command_names() -> list[str]:
    """Return all commands, in the order of ``--help``."""
    return cli.list_commands(click.Context(cli))


def commands_page() -> str:
    """Return the reference of the command line, which is its help."""
    parts = [
        "# Commands\n",
        "This is what `finemo-dist COMMAND --help` prints. Long options may be cut short as long "
        "as they are unambiguous. Exit statuses: 0 done, 2 bad input or usage, 3 finished with "
        "shards missing, 130 interrupted.\n",
    ]
    parts += [f"## {name}\n\n```text\n{help_of(name)}\n```\n" for name in command_names()]
    return "\n".join(parts)


def python_page() -> str:
    """Return the reference of the public names, from their docstrings."""
    names = [name for name in finemo_dist.__all__ if not name.startswith("__")]
    functions = [name for name in names if name[0].islower()]
    others = [name for name in names if not name[0].islower()]
    text = "# Python\n\nEvery public name of `finemo_dist`. Functions print nothing and raise "
    text += "`finemo_dist.FinemoDistError`.\n\n"
    return text + "".join(f"::: finemo_dist.{name}\n\n" for name in [*functions, *others])


def queries_page() -> str:
    """Return the reference of the named queries, from the headers of their files."""
    return (
        "# Named queries\n\n`finemo-dist query NAME RUN -p KEY=VALUE` answers one, and "
        '`run.query("NAME", key=value)` does so in Python. '
        "[How to ask questions](../how-to/sql.md) has examples.\n\n"
        + "".join(_query(query) for query in named_queries())
    )


def _query(query: NamedQuery) -> str:
    text = f"## {query.name}\n\n**{query.question}** {query.contract}\n\n"
    if query.parameters:
        rows = ((f"`{p.name}`", p.kind, p.default, p.meaning) for p in query.parameters)
        text += _table(("parameter", "kind", "default", "meaning"), rows)
    return text + _table(("column", "meaning"), ((f"`{k}`", v) for k, v in query.columns.items()))


def tables_page() -> str:
    """Return the reference of the tables, from the schema."""
    text = (
        "# Tables and columns\n\nThe tables that `finemo-dist sql RUN` and `open_run(RUN).sql` "
        "see. In a run, the table `data_dictionary` says the same.\n\n"
    )
    for name, columns in VIEWS.items():
        rows = (_column(column) for column in columns)
        text += f"## {name}\n\n" + _table(("column", "type", "unit", "meaning"), rows)
    return text


def _column(column: Column) -> tuple[str, str, str, str]:
    meaning = column.meaning + (" (may be null)" if column.is_nullable else "")
    return f"`{column.name}`", column.sql_type, column.unit, meaning


def configuration_page() -> str:
    """Return the reference of configurations: the one that spells out every setting."""
    text = (PROJECT / "configs/every-input.yaml").read_text("utf-8")
    return (
        "# Configuration\n\n`finemo-dist run CONFIG` reads a YAML file. Relative paths start at "
        "its folder. Unknown keys are refused. This file has every key; a test holds its values "
        f"to the defaults.\n\n```yaml\n{text}```\n\n[How to call an atlas](../how-to/atlas.md) "
        "describes sample sheets.\n"
    )


def _table(names: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [names, tuple("---" for _ in names), *rows]
    # A bar would end the cell.
    cells = ([str(cell).replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells) + "\n"


def example() -> dict[str, bytes]:
    """Call the hits of the yeast slice and return the pages made of them, by their places."""
    words = [
        ["extract-regions-chrombpnet-h5", "-c", str(YEAST / "chrombpnet_contribs.h5"),
         "-p", str(YEAST / "peaks.narrowPeak"), "-o", "yeast.zarr"],
        ["call-hits", "-r", "yeast.zarr", "-m", str(YEAST / "modisco_results.h5"), "-o", "run"],
        ["report", "-H", "run", "-o", "report"],
        ["plot", "run", "-b", str(YEAST / "peaks.narrowPeak"), "-o", "loci.html"],
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    with tempfile.TemporaryDirectory(prefix="finemo-dist-docs-") as folder:
        for line in words:
            subprocess.run(
                [sys.executable, "-c", "from finemo_dist.cli.main import main; main()", *line],
                cwd=folder,
                check=True,
                capture_output=True,
                env=environment,
            )
        pages = {"report.html": "report/report.html", "loci.html": "loci.html"}
        return {f"example/{n}": Path(folder, path).read_bytes() for n, path in pages.items()}
