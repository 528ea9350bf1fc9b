"""Regions that show what a run did, with their contributions."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.protocols import RegionReader
from finemo_dist.reports.cwms import projected
from finemo_dist.reports.page_model import ExampleRegion, RegionHit

_BLOCK_REGIONS: Final = 8192


def example_regions(
    catalog: Catalog, readers: Mapping[str, RegionReader]
) -> tuple[ExampleRegion, ...]:
    """Return the region with most hits, a typical one, and the one least explained."""
    return tuple(
        _example(catalog, readers[sample], title, sample, peak_id, place)
        for title, sample, peak_id, *place in catalog.run("report_examples")
    )


def _example(
    catalog: Catalog,
    reader: RegionReader,
    title: str,
    sample: str,
    peak_id: int,
    place: list[object],
) -> ExampleRegion:
    row = _row_of(reader, peak_id)
    batch = reader.read(row, row + 1)
    chrom, start, end, name = place
    where = f"{chrom}:{start:,}-{end:,} ({name})" if chrom is not None else f"region {peak_id:,}"
    hits = catalog.run("report_region_hits", {"sample": sample, "peak_id": peak_id})
    return ExampleRegion(
        title=title,
        place=where if len(catalog.samples) == 1 else f"{sample}, {where}",
        sequence=batch.sequence[0],
        contributions=projected(batch)[0],
        hits=tuple(RegionHit(*hit) for hit in hits),
    )


def _row_of(reader: RegionReader, peak_id: int) -> int:
    for first in range(0, reader.n_regions, _BLOCK_REGIONS):
        last = min(first + _BLOCK_REGIONS, reader.n_regions)
        found = np.flatnonzero(reader.table(first, last).peak_id == peak_id)
        if len(found):
            return first + int(found[0])
    raise AssertionError(f"region {peak_id} of the catalog is not in its store")
