"""Everything a page shows, asked of the catalog and, for contributions, of the store."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.defaults import GAP_TOLERANCE
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import MotifSet
from finemo_dist.reports.cwms import CwmSums
from finemo_dist.reports.examples import example_regions
from finemo_dist.reports.page_model import (
    AtlasData,
    Provenance,
    ReportData,
    SampleQuality,
    Summary,
)
from finemo_dist.reports.provenance import provenance_of
from finemo_dist.reports.scope import Scope

_FURTHEST_BP: Final = 150
_MOST_PAIRS: Final = 300
_TEXT, _NUMBER, _COUNT = pa.string(), pa.float64(), pa.int64()
_SCHEMAS: Final = {
    "report_distributions": pa.schema(
        [("motif_name", _TEXT), ("quantity", _TEXT), ("bin_start", _NUMBER), ("bin_end", _NUMBER),
         ("n", _COUNT)]
    ),
    "report_cooccurrence": pa.schema(
        [("motif_name_a", _TEXT), ("motif_name_b", _TEXT), ("n_both", _COUNT), ("n_a", _COUNT),
         ("n_b", _COUNT), ("n_regions", _COUNT), ("odds_ratio", _NUMBER)]
    ),
    "report_spacing": pa.schema(
        [("motif_name_a", _TEXT), ("motif_name_b", _TEXT), ("orientation", _TEXT),
         ("distance", _COUNT), ("n", _COUNT)]
    ),
}  # fmt: skip


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
    return ReportData(
        title=title,
        summary=summarise_run(catalog, samples, motif_report, scope.warnings),
        provenance=_provenance(catalog),
        motifs=motifs,
        motif_report=motif_report,
        hit_cwms=_by_name(motifs, sums),
        samples=samples,
        annotations=annotations(catalog),
        distributions=_table(catalog, "report_distributions"),
        confusion=confusion,
        seqlet_scope=scope.sentence,
        cooccurrence=_table(catalog, "report_cooccurrence"),
        spacing=_table(
            catalog,
            "report_spacing",
            {"most_bp": _FURTHEST_BP, "most_pairs": _MOST_PAIRS},
        ),
        examples=example_regions(catalog, readers),
        funnel=funnel(catalog),
    )


def gather_atlas(
    catalog: Catalog,
    motifs: MotifSet,
    *,
    title: str,
    motif_report: pa.Table,
    sums: Mapping[str, CwmSums],
) -> AtlasData:
    """Return what the page of a run of many samples shows; needs ``scope.prepare``."""
    samples = sample_quality(catalog)
    return AtlasData(
        title=title,
        summary=summarise_run(catalog, samples, motif_report, {}),
        provenance=_provenance(catalog),
        motifs=motifs,
        samples=samples,
        n_hits=hit_matrix(catalog, motifs, samples),
        annotations=annotations(catalog),
        hit_cwms=_by_name(motifs, sums),
    )


def annotations(catalog: Catalog) -> dict[str, str]:
    """Return motif to what it is known as: transcription factor, family and cluster."""
    return {
        name: ", ".join(label for label in labels if label)
        for name, *labels in catalog.run("report_annotations")
    }


def sample_quality(catalog: Catalog) -> tuple[SampleQuality, ...]:
    """Return a row a sample, by name."""
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
    for sample, motif, n in catalog.run("report_matrix"):
        matrix[row[motif], column[sample]] = n
    return matrix


def funnel(catalog: Catalog) -> tuple[tuple[str, int], ...]:
    """Return what is left of the hits after each step."""
    ((n_hits, n_converged, n_unique),) = catalog.run("report_funnel")
    ((n_primary,),) = catalog.run("report_funnel_primary")
    return (
        ("Hits in all regions", n_hits),
        ("In converged regions", n_converged),
        ("Unique by place", n_unique),
        ("Primary: not overlapped by a better one", n_primary),
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
    return Summary(
        n_samples=len(samples),
        n_regions=sum(s.n_regions for s in samples),
        n_regions_done=sum(s.n_regions_done for s in samples),
        n_hits=sum(s.n_hits for s in samples),
        n_without_hit=sum(s.n_without_hit for s in samples),
        n_not_converged=sum(s.n_not_converged for s in samples),
        n_motifs=len(hits),
        n_motifs_without_hit=sum(n == 0 for n in hits),
        n_shards=sum(row[2] for row in numbers),
        n_shards_done=sum(row[3] for row in numbers),
        max_gap=max((s.max_gap for s in samples), default=0.0),
        tolerance=float(solver.get("tolerance", GAP_TOLERANCE)),
        n_clipped=record.warnings.get("clipped", 0),
        median_recall=median(recalls) if recalls else None,
        warnings={**record.warnings, **warnings},
    )


def _provenance(catalog: Catalog) -> Provenance:
    provenance = provenance_of(catalog.record)
    return replace(provenance, caller=catalog.record.config.get("caller", provenance.caller))


def _by_name(motifs: MotifSet, sums: Mapping[str, CwmSums]) -> dict[str, NDArray[np.float64]]:
    hits = sums["hits"]
    names = motifs.name[::2]
    return {n: m for n, m, count in zip(names, hits.mean, hits.count, strict=True) if count}


def _table(
    catalog: Catalog, query: str, parameters: Mapping[str, object] | None = None
) -> pa.Table:
    schema = _SCHEMAS[query]
    rows = catalog.run(query, parameters)
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table(
        [pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)], schema=schema
    )
