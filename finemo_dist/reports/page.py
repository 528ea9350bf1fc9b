"""``report.html`` and the page of an atlas: data in, text out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from finemo_dist.reports.atlas import OUTLIER_LIMIT, atlas_rows, outlying_samples
from finemo_dist.reports.charts import (
    distribution_rows,
    motif_charts,
    overall_charts,
    sample_chart,
    seqlet_chart,
    sharing_chart,
    spacing_chart,
)
from finemo_dist.reports.flags import ALL_FLAGS
from finemo_dist.reports.glossary import GLOSSARY
from finemo_dist.reports.matrices import (
    atlas_matrix,
    confusion_matrix,
    cooccurrence_matrix,
)
from finemo_dist.reports.methods import methods
from finemo_dist.reports.motif_rows import MotifRow, motif_rows
from finemo_dist.reports.page_model import AtlasData, ReportData
from finemo_dist.reports.rendering import chart_payload, matrix_payload, render
from finemo_dist.reports.tiles import funnel_steps, tiles
from finemo_dist.reports.tracks import track
from finemo_dist.reports.verdict import RULES, verdict
from finemo_dist.reports.words import number, percent

_MOST_PAIRS: Final = 300
_TOP_PAIRS: Final = 20
_LEAST_TOGETHER: Final = 5
_SPACING_BIN: Final = 2


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two motifs and how far their hits lie apart."""

    label: str
    bins: tuple[tuple[str, int, int, int], ...]
    """Orientation, first distance, the one after the last, number of pairs."""


def render_report(data: ReportData) -> str:
    """Return ``report.html``: one file without links, the same for the same data."""
    rows = motif_rows(data)
    # In the order of the table's motifs, so that a matrix reads like it.
    names = [row.name for row in sorted(rows, key=lambda row: row.index)]
    has_seqlets = any(row.n_seqlets is not None for row in rows)
    seqlets = seqlet_chart(rows) if has_seqlets else None
    per_motif = motif_charts() if data.distributions is not None else ()
    overall = overall_charts(data.distributions)
    confusion = (
        confusion_matrix(data.confusion, names)
        if data.confusion is not None and data.confusion.num_rows
        else None
    )
    cooccurrence = (
        cooccurrence_matrix(data.cooccurrence)
        if data.cooccurrence is not None and data.cooccurrence.num_rows
        else None
    )
    pairs = _pairs(data.spacing)
    spacing = spacing_chart() if pairs else None
    tracks = tuple(track(region) for region in data.examples)
    charts = tuple(c for c in (*overall, *per_motif, seqlets, spacing) if c is not None)
    matrices = tuple(m for m in (confusion, cooccurrence) if m is not None)
    return render(
        "report.html.j2",
        {
            **_common(data, rows),
            "sections": _sections(
                Seqlets=confusion or seqlets, Regions=overall, Pairs=cooccurrence or spacing,
                Examples=tracks,
            ),
            "funnel": funnel_steps(data.funnel),
            "has": {
                "regions": any(row.n_regions is not None for row in rows),
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
            "top_pairs": _top_pairs(data.cooccurrence),
            "tracks": tracks,
            "payload": {
                "charts": chart_payload(charts),
                "matrices": matrix_payload(matrices),
                "motifs": _details(rows, data),
                "pairs": [pair.bins for pair in pairs],
            },
        },
    )  # fmt: skip


def render_atlas(data: AtlasData) -> str:
    """Return the page of a run of many samples: one file without links."""
    rows = atlas_rows(data)
    outliers = outlying_samples(data)
    names = data.motifs.name[::2]
    samples = [sample.name for sample in data.samples]
    heat = atlas_matrix(data.rates, names, samples)
    cloud = sample_chart(data.samples, list(outliers))
    sharing = sharing_chart([row.n_samples for row in rows], len(samples))
    return render(
        "atlas.html.j2",
        {
            **_common(data, rows),
            "sections": (
                ("overview", "Overview"), ("map", "Map"), ("samples", "Samples"),
                ("motifs", "Motifs"), ("methods", "Methods"), ("glossary", "Glossary"),
            ),
            "heat": heat,
            "outliers": outliers,
            "outlier_limit": f"{OUTLIER_LIMIT:g}",
            "sample_chart": cloud,
            "sharing": sharing,
            "has": {"hit_cwms": bool(data.hit_cwms)},
            "payload": {
                "charts": chart_payload((cloud, sharing)),
                "matrices": matrix_payload((heat,)),
            },
        },
    )  # fmt: skip


def _common(data: ReportData | AtlasData, rows: Sequence[Any]) -> dict[str, Any]:
    return {
        "title": data.title,
        "provenance": data.provenance,
        "samples": data.samples,
        "rows": rows,
        "most_hits": max((row.n_hits for row in rows), default=0) or 1,
        "verdict": verdict(data.summary),
        "rules": RULES,
        "tiles": tiles(data.summary),
        "methods": methods(data.summary, data.provenance),
        "glossary": GLOSSARY,
    }


def _sections(**shown: object) -> tuple[tuple[str, str], ...]:
    ids = {"Seqlets": "seqlets", "Regions": "distributions", "Pairs": "pairs",
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
        "Hits": f"{row.n_hits:,}",
        "Regions with a hit": None if row.n_regions is None else f"{row.n_regions:,}",
        "Median similarity": _or_none(row.hit_similarity),
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


def _pairs(table: pa.Table | None) -> list[_Pair]:
    """Return the pairs with the most pairs of hits, most first."""
    held: dict[tuple[str, str], Counter[tuple[str, int]]] = {}
    for row in table.to_pylist() if table is not None else ():
        pair = row["motif_name_a"], row["motif_name_b"]
        start = row["distance"] // _SPACING_BIN * _SPACING_BIN
        held.setdefault(pair, Counter())[row["orientation"], start] += row["n"]
    first = sorted(held, key=lambda pair: (-held[pair].total(), pair))[:_MOST_PAIRS]
    return [
        _Pair(
            f"{a} and {b} ({held[a, b].total():,} pairs)",
            tuple(
                (o, start, start + _SPACING_BIN, n) for (o, start), n in sorted(held[a, b].items())
            ),
        )
        for a, b in first
    ]


def _top_pairs(table: pa.Table | None) -> list[Mapping[str, Any]]:
    """Return pairs far beyond chance, of those that share enough regions to say so."""
    if table is None:
        return []
    found = [
        row
        for row in table.to_pylist()
        if row["n_both"] >= _LEAST_TOGETHER and (row["odds_ratio"] or 0) > 1
    ]
    return sorted(
        found, key=lambda row: (-row["odds_ratio"], row["motif_name_a"], row["motif_name_b"])
    )[:_TOP_PAIRS]
