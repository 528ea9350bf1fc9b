"""The subject of a report: a run, finemo's directory, or a table of some of their hits."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.errors import InputError, StoreError, UsageError
from finemo_dist.core.protocols import RegionReader
from finemo_dist.hits.finemo_directory import FILES, import_finemo, is_finemo_directory, missing
from finemo_dist.record.run_record import RunRecord, SampleRecord
from finemo_dist.store.read import RegionStore, open_store
from finemo_dist.workflow.regions import (
    Coordinates,
    check_coordinates,
    comes_from,
    open_regions,
    write_regions,
)

logger = logging.getLogger(__name__)

_WHOLE_TABLES: Final = frozenset({"hits.tsv", "hits_unique.tsv"})


@dataclass(frozen=True, slots=True)
class Reported:
    """The hits of a report, and what is said of their regions."""

    hits: Path
    """A run directory, finemo's directory, or a table of hits."""
    regions: Path | None = None
    peaks: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder of the run or call, in which a table of hits lies."""
        return self.hits.parent if self.hits.is_file() else self.hits

    @property
    def _coordinates(self) -> Coordinates | None:
        return None if self.peaks is None else Coordinates(self.peaks)

    def without_table(self) -> "Reported":
        """Return the folder instead of a table that has all its hits, as finemo took it once."""
        folder = self.hits.parent
        if not self.hits.is_file() or self.hits.name not in _WHOLE_TABLES:
            return self
        if not (_is_run(folder) or is_finemo_directory(folder)):
            return self
        logger.warning(
            "%s: giving -H a whole table of call-hits is deprecated since finemo 0.41; use -H %s",
            self.hits, folder,
        )  # fmt: skip
        return replace(self, hits=folder)

    def run(self, scratch: Path) -> tuple[Path, RegionReader | None]:
        """Return a run directory, made in ``scratch`` unless the hits are a run, and its regions.

        The regions of a run are None: they are those that it names.

        Raises
        ------
        UsageError
            The hits are neither of a run nor of finemo, or finemo's regions are not given.
        InputError, StoreError
            A file is damaged, or the regions are others than those of the hits.
        """
        if self.hits.is_file():
            return self._run_of_table(scratch)
        if _is_run(self.hits):
            return self.hits, None
        if not is_finemo_directory(self.hits):
            raise UsageError(
                f"{self.hits}: is neither a run directory (run.json) nor the output directory "
                f"of finemo's call-hits ({', '.join(FILES)})."
            )
        return self._imported(self._given_regions(scratch), scratch)

    def _run_of_table(self, scratch: Path) -> tuple[Path, RegionReader]:
        lacking = missing(self.folder)
        if lacking:
            raise UsageError(
                f"{self.hits}: a report on a table of hits needs the other tables of its call, and "
                f"{self.folder} lacks {', '.join(lacking)}. Put the table beside the files of "
                f"call-hits."
            )
        if not _is_run(self.folder):
            return self._imported(self._given_regions(scratch), scratch)
        # A run of several samples has tables of hits in the folders of its samples alone.
        (sample,) = RunRecord.load(self.folder).samples
        return self._imported(self.regions_of(sample, scratch), scratch)

    def _imported(self, regions: RegionReader, scratch: Path) -> tuple[Path, RegionReader]:
        run_dir = scratch / "run"
        table = self.hits if self.hits.is_file() else None
        import_finemo(self.folder, run_dir, regions, hits=table)
        return run_dir, regions

    def _given_regions(self, scratch: Path) -> RegionStore:
        if self.regions is None:
            raise UsageError(
                f"{self.hits}: was written by finemo, which does not record where its regions are. "
                "Give them with -r."
            )
        return self._opened(self.regions, scratch)

    def _opened(self, path: Path, scratch: Path) -> RegionStore:
        found = open_regions(path, self._coordinates)
        if isinstance(found, RegionStore):
            return found
        return write_regions(found, scratch / "regions.zarr")

    def readers(self, catalog: Catalog, scratch: Path) -> Mapping[str, RegionReader]:
        """Return the regions of the samples of a run.

        Raises
        ------
        UsageError
            One sample's regions are given for several samples.
        InputError, StoreError
            The regions are others than those of the hits, or not where the run says.
        """
        if len(catalog.samples) != 1 and (self.regions or self.peaks) is not None:
            flag = "-p" if self.regions is None else "-r"
            raise UsageError(
                f"{flag} applies to the regions of one sample, and {self.hits} has "
                f"{len(catalog.samples)}. Leave it out, or choose a sample with --sample."
            )
        return {name: self.regions_of(catalog.sample(name), scratch) for name in catalog.samples}

    def regions_of(self, sample: SampleRecord, scratch: Path) -> RegionStore:
        """Return the regions of a sample of a run: those it names, if the given are the same."""
        store = self._recorded(sample)
        if store is None and self.regions is not None:
            store = self._opened(self.regions, scratch)
        if store is None or store.digest != sample.store_digest:
            raise InputError(
                f"{self.regions}: does not hold the regions in which sample {sample.name!r} of "
                f"{self.hits} was called. Give those, or leave out -r."
            )
        if self._coordinates is not None:
            check_coordinates(store, self._coordinates)
        return store

    def _recorded(self, sample: SampleRecord) -> RegionStore | None:
        """Return the store that a run names; None where other regions are given."""
        if self.regions is None:
            return _store_of(sample)
        with suppress(StoreError):
            store = open_store(sample.store)
            if store.digest == sample.store_digest and comes_from(store, self.regions):
                return store
        return None


def _is_run(folder: Path) -> bool:
    return (folder / "run.json").exists()


def _store_of(sample: SampleRecord) -> RegionStore:
    try:
        store = open_store(sample.store)
    except StoreError as error:
        raise StoreError(
            f"{error} This is the region store of sample {sample.name!r}. If it has moved, give it "
            "with -r."
        ) from error
    if store.digest != sample.store_digest:
        raise StoreError(
            f"{sample.store}: has changed since sample {sample.name!r} was called. Call hits "
            "again, or "
            "give the regions that were used with -r."
        )
    return store
