"""Help in groups, with lines to type at its end."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from finemo_dist.core.program import PROGRAM, program


class HelpfulCommand(click.Command):
    """A command whose help lists options in groups, and examples after them.

    Parameters
    ----------
    examples
        Lines to type on what ``demo`` writes, as the program is installed; a test runs them.
    groups
        Title to the names of parameters, in order; other options follow under ``Other options``.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401  (click's)
        examples: Sequence[str],
        groups: Mapping[str, Sequence[str]] | None = None,
        **kwargs: Any,  # noqa: ANN401  (click's)
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.groups = dict(groups or {})

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups, each under its title."""
        shown = {p.name: p for p in self.get_params(ctx) if p.get_help_record(ctx) is not None}
        for title, names in self.groups.items():
            self._write(title, [shown.pop(name) for name in names], ctx, formatter)
        self._write("Other options" if self.groups else "Options", shown.values(), ctx, formatter)

    def _write(
        self,
        title: str,
        parameters: Any,  # noqa: ANN401  (any iterable of them)
        ctx: click.Context,
        formatter: click.HelpFormatter,
    ) -> None:
        records = [record for p in parameters if (record := p.get_help_record(ctx)) is not None]
        with formatter.section(title):
            formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each on one line, which no terminal folds."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Example" if len(self.examples) == 1 else "Examples"):
            for line in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{_as_started(line)}\n")


def _as_started(line: str) -> str:
    """Return a line with the name that the program was started under."""
    return line.replace(f"{PROGRAM} ", f"{program()} ")
