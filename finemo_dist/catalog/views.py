"""The tables, views and macros of a catalog: what each is made of."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from finemo_dist.catalog.confidence import CONFIDENCE_VIEWS, Confidence, believed_motifs
from finemo_dist.catalog.connection import load_query
from finemo_dist.catalog.counts import COUNTS_NAME, known_counts
from finemo_dist.catalog.definitions import Definitions, statements, words
from finemo_dist.catalog.part_files import PART_VIEWS, PartFiles
from finemo_dist.catalog.rows import data_dictionary, motif_places, sample_columns
from finemo_dist.core.schema import ANNOTATION_COLUMNS, MOTIF_COLUMNS
from finemo_dist.hits.annotation import annotation_path
from finemo_dist.hits.motifs import motif_data_path
from finemo_dist.hits.run_motifs import RunMotifs
from finemo_dist.hits.run_parts import RunParts
from finemo_dist.hits.template import write_template
from finemo_dist.record.run_log import TIMING_FIELDS, log_files
from finemo_dist.record.run_record import RunRecord, SampleRecord

_QUERIES: Final = (
    "tables", "unique", "collapse", "called_hits", "part_rows",
    "part_hit_rows", "compact_rows", "placed_rows", "compact_hits", "clustered", "hits",
    "hits_unique", "motifs", "hits_primary", "peaks_qc", "peaks", "samples", "counted_samples",
    "sample_motifs", "counted_hits", "motif_counts", "motif_labels", "cells", "timings",
    "confidence", "hit_confidence", "named_hits", "with_cells", *PART_VIEWS,
)  # fmt: skip
"""Files whose statements are the same for every run."""


@dataclass(frozen=True)
class Shown:
    """What a catalog shows, whatever it is asked."""

    run_dir: Path
    record: RunRecord
    samples: Mapping[str, SampleRecord]
    parts: RunParts
    files: PartFiles
    motifs: Callable[[], RunMotifs]
    is_renamed: bool
    """Whether motifs have other names than those of one run of their set."""
    scratch: Path
    """A temporary folder."""
    largest_q: float | None

    @cached_property
    def motif_files(self) -> dict[str, str]:
        """The file of each motif set shown, to the name of the set."""
        return {
            str(path): motif_set.name
            for motif_set in self.record.sets
            if motif_set.name in self.used_sets
            and (path := motif_data_path(self.run_dir, motif_set.folder)).exists()
        }

    @cached_property
    def used_sets(self) -> frozenset[str]:
        """Names of the motif sets of the samples shown."""
        return frozenset(sample.motif_set for sample in self.samples.values())

    @cached_property
    def confidence(self) -> Confidence:
        """How far hits can be believed."""
        return Confidence.of(self.run_dir, self.parts, self.scratch)

    @cached_property
    def counts(self) -> pa.Table | None:
        """How often motifs were found, where an earlier catalog left it."""
        if self.largest_q is not None or not (self.run_dir / COUNTS_NAME).exists():
            return None
        units = {name: found.units.values() for name, found in self.parts.items()}
        return known_counts(self.run_dir, units, self.motifs().names)

    @cached_property
    def log_paths(self) -> list[str]:
        """The logs; an empty one where there is none."""
        if paths := [str(path) for path in log_files(self.run_dir)]:
            return paths
        empty = self.scratch / "log.jsonl"
        empty.touch()
        return [str(empty)]

    @cached_property
    def motif_paths(self) -> list[str]:
        """The files of motifs, after one that has every column: older releases had fewer."""
        template = write_template(self.scratch / "motif_data.parquet", MOTIF_COLUMNS)
        return [template, *self.motif_files]

    @cached_property
    def annotation(self) -> str:
        """The file that says what users call motifs."""
        path = annotation_path(self.run_dir)
        if path.exists():
            return str(path)
        return write_template(self.scratch / "annotation.parquet", ANNOTATION_COLUMNS)

    @cached_property
    def is_renumbered(self) -> bool:
        """Whether ids or names of motifs in some part are not those of the run."""
        if len(self.record.sets) <= 1:
            return False
        return not all(map(self.motifs().is_own, self.used_sets))

    def sample_columns(self) -> dict[str, object]:
        """Return the table of samples, as one list a column; nothing where there are none."""
        return sample_columns(self.record, list(self.samples.values()), self.parts)

    def end_columns(self) -> dict[str, object]:
        """Return the lengths of chromosomes, as one list a column; nothing if none is known."""
        ends = [
            (name, chrom, length)
            for name, sample in self.samples.items()
            for chrom, length in self.record.chrom_lengths_of(sample).items()
        ]
        names = ("sample", "chr", "length")
        return dict(zip(names, map(list, zip(*ends, strict=True)), strict=True)) if ends else {}

    def motif_file_columns(self) -> dict[str, object]:
        """Return files and names of the motif sets shown, as one list a column."""
        files = self.motif_files
        return {"filename": list(files), "motif_set": list(files.values())} if files else {}

    def place_columns(self) -> dict[str, object]:
        """Return what motifs are in the run; nothing where all are as in their one set."""
        is_plain = len(self.record.sets) <= 1 and not self.is_renamed
        return {} if is_plain else motif_places(self.motifs(), self.used_sets)

    def believed_columns(self) -> dict[str, object]:
        """Return the motifs of samples with confidence, as one list a column."""
        sets = {name: self.samples[name].motif_set for name in self.confidence.samples}
        return believed_motifs(self.motifs(), sets) if sets else {}

    def paths(self, parts: Mapping[str, Sequence[str]] | None = None) -> list[str]:
        """Return every file that a view may read.

        Parameters
        ----------
        parts
            View to the parts it is to read; all when None.
        """
        return [
            *self.files.templates.values(),
            *(self.files.all_paths() if parts is None else chain(*parts.values())),
            *self.motif_paths,
            self.annotation,
            *self.log_paths,
            *(path for paths in self.confidence.files.values() for path in paths),
        ]


class Views:
    """The tables, views and macros of a catalog, each made when a question first names it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, shown: Shown) -> None:
        """Make nothing yet.

        Parameters
        ----------
        connection
            Where they are made: one of the catalog's, for this alone.
        """
        self._connection = connection
        self._shown = shown
        # To make a view looks at its files: those that a question lists may be many.
        for view, template in shown.files.templates.items():
            connection.execute(load_query(f"set_{view}"), {"files": [template]})
        if shown.largest_q is not None:
            connection.execute("SET VARIABLE largest_q = $q", {"q": float(shown.largest_q)})
        self._definitions = Definitions(connection, self._queries(), self._makers())

    @property
    def of_parts(self) -> frozenset[str]:
        """The views of parts that are made."""
        return frozenset(view for view in PART_VIEWS if self._definitions.has_made({view}))

    def make(self, question: str, values: object = None) -> None:
        """Make what a question names, or a text among the values of its parameters."""
        self._definitions.make(words(question) | frozenset(_texts(values)))

    def make_all(self) -> None:
        """Make everything, for questions that nobody has read."""
        self._definitions.make_all()

    def turn(self, shown: Shown) -> bool:
        """Show something else of the same run, unless that takes other statements.

        What is made stays, with other rows: to make it takes longer than all that an empty sample
        is asked.
        """
        before, is_made = self._shown, self._definitions.has_made
        if (
            before.largest_q != shown.largest_q
            or (is_made({"part_rows"}) and before.files.is_compacted != shown.files.is_compacted)
            or (is_made(statements("called_hits")) and before.is_renumbered != shown.is_renumbered)
            or (is_made({"counted_hits"}) and (before.counts is None) != (shown.counts is None))
        ):
            return False
        self._shown = shown
        same = {v for v, files in _FILES.items() if is_made({v}) and files(before) == files(shown)}
        changed = self._makers().keys() - same - {"data_dictionary"}
        # A table of what other tables and files hold, which come before it.
        self._definitions.remake(changed | {"motif_rows"})
        return True

    def show(self, view: str, paths: Sequence[str]) -> None:
        """Make a view of files as they are."""
        self._connection.read_parquet(
            list(paths),
            filename=True,
            hive_partitioning=False,
            # Older releases had fewer columns.
            union_by_name=view == "motif_parts",
        ).create_view(view)

    def _queries(self) -> dict[str, Callable[[], str]]:
        """Return what tells the file with the statement of each table, view and macro."""
        of_q = "believed" if self._shown.largest_q is None else "believed_up_to_q"
        found: dict[str, Callable[[], str]] = {
            name: partial(str, query) for query in (*_QUERIES, of_q) for name in statements(query)
        }
        # Where parts count or name motifs otherwise than the run does.
        for name in statements("called_hits"):
            found[name] = lambda: "called_hits" + "_of_sets" * self._shown.is_renumbered
        for name in statements("parts_alone"):
            found[name] = partial(self._of_parts, found[name]())
        found["counted_hits"] = lambda: "counted_hits" + "_known" * (self._shown.counts is not None)
        return found

    def _of_parts(self, query: str) -> str:
        """Return the file of a view of hits, which reads less where nothing is compacted."""
        return query if self._shown.files.is_compacted else "parts_alone"

    def _makers(self) -> dict[str, Callable[[], None]]:
        return {
            **{table: partial(self._fill, table) for table in _ROWS},
            **{view: partial(self._show_files, view) for view in _FILES},
            **{table: partial(self._insert, table) for table in _MANY_ROWS},
            "log_lines": self._show_logs,
        }

    def _fill(self, table: str) -> None:
        if columns := _ROWS[table](self._shown):
            self._connection.execute(load_query(f"fill_{table}"), columns)

    def _insert(self, table: str) -> None:
        rows = _MANY_ROWS[table](self._shown)
        if rows is not None and rows.num_rows:
            self._connection.from_arrow(rows).insert_into(table)

    def _show_files(self, view: str) -> None:
        self.show(view, _FILES[view](self._shown))

    def _show_logs(self) -> None:
        """Show the logs as they are when they are asked; a driver may be writing to one."""
        # A driver that was killed leaves half a line.
        lines = self._connection.read_json(
            self._shown.log_paths,  # type: ignore[arg-type]  # DuckDB's stubs know one path only
            columns=dict(TIMING_FIELDS),
            format="newline_delimited",
            ignore_errors=True,
            hive_partitioning=False,
        )
        lines.create_view("log_lines")


_ROWS: Final[Mapping[str, Callable[[Shown], Mapping[str, object]]]] = {
    "sample_table": Shown.sample_columns,
    "chromosome_ends": Shown.end_columns,
    "motif_files": Shown.motif_file_columns,
    "motif_places": Shown.place_columns,
    "believed_motifs": Shown.believed_columns,
    "data_dictionary": lambda _: data_dictionary(),
}
"""Table to its rows, as one list a column; nothing where there are none."""

_MANY_ROWS: Final[Mapping[str, Callable[[Shown], pa.Table | None]]] = {
    "part_files": lambda shown: shown.files.part_rows(),
    "compact_files": lambda shown: shown.files.compact_rows(),
    "known_counts": lambda shown: shown.counts,
}
"""Table to its rows, where they may be many."""


def _confidence_files(view: str, shown: Shown) -> Sequence[str]:
    return shown.confidence.files[view]


_FILES: Final[Mapping[str, Callable[[Shown], Sequence[str]]]] = {
    "motif_parts": lambda shown: shown.motif_paths,
    "annotation_parts": lambda shown: [shown.annotation],
    **{view: partial(_confidence_files, view) for view in CONFIDENCE_VIEWS},
}
"""View to the files it shows as they are."""


def _texts(values: object) -> Iterator[str]:
    """Yield each text in the values of parameters, however deep."""
    if isinstance(values, str):
        yield values
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from _texts(value)
