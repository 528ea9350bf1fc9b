"""Every error this package raises on purpose.

The tree::

    FinemoDistError                exit status 2
    ├── UsageError                 the command line or a call asks for something impossible
    ├── InputError                 a file from outside is not what it should be
    ├── StoreError                 a region store is damaged, incomplete or of another format
    ├── RunError                   a run directory is damaged, or belongs to another run
    └── IncompleteRunError         exit status 3: the work ended with shards missing

Each takes one message, so that it survives pickling between processes. A message says where, what
was found, what was expected, and the cure.
"""

import difflib
from collections.abc import Iterable
from typing import ClassVar


class FinemoDistError(Exception):
    """Base of all errors raised on purpose; its text is meant for the user."""

    exit_status: ClassVar[int] = 2


class UsageError(FinemoDistError):
    """The command line, a configuration or a call asks for something impossible."""


class InputError(FinemoDistError):
    """A file from outside is missing, damaged, or not what its reader expects."""


class StoreError(FinemoDistError):
    """A region store is damaged, incomplete, or of a format this version does not read."""


class RunError(FinemoDistError):
    """A run directory is damaged, or holds another run than the one asked for."""


class IncompleteRunError(FinemoDistError):
    """The work ended with shards missing; a rerun of the same command resumes."""

    exit_status: ClassVar[int] = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the known name closest to ``name``, or an empty string.

    ``chr1`` against ``1`` is named as such, because no edit distance finds it.
    """
    known = list(known)
    for candidate in (f"chr{name}", name.removeprefix("chr")):
        if candidate != name and candidate in known:
            return f" Did you mean {candidate!r}? (names here differ by the 'chr' prefix)"
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""
