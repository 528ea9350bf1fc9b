"""Charts as Vega-Lite specifications, made with Altair; the page draws them when scrolled to.

Specifications carry no colours: the page adds those of its theme. Rows are named ``rows`` and
beside the specification, so that one specification serves every motif.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, Final

import pyarrow as pa

from finemo_dist.reports.matrices import short_name
from finemo_dist.reports.motif_rows import MotifRow
from finemo_dist.reports.page_model import Quantity, SampleQuality

_HEIGHT: Final = 190
_MOST_LABELS: Final = 12
"""Of points in a scatter plot."""
_LABEL_ROOM: Final = (0.75, 0.16)
"""What a label takes of a logarithmic axis of some four decades: across and along."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure: what it shows, how to read it, and how it is drawn."""

    key: str
    title: str
    description: str
    """What it shows, for screen readers."""
    reading: str
    """How to read it, and what to watch for."""
    spec: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]] = ()
    """Empty where the page fills them in for the motif or pair chosen."""


@cache
def chart_program() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    import altair as alt
    import vl_convert

    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", version)


def distribution_rows(
    table: pa.Table | None,
) -> dict[tuple[str | None, Quantity], list[tuple[float, float, int]]]:
    """Return start, end and count of bins, ascending, by motif (None: all) and quantity."""
    found: dict[tuple[str | None, Quantity], list[tuple[float, float, int]]] = {}
    for row in table.to_pylist() if table is not None else ():
        found.setdefault((row["motif_name"], row["quantity"]), []).append(
            (row["bin_start"], row["bin_end"], row["n"])
        )
    return {key: sorted(bins) for key, bins in found.items()}


def overall_charts(table: pa.Table | None) -> tuple[Chart, ...]:
    """Return the charts of all motifs together: hits per region, place in the region."""
    bins = distribution_rows(table)
    charts = []
    if total := bins.get((None, "hits_per_region")):
        median = _middle(total)
        charts.append(
            Chart(
                "hits-per-region",
                "Hits per region",
                f"Histogram of hits per region: median {median:g}, maximum {total[-1][0]:g}.",
                "Each bar is a number of hits. A tall bar at zero means that many regions have no "
                "hits: lambda may be too high, or these regions contain none of the motifs.",
                _histogram("hits in a region", "regions", are_counts=True),
                _as_rows(total, are_counts=True),
            )
        )
    if position := bins.get((None, "position")):
        charts.append(
            Chart(
                "position",
                "Position relative to the summit",
                "Histogram of the distance of hits from the middle of their region.",
                "Hits of factors that open chromatin cluster around the summit (0). A flat line "
                "means that regions are not centred on peaks, or that hits are noise.",
                _histogram("bases from the summit", "hits"),
                _as_rows(position),
            )
        )
    return tuple(charts)


def motif_charts() -> tuple[Chart, ...]:
    """Return the charts of one motif, to be filled for the motif chosen."""
    return (
        Chart(
            "motif-hits_per_region",
            "Hits per region",
            "Histogram of the hits of this motif per region, over regions that have any.",
            "Regions without this motif are left out. A long tail means clusters of sites, or "
            "repeats.",
            _histogram("hits in a region", "regions", are_counts=True),
        ),
        Chart(
            "motif-coefficient",
            "Coefficient",
            "Histogram of hit coefficients.",
            "How much of the CWM the contributions contain. The contributions of each region are "
            "scaled to a root mean square of one. A second hump often means a second kind of "
            "site. The last bar includes all larger values.",
            _histogram("hit coefficient", "hits"),
        ),
        Chart(
            "motif-similarity",
            "Similarity, with the threshold",
            "Histogram of hit similarities, with a line at the threshold, lambda.",
            "The cosine of the contributions with the trimmed CWM. Hits below the line, lambda, "
            "are not called. Many hits close to the line mean that a lower lambda would find more.",
            _histogram("hit similarity", "hits", threshold=True),
        ),
        Chart(
            "motif-importance",
            "Importance",
            "Histogram of the sum of absolute contributions under hits.",
            "How important the site is to the model, in the units of the contributions. The last "
            "bar includes all larger values.",
            _histogram("hit importance", "hits"),
        ),
        Chart(
            "motif-position",
            "Position relative to the summit",
            "Histogram of the distance of the hits of this motif from the middle of the region.",
            "Hits of a motif that drives the signal cluster around the summit. Hits of a motif "
            "that does not are spread evenly.",
            _histogram("bases from the summit", "hits"),
        ),
    )


def _farthest(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the points whose names are written beside them: the farthest off the diagonal.

    None of them lies close to another that has its name written.
    """

    def at(point: dict[str, Any]) -> tuple[float, float]:
        return math.log10(1 + point["seqlets"]), math.log10(1 + point["hits"])

    chosen: list[dict[str, Any]] = []
    for point in sorted(points, key=lambda p: (-abs(at(p)[1] - at(p)[0]), p["motif"])):
        (x, y) = at(point)
        if all(
            abs(x - a) > _LABEL_ROOM[0] or abs(y - b) > _LABEL_ROOM[1] for a, b in map(at, chosen)
        ):
            chosen.append(point)
    return chosen[:_MOST_LABELS]


def seqlet_chart(rows: Sequence[MotifRow]) -> Chart:
    """Return unique hits against seqlets, one point per motif, in the shared windows."""
    import altair as alt

    points = [
        {
            "motif": r.name,
            "seqlets": r.n_seqlets,
            "hits": r.n_hits_restricted,
            "recall": r.recall,
            "label": "",
        }
        for r in rows
        if r.n_seqlets is not None and r.n_hits_restricted is not None
    ]
    for point in _farthest(points):
        point["label"] = short_name(str(point["motif"]))
    top = max((max(p["seqlets"] or 0, p["hits"] or 0) for p in points), default=1) or 1
    scale = alt.Scale(type="symlog", domain=[0, top])
    steps = [0, 1, 3] + [k * 10**e for e in range(1, 8) for k in (1, 3) if k * 10**e <= top]
    axis = alt.Axis(values=steps, format=",d")
    chart = (
        alt.Chart(alt.NamedData(name="rows"))
        .mark_point(filled=True, size=70, opacity=0.85)
        .encode(
            x=alt.X("seqlets:Q", title="seqlets", scale=scale, axis=axis),
            y=alt.Y("hits:Q", title="unique hits in the window", scale=scale, axis=axis),
            tooltip=[
                alt.Tooltip("motif:N"),
                alt.Tooltip("seqlets:Q", format=","),
                alt.Tooltip("hits:Q", format=","),
                alt.Tooltip("recall:Q", format=".1%"),
            ],
        )
    )
    labels = (
        alt.Chart(alt.NamedData(name="rows"))
        .mark_text(align="left", dx=7, dy=-4, fontSize=10)
        .encode(x="seqlets:Q", y="hits:Q", text="label:N", tooltip=alt.value(None))
    )
    diagonal: list[dict[str, Any]] = [{"n": 0}, {"n": top}]
    line = (
        alt.Chart(alt.InlineData(values=diagonal, name="diagonal"))
        .mark_line(strokeDash=[4, 4], opacity=0.6, point=False)
        .encode(x=alt.X("n:Q"), y=alt.Y("n:Q"), tooltip=alt.value(None))
    )
    return Chart(
        "seqlets",
        "Hits against seqlets",
        "Scatter plot of unique hits against seqlets, one point per motif, logarithmic axes.",
        "A motif on the dashed line has as many unique hits in the window as seqlets. Most motifs "
        "are above the line, because seqlets are a sample of the strongest sites. A motif below "
        "the line has missed hits.",
        _sized(line + chart + labels, height=300),
        points,
    )


def spacing_chart() -> Chart:
    """Return distances of a pair of motifs by orientation, to be filled for the pair chosen."""
    import altair as alt

    chart = (
        alt.Chart(alt.NamedData(name="rows"))
        .mark_bar(binSpacing=0)
        .encode(
            x=alt.X("start:Q", bin="binned", title="bases between centres",
                    axis=alt.Axis(tickCount=8)),
            x2="end:Q",
            y=alt.Y("n:Q", title="pairs of sites", stack=True, axis=alt.Axis(tickCount=5)),
            color=alt.Color("orientation:N", title=None, legend=alt.Legend(orient="top"),
                            sort=["same", "convergent", "divergent"]),
            tooltip=[
                alt.Tooltip("orientation:N"),
                alt.Tooltip("label:N", title="bases"),
                alt.Tooltip("n:Q", title="pairs of sites", format=","),
            ],
        )
    )  # fmt: skip
    return Chart(
        "spacing",
        "Spacing and orientation",
        "Histogram of the distance between sites of two motifs, by their orientation.",
        "A sharp peak at one distance and orientation suggests that the factors bind together. "
        "Peaks ten bases apart suggest that they bind on the same side of the helix. A smooth "
        "hump means only that they are near each other. Sites that share bases are left out.",
        _sized(chart, height=230),
    )


def sample_chart(samples: Sequence[SampleQuality], outliers: Sequence[str]) -> Chart:
    """Return hits per region against regions without a hit, one point per sample."""
    import altair as alt

    marked = set(outliers)
    rows = [
        {
            "sample": s.name,
            "hits": s.hits_per_region,
            "without": s.n_without_hit / s.n_regions_done if s.n_regions_done else 1.0,
            "regions": s.n_regions,
            "kind": "outlier" if s.name in marked else "sample",
        }
        for s in samples
    ]
    chart = (
        alt.Chart(alt.NamedData(name="rows"))
        .mark_point(filled=True, size=60, opacity=0.8)
        .encode(
            x=alt.X("hits:Q", title="hits per region", scale=alt.Scale(zero=False)),
            y=alt.Y("without:Q", title="regions without a hit", axis=alt.Axis(format="%")),
            color=alt.Color("kind:N", title=None, sort=["sample", "outlier"],
                            legend=alt.Legend(orient="top")),
            shape=alt.Shape("kind:N", sort=["sample", "outlier"], legend=None),
            tooltip=[
                alt.Tooltip("sample:N"),
                alt.Tooltip("regions:Q", format=","),
                alt.Tooltip("hits:Q", format=".2f", title="hits per region"),
                alt.Tooltip("without:Q", format=".1%", title="without a hit"),
            ],
        )
    )  # fmt: skip
    return Chart(
        "samples",
        "Samples",
        f"Scatter plot of {len(rows)} samples: hits per region against regions without a hit.",
        "Samples of one assay form one cloud. A sample far from it has other regions, another "
        "model, or contributions that the motifs do not fit.",
        _sized(chart, height=300),
        rows,
    )


def sharing_chart(n_samples_of: Sequence[int], n_samples: int) -> Chart:
    """Return how many motifs are found in how many samples."""
    counts: dict[int, int] = {}
    for n in n_samples_of:
        counts[n] = counts.get(n, 0) + 1
    step = max(1, -(-(n_samples + 1) // 40))
    bins: dict[int, int] = {}
    for n, motifs in counts.items():
        bins[n // step * step] = bins.get(n // step * step, 0) + motifs
    return Chart(
        "sharing",
        "How widely motifs are shared",
        f"Histogram of the number of samples, out of {n_samples}, in which a motif has hits.",
        "Motifs on the right have hits in every sample, like those of general factors. Motifs on "
        "the left have hits in few samples, like those of one cell type.",
        _histogram("samples with the motif", "motifs", are_counts=step == 1),
        _as_rows([(k, k + 1, bins[k]) for k in sorted(bins)], are_counts=True)
        if step == 1
        else [
            {"start": k, "end": k + step, "n": bins[k], "label": _range(k, k + step - 1)}
            for k in sorted(bins)
        ],
    )


_WHOLE: Final[Mapping[str, Any]] = {
    "tickMinStep": 1,
    # A single bar has ticks at its edges as well, which are halves.
    "labelExpr": "datum.value % 1 ? '' : format(datum.value, ',')",
}
"""An axis of counts."""


@cache
def _histogram(
    x_title: str, y_title: str, *, threshold: bool = False, are_counts: bool = False
) -> Mapping[str, Any]:
    # Altair checks every part of a chart against its schema: once, however many pages have it.
    import altair as alt

    bars: Any = (
        alt.Chart(alt.NamedData(name="rows"))
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X(
                "start:Q",
                bin="binned",
                title=x_title,
                axis=alt.Axis(tickCount=6, **_WHOLE) if are_counts else alt.Axis(tickCount=6),
            ),
            x2="end:Q",
            y=alt.Y("n:Q", title=y_title, axis=alt.Axis(tickCount=5, tickMinStep=1)),
            tooltip=[
                alt.Tooltip("label:N", title=x_title),
                alt.Tooltip("n:Q", title=y_title, format=","),
            ],
        )
    )
    if threshold:
        bars += (
            alt.Chart(alt.NamedData(name="threshold"))
            .mark_rule(strokeDash=[5, 3], strokeWidth=2, style="threshold")
            .encode(x="value:Q", tooltip=[alt.Tooltip("value:Q", title="lambda")])
        )
    return _sized(bars, height=_HEIGHT)


def _sized(chart: Any, *, height: int) -> Mapping[str, Any]:  # noqa: ANN401  (Altair's charts)
    spec: dict[str, Any] = chart.properties(
        width="container", height=height, autosize={"type": "fit", "contains": "padding"}
    ).to_dict()
    # The theme of the page, and the rows, are added where it is drawn.
    spec.pop("config", None)
    return spec


def _as_rows(
    bins: Sequence[tuple[float, float, int]], *, are_counts: bool = False
) -> list[dict[str, float | str]]:
    """Return bins as rows; those of counts are centred on their number."""
    if are_counts:
        return [
            {"start": start - 0.5, "end": end - 0.5, "n": n, "label": f"{start:g}"}
            for start, end, n in bins
        ]
    return [{"start": a, "end": b, "n": n, "label": _range(a, b)} for a, b, n in bins]


def _range(first: float, last: float) -> str:
    return f"{first:g} to {last:g}" if first != last else f"{first:g}"


def _middle(bins: Sequence[tuple[float, float, int]]) -> float:
    half = sum(n for _, _, n in bins) / 2
    passed = accumulate(n for _, _, n in bins)
    return next(start for (start, _, _), n in zip(bins, passed, strict=True) if n >= half)
