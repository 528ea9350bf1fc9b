"""The numbers of the first screen, as tiles."""

from dataclasses import dataclass

from finemo_dist.reports.page_model import Summary
from finemo_dist.reports.words import percent


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


def tiles(s: Summary) -> tuple[Tile, ...]:
    """Return the tiles of a summary."""
    n_odd = s.n_clipped + s.n_dropped
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
        Tile("Motifs", f"{s.n_motifs:,}", _without(s.n_motifs_without_hit)),
        Tile("Hits", f"{s.n_hits:,}", needs_attention=not s.n_hits),
        Tile("Hits per region", f"{s.hits_per_region:.1f}"),
        Tile("Regions without a hit", f"{s.n_without_hit:,}", _part(s, s.n_without_hit)),
        Tile(
            "Not converged",
            f"{s.n_not_converged:,}",
            _part(s, s.n_not_converged),
            needs_attention=bool(s.n_not_converged),
        ),
        Tile("Dropped or clipped", f"{n_odd:,}", "regions", needs_attention=bool(n_odd)),
        Tile("Warnings", f"{n_warnings:,}", needs_attention=bool(n_warnings)),
    )


def funnel_steps(stages: tuple[tuple[str, int], ...]) -> tuple[FunnelStep, ...]:
    """Return the bars of a funnel, the first stage widest."""
    most = max((n for _, n in stages), default=0) or 1
    before = (None, *(n for _, n in stages))
    return tuple(
        FunnelStep(label, n, round(100 * n / most, 2), f"{percent(n / last)} kept" if last else "")
        for (label, n), last in zip(stages, before, strict=False)
    )


def _without(n: int) -> str:
    return f"{n:,} without a hit" if n else "all with hits"


def _part(s: Summary, n: int) -> str:
    return f"{percent(n / s.n_regions_done)} of regions" if s.n_regions_done else ""
