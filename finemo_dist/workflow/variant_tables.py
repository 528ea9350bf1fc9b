"""The tables of ``call-variants``, block by block: Parquet, TSV, and lines for variant-scorer."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from finemo_dist.core.records import MotifSet
from finemo_dist.core.schema import Column
from finemo_dist.core.variant_schema import (
    VARIANT_CLASSES,
    VARIANT_HIT_COLUMNS,
    VARIANT_SUMMARY_COLUMNS,
)
from finemo_dist.hits.columns import ColumnValues, arrow_schema, arrow_table
from finemo_dist.sources.variants import Variant
from finemo_dist.workflow.allele_pairs import AlleleHits, Ints, Pairs, Places, taken

HITS: Final = "variant_hits"
SUMMARY: Final = "variant_summary"
BED: Final = "variant_hits.bed"
"""What variant-scorer's ``variant_annotation --hits`` reads: seven columns, no header."""


_Number = TypeVar("_Number", bound=np.number[Any])


class VariantTables:
    """Writes both tables into a folder; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.n_hits = 0
        self.n_by_class = dict.fromkeys(VARIANT_CLASSES, 0)
        self._open = ExitStack()
        self._files = {
            name: _Table(folder, name, columns, self._open)
            for name, columns in ((HITS, VARIANT_HIT_COLUMNS), (SUMMARY, VARIANT_SUMMARY_COLUMNS))
        }
        self._bed: IO[str] = self._open.enter_context((folder / BED).open("w", encoding="utf-8"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    def add_hits(self, table: pa.Table) -> None:
        """Append rows of ``VARIANT_HIT_COLUMNS``."""
        self.n_hits += len(table)
        for name in table["class"].to_pylist():
            self.n_by_class[name] += 1
        self._files[HITS].write(table)
        columns = ("chr", "start", "end", "motif_name", "score_change", "strand", "class")
        for row in zip(*(table[name].to_pylist() for name in columns), strict=True):
            chrom, start, end, motif, change, strand, name = row
            self._bed.write(
                f"{chrom}\t{max(start, 0)}\t{end}\t{_cell(motif)}\t{change:.6g}\t{strand}\t{name}\n"
            )

    def add_summary(self, table: pa.Table) -> None:
        """Append rows of ``VARIANT_SUMMARY_COLUMNS``."""
        self._files[SUMMARY].write(table)


class _Table:
    def __init__(
        self, folder: Path, name: str, columns: Sequence[Column], session: ExitStack
    ) -> None:
        schema = arrow_schema(columns)
        self._parquet = session.enter_context(
            parquet.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
        )
        text = session.enter_context((folder / f"{name}.tsv").open("wb"))
        # The writer would put the names into quotation marks.
        text.write(("\t".join(schema.names) + "\n").encode())
        options = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
        plain = pa.schema([pa.field(field.name, field.type) for field in schema])
        self._tsv = session.enter_context(csv.CSVWriter(text, plain, write_options=options))

    def write(self, table: pa.Table) -> None:
        if not len(table):
            return
        self._parquet.write_table(table)
        texts = {"motif_name", "top_motif", "variant_id"} & set(table.column_names)
        for name in texts:
            at = table.column_names.index(name)
            cells = [None if text is None else _cell(text) for text in table[name].to_pylist()]
            table = table.set_column(at, name, pa.array(cells, pa.string()))
        self._tsv.write_table(
            table.replace_schema_metadata(None).cast(
                pa.schema([pa.field(field.name, field.type) for field in table.schema])
            )
        )


def hit_rows(
    variants: Sequence[Variant],
    rows: tuple[Ints, Ints],
    motifs: MotifSet,
    hits: tuple[AlleleHits, AlleleHits],
    pairs: Pairs,
    classes: Ints,
    places: Places,
) -> tuple[pa.Table, Ints]:
    """Return rows of ``VARIANT_HIT_COLUMNS`` for some pairs, by variant, place and motif.

    ``rows`` are those of the regions of both alleles. The second value is the variant of each row.
    """
    ref, alt = hits
    has_ref = pairs.ref >= 0
    variant = np.where(has_ref, _of(ref.variant, pairs.ref), _of(alt.variant, pairs.alt))
    motif = np.where(has_ref, _of(ref.motif, pairs.ref), _of(alt.motif, pairs.alt))
    start = np.where(has_ref, _of(ref.start, pairs.ref), _brought(alt, pairs.alt, places))
    values: dict[str, ColumnValues] = _variant_columns(variants, variant)
    first = values["pos"] - places.ref[variant]  # type: ignore[operator]  # an array of integers
    length = (motifs.end - motifs.start)[motif]
    values |= {
        "motif_name": np.array(motifs.name, object)[motif],
        "strand": np.array(motifs.strand, object)[motif],
        "class": np.array(VARIANT_CLASSES, object)[classes],
        "start": first + start,
        "end": first + start + length,
        "row_ref": rows[0][variant],
        "row_alt": rows[1][variant],
    }
    for name, allele, row in (("ref", ref, pairs.ref), ("alt", alt, pairs.alt)):
        values |= {
            f"hit_coefficient_{name}": taken(allele.coefficient, row),
            f"hit_score_{name}": taken(allele.score, row),
            f"hit_similarity_{name}": taken(allele.similarity, row),
            f"hit_importance_{name}": taken(allele.importance, row),
            f"start_{name}": _of(allele.start, row),
        }
    for short in ("coefficient", "score"):
        after, before = values[f"hit_{short}_alt"], values[f"hit_{short}_ref"]
        values[f"{short}_change"] = after - before  # type: ignore[operator]  # arrays of floats
    table = arrow_table(VARIANT_HIT_COLUMNS, values)
    for name, allele, row in (("ref", ref, pairs.ref), ("alt", alt, pairs.alt)):
        for column, of in (
            ("start", allele.start),
            ("hit_similarity", allele.similarity),
            ("hit_importance", allele.importance),
        ):
            at = table.column_names.index(f"{column}_{name}")
            array = pa.array(_of(of, row), mask=row < 0)
            table = table.set_column(at, table.schema.field(at), array)
    order = np.lexsort((motif, start, variant))
    return table.take(pa.array(order)), variant[order]


def summary_rows(
    variants: Sequence[Variant],
    rows: tuple[Ints, Ints],
    hits: pa.Table,
    of: Ints,
    n_hits: tuple[Ints, Ints],
    counts: NDArray[np.int64],
    reconstruction: tuple[NDArray[np.float64], NDArray[np.float64]],
    converged: NDArray[np.bool_],
) -> pa.Table:
    """Return rows of ``VARIANT_SUMMARY_COLUMNS``, one per variant in their order.

    Parameters
    ----------
    hits
        All rows of ``hit_rows`` that are compared, whether they are written or not.
    of
        The variant of each.
    counts : (V, 5)
        Of the classes.
    """
    change = hits["score_change"].to_numpy()
    names = np.array(hits["class"].to_pylist(), object)
    changed = np.flatnonzero(names != "unchanged")
    order = changed[np.lexsort((-np.abs(change[changed]), of[changed]))]
    firsts = order[np.unique(of[order], return_index=True)[1]] if len(order) else order
    top_motif, top_class = np.full((2, len(variants)), None, object)
    top_change = np.zeros(len(variants))
    top_motif[of[firsts]] = np.array(hits["motif_name"].to_pylist(), object)[firsts]
    top_class[of[firsts]] = names[firsts]
    top_change[of[firsts]] = change[firsts]
    values = _variant_columns(variants, np.arange(len(variants)))
    values |= {
        "n_hits_ref": n_hits[0],
        "n_hits_alt": n_hits[1],
        **{f"n_{name}": counts[:, i] for i, name in enumerate(VARIANT_CLASSES)},
        "top_motif": top_motif,
        "top_class": top_class,
        "top_score_change": top_change,
        "reconstruction_ref": reconstruction[0],
        "reconstruction_alt": reconstruction[1],
        "reconstruction_change": reconstruction[1] - reconstruction[0],
        "converged": converged,
        "row_ref": rows[0],
        "row_alt": rows[1],
    }
    return arrow_table(VARIANT_SUMMARY_COLUMNS, values)


def _variant_columns(variants: Sequence[Variant], at: Ints) -> dict[str, ColumnValues]:
    chosen = [variants[i] for i in at.tolist()]
    return {
        "variant_id": np.array([v.id for v in chosen], object),
        "chr": np.array([v.chrom for v in chosen], object),
        "pos": np.array([v.start for v in chosen], np.int64),
        "ref": np.array([v.ref or "" for v in chosen], object),
        "alt": np.array([v.alt or "" for v in chosen], object),
    }


def _brought(alt: AlleleHits, rows: Ints, places: Places) -> Ints:
    """Return where hits of the alternative begin in the reference region."""
    start, variant = _of(alt.start, rows), _of(alt.variant, rows)
    is_after = start >= (places.alt + places.alt_width)[variant]
    return start + np.where(is_after, places.after[variant], places.before[variant])


def _of(values: NDArray[_Number], rows: Ints) -> NDArray[_Number]:
    """Return values of rows, and 0 where there is no row."""
    return np.append(values, values.dtype.type(0))[rows]


def _cell(name: str) -> str:
    return name.translate({9: " ", 10: " ", 13: " "})
