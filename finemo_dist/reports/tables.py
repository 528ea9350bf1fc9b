"""finemo's report tables: its names, columns and meaning, from a run's catalog.

``motif_report.tsv``  one row per motif: hits, seqlets, what they share, similarity of their CWMs
``motif_occurrences.tsv``  one row per region with hits: hits of each motif, and all together
``seqlets.tsv``  one row per seqlet that could have been found
``seqlet_confusion.tsv``  which motifs are called where modisco saw which
"""

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.records import MotifSet
from finemo_dist.reports.cwms import CwmSums, cosine
from finemo_dist.reports.scope import Scope

_BLOCK_PEAKS: Final = 4096

_CONFUSION: Final = pa.schema(
    [
        ("motif_name_seqlets", pa.string()),
        ("motif_name_hits", pa.string()),
        ("frac_overlap", pa.float64()),
    ]
)


def motif_report(
    catalog: Catalog,
    motifs: MotifSet,
    sums: Mapping[str, CwmSums] | None,
    scope: Scope,
    *,
    with_recall: bool = True,
) -> pa.Table:
    """Return ``motif_report.tsv``, motifs in their order; null where a number has no meaning.

    Columns about seqlets are there where there are seqlets, and those of recall unless it is not
    wanted. ``num_hits_total`` counts each place once, ``num_hits_restricted`` those in the shared
    window; a seqlet is in ``num_overlaps`` when motif, strand and first base agree with one of the
    latter, and in ``num_seqlets_only`` when with no hit at all; ``cwm_similarity`` is the cosine
    of the untrimmed CWMs over hits and of modisco.
    """
    rows = catalog.run("report_motif_counts")
    names, hits, restricted, seqlets, overlaps, seqlets_only = (
        list(column) for column in zip(*rows, strict=True)
    )
    table: dict[str, list[Any]] = {
        "motif_name": names,
        "num_hits_total": hits,
        "num_hits_restricted": restricted,
    }
    if scope.has_seqlets:
        table["num_seqlets"] = seqlets
    if scope.has_seqlets and with_recall:
        table["num_overlaps"] = overlaps
        table["num_seqlets_only"] = seqlets_only
        table["num_hits_restricted_only"] = [
            r - o for r, o in zip(restricted, overlaps, strict=True)
        ]
        table["seqlet_recall"] = [
            o / s if s else None for o, s in zip(overlaps, seqlets, strict=True)
        ]
    table["cwm_similarity"] = _similarities(motifs, sums)
    schema = pa.schema([(name, _type_of(name)) for name in table])
    return pa.table(table, schema=schema)


def seqlet_confusion(catalog: Catalog, motifs: MotifSet) -> pa.Table:
    """Return ``seqlet_confusion.tsv``: pairs that share a bin, for each seqlet of a motif."""
    rows = catalog.run("report_confusion", {"motif_width": motifs.width})
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table([pa.array(c, t) for c, t in zip(columns, _CONFUSION.types, strict=True)],
                    schema=_CONFUSION)  # fmt: skip


def write_table(path: Path, table: pa.Table) -> None:
    """Write a small table as tab-separated text; null is ``NaN``, as finemo writes it."""
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(
            target, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None,
            escapechar="\\",
        )  # fmt: skip
        writer.writerow(table.column_names)
        for row in table.to_pylist():
            writer.writerow([_text(value) for value in row.values()])


def write_seqlets(catalog: Catalog, path: Path) -> None:
    """Write ``seqlets.tsv``, sorted by motif and place."""
    catalog.run("report_copy_seqlets", {"path": str(path)})


def write_occurrences(catalog: Catalog, motifs: MotifSet, path: Path) -> None:
    """Write ``motif_occurrences.tsv``: regions with at least one hit, by sample and ``peak_id``.

    A run of several samples has the column ``sample`` first. Memory does not grow with regions.
    """
    has_sample = len(catalog.samples) > 1
    names = list(motifs.name[::2])
    header = [*(["sample"] if has_sample else []), "peak_id", *names, "total"]
    with path.open("wb") as target:
        target.write(("\t".join(header) + "\n").encode())
        for sample in catalog.samples:
            for peaks, counts in _occurrences(catalog, sample, len(names)):
                columns: list[Any] = [[sample] * len(peaks)] if has_sample else []
                columns += [peaks, *counts.T, counts.sum(axis=1)]
                arrow_csv.write_csv(
                    pa.table(columns, names=[str(i) for i in range(len(columns))]),
                    target,
                    arrow_csv.WriteOptions(
                        include_header=False, delimiter="\t", quoting_style="none"
                    ),
                )


def _occurrences(
    catalog: Catalog, sample: str, n_motifs: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    ((last,),) = catalog.run("report_last_peak", {"sample": sample})
    for first in range(0, last + 1, _BLOCK_PEAKS):
        found = catalog.columns(
            "report_region_counts",
            {"sample": sample, "first": first, "last": first + _BLOCK_PEAKS},
        )
        peaks, row = np.unique(found["peak_id"].astype(np.int64), return_inverse=True)
        if len(peaks):
            counts = np.zeros((len(peaks), n_motifs), np.int64)
            counts[row, found["motif_column"]] = found["n"]
            yield peaks, counts


def _similarities(motifs: MotifSet, sums: Mapping[str, CwmSums] | None) -> list[float | None]:
    forward = range(0, len(motifs), 2)
    if sums is None:
        return [None for _ in forward]
    mean = sums["hits"].mean
    found = [cosine(mean[i // 2], motifs.cwm[i]) for i in forward]
    return [None if math.isnan(value) else value for value in found]


def _type_of(column: str) -> pa.DataType:
    if column == "motif_name":
        return pa.string()
    return pa.float64() if column in {"seqlet_recall", "cwm_similarity"} else pa.int64()


def _text(value: object) -> str:
    return "NaN" if value is None else str(value)
