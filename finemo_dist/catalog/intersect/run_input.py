"""A sample of a run as an input of an intersection."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.hit_records import (
    INTERSECT_RECORD,
    NAME_COLUMNS,
    SCORE_COLUMNS,
    HitRecords,
    NameCodes,
)
from finemo_dist.catalog.intersect.inputs import PieceHits, Said, Texts
from finemo_dist.catalog.intersect.pieces import Piece, Window
from finemo_dist.catalog.staging import Staging
from finemo_dist.catalog.window_file import BASES_SHIFT, PEAKS_SHIFT
from finemo_dist.core.errors import RunError
from finemo_dist.core.program import program


@dataclass(frozen=True, slots=True)
class RunHits:
    """The hits of one sample of a run."""

    catalog: Catalog
    sample: str


class RunInput:
    """A sample of a run, whose hits the catalog finds by place."""

    def __init__(self, hits: RunHits, staging: Staging, codes: NameCodes, said: Said) -> None:
        self._catalog = hits.catalog
        self._staging = staging
        self._codes = codes
        self._said = said
        has_coordinates = hits.catalog.sample(hits.sample).has_coordinates
        # Where peaks overlap, hits has a site once a peak, and every copy would meet every other.
        table = "hits_unique" if said.is_relaxed and has_coordinates else "hits"
        wanted = {"sample": hits.sample, "table": table, "is_relaxed": said.is_relaxed}
        self._chunk: dict[str, object] = {**wanted, "has_names": "peak_name" in said.columns}
        self._chrom_ids: dict[str | None, int] = {}
        self.counts: dict[Window, int] = {}
        sizes = {"window_bases": 1 << BASES_SHIFT, "window_peaks": 1 << PEAKS_SHIFT}
        for chrom, chrom_id, index, n_hits in hits.catalog.run(
            "intersect_counts", {**wanted, **sizes}
        ):
            self._chrom_ids[chrom] = chrom_id
            self.counts[chrom, index] = n_hits

    def hits(self, piece: Piece) -> PieceHits:
        """Return the hits in a piece."""
        ids = [self._chrom_ids[chrom] for chrom in piece.chromosomes]
        (low, high), (first_peak, last_peak) = piece.bases, piece.peaks
        bounds = {"low": low, "high": high, "first_peak": first_peak, "last_peak": last_peak}
        chunk = {**self._chunk, "chr_ids": ids, **bounds}
        n_hits = sum(n for window, n in self.counts.items() if piece.holds(window))
        records, n_read = np.empty(n_hits, INTERSECT_RECORD), 0
        names = [pa.array([], pa.string())]
        taker = HitRecords(INTERSECT_RECORD, self._codes)
        for batch in self._catalog.stream("intersect_run", chunk):
            taken, fault = taker.take(batch)
            if fault is not None:
                raise RunError(
                    f"{self._catalog.run_dir}: a row of sample {self._chunk['sample']} is no hit. "
                    f"Run `{program()} verify` on it."
                )
            taken["peak_name_hash"] = batch.column("peak_name_hash").to_numpy()
            records[n_read : n_read + len(taken)] = taken
            n_read += len(taken)
            names.append(batch.column("peak_name"))
        return _RunHits(
            records[:n_read], pa.concat_arrays(names), self._codes, self._staging, self._said
        )


@dataclass(frozen=True, slots=True)
class _RunHits:
    records: NDArray[Any]
    peak_names: pa.Array
    codes: NameCodes
    staging: Staging
    said: Said

    def texts(self, rows: NDArray[np.intp]) -> Texts:
        return [
            self._text(name, rows).cast(pa.large_binary())
            for name in self.said.columns
            if name not in SCORE_COLUMNS[1:]
        ]

    def _text(self, name: str, rows: NDArray[np.intp]) -> pa.Array:
        """Return the cells of a column; all scores, which stand side by side, for the first."""
        if name == SCORE_COLUMNS[0]:
            scores = pa.table({score: self.records[score][rows] for score in SCORE_COLUMNS})
            return self.staging.answer("scores_text", scores).column(0).combine_chunks()
        if name == "peak_name":
            return self.peak_names.take(pa.array(rows)).fill_null("NA")
        if name == "chr":
            return self.codes.chrom_names(self.records["chr_code"][rows]).fill_null("NA")
        if name in NAME_COLUMNS:
            which = NAME_COLUMNS.index(name)
            return self.codes.names(self.records["name_code"][rows], which)
        return pa.array(self.records[name][rows]).cast(pa.string())
