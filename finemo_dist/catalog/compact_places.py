"""The hits of all samples of a run in one order, by place: a locus is in one or two files."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.compact import CompactSummary, remove_others
from finemo_dist.catalog.connection import load_query, run_errors
from finemo_dist.catalog.placed import Placed, PlacedFile, run_digest
from finemo_dist.catalog.scope import EVERYTHING, Scope
from finemo_dist.hits.layout import place_directory
from finemo_dist.storage.files import committed, describe_input
from finemo_dist.storage.temporary import scratch_folder

_CHUNK_HITS: Final = 2_000_000
"""Hits that are sorted together, and about as many as a file has."""


def compact_places(catalog: Catalog) -> CompactSummary:
    """Write the hits of all samples by place, unless the files that exist are current.

    Chromosome by chromosome, and some samples of one at a time, so that memory grows neither with
    the run nor with a chromosome. The manifest is committed last; until then, and whenever a part
    changes, the parts are read.

    Raises
    ------
    RunError
        The run is damaged, or the disk is full.
    """
    is_new, directory = not catalog.is_placed, place_directory(catalog.run_dir)
    if is_new:
        digest = run_digest(catalog.parts)
        with catalog.from_parts() as source, run_errors(catalog.run_dir):
            files = tuple(_Writer(source, directory, digest).written())
        Placed(directory, digest, files).save()
        remove_others(directory, {file.name for file in files})
    loaded = Placed.load(catalog.run_dir)
    assert loaded is not None
    n_missing = sum(sample.n_shards for sample in map(catalog.sample, catalog.samples))
    n_missing -= catalog.parts.n_units
    n_hits = sum(file.n_rows for file in loaded.files)
    return CompactSummary(None, is_new, n_hits, len(loaded.files), n_missing)


def damaged_places(run_dir: Path) -> list[str]:
    """Return what is wrong with the hits by place of a run, reading every byte."""
    found = Placed.load(run_dir)
    return found.problems() if found else []


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the files of a run."""

    catalog: Catalog
    directory: Path
    digest: str

    def written(self) -> Iterator[PlacedFile]:
        """Write all files and yield what is in each."""
        asked = " ".join(map(load_query, ("placed_counts", "make_placed_piece", "make_flagged")))
        cursor = self.catalog.cursor({"hits": [EVERYTHING]}, question=asked)
        counts = cursor.execute(load_query("placed_counts")).fetchall()
        by_chrom: dict[str | None, list[tuple[str, int]]] = {}
        for chrom, sample, n_hits in counts:
            by_chrom.setdefault(chrom, []).append((sample, n_hits))
        number = 0
        for chrom, samples in by_chrom.items():
            with scratch_folder() as scratch:
                pieces = [
                    self._piece(cursor, chrom, names, Path(scratch, f"{i}.parquet"))
                    for i, names in enumerate(_groups(samples))
                ]
                cursor.execute("SET VARIABLE pieces = $pieces", {"pieces": pieces})
                for bounds in _stretches(cursor):
                    path = self.directory / f"{self.digest[:12]}-{number:05d}.parquet"
                    yield _file(cursor, path, chrom, bounds)
                    number += 1

    def _piece(
        self, cursor: duckdb.DuckDBPyConnection, chrom: str | None, names: list[str], path: Path
    ) -> str:
        """Write the hits of some samples on a chromosome, with what unique and collapse say."""
        chroms = None if chrom is None else frozenset({chrom})
        scope = Scope(samples=frozenset(names), chroms=chroms)
        self.catalog.focus(cursor, {"hits": [scope]})
        cursor.execute(load_query("make_placed_piece"), {"chr": chrom, "samples": names})
        cursor.execute(load_query("make_flagged"))
        cursor.execute(load_query("copy_placed_piece"), {"path": str(path)})
        return str(path)


def _groups(samples: Sequence[tuple[str, int]]) -> Iterator[list[str]]:
    """Yield samples that are sorted together."""
    group: list[str] = []
    n_held = 0
    for name, n_hits in samples:
        if group and n_held + n_hits > _CHUNK_HITS:
            yield group
            group, n_held = [], 0
        group.append(name)
        n_held += n_hits
    yield group


def _stretches(cursor: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    """Return first start and the one after the last of the stretches that pieces are cut into."""
    rows = cursor.execute(load_query("placed_cuts"), {"n_rows": _CHUNK_HITS}).fetchall()
    cuts = sorted({cut for (cut,) in rows})
    return list(itertools.pairwise(cuts))


def _file(
    cursor: duckdb.DuckDBPyConnection, path: Path, chrom: str | None, bounds: tuple[int, int]
) -> PlacedFile:
    asked: dict[str, Any] = {"first": bounds[0], "end": bounds[1]}
    with committed(path) as temporary:
        cursor.execute(load_query("copy_placed"), asked | {"path": str(temporary)})
    ((n_rows, first, last, end),) = cursor.execute(load_query("placed_extent"), asked).fetchall()
    found = describe_input(path)
    return PlacedFile(path.name, chrom, first, last, end, n_rows, found.size_bytes, found.digest)
