"""Writing the log of a run; a log that cannot be written never stops the run."""

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from finemo_dist.core.events import RunEvent
from finemo_dist.record.run_log import Entry, EventEntries, log_path, log_time
from finemo_dist.storage.files import committed
from finemo_dist.storage.objects import ObjectPath

logger = logging.getLogger(__name__)


class RunLog:
    """The log of one invocation; a context manager. An entry can be read as soon as it is written.

    Objects are not added to: the log of a run on object storage is put there when it ends.
    Safe to use from several threads.
    """

    def __init__(self, run_dir: str | Path, invocation: str) -> None:
        self._path = log_path(run_dir, invocation)
        self._entries = EventEntries()
        self._lock = threading.RLock()
        self._file: FileIO | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            if isinstance(self._path, ObjectPath):
                self._file = self._stack.enter_context(_put_at_end(self._path))
                return self
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: a line is one write, so that a reader meets whole lines.
            self._file = self._path.open("xb", buffering=0)
        except OSError as error:
            self._give_up(error)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
        try:
            self._stack.close()
        except OSError as problem:
            self._give_up(problem)

    def add_event(self, event: RunEvent) -> None:
        """Write what happened."""
        with self._lock:
            self._write(self._entries.entry(event, log_time()))

    def add(self, event: str, fields: Mapping[str, object], *, level: str = "info") -> None:
        """Write an entry of another kind."""
        with self._lock:
            self._write({"time": log_time(), "level": level, "event": event, **fields})

    @contextmanager
    def with_messages(self) -> Iterator[None]:
        """Write warnings and errors that the package logs, too."""
        handler = _Messages(self)
        package = logging.getLogger("finemo_dist")
        package.addHandler(handler)
        try:
            yield
        finally:
            package.removeHandler(handler)

    def _write(self, entry: Entry) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(entry).encode() + b"\n")
        except OSError as error:
            file, self._file = self._file, None
            file.close()
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        logger.warning(
            "%s: the log cannot be written (%s); the run continues without it",
            self._path, error.strerror or error,
        )  # fmt: skip


@contextmanager
def _put_at_end(path: ObjectPath) -> Iterator[FileIO]:
    with committed(path) as temporary, temporary.open("xb", buffering=0) as file:
        yield file


class _Messages(logging.Handler):
    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        # What the command line says, it says of events that are logged.
        if record.name.startswith("finemo_dist.cli"):
            return
        fields = {"logger": record.name, "message": record.getMessage()}
        self._log.add("message", fields, level=record.levelname.lower())
