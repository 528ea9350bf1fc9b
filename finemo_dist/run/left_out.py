"""Samples that cannot be called, with why: they hold up none of the others."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from finemo_dist.core.errors import IncompleteRunError, InputError
from finemo_dist.core.words import count

logger = logging.getLogger(__name__)

_MOST_NAMED: Final = 20
"""Samples in one message; all are in the log."""


@dataclass(slots=True)
class LeftOut:
    """What went wrong, by sample: the first of each is enough to say."""

    errors: dict[str, str] = field(default_factory=dict)
    is_refused: bool = False
    """Whether an input is at fault, so that the same command fails again as long as it is there."""

    def add(
        self, name: str, error: str, *, is_refused: bool = False, what: str = "extracted"
    ) -> None:
        """Leave a sample out; ``what`` says what it was not."""
        if name not in self.errors:
            self.errors[name] = error
            logger.warning("sample %s was not %s: %s", name, what, error)
        self.is_refused = self.is_refused or is_refused

    def raise_any(self, n_samples: int, *, run_dir: Path | None = None) -> None:
        """Raise what there is to say of the samples that are left out, if any is.

        Parameters
        ----------
        n_samples
            Of the command.
        run_dir
            Where the others were called; None where nothing was.

        Raises
        ------
        InputError
            An input is at fault.
        IncompleteRunError
            Something else is.
        """
        if not self.errors:
            return
        if n_samples == 1 and self.is_refused:
            raise InputError(next(iter(self.errors.values())))
        n_failed = len(self.errors)
        named = [f"{name}: {error}" for name, error in list(self.errors.items())[:_MOST_NAMED]]
        more = len(self.errors) - len(named)
        was = "was" if n_failed == 1 else "were"
        done = (
            "not extracted. Stores and shards that were written are kept; run the same command "
            "again to continue from there."
            if run_dir is None
            else f"not called; the others are complete in {run_dir}. Run the same command again "
            "once this is mended."
        )
        message = (
            f"{n_failed} of {count(n_samples, 'sample')} {was} {done} {' '.join(named)}"
            f"{f' And {more} more failed.' if more else ''}"
        )
        raise InputError(message) if self.is_refused else IncompleteRunError(message)
