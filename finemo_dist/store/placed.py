"""A store with its own coordinates, and the sequences and contributions of another store.

Its folder holds the four arrays of coordinates; its attributes give the path and the digest of the
other store (``base``). It has a format version of its own, so that a reader that knows only whole
stores refuses it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from finemo_dist.core.errors import InputError
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.records import UNKNOWN_BASE, InputFile, RegionTable, ScoreKind
from finemo_dist.storage.files import remove_tree
from finemo_dist.storage.folders import replaced_folder
from finemo_dist.storage.locations import is_local, location
from finemo_dist.store import _arrays
from finemo_dist.store._partitions import placed_digest
from finemo_dist.store.layout import BaseStore
from finemo_dist.store.read import RegionStore, open_store


@dataclass(frozen=True, slots=True)
class PlacedRegions:
    """The sequences and contributions of a store, at coordinates that it does not have."""

    store: RegionStore
    """Never one that is placed itself."""
    table: RegionTable
    inputs: tuple[InputFile, ...]
    """The files behind the store and the coordinates."""
    report: InputReport

    @classmethod
    def at(
        cls,
        store: RegionStore,
        table: RegionTable,
        peaks: InputFile,
        *,
        n_no_summit: int,
        n_summit_outside: int = 0,
        n_duplicate: int,
    ) -> "PlacedRegions":
        """Return a store without coordinates at those of some peaks.

        Raises
        ------
        InputError
            A region reaches over the start of its chromosome and has bases or contributions there.
        StoreError
            The store is damaged.
        """
        n_clipped, n_no_longer_unknown = _clipped(store, table)
        counts = replace(
            store.meta.counts,
            n_clipped=n_clipped,
            n_unknown_bases=store.meta.counts.n_unknown_bases - n_no_longer_unknown,
            n_no_summit=n_no_summit,
            n_summit_outside=n_summit_outside,
            n_duplicate=n_duplicate,
        )
        report = InputReport(counts, store.meta.report.scores)
        return cls(store, table, (*store.meta.inputs, peaks), report)

    @classmethod
    def ranked(cls, store: RegionStore, table: RegionTable) -> "PlacedRegions":
        """Return a store with the same coordinates on chromosomes in another order."""
        return cls(store.base or store, table, store.meta.inputs, store.meta.report)

    @property
    def score_kind(self) -> ScoreKind:
        """What the contributions are."""
        return self.store.score_kind

    @property
    def region_width(self) -> int:
        """Bases in every region, L."""
        return self.store.region_width

    @property
    def digest(self) -> str:
        """Of the digest of the store and the coordinates."""
        return placed_digest(self.store.digest, self.table)

    def write(self, path: str | Path) -> RegionStore:
        """Write the coordinates, replacing what exists, and return the store that has them.

        Raises
        ------
        OSError
            They cannot be written.
        """
        path = location(path)
        meta = replace(
            self.store.meta,
            chrom_names=self.table.chrom_names,
            chrom_lengths=self.table.chrom_lengths,
            inputs=self.inputs,
            report=InputReport(),
            digest="",
            is_complete=False,
            has_columns=True,
            base=BaseStore(str(location(self.store.path).resolve()), self.store.digest),
        )
        with _made(path) as made:
            group = _arrays.create_group(made, meta)
            _arrays.write_table(made, group, meta, self.table)
            done = replace(meta, report=self.report, digest=self.digest, is_complete=True)
            group.attrs.put(done.to_dict())
        return open_store(path)


@contextmanager
def _made(path: Path) -> Iterator[Path]:
    """Yield where to write: objects get their names at once, and the attributes come last."""
    if is_local(path):
        with replaced_folder(path) as folder:
            yield folder
    else:
        remove_tree(path)
        yield path


def _clipped(store: RegionStore, table: RegionTable) -> tuple[int, int]:
    """Return the regions over the start of their chromosome, and those with no other N.

    Raises
    ------
    InputError
        One has bases or contributions before the first base.
    """
    rows = np.flatnonzero(table.start < 0)
    n_no_longer_unknown = 0
    for row in rows.tolist():
        batch = store.read(row, row + 1)
        n_before = -int(table.start[row])
        is_unknown = batch.sequence[0] == UNKNOWN_BASE
        if not is_unknown[:n_before].all() or batch.contributions[0, ..., :n_before].any():
            raise InputError(
                f"{store.path}: region {row} (peak {table.peak_name[row]!r}) has bases or "
                f"contributions before base 0 of its chromosome. Check that peaks and regions "
                f"belong together; if they do, extract the regions with the peaks (-p)."
            )
        n_no_longer_unknown += not is_unknown[n_before:].any()
    return len(rows), n_no_longer_unknown
