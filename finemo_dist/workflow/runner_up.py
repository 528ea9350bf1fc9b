"""Which motif each hit could also be, and by how much it is the better one."""

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.selection import hits_of
from finemo_dist.catalog.table import Table
from finemo_dist.core.config import CallConfig
from finemo_dist.core.locus import Locus, parse_locus
from finemo_dist.hits.motifs import read_motifs
from finemo_dist.run.runner_up import Site, runners_up
from finemo_dist.workflow.called_regions import store_called_in

_HIT_COLUMNS: Final = (
    "sample", "chr", "start", "end", "strand", "motif_name", "peak_id", "motif_id",
    "start_untrimmed", "hit_coefficient",
)  # fmt: skip
_SCHEMA: Final = pa.schema(
    [("runner_up", pa.string()), ("runner_up_strand", pa.string()),
     ("runner_up_start", pa.int64()), ("runner_up_coefficient", pa.float64()),
     ("margin", pa.float64())]
)  # fmt: skip


def runner_up(
    run: str | Path,
    *,
    sample: str | None = None,
    motif: str | None = None,
    locus: str | None = None,
    largest_q: float | None = None,
    memory_limit: str | None = None,
) -> Table:
    """Return for each hit which motif takes its place if its own is taken out.

    For every motif the regions that have a hit of it are solved again without it, which is exact.
    The answer has a row per hit, with these columns after those that say which hit it is:
    ``runner_up`` (the motif that gains most there, null where none does), its strand, start (first
    base of the untrimmed CWM) and coefficient, and ``margin``: by how much the objective of the
    region grows, in normalised contributions squared. Hits of one motif in a region share it.

    Parameters
    ----------
    run
        A run directory.
    sample, motif
        Only hits of this sample or motif; all when None.
    locus
        Only hits that share a base with ``chrom`` or ``chrom:start-end`` (0-based, half-open).
    largest_q
        Only hits with a ``decoy_q`` of at most this; all when None.
    memory_limit
        Memory that DuckDB may use, such as ``"2GB"``.

    Raises
    ------
    UsageError
        There is no such sample, the locus is malformed, or a largest q is asked of a run that has
        none.
    RunError, StoreError
        The run is damaged, or its regions are gone or have changed.
    """
    place = None if locus is None else parse_locus(locus)
    with open_catalog(run, memory_limit=memory_limit, largest_q=largest_q) as catalog:
        names = catalog.samples if sample is None else (catalog.sample(sample).name,)
        tables = [_of_sample(catalog, name, motif, place) for name in names]
    return Table(pa.concat_tables(tables))


def _of_sample(catalog: Catalog, name: str, motif: str | None, place: Locus | None) -> pa.Table:
    hits = hits_of(catalog, sample=name, motif=motif, locus=place).to_arrow().select(_HIT_COLUMNS)
    record = catalog.sample(name)
    motif_set = catalog.record.set_of(record)
    motifs = read_motifs(catalog.run_dir, motif_set.folder)
    store = store_called_in(record)
    table = store.table(0, store.n_regions)
    row_of = {int(peak): row for row, peak in enumerate(table.peak_id)}
    own = {int(number): row for row, number in enumerate(catalog.motifs.ids[record.motif_set])}
    names = catalog.motifs.names_in(record.motif_set)
    sites = []
    for peak, number, start in zip(
        *(hits[c].to_pylist() for c in ("peak_id", "motif_id", "start_untrimmed")), strict=True
    ):
        row = row_of[peak]
        sites.append(Site(row, own[number], start - int(table.start[row])))
    config = CallConfig.model_validate(catalog.record.settings_of(record)).solver
    order = {site: index for index, site in enumerate(sites)}
    rows: list[dict[str, Any]] = [{} for _ in sites]
    for found in runners_up(store, motifs, config, sites) if sites else ():
        at = None if found.position is None else found.position + int(table.start[found.site.row])
        is_none = found.motif_id is None
        rows[order[found.site]] = {
            "runner_up": None if is_none else names[found.motif_id or 0],
            "runner_up_strand": None if is_none else motifs.strand[found.motif_id or 0],
            "runner_up_start": at,
            "runner_up_coefficient": found.coefficient,
            "margin": found.margin,
        }
    answer = pa.Table.from_pylist(rows, schema=_SCHEMA)
    for column in _SCHEMA.names:
        hits = hits.append_column(column, answer[column])
    return hits


def save_runner_up(run: Path, out: Path, **options: Any) -> int:  # noqa: ANN401  (of runner_up)
    """Write the answer of ``runner_up`` as Parquet, or as text of tabs, and return its rows."""
    from pyarrow import csv, parquet

    from finemo_dist.storage.files import committed

    found = runner_up(run, **options).to_arrow()
    plain = pa.table({name: _plain(found[name]) for name in found.column_names})
    with committed(out) as temporary:
        if out.suffix == ".parquet":
            parquet.write_table(plain, temporary, compression="zstd")
        else:
            options_of_text = csv.WriteOptions(
                delimiter="\t", quoting_style="none", include_header=False
            )
            with temporary.open("wb") as handle:
                handle.write(("\t".join(plain.column_names) + "\n").encode())
                csv.write_csv(plain, handle, options_of_text)
    return len(plain)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text without breaks, or as its numbers."""
    if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type):
        return pc.replace_substring_regex(column.cast(pa.string()), r"[\t\r\n]", " ")
    return column
