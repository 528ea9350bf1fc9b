"""The name of the program: scripts may start it under another name."""

from typing import Final

PROGRAM: Final = "finemo-dist"
"""The name under which it is installed."""

_names = [PROGRAM]


def program() -> str:
    """Return the name under which this process was started, for commands in messages."""
    return _names[-1]


def set_program(name: str) -> None:
    """Say under which name this process was started."""
    _names[:] = [name]
