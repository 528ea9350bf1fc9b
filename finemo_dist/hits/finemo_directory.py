"""The output directory of finemo's ``call-hits``, read into the layout of a run.

finemo 0.41 writes ``hits.tsv``, ``peaks_qc.tsv``, ``motif_data.tsv``, ``motif_cwms.npy`` and
``parameters.json``. Hits are read in blocks, so that memory does not grow with their number.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import InputError
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import NO_CHROM, MotifSet, Unit
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS, HIT_COLUMNS, QC_COLUMNS
from finemo_dist.core.system_errors import fault
from finemo_dist.hits.hits_tsv import empty_rows, open_hit_table
from finemo_dist.hits.motifs import write_motifs
from finemo_dist.hits.write import write_unit
from finemo_dist.record.run_record import RunRecord, SampleRecord

FILES: Final = (
    "hits.tsv", "peaks_qc.tsv", "motif_data.tsv", "motif_cwms.npy", "parameters.json"
)  # fmt: skip
_TEXT: Final = {
    name: pa.string() for name in ("chr", "peak_name", "motif_name", "motif_name_orig", "strand")
}
_ARROW: Final = {
    **{c.name: pa.type_for_alias(c.type) for c in (*HIT_COLUMNS, *QC_COLUMNS)
       if c.type not in {"dictionary", "string"}},
    **_TEXT,
}  # fmt: skip

_Columns = dict[str, NDArray[Any]]


def is_finemo_directory(path: Path) -> bool:
    """Whether a directory holds finemo's files and not a run of ours."""
    has_hits = (path / FILES[0]).is_file()
    return has_hits and not (path / "run.json").exists() and not missing(path)


def missing(path: Path) -> list[str]:
    """Return the files, but for that of the hits, that a directory lacks to be finemo's."""
    return [name for name in FILES[1:] if not (path / name).is_file()]


def import_finemo(
    directory: Path, run_dir: Path, regions: RegionReader, *, hits: Path | None = None
) -> RunRecord:
    """Write a run of one sample with the hits of finemo's directory, and return its record.

    The sample takes the name of the directory, or of the table of hits. A region counts as
    converged when its gap, by finemo's rule, reached the tolerance that finemo was given.

    Parameters
    ----------
    regions
        Those that finemo called hits in.
    hits
        A table of some of the hits, in the columns of ``hits.tsv``, which is read when None.

    Raises
    ------
    InputError
        A file is missing or damaged, or the regions are others than finemo's.
    """
    settings = _read_json(directory / "parameters.json")
    motifs = _read_motifs(directory)
    quality = _read_quality(directory / "peaks_qc.tsv", settings)
    _check_regions(directory, regions, quality)
    chroms = _Chromosomes(regions)
    quality["chr_id"] = chroms.ids(quality["chr"])
    write_motifs(run_dir, motifs)
    name = (directory.resolve().name if hits is None else hits.stem) or "finemo"
    config = _config_of(settings)
    blocks = _hit_blocks(hits or directory / "hits.tsv", motifs, chroms)
    digests = {"config_digest": digest_of(config), "store_digest": regions.digest}
    record = RunRecord(
        version="0.41",
        status="complete",
        created="",
        samples=(
            SampleRecord(
                name=name,
                store=regions.path,
                store_digest=regions.digest,
                n_regions=len(quality["peak_id"]),
                n_shards=_write_units(run_dir, name, blocks, quality, digests),
                region_width=regions.region_width,
                has_coordinates=chroms.are_known,
            ),
        ),
        config=config,
        config_digest=digests["config_digest"],
        motif_width=motifs.width,
        n_motifs=len(motifs),
        motif_digest=digest_of([motifs.name, motifs.strand]),
    )
    record.save(run_dir)
    return record


def _write_units(
    run_dir: Path,
    sample: str,
    blocks: Iterator[_Columns],
    quality: _Columns,
    digests: Mapping[str, str],
) -> int:
    """Commit blocks of hits as they come, the regions with the last of them; return the units."""
    peaks = quality["peak_id"].astype(np.int64)
    order = np.argsort(peaks, kind="stable")
    n_hits = np.zeros(len(peaks), np.int32)
    nothing = {key: values[:0] for key, values in quality.items()} | {"n_hits": n_hits[:0]}
    shard, block = 0, next(blocks)
    while True:
        np.add.at(n_hits, order[_ranks(peaks[order], block["peak_id"].astype(np.int64))], 1)
        following = next(blocks, None)
        qc = nothing if following is not None else {**quality, "n_hits": n_hits}
        write_unit(
            run_dir,
            Unit(sample, shard),
            hits=block,
            qc=qc,
            config_digest=digests["config_digest"],
            store_digest=digests["store_digest"],
        )
        shard += 1
        if following is None:
            return shard
        block = following


def _ranks(peaks: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return where each of ``found`` is in the ascending ``peaks``."""
    if len(unknown := np.setdiff1d(found, peaks)):
        raise InputError(
            f"hits.tsv: names region {unknown[0]}, which is not in peaks_qc.tsv. Give the "
            "directory as call-hits wrote it."
        )
    return np.searchsorted(peaks, found)


def _config_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return finemo's parameters under the names of ours."""
    return {
        "caller": "finemo",
        "motifs": {
            "penalty": settings.get("lambda_default"),
            "trim_threshold": settings.get("cwm_trim_threshold_default"),
        },
        "solver": {
            "mode": settings.get("mode"),
            "use_sqrt_transform": settings.get("sqrt_transform"),
            "use_post_filter": not settings.get("no_post_filter", False),
            "tolerance": settings.get("convergence_tol"),
            "max_steps": settings.get("max_steps"),
        },
    }


class _Chromosomes:
    """Chromosome names to their rank among the regions."""

    def __init__(self, regions: RegionReader) -> None:
        table = regions.table(0, regions.n_regions)
        self.are_known = table.has_coordinates
        self._rank = {name: i for i, name in enumerate(table.chrom_names)}

    def ids(self, names: NDArray[np.object_]) -> NDArray[np.int32]:
        return np.array([self._rank.get(name, NO_CHROM) for name in names], np.int32)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        what = f"{path}: cannot be read as JSON ({error}). Run finemo's call-hits again."
        raise fault(path, error, otherwise=what, kind=InputError) from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: has no settings. Run finemo's call-hits again.")
    return content


def _read_motifs(directory: Path) -> MotifSet:
    table = _read_table(directory / "motif_data.tsv")
    path = directory / "motif_cwms.npy"
    try:
        cwm = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        what = f"{path}: cannot be read ({error}). Run call-hits again."
        raise fault(path, error, otherwise=what, kind=InputError) from error
    if cwm.ndim != 3 or cwm.shape[:2] != (len(table), 4):
        raise InputError(
            f"{path}: has shape {cwm.shape}, expected ({len(table)}, 4, W), one CWM for each line "
            "of motif_data.tsv. Run call-hits again."
        )
    columns = {name: _values(table[name]) for name in table.column_names}
    order = np.argsort(columns["motif_id"], kind="stable")
    column = {name: values[order] for name, values in columns.items()}
    return MotifSet(
        name=tuple(column["motif_name"]),
        name_orig=tuple(column["motif_name_orig"]),
        strand=tuple(column["strand"]),
        cwm=cwm[order].astype(np.float16),
        start=column["motif_start"].astype(np.int64),
        end=column["motif_end"].astype(np.int64),
        scale=column["motif_scale"].astype(np.float64),
        penalty=column["lambda"].astype(np.float64),
    )


def _read_quality(path: Path, settings: dict[str, Any]) -> _Columns:
    table = _read_table(path)
    names = {c.name for c in QC_COLUMNS} - {"converged", "n_hits", "chr_id"}
    columns = {name: _numpy(path, table, name) for name in names}
    if "converged" in table.column_names:
        columns["converged"] = table["converged"].cast(pa.bool_()).to_numpy()
    else:
        # finemo kept its gap in float32; the last bit must not make a region unconverged.
        tolerance = float(settings.get("convergence_tol", np.inf))
        columns["converged"] = columns["dual_gap"].astype(float) <= tolerance * (1 + 1e-6)
    return columns


def _check_regions(directory: Path, regions: RegionReader, quality: _Columns) -> None:
    table = regions.table(0, regions.n_regions)
    starts = dict(zip(table.peak_id.tolist(), table.start.tolist(), strict=True))
    peaks, found = quality["peak_id"], quality["peak_region_start"]
    for peak, start in zip(peaks.tolist(), found.tolist(), strict=True):
        if starts.get(peak) != start:
            raise InputError(
                f"{directory}: its region {peak} begins at {start}, in {regions.path} "
                f"{'it begins at ' + str(starts[peak]) if peak in starts else 'there is none'}. "
                "Give the regions in which the hits were called."
            )


def _hit_blocks(path: Path, motifs: MotifSet, chroms: _Chromosomes) -> Iterator[_Columns]:
    entry = {key: i for i, key in enumerate(zip(motifs.name, motifs.strand, strict=True))}
    n_blocks = 0
    with open_hit_table(path) as table:
        for block in table.blocks(FINEMO_HIT_COLUMNS):
            yield _hit_columns(path, block.rows, entry, chroms)
            n_blocks += 1
    if n_blocks == 0:
        yield _hit_columns(path, empty_rows(FINEMO_HIT_COLUMNS), entry, chroms)


def _hit_columns(
    path: Path, rows: pa.RecordBatch, entry: dict[tuple[str, str], int], chroms: _Chromosomes
) -> _Columns:
    names = [c.name for c in HIT_COLUMNS if c.name not in {"motif_id", "chr_id"}]
    columns: _Columns = {name: _values(rows.column(name)) for name in names}
    keys = list(zip(columns["motif_name"], columns["strand"], strict=True))
    unknown = next((key for key in keys if key not in entry), None)
    if unknown is not None:
        raise InputError(
            f"{path}: names motif {unknown[0]!r} on strand {unknown[1]!r}, which is not in "
            "motif_data.tsv. Give the directory as call-hits wrote it."
        )
    columns["motif_id"] = np.array([entry[key] for key in keys], np.int32)
    columns["chr_id"] = chroms.ids(columns["chr"])
    return columns


def _numpy(path: Path, table: pa.Table, name: str) -> NDArray[Any]:
    if name not in table.column_names:
        raise InputError(
            f"{path}: has no column {name!r}; found {', '.join(table.column_names)}. Give the "
            "directory as call-hits wrote it."
        )
    return _values(table[name])


def _values(column: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type):
        # Arrow's own way to an array of strings loads pandas, which takes half a second.
        return np.array(column.to_pylist(), dtype=object)
    values: NDArray[Any] = column.to_numpy()
    return values


def _read_table(path: Path) -> pa.Table:
    try:
        return pa.csv.read_csv(
            path,
            parse_options=pa.csv.ParseOptions(delimiter="\t", quote_char=False),
            convert_options=pa.csv.ConvertOptions(
                column_types=_ARROW, null_values=["NA"], strings_can_be_null=True
            ),
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        what = f"{path}: cannot be read as a table of finemo's ({reason}). Run call-hits again."
        raise fault(path, error, otherwise=what, kind=InputError) from error
