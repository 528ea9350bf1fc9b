"""Whether a run is good, and why: rules written down once, shown in the report as they stand."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from finemo_dist.reports.page_model import Summary
from finemo_dist.reports.words import count, percent


class Level(IntEnum):
    """How much a finding matters; a verdict is as grave as its gravest reason."""

    GOOD = 0
    LOOK = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding of a rule."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in words, and what it finds in a summary."""

    text: str
    find: Callable[[Summary], Reason]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all rules together say."""

    level: Level
    headline: str
    reasons: tuple[Reason, ...]
    """One for each rule that has something to say, gravest first."""


NOT_CONVERGED_BAD: Final = 0.01
WITHOUT_HIT_LOOK, WITHOUT_HIT_BAD = 0.25, 0.75
RECALL_LOOK: Final = 0.5
MOTIFS_WITHOUT_HIT_LOOK: Final = 0.2
IRREGULAR_LOOK: Final = 0.01

_RULES_OF_THEIR_OWN: Final = frozenset({"clipped", "not_converged"})
"""Warnings of a run that count only from a share on."""

_HEADLINES: Final = {
    Level.GOOD: "This run looks good",
    Level.LOOK: "Usable, with something to look at",
    Level.BAD: "Not to be used as it is",
}


def verdict(summary: Summary) -> Verdict:
    """Return what every rule finds in a run, gravest first, then in the order of ``RULES``."""
    found = [rule.find(summary) for rule in RULES]
    reasons = tuple(sorted((r for r in found if r.text), key=lambda r: -r.level))
    level = max((reason.level for reason in reasons), default=Level.GOOD)
    return Verdict(level, _HEADLINES[level], reasons)


def _complete(s: Summary) -> Reason:
    missing = s.n_shards - s.n_shards_done
    if missing:
        cure = "run the same command again, and it resumes"
        return Reason(
            Level.BAD, f"{missing:,} of {count(s.n_shards, 'shard')} are missing: {cure}."
        )
    if s.n_regions == 0:
        return Reason(Level.BAD, "There are no regions.")
    return Reason(Level.GOOD, f"No shard is missing: {count(s.n_regions, 'region')}.")


def _converged(s: Summary) -> Reason:
    share = _share(s.n_not_converged, s.n_regions_done)
    if not s.n_regions_done:
        return Reason(Level.GOOD, "")
    if not s.n_not_converged:
        return Reason(
            Level.GOOD,
            f"Every region is solved: the largest duality gap is {s.max_gap:.1g}, "
            f"the tolerance {s.tolerance:.1g}.",
        )
    level = Level.BAD if share > NOT_CONVERGED_BAD else Level.LOOK
    return Reason(
        level,
        f"{count(s.n_not_converged, 'region')} ({percent(share)}) did not converge: "
        "their hits may be incomplete.",
    )


def _with_hits(s: Summary) -> Reason:
    if not s.n_regions_done:
        return Reason(Level.GOOD, "")
    if not s.n_hits:
        return Reason(Level.BAD, "Not a single hit was called.")
    share = _share(s.n_without_hit, s.n_regions_done)
    levels = (Level.BAD, WITHOUT_HIT_BAD), (Level.LOOK, WITHOUT_HIT_LOOK)
    level = next((level for level, least in levels if share > least), Level.GOOD)
    return Reason(
        level,
        f"{s.hits_per_region:.1f} hits per region; "
        + (f"{percent(share)} of regions have none." if share else "every region has one."),
    )


def _recall(s: Summary) -> Reason:
    if s.median_recall is None:
        return Reason(Level.GOOD, "")
    low = s.median_recall < RECALL_LOOK
    tail = ": hits miss many of the seqlets the motifs were made from." if low else "."
    level = Level.LOOK if low else Level.GOOD
    return Reason(level, f"The median recall of seqlets is {percent(s.median_recall)}{tail}")


def _motifs(s: Summary) -> Reason:
    share = _share(s.n_motifs_without_hit, s.n_motifs)
    if share <= MOTIFS_WITHOUT_HIT_LOOK or not s.n_hits:
        return Reason(Level.GOOD, "")
    return Reason(
        Level.LOOK, f"{s.n_motifs_without_hit:,} of {count(s.n_motifs, 'motif')} have no hit."
    )


def _irregular(s: Summary) -> Reason:
    n = s.n_clipped + s.n_dropped
    if _share(n, s.n_regions) <= IRREGULAR_LOOK:
        return Reason(Level.GOOD, "")
    return Reason(
        Level.LOOK,
        f"{count(n, 'region')} ({percent(_share(n, s.n_regions))}) reach over the end of their "
        "chromosome or were dropped.",
    )


def _warned(s: Summary) -> Reason:
    kinds = {kind: n for kind, n in s.warnings.items() if n and kind not in _RULES_OF_THEIR_OWN}
    if not kinds:
        return Reason(Level.GOOD, "No input was irregular.")
    listed = ", ".join(f"{kind.replace('_', ' ')} ({n:,})" for kind, n in sorted(kinds.items()))
    return Reason(Level.LOOK, f"Warnings while reading: {listed}.")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


RULES: Final = (
    Rule("A missing shard, or no region at all: not to be used.", _complete),
    Rule(
        "Regions that did not converge: to be looked at; above "
        f"{percent(NOT_CONVERGED_BAD)} of regions, not to be used.",
        _converged,
    ),
    Rule(
        f"Regions without a hit: above {percent(WITHOUT_HIT_LOOK)} to be looked at, above "
        f"{percent(WITHOUT_HIT_BAD)}, or without any hit at all, not to be used.",
        _with_hits,
    ),
    Rule(f"Median recall of seqlets below {percent(RECALL_LOOK)}: to be looked at.", _recall),
    Rule(
        f"More than {percent(MOTIFS_WITHOUT_HIT_LOOK)} of motifs without a hit: to be looked at.",
        _motifs,
    ),
    Rule(
        f"More than {percent(IRREGULAR_LOOK)} of regions clipped or dropped: to be looked at.",
        _irregular,
    ),
    Rule("A warning about an input: to be looked at.", _warned),
)
