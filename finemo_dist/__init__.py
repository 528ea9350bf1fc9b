"""finemo_dist calls transcription-factor motif hits in neural-network contribution scores.

The command line is ``finemo-dist``; ``finemo_dist/DESIGN.md`` says how the package is laid out.
``open_run`` opens the tables of a run. Importing this loads neither torch, ray nor DuckDB.
"""

import typing

if typing.TYPE_CHECKING:
    from finemo_dist.catalog.catalog import open_run

__version__ = "0.1.0"
__all__ = ["__version__", "open_run"]


def __getattr__(name: str) -> object:
    if name == "open_run":
        from finemo_dist.catalog.catalog import open_run

        return open_run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
