"""Whether a run is good, and why: rules that are written once and shown in the report."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from finemo_dist.core.words import be, count, have, percent
from finemo_dist.reports.page_model import Summary


class Level(IntEnum):
    """How much a finding matters; a verdict is as severe as its most severe reason."""

    GOOD = 0
    LOOK = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding of a rule."""

    level: Level
    text: str
    cure: str = ""
    """What to do, as an order without a full stop; empty where nothing is wrong."""

    def __str__(self) -> str:
        """Return what was found, and then what to do."""
        return f"{self.text} {self.cure}." if self.cure else self.text


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in words, and what it finds in a summary."""

    text: str
    find: Callable[[Summary], Reason]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all rules say together."""

    level: Level
    headline: str
    """One sentence: whether the hits can be used, and what to do first where they cannot."""
    reasons: tuple[Reason, ...]
    """One for each rule that has something to say, most severe first."""


NOT_CONVERGED_BAD: Final = 0.01
WITHOUT_HIT_LOOK, WITHOUT_HIT_BAD = 0.25, 0.75
RECALL_LOOK: Final = 0.5
MOTIFS_WITHOUT_HIT_LOOK: Final = 0.2
IRREGULAR_LOOK: Final = 0.01

_FEW_HITS_CURE: Final = "Lower lambda to call more hits, or check that the motifs fit these regions"
_IRREGULARITIES: Final = {
    "unknown_bases": ("region", "has unknown bases (N)", "have unknown bases (N)"),
    "zero": ("region", "has no contributions", "have no contributions"),
    "nan": ("region", "has NaN contributions, read as 0", "have NaN contributions, read as 0"),
    "missing_chrom": (
        "region",
        "is on a chromosome that the bigWig lacks",
        "are on chromosomes that the bigWig lacks",
    ),
    "no_summit": (
        "region",
        "has no summit, so the middle of its peak was used",
        "have no summit, so the middle of their peak was used",
    ),
    "duplicate": ("region", "repeats another region", "repeat other regions"),
    "seqlets outside the window": ("seqlet", "is outside the window", "are outside the window"),
    "seqlets not shared with the run": (
        "seqlet",
        "is not in a region or of a motif of this run",
        "are not in regions or of motifs of this run",
    ),
}
"""Kind of irregularity to its noun and what is said about one and about more."""

_HEADLINES: Final = {
    Level.GOOD: "This run looks good: its hits are ready to use",
    Level.LOOK: "Needs review",
    Level.BAD: "Do not use this run yet",
}


def verdict(summary: Summary) -> Verdict:
    """Return what every rule finds in a run, most severe first, then in the order of ``RULES``."""
    found = [rule.find(summary) for rule in RULES]
    reasons = tuple(sorted((r for r in found if r.text), key=lambda r: -r.level))
    level = max((reason.level for reason in reasons), default=Level.GOOD)
    return Verdict(level, _headline(level, reasons), reasons)


def _headline(level: Level, reasons: tuple[Reason, ...]) -> str:
    cure = next((reason.cure for reason in reasons if reason.level == level and reason.cure), "")
    if not cure:
        return f"{_HEADLINES[level]}."
    return f"{_HEADLINES[level]}: {cure[0].lower()}{cure[1:]}."


def _complete(s: Summary) -> Reason:
    missing = s.n_shards - s.n_shards_done
    if missing:
        return Reason(
            Level.BAD,
            f"{missing:,} of {count(s.n_shards, 'shard')} {be(missing)} missing.",
            "Run the same command again to finish the run",
        )
    if s.n_regions == 0:
        return Reason(Level.BAD, "The run has no regions.", "Check the peaks file")
    return Reason(Level.GOOD, f"The run is complete: {count(s.n_regions, 'region')}.")


def _converged(s: Summary) -> Reason:
    share = _share(s.n_not_converged, s.n_regions_done)
    if not s.n_regions_done:
        return Reason(Level.GOOD, "")
    if not s.n_not_converged:
        return Reason(
            Level.GOOD,
            f"Every region converged: the largest duality gap is {s.max_gap:.1g}, and the "
            f"tolerance is {s.tolerance:.1g}.",
        )
    level = Level.BAD if share > NOT_CONVERGED_BAD else Level.LOOK
    return Reason(
        level,
        f"{count(s.n_not_converged, 'region')} ({percent(share)}) did not converge, so hits "
        "may be missing there.",
        "Raise the maximum number of steps and call hits again",
    )


def _with_hits(s: Summary) -> Reason:
    if not s.n_regions_done:
        return Reason(Level.GOOD, "")
    if not s.n_hits:
        return Reason(
            Level.BAD,
            "No hits were called.",
            "Lower lambda, and check that the motifs and the contributions are of the same model",
        )
    share = _share(s.n_without_hit, s.n_regions_done)
    levels = (Level.BAD, WITHOUT_HIT_BAD), (Level.LOOK, WITHOUT_HIT_LOOK)
    level = next((level for level, least in levels if share > least), Level.GOOD)
    return Reason(
        level,
        f"There are {s.hits_per_region:.1f} hits per region"
        + (f", and {percent(share)} of regions have none." if share else "; every region has one."),
        _FEW_HITS_CURE if level else "",
    )


def _recall(s: Summary) -> Reason:
    if s.median_recall is None:
        return Reason(Level.GOOD, "")
    low = s.median_recall < RECALL_LOOK
    tail = ", so hits miss many of the seqlets that the motifs were made from." if low else "."
    return Reason(
        Level.LOOK if low else Level.GOOD,
        f"Median seqlet recall is {percent(s.median_recall)}{tail}",
        "Lower lambda to find more of the seqlets" if low else "",
    )


def _motifs(s: Summary) -> Reason:
    share = _share(s.n_motifs_without_hit, s.n_motifs)
    if share <= MOTIFS_WITHOUT_HIT_LOOK or not s.n_hits:
        return Reason(Level.GOOD, "")
    return Reason(
        Level.LOOK,
        f"{s.n_motifs_without_hit:,} of {count(s.n_motifs, 'motif')} "
        f"{have(s.n_motifs_without_hit)} no hits.",
        "Give the motifs without hits a lower lambda, or leave them out",
    )


def _irregular(s: Summary) -> Reason:
    n = s.n_clipped
    if _share(n, s.n_regions) <= IRREGULAR_LOOK:
        return Reason(Level.GOOD, "")
    return Reason(
        Level.LOOK,
        f"{count(n, 'region')} ({percent(_share(n, s.n_regions))}) "
        f"{'reaches' if n == 1 else 'reach'} beyond a chromosome end.",
        "Check that the peaks and the genome are of the same assembly",
    )


def _warned(s: Summary) -> Reason:
    kinds = {kind: n for kind, n in s.warnings.items() if n}
    if not kinds:
        return Reason(Level.GOOD, "The inputs had no irregularities.")
    listed = "; ".join(_irregularity(kind, n) for kind, n in sorted(kinds.items()))
    return Reason(Level.LOOK, f"The inputs had irregularities: {listed}.", "Check the inputs")


def _irregularity(kind: str, n: int) -> str:
    if kind not in _IRREGULARITIES:
        return f"{kind.replace('_', ' ')} ({n:,})"
    noun, one, more = _IRREGULARITIES[kind]
    return f"{count(n, noun)} {one if n == 1 else more}"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


RULES: Final = (
    Rule("Do not use: a shard is missing, or the run has no regions.", _complete),
    Rule(
        "Review: some regions did not converge. Do not use: more than "
        f"{percent(NOT_CONVERGED_BAD)} of regions did not.",
        _converged,
    ),
    Rule(
        f"Review: more than {percent(WITHOUT_HIT_LOOK)} of regions have no hits. Do not use: more "
        f"than {percent(WITHOUT_HIT_BAD)} have none, or the run has no hits.",
        _with_hits,
    ),
    Rule(f"Review: median seqlet recall is below {percent(RECALL_LOOK)}.", _recall),
    Rule(
        f"Review: more than {percent(MOTIFS_WITHOUT_HIT_LOOK)} of motifs have no hits.",
        _motifs,
    ),
    Rule(
        f"Review: more than {percent(IRREGULAR_LOOK)} of regions reach beyond a chromosome end.",
        _irregular,
    ),
    Rule("Review: the inputs had irregularities.", _warned),
)
