"""Matrix Market: one file for each kind of value, and a TSV each for its rows and columns.

Format: Boisvert et al., "The Matrix Market exchange formats", NISTIR 5935, 1996.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TextIO

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.errors import UsageError
from finemo_dist.exports.matrix import VALUES, Cells, cells_of, motif_columns, regions_of
from finemo_dist.exports.tables import HitTable
from finemo_dist.storage.folders import replaced_folder

_FIELD: Final = {"n_hits": "integer", "coefficient": "real", "importance": "real"}
_BREAKS: Final = str.maketrans("\t\n\r", "   ")
_REGION_COLUMNS: Final = ("region", "sample", "chr", "start", "end", "peak_name", "peak_id")
_MOTIF_COLUMNS: Final = ("motif_name", "motif_name_orig", "tf", "family", "cluster")


def export_market(
    catalog: Catalog, out: Path, samples: Sequence[str], *, table: HitTable = HitTable.HITS
) -> None:
    """Write the folder ``out``, whole or not at all.

    ``n_hits.mtx``, ``coefficient.mtx`` and ``importance.mtx`` have a row per region and a column
    per motif; ``regions.tsv`` and ``motifs.tsv`` have a header and one line for each.

    Raises
    ------
    UsageError
        Something of that name exists.
    RunError
        The run is damaged.
    """
    motifs = motif_columns(catalog)
    if out.exists():
        raise UsageError(f"{out}: exists. Remove it, or name a new folder with -o.")
    with replaced_folder(out) as folder:
        names = [(m.motif_name, m.motif_name_orig, m.tf, m.family, m.cluster) for m in motifs]
        _write_table(folder / "motifs.tsv", _MOTIF_COLUMNS, names)
        n_rows, n_cells = _write_bodies(catalog, folder, samples, table)
        for name in VALUES:
            head = f"%%MatrixMarket matrix coordinate {_FIELD[name]} general\n"
            _prepend(folder / f"{name}.mtx", f"{head}{n_rows} {len(motifs)} {n_cells}\n")


def _write_bodies(
    catalog: Catalog, folder: Path, samples: Sequence[str], table: HitTable
) -> tuple[int, int]:
    """Write the rows' table and the cells, and return the number of rows and of cells."""
    n_rows = n_cells = 0
    with ExitStack() as stack:
        rows = stack.enter_context(_text(folder / "regions.tsv"))
        rows.write("\t".join(_REGION_COLUMNS) + "\n")
        bodies = {name: stack.enter_context(_text(folder / f"{name}.mtx")) for name in VALUES}
        for sample in samples:
            regions = regions_of(catalog, sample)
            places = zip(
                regions.chrom, regions.start, regions.end, regions.peak_name, regions.peak_id,
                strict=True,
            )  # fmt: skip
            rows.writelines(_line([f"{sample}:{place[-1]}", sample, *place]) for place in places)
            for cells in cells_of(catalog, regions, table):
                for name, body in bodies.items():
                    body.writelines(_cell_lines(cells, name, n_rows))
                n_cells += len(cells.row)
            n_rows += len(regions)
    return n_rows, n_cells


def _cell_lines(cells: Cells, name: str, first_row: int) -> Iterator[str]:
    values = cells.values[name]
    text = values.astype(int if _FIELD[name] == "integer" else values.dtype).astype(str).tolist()
    rows = (cells.row + first_row + 1).tolist()
    columns = (cells.column + 1).tolist()
    return (f"{r} {c} {v}\n" for r, c, v in zip(rows, columns, text, strict=True))


def _write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with _text(path) as handle:
        handle.write("\t".join(header) + "\n")
        handle.writelines(_line(row) for row in rows)


def _line(row: Sequence[object]) -> str:
    cells = ("NA" if value is None else str(value).translate(_BREAKS) for value in row)
    return "\t".join(cells) + "\n"


def _text(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


def _prepend(path: Path, head: str) -> None:
    body = path.with_suffix(".body")
    path.rename(body)
    with path.open("wb") as target, body.open("rb") as source:
        target.write(head.encode())
        shutil.copyfileobj(source, target, 1 << 20)
    body.unlink()
