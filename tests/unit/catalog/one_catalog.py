"""One catalog for many small runs, each of which replaces the last."""

import shutil
from collections.abc import Callable
from pathlib import Path

from finemo_dist.catalog.catalog import Catalog, open_catalog


class OneCatalog:
    """A folder for small runs, each of which replaces the last, and a catalog that turns to them.

    To open a catalog takes longer than to ask a small run. Nothing may be asked that restricts it.
    """

    def __init__(self, run: Path, *, threads: int | None = None):
        self.run = run
        self._threads = threads
        self._catalog: Catalog | None = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._catalog is not None:
            self._catalog.close()

    def show(self, write: Callable[[Path], object]) -> Catalog:
        """Return the catalog of a run that ``write`` makes."""
        shutil.rmtree(self.run, ignore_errors=True)
        self.run.mkdir(parents=True)
        write(self.run)
        before = self._catalog
        self._catalog = open_catalog(self.run, threads=self._threads, reused=before)
        if before is not None and self._catalog is not before:
            before.close()
        return self._catalog
