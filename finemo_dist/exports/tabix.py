"""bgzipped BED or TSV with a tabix index, all samples together."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import place_chunks
from finemo_dist.catalog.text import Copy, write_text
from finemo_dist.core.errors import UsageError
from finemo_dist.core.optional import require
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.exports.tables import HitTable, RankBy, rank_hits
from finemo_dist.storage.files import committed
from finemo_dist.storage.temporary import temporary_path

logger = logging.getLogger(__name__)

_TBI_LIMIT: Final = 1 << 29
"""Where the bins of a ``.tbi`` end (SAM/BAM specification, section 5.3); beyond it is ``.csi``."""


def export_tabix(
    catalog: Catalog,
    out: Path,
    *,
    table: HitTable = HitTable.HITS,
    label: str = "motif",
    rank_by: RankBy = RankBy.SCORE,
) -> tuple[Path, Path]:
    """Write hits by place, bgzipped, with an index beside, and return both paths.

    ``.bed.gz`` is BED6+1, ``.tsv.gz`` the columns of ``hits.tsv``; the sample ends every line.
    Chromosomes are sorted by name. The index is ``.tbi``, or ``.csi`` where a hit lies beyond the
    512 Mb that the former reaches.

    Raises
    ------
    UsageError
        The name ends in neither, or pysam is not installed.
    RunError
        The run is damaged.
    """
    is_tsv = out.name.endswith(".tsv.gz")
    if not is_tsv and not out.name.endswith(".bed.gz"):
        raise UsageError(
            f"{out}: the name of a tabix file must end in .bed.gz or .tsv.gz. Rename it."
        )
    pysam = require("pysam", needed_for="--to tabix")
    furthest = max((end for *_, end in catalog.run("chromosome_extents")), default=0)
    index = out.with_name(out.name + (".csi" if furthest > _TBI_LIMIT else ".tbi"))
    header = (f"#{FINEMO_HIT_COLUMNS[0]}", *FINEMO_HIT_COLUMNS[1:], "sample") if is_tsv else ()
    with committed(index) as temporary_index, committed(out) as temporary:
        plain = temporary_path(temporary, f"{out.name}.plain")
        try:
            write_text(plain, _copies(catalog, table, label, rank_by, is_tsv=is_tsv), header=header)
            with plain.open("rb") as source, pysam.BGZFile(str(temporary), "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        finally:
            plain.unlink(missing_ok=True)
        pysam.tabix_index(
            str(temporary), seq_col=0, start_col=1, end_col=2, zerobased=True, force=True,
            csi=index.suffix == ".csi", index=str(temporary_index),
        )  # fmt: skip
        # An index of the file that stood would send readers to wrong places of this one.
        for suffix in (".tbi", ".csi"):
            out.with_name(out.name + suffix).unlink(missing_ok=True)
    return out, index


def _copies(
    catalog: Catalog, table: HitTable, label: str, rank_by: RankBy, *, is_tsv: bool
) -> Iterator[Copy]:
    common = {"table": table.value}
    if not is_tsv:
        rank_hits(catalog, table, rank_by)
        common |= {"label": label, "rank_by": rank_by.value}
    query = "copy_places_tsv" if is_tsv else "copy_places_bed"
    for first, last in place_chunks(catalog):
        yield catalog, query, {**common, "first": first, "last": last}
