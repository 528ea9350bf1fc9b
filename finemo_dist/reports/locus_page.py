"""Loci for a page: their numbers packed small, and the page that shows a list of them."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finemo_dist import __version__
from finemo_dist.core.words import count
from finemo_dist.reports.locus_view import (
    STATE_COLOURS,
    Feature,
    LocusHit,
    LocusRow,
    LocusView,
    extent,
    gaps,
)
from finemo_dist.reports.logo import GLYPHS
from finemo_dist.reports.rendering import deflated, render

_LEVELS = 127
"""From zero to the largest value: more than a panel has pixels."""


def loci_payload(views: Sequence[LocusView]) -> dict[str, Any]:
    """Return views as ``locus.js`` draws them, with the letters."""
    return {"loci": [_locus(view) for view in views], "glyphs": GLYPHS}


def packed(held: Mapping[str, Any]) -> str:
    """Return values as ``locus.js`` unpacks them: JSON, deflated, as text."""
    return deflated(json.dumps(held, separators=(",", ":"), ensure_ascii=False, allow_nan=False))


def render_loci(views: Sequence[LocusView]) -> str:
    """Return a page of loci with a list to choose from: one file without links."""
    title = views[0].title if len(views) == 1 else f"{len(views):,} loci"
    return _page(views, title, title)


def render_variants(views: Sequence[LocusView]) -> str:
    """Return a page of variants, each with a row for either allele, and a list beside them."""
    n_variants = count(len(views), "variant")
    return _page(views, n_variants, n_variants, states=STATE_COLOURS)


def _page(
    views: Sequence[LocusView],
    title: str,
    heading: str,
    *,
    states: Mapping[str, int] | None = None,
) -> str:
    """Return a page; states, with their colours, are those of the hits of alleles."""
    return render(
        "loci.html.j2",
        {
            "title": title,
            "heading": heading,
            "states": states or {},
            "version": __version__,
            "payload": {"packed": packed(loci_payload(views))},
        },
        programs=("early", "locus", "loci"),
    )


def _locus(view: LocusView) -> dict[str, Any]:
    colours = view.colours
    factors = sorted({hit.label for row in view.rows for hit in row.hits})
    peaks = [row.note for row in view.rows if row.note]
    held = {
        "name": view.name,
        "title": f"{view.title} · {view.why}" if view.why else view.title,
        "chrom": view.chrom or "",
        "start": view.start,
        "end": view.end,
        "search": " ".join(
            [view.title, view.why, view.place.replace(",", ""), *peaks, *factors]
        ).lower(),
        "description": f"Contributions over {view.title} with their hits",
        "rows": [_row(view, row, colours) for row in view.rows],
        "tracks": [
            {"name": track.name, "features": [_feature(view, f) for f in track.features]}
            for track in view.tracks
        ],
        "marks": [(mark.position - view.start, mark.label) for mark in view.marks],
    }
    # The list of variants is narrow: it names no place.
    alleles = {"shared": True, "listed": f"{view.name} · {view.why}"}
    return {**held, **alleles} if view.is_of_alleles else held


def _row(view: LocusView, row: LocusRow, colours: Mapping[str, int]) -> dict[str, Any]:
    curves = [row.contributions] if row.rebuilt is None else [row.contributions, row.rebuilt]
    unit = max(abs(value) for value in extent(curves)) / _LEVELS or 1.0
    letters = np.frombuffer(b"ACGTN", np.uint8)[row.sequence]
    for first, last in gaps(row.contributions):
        letters[first:last] = ord("-")
    held = {
        "title": f"{row.name} · {row.note}" if row.note else row.name,
        "sequence": letters.tobytes().decode("ascii"),
        "unit": float(f"{unit:.6g}"),
        "values": _levels(row.contributions, unit),
        "hits": [_hit(view, hit, colours) for hit in row.hits],
    }
    return held if row.rebuilt is None else {**held, "rebuilt": _levels(row.rebuilt, unit)}


def _levels(values: NDArray[np.floating], unit: float) -> str:
    whole = np.rint(np.nan_to_num(np.asarray(values, np.float64)) / unit)
    return base64.b64encode(np.clip(whole, -_LEVELS, _LEVELS).astype(np.int8).tobytes()).decode()


def _hit(view: LocusView, hit: LocusHit, colours: Mapping[str, int]) -> tuple[Any, ...]:
    held = (
        hit.text.rpartition(" ")[0],
        hit.motif_name,
        hit.strand,
        hit.start - view.start,
        hit.end - view.start,
        float(f"{hit.coefficient:.4g}"),
        float(f"{hit.similarity:.4g}"),
        colours[hit.group],
        hit.title,
    )
    return (*held, hit.state) if hit.state else held


def _feature(view: LocusView, feature: Feature) -> tuple[Any, ...]:
    return (
        feature.name,
        feature.start - view.start,
        feature.end - view.start,
        feature.strand if feature.strand in "+-" else "",
        [(first - view.start, last - view.start) for first, last in feature.blocks],
    )
