"""Every error this package raises on purpose.

The tree::

    FinemoDistError                exit status 2
    ├── UsageError                 the command line or a call asks for something impossible
    ├── InputError                 an input file is missing, damaged or wrong
    ├── StoreError                 a region store is damaged, incomplete or of another format
    ├── RunError                   a run directory is damaged, or belongs to another run
    └── IncompleteRunError         exit status 3: the work ended with shards missing
        └── CutShortError          what the work depends on is gone, for now
            └── ServiceError       object storage does not answer, or takes the credentials no more

Each takes one message, so that it survives pickling between processes. A message says where, what
was found, what was expected, and the cure.
"""

import difflib
from collections.abc import Iterable
from typing import ClassVar, Final

_MOST_SAID: Final = 200
"""Characters."""


class FinemoDistError(Exception):
    """Base of all errors raised on purpose; its text is meant for the user."""

    exit_status: ClassVar[int] = 2
    is_condition: bool = False
    """Whether the system refused something here and now, so that another machine may not."""


class UsageError(FinemoDistError):
    """The command line, a configuration or a call asks for something impossible."""


class InputError(FinemoDistError):
    """An input file is missing, damaged, or not what its reader expects."""


class StoreError(FinemoDistError):
    """A region store is damaged, incomplete, or of a format this version does not read."""


class RunError(FinemoDistError):
    """A run directory is damaged, or holds another run than expected."""


class DamagedRecordError(RunError):
    """The record of a run cannot be understood; parts and command still say what it was."""

    e_tag: str | None = None
    """Of the object, to be replaced."""


class IncompleteRunError(FinemoDistError):
    """The work ended with shards missing. Repeat the same command to resume."""

    exit_status: ClassVar[int] = 3


class CutShortError(IncompleteRunError):
    """The work ended because of what it depends on, such as Ray's head. Repeat it to resume."""


class ServiceError(CutShortError, OSError):
    """Object storage does not answer, or takes the credentials no more: nothing is damaged.

    An ``OSError`` too, so that what does without a file that cannot be had does without this one.
    """

    is_condition = True


def brief(error: BaseException) -> str:
    """Return what a library says, on one line and no longer than that.

    Of a damaged file some repeat whatever stands where a name should be.
    """
    text = " ".join(str(error).split())
    return text if len(text) <= _MOST_SAID else f"{text[:_MOST_SAID]}..."


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the known name closest to ``name``, or an empty string.

    ``chr1`` against ``1`` is named as such, and ``pattern_0`` is taken for
    ``pos_patterns.pattern_0``, because no edit distance finds either.
    """
    known = list(known)
    twin = prefix_twin(name, known)
    if twin is not None:
        return f" Did you mean {twin!r}? (names here differ by the 'chr' prefix)"
    longer = [candidate for candidate in known if name and candidate.endswith(f".{name}")]
    # Letter case is often all that is wrong, and counts as much as any letter otherwise.
    by_lower = {candidate.lower(): candidate for candidate in reversed(known)}
    close = longer or difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[close[0].lower()]!r}?" if close else ""


def prefix_twin(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that differs by a ``chr`` in front: ``chr1`` and ``1``."""
    known = set(known)
    for candidate in (f"chr{name}", name.removeprefix("chr")):
        if candidate != name and candidate in known:
            return candidate
    return None
