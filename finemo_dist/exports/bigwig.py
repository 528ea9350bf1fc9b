"""bigWigs of hits for genome browsers: one per motif, of coverage or of summed coefficients.

Format: Kent et al., "BigWig and BigBed: enabling browsing of large distributed datasets",
Bioinformatics 2010, supplement.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import place_chunks
from finemo_dist.exports.places import chromosome_lengths, require_hits
from finemo_dist.exports.tables import HitTable
from finemo_dist.hits.layout import folder_name
from finemo_dist.storage.folders import merged_folder

Runs = tuple[str, str, Any]
"""A label, a chromosome, and the rows of an Arrow batch that are of both."""


def export_bigwig(
    catalog: Catalog,
    out: Path,
    *,
    table: HitTable = HitTable.UNIQUE,
    label: str = "motif",
    signal: str = "coverage",
) -> None:
    """Write a bigWig for each motif into a folder, each whole or not at all.

    The value of a base is the number of hits that cover it, or the sum of their global
    coefficients. A base without a hit has none. Files are named as folders of samples are.

    Raises
    ------
    UsageError
        There is no hit with a place.
    RunError
        The run is damaged.
    """
    require_hits(catalog, place_chunks(catalog), "a bigWig")
    sizes = sorted(chromosome_lengths(catalog).items())
    asked = {"table": table.value, "label": label, "signal": signal}
    with merged_folder(out, last="") as made:
        for name, runs in groupby(_runs(catalog, asked), key=itemgetter(0)):
            with pyBigWig.open(str(made / f"{folder_name(name)}.bw"), "w") as file:
                file.addHeader(sizes)
                for _, chrom, rows in runs:
                    file.addEntries(
                        [chrom] * len(rows),
                        rows["start"].to_pylist(),
                        ends=rows["end"].to_pylist(),
                        values=rows["value"].to_pylist(),
                    )


def _runs(catalog: Catalog, asked: Mapping[str, object]) -> Iterator[Runs]:
    """Yield consecutive rows of one label and chromosome."""
    for batch in catalog.stream("bigwig_rows", asked):
        labels, chroms = (np.array(batch[name].to_pylist()) for name in ("label", "chr"))
        begins = (labels[1:] != labels[:-1]) | (chroms[1:] != chroms[:-1])
        bounds = [0, *(np.flatnonzero(begins) + 1).tolist(), len(labels)]
        for start, stop in pairwise(bounds):
            if stop > start:
                yield str(labels[start]), str(chroms[start]), batch.slice(start, stop - start)
