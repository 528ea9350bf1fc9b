"""Everything a page shows, asked of the catalog and, for contributions, of the store.

The catalog answers by its views and named queries, so that a page, a query and SQL agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.named import ask, rows_of
from finemo_dist.core.defaults import GAP_TOLERANCE
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import MotifSet
from finemo_dist.hits.matches import read_matches
from finemo_dist.reports.comparison_page import ComparisonData
from finemo_dist.reports.cwms import CwmSums, projected
from finemo_dist.reports.loci import report_places, views_of
from finemo_dist.reports.page_model import (
    AtlasData,
    ExampleRegion,
    Quantity,
    RegionHit,
    ReportData,
    SampleQuality,
    Summary,
)
from finemo_dist.reports.provenance import provenance_of
from finemo_dist.reports.scope import Scope
from finemo_dist.reports.trust import gather_filter, gather_trust

_POSITION_BINS: Final = 50
"""Of a region's width."""
_MOST_PAIRS: Final = 300
_SPACING: Final = {"overlaps": "no", "orientation": "facing", "pairs": _MOST_PAIRS}
"""Parameters of the query ``spacing``."""
_BLOCK_REGIONS: Final = 8192
_BINS: Final = pa.schema(
    [("motif_name", pa.string()), ("quantity", pa.string()), ("bin_start", pa.float64()),
     ("bin_end", pa.float64()), ("n", pa.int64())]
)  # fmt: skip


def gather_report(
    catalog: Catalog,
    readers: Mapping[str, RegionReader],
    motifs: MotifSet,
    *,
    title: str,
    motif_report: pa.Table,
    confusion: pa.Table | None,
    sums: Mapping[str, CwmSums],
    scope: Scope,
) -> ReportData:
    """Return what ``report.html`` shows; needs ``scope.prepare``."""
    samples = sample_quality(catalog)
    known = known_motifs(catalog)
    return ReportData(
        title=title,
        summary=summarise_run(catalog, samples, motif_report, scope.warnings),
        provenance=provenance_of(catalog.record),
        motifs=motifs,
        motif_report=motif_report,
        hit_cwms=_by_name(motifs, sums),
        missed_cwms=_by_name(motifs, sums, "seqlets_only") if confusion is not None else {},
        additional_cwms=(
            _by_name(motifs, sums, "hits_restricted_only") if confusion is not None else {}
        ),
        samples=samples,
        annotations=known.annotations,
        display=known.display,
        palindromes=known.palindromes,
        counts=ask(catalog, "counts").arrow(),
        distributions=distributions(catalog),
        confusion=confusion,
        seqlet_scope=scope.sentence,
        cooccurrence=ask(catalog, "cooccurrence").arrow(),
        spacing=ask(catalog, "spacing", _SPACING).arrow(),
        examples=example_regions(catalog, readers),
        loci=tuple(views_of(catalog, readers.__getitem__, report_places(catalog))),
        funnel=funnel(catalog),
        trust=gather_trust(catalog),
        filtered=gather_filter(catalog, readers, motifs, sums["hits"]),
        matches=read_matches(catalog.run_dir),
    )


def gather_atlas(
    catalog: Catalog,
    readers: Mapping[str, RegionReader],
    motifs: MotifSet,
    *,
    title: str,
    motif_report: pa.Table,
    sums: Mapping[str, CwmSums],
    comparison: ComparisonData | None = None,
) -> AtlasData:
    """Return what the page of a run of many samples shows; needs ``scope.prepare``."""
    samples = sample_quality(catalog)
    known = known_motifs(catalog)
    return AtlasData(
        title=title,
        summary=summarise_run(catalog, samples, motif_report, {}),
        provenance=provenance_of(catalog.record),
        motifs=motifs,
        samples=samples,
        n_hits=hit_matrix(catalog, motifs, samples),
        annotations=known.annotations,
        display=known.display,
        palindromes=known.palindromes,
        hit_cwms=_by_name(motifs, sums),
        trust=gather_trust(catalog),
        filtered=gather_filter(catalog, readers, motifs, sums["hits"]),
        matches=read_matches(catalog.run_dir),
        clusters=known.clusters,
        comparison=comparison,
    )


@dataclass(frozen=True, slots=True)
class KnownMotifs:
    """What is known of motifs by name."""

    annotations: dict[str, str]
    """Of those that have one."""
    display: dict[str, str]
    """What people read."""
    palindromes: frozenset[str]
    clusters: dict[str, str]
    """Of those that have one."""


def known_motifs(catalog: Catalog) -> KnownMotifs:
    """Return annotations, display names and palindromes."""
    known = catalog.run("report_motifs")
    annotations = {
        name: ", ".join(label for label in labels if label)
        for name, *labels, _, _ in known
        if any(labels)
    }
    display = {row[0]: row[-2] for row in known}
    palindromes = frozenset(row[0] for row in known if row[-1])
    clusters = {row[0]: row[3] for row in known if row[3]}
    return KnownMotifs(annotations, display, palindromes, clusters)


def sample_quality(catalog: Catalog) -> tuple[SampleQuality, ...]:
    """Return one row per sample, by name."""
    reports = catalog.record.input_reports
    return tuple(
        SampleQuality(
            name=name,
            n_regions=n_regions,
            n_regions_done=n_done,
            n_hits=n_hits,
            n_without_hit=n_without,
            n_not_converged=n_not_converged,
            max_gap=max_gap,
            median_nll=nll,
            n_clipped=_input_report(reports[name]).counts.n_clipped if name in reports else None,
        )
        for (
            name, n_regions, n_done, n_hits, n_without, n_not_converged, max_gap, nll,
        ) in catalog.run("report_samples")
    )  # fmt: skip


def hit_matrix(
    catalog: Catalog, motifs: MotifSet, samples: tuple[SampleQuality, ...]
) -> NDArray[np.int64]:
    """Return hits by motif and sample, (motifs, samples)."""
    row = {name: i for i, name in enumerate(motifs.name[::2])}
    column = {sample.name: i for i, sample in enumerate(samples)}
    matrix = np.zeros((len(row), len(column)), np.int64)
    for found in rows_of(catalog, "counts"):
        matrix[row[found["motif_name"]], column[found["sample"]]] = found["n_hits"]
    return matrix


def distributions(catalog: Catalog) -> pa.Table:
    """Return the bins of every quantity, those of all motifs together first."""
    (width,) = {catalog.sample(name).region_width for name in catalog.samples}
    step = max(1, width // _POSITION_BINS)
    found: dict[tuple[str | None, str, float, float], int] = {}

    def add(motif: str | None, quantity: Quantity, start: float, end: float, n: int) -> None:
        key = (motif, quantity, float(start), float(end))
        found[key] = found.get(key, 0) + n

    for row in rows_of(catalog, "hits_per_region"):
        add(None, "hits_per_region", row["n_hits"], row["n_hits"] + 1, row["n_regions"])
    for row in rows_of(catalog, "motif_hits_per_region"):
        n_hits = row["n_hits"]
        add(row["motif_name"], "hits_per_region", n_hits, n_hits + 1, row["n_regions"])
    for row in rows_of(catalog, "positions", {"bin": step}):
        start, n = row["position"], row["n_forward"] + row["n_reverse"]
        add(None, "position", start, start + step, n)
        add(row["motif_name"], "position", start, start + step, n)
    for row in rows_of(catalog, "distributions"):
        add(row["motif_name"], row["quantity"], row["bin_start"], row["bin_end"], row["n_hits"])
    rows = sorted(found, key=lambda key: (key[0] is not None, key[0] or "", *key[1:]))
    return pa.Table.from_pylist(
        [dict(zip(_BINS.names, (*key, found[key]), strict=True)) for key in rows], schema=_BINS
    )


def funnel(catalog: Catalog) -> tuple[tuple[str, int], ...]:
    """Return how many hits each step leaves."""
    ((n_hits, n_converged, n_unique, n_primary),) = catalog.run("report_funnel")
    return (
        ("Hits in all regions", n_hits),
        ("Hits in converged regions", n_converged),
        ("Unique hits: one per site", n_unique),
        ("Primary hits: no better hit overlaps", n_primary),
    )


def summarise_run(
    catalog: Catalog,
    samples: tuple[SampleQuality, ...],
    motif_report: pa.Table,
    warnings: Mapping[str, int],
) -> Summary:
    """Return the numbers of the first screen; ``warnings`` are those beside the run's own."""
    record = catalog.record
    numbers = catalog.run("sample_numbers")
    hits = motif_report["num_hits_total"].to_pylist()
    recalls = (
        [value for value in motif_report["seqlet_recall"].to_pylist() if value is not None]
        if "seqlet_recall" in motif_report.column_names
        else []
    )
    solver = record.config.get("solver", {})
    met = _input_warnings(catalog)
    return Summary(
        n_samples=len(samples),
        n_regions=sum(s.n_regions for s in samples),
        n_regions_done=sum(s.n_regions_done for s in samples),
        n_hits=sum(s.n_hits for s in samples),
        n_unique=sum(hits),
        n_without_hit=sum(s.n_without_hit for s in samples),
        n_not_converged=sum(s.n_not_converged for s in samples),
        n_motifs=len(hits),
        n_motifs_without_hit=sum(n == 0 for n in hits),
        n_shards=sum(row[2] for row in numbers),
        n_shards_done=sum(row[3] for row in numbers),
        max_gap=max((s.max_gap for s in samples), default=0.0),
        tolerance=float(solver.get("tolerance", GAP_TOLERANCE)),
        n_clipped=met.pop("clipped", 0),
        median_recall=median(recalls) if recalls else None,
        warnings={**met, **warnings},
    )


def _input_warnings(catalog: Catalog) -> dict[str, int]:
    """Return what was irregular in the inputs of the samples shown, where it is known of each."""
    reports = catalog.record.input_reports
    if not all(name in reports for name in catalog.samples):
        # A record says of whole runs what was met, and how many regions did not converge.
        return {kind: n for kind, n in catalog.record.warnings.items() if kind != "not_converged"}
    met = InputReport.total(_input_report(reports[name]) for name in catalog.samples)
    return met.counts.irregular()


def _input_report(values: Mapping[str, Mapping[str, Any]]) -> InputReport:
    return InputReport.from_dict(values)


def _by_name(
    motifs: MotifSet, sums: Mapping[str, CwmSums], kind: str = "hits"
) -> dict[str, NDArray[np.float64]]:
    hits = sums[kind]
    names = motifs.name[::2]
    return {n: m for n, m, count in zip(names, hits.mean, hits.count, strict=True) if count}


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
    hits = rows_of(catalog, "region_hits", {"sample": sample, "peak_id": peak_id})
    return ExampleRegion(
        title=title,
        place=where if len(catalog.samples) == 1 else f"{sample}, {where}",
        sequence=batch.sequence[0],
        contributions=projected(batch)[0],
        hits=tuple(
            RegionHit(
                motif_name=hit["motif_name"],
                strand=hit["strand"],
                start=hit["offset"],
                end=hit["offset"] + hit["end"] - hit["start"],
                coefficient=hit["hit_coefficient"],
                similarity=hit["hit_similarity"],
                label=hit["display_name"],
            )
            for hit in hits
        ),
    )


def _row_of(reader: RegionReader, peak_id: int) -> int:
    for first in range(0, reader.n_regions, _BLOCK_REGIONS):
        last = min(first + _BLOCK_REGIONS, reader.n_regions)
        found = np.flatnonzero(reader.table(first, last).peak_id == peak_id)
        if len(found):
            return first + int(found[0])
    raise AssertionError(f"region {peak_id} of the catalog is not in its store")
