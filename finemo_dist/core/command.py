"""The command that a user typed, for the record of a run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """What the user typed, and when this process took it up."""

    line: str
    at: float
    """By ``time.perf_counter``."""
