"""A command as a Ray job: submits it to the head of a cluster, follows its log, reports its end.

Nothing but a command line is sent: the token
of a cluster stays in Ray's own environment variables, and files stay on the shared file system.
"""

import asyncio
import logging
import os
import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Final, cast

from ray.exceptions import AuthenticationError
from ray.job_submission import JobStatus, JobSubmissionClient

from finemo_dist.core.errors import IncompleteRunError, UsageError

# It tells of every connection it closes.
logging.getLogger("ray.dashboard.modules.job.sdk").setLevel(logging.WARNING)

_ADDRESS_VARIABLE: Final = "RAY_API_SERVER_ADDRESS"
_MAX_SILENCES: Final = 12
"""Attempts in a row to reach the head, five seconds apart, before following ends."""
_RETRY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job ended."""

    exit_status: int | None
    """Of its command; None where the command never ran to its end."""
    is_stopped: bool
    """By somebody who asked for it."""
    reason: str
    """First line of what Ray says of it."""


class RayJobs:
    """The jobs of one Ray cluster.

    Parameters
    ----------
    address
        Of the dashboard of the head: ``http://HEAD:8265``.

    Raises
    ------
    UsageError
        No head answers there, or it does not take the token.
    """

    def __init__(self, address: str) -> None:
        # Ray imports the module that any other scheme names.
        if not address.startswith(("http://", "https://")):
            raise UsageError(
                f"--address {address}: is not the address of a Ray dashboard, such as http://HEAD:8265."
            )
        self.address = address
        with _understood(address), _going_before(address):
            self._client = JobSubmissionClient(address)

    def submit(self, words: Sequence[str]) -> str:
        """Start a command on the cluster and return the job's name.

        Raises
        ------
        UsageError
            The head does not take it.
        """
        with _understood(self.address):
            name: str = self._client.submit_job(entrypoint=shlex.join(words))
        return name

    def follow(self, job: str, write: Callable[[str], None]) -> JobEnd:
        """Hand every piece of a job's log to ``write`` as it comes, and return how the job ended.

        A connection that breaks is made again, and no piece is handed over twice.

        Raises
        ------
        IncompleteRunError
            The head was not reached for a minute; the job may still run.
        """
        return asyncio.run(self._follow(job, write))

    async def _follow(self, job: str, write: Callable[[str], None]) -> JobEnd:
        log = _Log(write)
        n_silences = 0
        while True:
            n_before = log.n_written
            try:
                tail = cast("AsyncGenerator[str, None]", self._client.tail_job_logs(job))
                async with aclosing(tail) as pieces:
                    await log.take(pieces)
                details = self._client.get_job_info(job)
            # What a broken connection raises has no base class of its own.
            except Exception as error:
                n_silences = 1 if log.n_written > n_before else n_silences + 1
                if n_silences >= _MAX_SILENCES:
                    raise IncompleteRunError(
                        f"{self.address}: the head of the cluster does not answer "
                        f"({_first_line(error)}). Job {job} may still be running. If it is not, "
                        "run the same command again to resume."
                    ) from error
            else:
                n_silences = 0
                if details.status.is_terminal():
                    return JobEnd(
                        details.driver_exit_code,
                        is_stopped=details.status == JobStatus.STOPPED,
                        reason=_first_line(details.message) if details.message else "",
                    )
            await asyncio.sleep(_RETRY_S)


@dataclass(slots=True)
class _Log:
    """The log of a job, as far as it was handed over."""

    write: Callable[[str], None]
    n_written: int = 0

    async def take(self, pieces: AsyncIterator[str]) -> None:
        """Hand over what is new in the log, of which ``pieces`` begin at the beginning."""
        position = 0
        async for piece in pieces:
            fresh = piece[max(0, self.n_written - position) :]
            position += len(piece)
            if fresh:
                self.n_written = position
                self.write(fresh)


@contextmanager
def _understood(address: str) -> Iterator[None]:
    """Turn what goes wrong on the way to a head into an error for the user."""
    try:
        yield
    except AuthenticationError as error:
        raise UsageError(
            f"{address}: the cluster requires a token and did not get the right one. Set "
            "RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to the cluster's."
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"{address}: no Ray cluster accepts jobs there ({_first_line(error)}). Check the "
            "address "
            "of its dashboard (http://HEAD:8265), and that its port is reachable from here."
        ) from error


@contextmanager
def _going_before(address: str) -> Iterator[None]:
    """Let an address go before those of the environment, which Ray would take instead."""
    standing = os.environ.get(_ADDRESS_VARIABLE)
    os.environ[_ADDRESS_VARIABLE] = address
    try:
        yield
    finally:
        if standing is None:
            del os.environ[_ADDRESS_VARIABLE]
        else:
            os.environ[_ADDRESS_VARIABLE] = standing


def _first_line(error: object) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
