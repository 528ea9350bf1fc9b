"""``report.html`` and the page of an atlas: data in, text out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import pyarrow as pa

from finemo_dist.core.words import count, number, percent
from finemo_dist.reports.atlas import OUTLIER_LIMIT, anchor, atlas_rows, outlying_samples
from finemo_dist.reports.charts import (
    distribution_rows,
    motif_charts,
    overall_charts,
    sample_chart,
    seqlet_chart,
    sharing_chart,
    spacing_chart,
)
from finemo_dist.reports.comparison_page import (
    COMPARISON_FOLDER,
    COMPARISON_PAGE,
    comparison_context,
    most_different,
)
from finemo_dist.reports.flags import ALL_FLAGS
from finemo_dist.reports.glossary import GLOSSARY
from finemo_dist.reports.locus_page import loci_payload, packed
from finemo_dist.reports.match_rows import match_rows
from finemo_dist.reports.matrices import (
    Matrix,
    atlas_matrix,
    confusion_matrix,
    cooccurrence_matrix,
)
from finemo_dist.reports.methods import methods
from finemo_dist.reports.motif_rows import (
    MotifRow,
    differing_logos,
    filter_rows,
    motif_rows,
)
from finemo_dist.reports.page_model import AtlasData, ReportData, Summary
from finemo_dist.reports.rendering import chart_payload, matrix_payload, render
from finemo_dist.reports.tracks import track
from finemo_dist.reports.verdict import RULES, verdict

_TOP_PAIRS: Final = 20
_LEAST_TOGETHER: Final = 5
_SPACING_BIN: Final = 2


@dataclass(frozen=True, slots=True)
class Tile:
    """A number with its label."""

    label: str
    value: str
    note: str = ""
    needs_attention: bool = False


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A stage of the funnel as a bar."""

    label: str
    n: int
    share: float
    """Of the widest bar, in per cent."""
    kept: str
    """Share of the step before, as text; empty for the first."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two motifs and how far apart their sites are."""

    label: str
    bins: tuple[tuple[str, int, int, int], ...]
    """Orientation, first distance, the one after the last, number of pairs."""


def render_report(data: ReportData) -> str:
    """Return ``report.html``: one file without links, the same for the same data."""
    rows = motif_rows(data)
    # In the order of the table's motifs, so that a matrix reads like it.
    in_order = sorted(rows, key=lambda row: row.index)
    names, shown = [row.name for row in in_order], [row.shown for row in in_order]
    has_seqlets = any(row.n_seqlets is not None for row in rows)
    seqlets = seqlet_chart(rows) if has_seqlets else None
    per_motif = motif_charts() if data.distributions is not None else ()
    overall = overall_charts(data.distributions)
    confusion = (
        confusion_matrix(data.confusion, names, shown)
        if data.confusion is not None and data.confusion.num_rows
        else None
    )
    cooccurrence = (
        cooccurrence_matrix(data.cooccurrence, names, shown)
        if data.cooccurrence is not None and data.cooccurrence.num_rows
        else None
    )
    pairs = _pairs(data.spacing, data.display)
    spacing = spacing_chart() if pairs else None
    tracks = tuple(track(region) for region in data.examples)
    charts = tuple(c for c in (*overall, *per_motif, seqlets, spacing) if c is not None)
    matrices = tuple(m for m in (confusion, cooccurrence) if m is not None)
    return render(
        "report.html.j2",
        {
            **_common(data, rows),
            "sections": _sections(
                Trust=data.trust, Filter=data.filtered, Seqlets=confusion or seqlets,
                Regions=overall, Pairs=cooccurrence or spacing,
                Examples=tracks or data.loci,
            ),
            "funnel": funnel_steps(data.funnel),
            "has": {
                "counts": data.counts is not None,
                "similarity": any(row.hit_similarity is not None for row in rows),
                "seqlets": has_seqlets,
            },
            "flags": ALL_FLAGS,
            "motif_charts": per_motif,
            "seqlet_chart": seqlets,
            "seqlet_scope": data.seqlet_scope,
            "confusion": confusion,
            "overall": overall,
            "cooccurrence": cooccurrence,
            "spacing": spacing,
            "pairs": pairs,
            "top_pairs": _top_pairs(data.cooccurrence, data.display),
            "tracks": tracks,
            "loci": data.loci,
            "payload": {
                "charts": chart_payload(charts),
                "matrices": matrix_payload(matrices),
                "packed": _shown_one_at_a_time(data, rows, pairs),
            },
        },
    )  # fmt: skip


def _shown_one_at_a_time(data: ReportData, rows: Sequence[MotifRow], pairs: Sequence[_Pair]) -> str:
    """Return motifs, pairs and regions deflated: a sixth of their size, which was half a page."""
    return packed(
        {
            "motifs": _details(rows, data),
            "pairs": [pair.bins for pair in pairs],
            **loci_payload(data.loci),
        }
    )


def render_atlas(data: AtlasData) -> str:
    """Return the page of a run of many samples: one file without links."""
    rows = atlas_rows(data)
    outliers = outlying_samples(data)
    names = [data.display.get(name, name) for name in data.motifs.name[::2]]
    samples = [sample.name for sample in data.samples]
    heat = atlas_matrix(data.rates, names, samples)
    by_cluster = _cluster_matrix(data, names, samples)
    matrices = (heat,) if by_cluster is None else (heat, by_cluster)
    cloud = sample_chart(data.samples, list(outliers))
    sharing = sharing_chart([row.n_samples for row in rows], len(samples))
    return render(
        "atlas.html.j2",
        {
            **_common(data, rows),
            "sections": (
                ("overview", "Overview"), ("map", "Map"),
                *((("comparison", "Comparison"),) if data.comparison else ()),
                ("samples", "Samples"), ("motifs", "Motifs"),
                *((("trust", "Trust"),) if data.trust else ()),
                *((("filter", "Filter"),) if data.filtered else ()),
                ("methods", "Methods"), ("glossary", "Glossary"),
            ),
            "heat": heat,
            "by_cluster": by_cluster,
            "outliers": outliers,
            "outlier_limit": f"{OUTLIER_LIMIT:g}",
            "sample_chart": cloud,
            "sharing": sharing,
            "has": {"hit_cwms": bool(data.hit_cwms)},
            **_compared(data),
            "payload": {
                "charts": chart_payload((cloud, sharing)),
                "matrices": matrix_payload(matrices),
            },
        },
    )  # fmt: skip


def _cluster_matrix(data: AtlasData, shown: Sequence[str], samples: Sequence[str]) -> Matrix | None:
    """Return hits per region by clusters of motifs; None where no motifs share one."""
    of = [data.clusters.get(name, name) for name in data.motifs.name[::2]]
    row = {label: i for i, label in enumerate(dict.fromkeys(of))}
    if len(row) == len(of):
        return None
    rates = np.zeros((len(row), len(samples)))
    np.add.at(rates, [row[label] for label in of], data.rates)
    members = Counter(of)
    single = dict(zip(of, shown, strict=True))
    names = [f"{c} ({n} motifs)" if (n := members[c]) > 1 else single[c] for c in row]
    return atlas_matrix(rates, names, samples, noun="cluster")


def _compared(data: AtlasData) -> dict[str, Any]:
    """Return what the section of a comparison takes; nothing where there is none."""
    found = data.comparison
    if found is None:
        return {"compared": None}
    place = {name: anchor(i) for i, name in enumerate(data.motifs.name[::2])}
    return {
        "compared": comparison_context(found, [place[row["motif"]] for row in found.table]),
        "compared_first": most_different(found),
        "compared_page": f"{COMPARISON_FOLDER}/{COMPARISON_PAGE}",
    }


def _common(data: ReportData | AtlasData, rows: Sequence[Any]) -> dict[str, Any]:
    return {
        "title": data.title,
        "provenance": data.provenance,
        "samples": data.samples,
        "rows": rows,
        "n_regions": data.summary.n_regions_done,
        "most_hits": max((row.n_hits or 0 for row in rows), default=0) or 1,
        "verdict": verdict(data.summary),
        "rules": RULES,
        "tiles": tiles(data.summary),
        "methods": methods(data.summary, data.provenance),
        "glossary": GLOSSARY,
        "trust": data.trust,
        "filtered": data.filtered,
        "filter_rows": filter_rows(data, rows),
        "matches": match_rows(data.matches, data.motifs, rows),
        "database": next((m[0].database for m in data.matches.values()), ""),
    }


def _sections(**shown: object) -> tuple[tuple[str, str], ...]:
    ids = {"Trust": "trust", "Filter": "filter", "Seqlets": "seqlets",
           "Regions": "distributions", "Pairs": "pairs",
           "Examples": "regions"}  # fmt: skip
    middle = tuple((ids[label], label) for label, content in shown.items() if content)
    return (
        ("overview", "Overview"), ("motifs", "Motifs"), ("motif", "One motif"), *middle,
        ("methods", "Methods"), ("glossary", "Glossary"),
    )  # fmt: skip


def _details(rows: Sequence[MotifRow], data: ReportData) -> list[dict[str, Any]]:
    """Return what is shown of each motif, in the order of the motif file."""
    bins = distribution_rows(data.distributions)
    is_filtered = data.provenance.parameters.get("post filter", "yes") == "yes"
    captions = (
        ("Hits CWM, forward", "hits_forward"),
        ("modisco CWM, forward", "modisco_forward"),
        ("Hits CWM, reverse", "hits_reverse"),
        ("modisco CWM, reverse", "modisco_reverse"),
    )
    details = []
    for row in sorted(rows, key=lambda row: row.index):
        logos = ((caption, getattr(row.logos, name)) for caption, name in captions)
        details.append(
            {
                "logos": [(s.id, s.label, caption) for caption, s in logos if s is not None],
                "more": [
                    (caption, s.label, s.width, s.height, s.zero, s.paths)
                    for caption, s in differing_logos(data, row)
                ],
                "flags": [(flag.label, flag.meaning) for flag in row.flags],
                "facts": _facts(row),
                "threshold": row.penalty if is_filtered else None,
                "bins": {
                    quantity: held for (name, quantity), held in bins.items() if name == row.name
                },
            }
        )
    return details


def _facts(row: MotifRow) -> list[tuple[str, str]]:
    facts = {
        "Name in the motif file": row.name_orig if row.name_orig != row.name else None,
        "Annotation": row.annotation or None,
        "Hits in all regions": None if row.n_hits is None else f"{row.n_hits:,}",
        "Unique hits": f"{row.n_unique:,}",
        "Regions with a hit": None if row.n_regions is None else f"{row.n_regions:,}",
        "Mean similarity": _or_none(row.hit_similarity),
        "CWM cosine": _or_none(row.cwm_similarity),
        "Seqlets": None if row.n_seqlets is None else f"{row.n_seqlets:,}",
        "Seqlets with a hit": None if row.n_overlaps is None else f"{row.n_overlaps:,}",
        "Recall": None if row.recall is None else percent(row.recall),
        "Lambda": f"{row.penalty:g}",
        "Trim window": f"{row.trim[0]} to {row.trim[1]} ({row.trim[1] - row.trim[0]} columns)",
    }
    return [(term, value) for term, value in facts.items() if value is not None]


def _or_none(value: float | None) -> str | None:
    return None if value is None else number(value, 3)


def _pairs(table: pa.Table | None, display: Mapping[str, str]) -> list[_Pair]:
    """Return the pairs of motifs with the most pairs of sites, most first, then as in the run."""
    held: dict[tuple[str, str], Counter[tuple[str, int]]] = {}
    for row in table.to_pylist() if table is not None else ():
        start = int(abs(row["distance"])) // _SPACING_BIN * _SPACING_BIN
        bins = held.setdefault((row["motif_1"], row["motif_2"]), Counter())
        bins[row["orientation"], start] += row["n"]
    return [
        _Pair(
            f"{display.get(first, first)} and {display.get(second, second)} "
            f"({count(bins.total(), 'pair')} of sites)",
            tuple((o, start, start + _SPACING_BIN, n) for (o, start), n in sorted(bins.items())),
        )
        for (first, second), bins in sorted(held.items(), key=lambda pair: -pair[1].total())
    ]


def _top_pairs(table: pa.Table | None, display: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Return pairs far beyond chance, of those that share enough regions to say so."""
    found = (
        row | {f"shown_{i}": display.get(row[f"motif_{i}"], row[f"motif_{i}"]) for i in (1, 2)}
        for row in (table.to_pylist() if table is not None else ())
        if row["n_both"] >= _LEAST_TOGETHER and row["odds_ratio"] > 1
    )
    # The query has them by odds ratio.
    return list(islice(found, _TOP_PAIRS))


def tiles(s: Summary) -> tuple[Tile, ...]:
    """Return the numbers of the first screen."""
    n_warnings = sum(s.warnings.values())
    missing = s.n_regions - s.n_regions_done
    return (
        Tile("Samples", f"{s.n_samples:,}"),
        Tile(
            "Regions",
            f"{s.n_regions_done:,}",
            f"{missing:,} missing" if missing else "",
            needs_attention=bool(missing),
        ),
        Tile(
            "Motifs",
            f"{s.n_motifs:,}",
            f"{s.n_motifs_without_hit:,} without a hit"
            if s.n_motifs_without_hit
            else "all with hits",
        ),
        Tile("Hits", f"{s.n_hits:,}", _unique(s), needs_attention=not s.n_hits),
        Tile("Hits per region", f"{s.hits_per_region:.1f}"),
        Tile("Regions without a hit", f"{s.n_without_hit:,}", _part(s, s.n_without_hit)),
        Tile(
            "Regions not converged",
            f"{s.n_not_converged:,}",
            _part(s, s.n_not_converged),
            needs_attention=bool(s.n_not_converged),
        ),
        Tile(
            "Clipped regions",
            f"{s.n_clipped:,}",
            "beyond a chromosome end",
            needs_attention=bool(s.n_clipped),
        ),
        Tile("Input warnings", f"{n_warnings:,}", needs_attention=bool(n_warnings)),
    )


def funnel_steps(stages: tuple[tuple[str, int], ...]) -> tuple[FunnelStep, ...]:
    """Return the bars of a funnel, the first stage widest."""
    most = max((n for _, n in stages), default=0) or 1
    before = (None, *(n for _, n in stages))
    return tuple(
        FunnelStep(label, n, round(100 * n / most, 2), f"{percent(n / last)} kept" if last else "")
        for (label, n), last in zip(stages, before, strict=False)
    )


def _unique(s: Summary) -> str:
    return f"{s.n_unique:,} unique: one per site"


def _part(s: Summary, n: int) -> str:
    return f"{percent(n / s.n_regions_done)} of regions" if s.n_regions_done else ""
