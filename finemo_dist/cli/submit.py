"""``submit``: a run as a job of a Ray cluster."""

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from finemo_dist.cli.help import HelpfulCommand
from finemo_dist.cli.main import EXIT_INTERRUPTED
from finemo_dist.cli.messages import one_line, printable
from finemo_dist.cli.options import ANY_PATH, json_option, worker_options

if TYPE_CHECKING:
    from finemo_dist.workflow.submitting import JobEnd, RayJobs

_REASONS: Final = {
    0: "",
    2: "bad input or usage; see the last lines of its log",
    3: "shards are missing; see the last lines of its log, and run the same command again to "
    "finish them",
    EXIT_INTERRUPTED: "it was interrupted; committed work is kept; run the same command again to "
    "resume",
}
"""What the exit status of ``run`` means."""
_TERMINATED: Final = (-15, 143)
_NOT_RUN: Final = (126, 127)
"""What a shell says of a command it cannot run."""


@click.command(
    "submit",
    short_help="Run a CONFIG as a job on a Ray cluster.",
    cls=HelpfulCommand,
    examples=("finemo-dist submit /shared/atlas.yaml --address http://HEAD:8265",),
)
@click.argument("config", type=ANY_PATH)
@click.option(
    "--address",
    required=True,
    envvar="RAY_API_SERVER_ADDRESS",
    show_envvar=True,
    help="Address of the cluster's dashboard: http://HEAD:8265.",
)
@click.option("-o", "--out", type=ANY_PATH, help="Run directory, instead of the one in CONFIG.")
@click.option("--force", is_flag=True, help="Replace another run in the output directory.")
@worker_options(None)
@click.option(
    "--no-wait", is_flag=True, help="Print the name of the job and exit; do not follow it."
)
@json_option
def submit(
    *,
    config: Path,
    address: str,
    out: Path | None,
    force: bool,
    no_wait: bool,
    as_json: bool,
    **worker: object,
) -> None:
    """Run CONFIG as a job on a Ray cluster; follow its log and exit with its status.

    CONFIG and the files it names must be on a file system that the cluster sees under the same
    path. Ctrl-C leaves the job running.
    """  # fmt: skip
    # Ray takes a second to import.
    from finemo_dist.workflow.submitting import RayJobs, job_words

    words = job_words(config, out, force=force, worker=worker)
    jobs = RayJobs(address)
    job = jobs.submit(words)
    later = _how_to_go_on(address, job)
    _say(f"Submitted job {job} to {address}. {later}")
    if not as_json:
        click.echo(job)
    status = None if no_wait else _exit_status(jobs, job, words[2], later)
    if as_json:
        click.echo(json.dumps({"job": job, "address": address, "exit_status": status}))
    if status:
        sys.exit(status)


def _how_to_go_on(address: str, job: str) -> str:
    end = shlex.join(["--address", address, job])
    return f"Follow it with: ray job logs --follow {end}; stop it with: ray job stop {end}"


def _exit_status(jobs: "RayJobs", job: str, config: str, later: str) -> int:
    """Follow a job to its end, say in one line how it failed if it did, and return the status."""
    log = _Log()
    try:
        end = jobs.follow(job, log.write)
    except KeyboardInterrupt:
        log.close()
        _say(f"Stopped following; job {job} is still running. {later}")
        return EXIT_INTERRUPTED
    log.close()
    status, reason = _verdict(end)
    if status == 2 and log.says_missing(config):
        reason = (
            f"the cluster does not see {config}: put it and the files it names on a file system "
            "that every node has under the same path"
        )
    if status:
        _say(f"Error: job {job} failed with exit status {status}: {reason}.")
    return status


def _verdict(end: "JobEnd") -> tuple[int, str]:
    """Return the exit status that the end of a job means, and why."""
    resumes = "committed work is kept; run the same command again to resume"
    status = end.exit_status
    if status in _REASONS:
        return status, _REASONS[status]
    if end.is_stopped or status in _TERMINATED:
        return EXIT_INTERRUPTED, f"it was stopped; {resumes}"
    if status in _NOT_RUN:
        return 2, "finemo-dist is not on the PATH of the Ray nodes; install it there"
    return 3, f"it did not end by itself ({end.reason or f'status {status}'}); {resumes}"


class _Log:
    """The log of a job on standard error, line by line."""

    def __init__(self) -> None:
        self._open = ""
        self._last = ""

    def write(self, piece: str) -> None:
        """Show the lines that a piece completes."""
        *lines, self._open = (self._open + piece).split("\n")
        for line in lines:
            self._show(line)

    def close(self) -> None:
        """Show a last line that has no end."""
        if self._open:
            self._show(self._open)
            self._open = ""

    def says_missing(self, path: str) -> bool:
        """Return whether the last words were that a path does not exist."""
        return path in self._last and "does not exist" in self._last

    def _show(self, line: str) -> None:
        click.echo(printable(line.rstrip("\r").expandtabs()), err=True)
        self._last = line or self._last


def _say(message: str) -> None:
    click.echo(one_line(message), err=True)


COMMANDS: Final = {"submit": submit}
