"""The matrix of regions and motifs as AnnData, written sample by sample.

Format: anndata's on-disk format 0.1.0. The sparse arrays grow by batches, which the library cannot
do from memory that is bounded; everything else is written by it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from finemo_dist import __version__
from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.optional import require
from finemo_dist.exports.matrix import (
    Motif,
    Q,
    Regions,
    cells_of,
    motif_columns,
    regions_of,
)
from finemo_dist.exports.tables import HitTable
from finemo_dist.storage.files import committed

_CHUNK_CELLS: Final = 1 << 17
_GROUPS: Final = {
    "n_hits": "X",
    "coefficient": "layers/coefficient",
    "importance": "layers/importance",
}


@dataclass(slots=True)
class _Rows:
    """What is known of the rows so far."""

    regions: list[Regions] = field(default_factory=list)
    counts: list[NDArray[np.int64]] = field(default_factory=list)
    """Cells in each row that are not zero."""


def export_h5ad(
    catalog: Catalog, out: Path, samples: Sequence[str], *, table: HitTable = HitTable.HITS
) -> None:
    """Write the matrix of regions and motifs as one ``.h5ad``, whole or not at all.

    ``X`` is the number of hits, layer ``coefficient`` their summed hit_coefficient_global, layer
    ``importance`` their summed hit_importance; float32, CSR. A run with confidence has a layer
    ``decoy_q``, the smallest of the hits. ``obs`` has every committed region,
    named ``SAMPLE:PEAK_ID``, ``var`` every motif, ``uns["finemo_dist"]`` the settings of the run.
    Memory is that of ``obs`` and of one batch of cells.

    Raises
    ------
    UsageError
        anndata is not installed.
    RunError
        The run is damaged.
    """
    anndata_io = require("anndata.io", needed_for="--to h5ad")
    pandas = require("pandas", needed_for="--to h5ad")
    motifs = motif_columns(catalog)
    with committed(out) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        anndata_io.write_elem(file, "layers", {})
        index_type = _index_type(catalog, samples)
        groups = _GROUPS | ({Q: f"layers/{Q}"} if catalog.has_q else {})
        for name in groups.values():
            _make_group(file, name, index_type)
        rows = _write_cells(catalog, file, samples, table, groups)
        _close_groups(file, rows, len(motifs), groups)
        anndata_io.write_elem(file, "obs", _obs(pandas, rows.regions))
        anndata_io.write_elem(file, "var", _var(pandas, motifs))
        anndata_io.write_elem(file, "uns", {"finemo_dist": _settings(catalog, table)})
        for name in ("obsm", "varm", "obsp", "varp"):
            anndata_io.write_elem(file, name, {})


def _index_type(catalog: Catalog, samples: Sequence[str]) -> type[np.signedinteger[Any]]:
    """Return the type of both kinds of index: SciPy wants one, wide enough for all cells."""
    n_hits = sum(footer.n_rows for name in samples for footer in catalog.units(name).values())
    return np.int32 if n_hits <= np.iinfo(np.int32).max else np.int64


def _make_group(
    file: Any,  # noqa: ANN401  (h5py has no types)
    name: str,
    index_type: type[np.signedinteger[Any]],
) -> None:
    group = file.create_group(name)
    group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
    for array, dtype in (("data", np.float32), ("indices", index_type)):
        group.create_dataset(
            array, shape=(0,), maxshape=(None,), dtype=dtype, chunks=(_CHUNK_CELLS,),
            compression="gzip", compression_opts=4, shuffle=True,
        )  # fmt: skip


def _write_cells(
    catalog: Catalog,
    file: Any,  # noqa: ANN401
    samples: Sequence[str],
    table: HitTable,
    groups: Mapping[str, str],
) -> _Rows:
    rows = _Rows()
    for sample in samples:
        regions = regions_of(catalog, sample)
        counts = np.zeros(len(regions), np.int64)
        for cells in cells_of(catalog, regions, table, with_q=Q in groups):
            np.add.at(counts, cells.row, 1)
            for value, name in groups.items():
                group = file[name]
                _append(group["data"], cells.values[value])
                _append(group["indices"], cells.column)
        rows.regions.append(regions)
        rows.counts.append(counts)
    return rows


def _append(dataset: Any, values: NDArray[Any]) -> None:  # noqa: ANN401
    before = dataset.shape[0]
    dataset.resize((before + len(values),))
    dataset[before:] = values


def _close_groups(
    file: Any,  # noqa: ANN401
    rows: _Rows,
    n_motifs: int,
    groups: Mapping[str, str],
) -> None:
    counts = np.concatenate([np.zeros(1, np.int64), *rows.counts])
    for name in groups.values():
        group = file[name]
        ends = np.cumsum(counts).astype(group["indices"].dtype)
        group.create_dataset("indptr", data=ends, compression="gzip")
        file[name].attrs["shape"] = (len(counts) - 1, n_motifs)


def _obs(pandas: Any, regions: Sequence[Regions]) -> Any:  # noqa: ANN401
    def joined(name: str) -> Any:  # noqa: ANN401
        arrays = [getattr(r, name) for r in regions]
        return np.concatenate(arrays) if arrays else np.empty(0, object)

    names = [f"{r.sample}:{peak_id}" for r in regions for peak_id in r.peak_id]
    numbers = np.repeat(np.arange(len(regions)), [len(r) for r in regions])
    chroms, chrom_numbers = np.unique(joined("chrom").astype(str), return_inverse=True)

    def categorical(codes: NDArray[Any], categories: Sequence[str]) -> Any:  # noqa: ANN401
        # anndata writes no strings but of type object.
        kinds = pandas.Index(np.array(categories, object), dtype=object)
        return pandas.Categorical.from_codes(codes, categories=kinds)

    return pandas.DataFrame(
        {
            "sample": categorical(numbers, [r.sample for r in regions]),
            "chr": categorical(chrom_numbers, chroms.tolist()),
            "start": joined("start").astype(np.int64),
            "end": joined("end").astype(np.int64),
            "peak_name": pandas.Series(joined("peak_name"), index=names, dtype=object),
            "peak_id": joined("peak_id").astype(np.int64),
        },
        index=pandas.Index(names, dtype=object, name="region"),
    )


def _var(pandas: Any, motifs: Sequence[Motif]) -> Any:  # noqa: ANN401
    columns: dict[str, list[Any]] = {
        "motif_name_orig": [m.motif_name_orig for m in motifs],
        "motif_scale": [m.motif_scale for m in motifs],
        "lambda": [m.penalty for m in motifs],
    }
    for name in ("tf", "family", "cluster"):
        values = [getattr(m, name) for m in motifs]
        if any(value is not None for value in values):
            # Text and not null: readers of other languages take no nullable strings.
            columns[name] = [value or "" for value in values]
    index = pandas.Index([m.motif_name for m in motifs], dtype=object, name="motif_name")
    table = pandas.DataFrame(columns, index=index)
    text = [name for name in columns if name not in {"motif_scale", "lambda"}]
    return table.astype(dict.fromkeys(text, object))


def _settings(catalog: Catalog, table: HitTable) -> dict[str, str]:
    record = catalog.record
    own = {sample.name: sample.config for sample in record.samples if sample.config is not None}
    return {
        "version": __version__,
        "table": table.value,
        "X": "hits",
        "coefficient": "sum of hit_coefficient_global",
        "importance": "sum of hit_importance",
        "config": json.dumps(record.config, sort_keys=True),
        "config_digest": record.config_digest,
        **({"sample_configs": json.dumps(own, sort_keys=True)} if own else {}),
    }
