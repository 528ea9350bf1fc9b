"""Regions in which it is known which hits are false: what an error rate is calibrated on."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import UsageError
from finemo_dist.core.similarity import SimilarityBank
from finemo_dist.testing.motifs import SimulatedMotifs, random_motifs
from finemo_dist.testing.regions import ScoreSettings, SimulationSettings
from finemo_dist.testing.sites import SiteSettings
from finemo_dist.testing.source import SimulatedSource

SCENARIOS: Final = (
    "default", "weak", "noisy", "unknown", "absent", "family", "compendium", "kin"
)  # fmt: skip
"""Names, in the order of tables.

``weak``: half of the sites are weak. ``noisy``: twice the background. ``unknown``: a fifth of the
sites is of motifs that are not called and resemble none that is. ``absent``: half as many motifs
again are called and have no site. ``family``: every motif has a relative. ``compendium``: four
foreign motifs for each of ours. ``kin``: a fifth of the sites is of motifs that are not called, and
some of them resemble one that is.
"""

_N_MOTIFS: Final = 24
_N_UNKNOWN: Final = 6
_N_UNKNOWN_DRAWN: Final = 36
_UNKNOWN_SIMILARITY: Final = 0.6
"""The highest cosine of an unknown motif with one that is called; of kin it may be 0.75."""
_N_ABSENT: Final = 12
_N_COMPENDIUM: Final = 96


@dataclass(frozen=True, slots=True)
class Scenario:
    """Regions, the motifs that are called in them, and which names mean one another."""

    source: SimulatedSource
    """With the sites that are there; ``source.sites`` has the truth."""
    planted: SimulatedMotifs
    called: SimulatedMotifs
    """What goes into the motif file."""
    family: dict[str, int]
    """Name of a motif to the number of its family; alone where there are no relatives."""


def make_scenario(name: str, *, seed: int, n_regions: int) -> Scenario:
    """Return a scenario; motifs, sites and scores are new for every seed.

    Raises
    ------
    UsageError
        There is no such scenario.
    """
    if name not in SCENARIOS:
        raise UsageError(
            f"There is no scenario {name!r}. The scenarios are {', '.join(SCENARIOS)}."
        )
    rng = np.random.default_rng([seed, SCENARIOS.index(name)])
    planted, called = _motifs(rng, name)
    settings = _settings(name)
    source = SimulatedSource(planted, n_regions, seed=seed, settings=settings)
    n_alone = _N_MOTIFS // 2 if name == "family" else len(planted) + len(called)
    names = dict.fromkeys([*called.name, *planted.name])
    family = {motif: i % n_alone for i, motif in enumerate(names)}
    return Scenario(source, planted, called, family)


def _motifs(rng: np.random.Generator, name: str) -> tuple[SimulatedMotifs, SimulatedMotifs]:
    """Return the motifs that have sites and those that are called."""
    if name == "family":
        every = _relatives(rng)
        return every, every
    n_more = {
        "unknown": _N_UNKNOWN_DRAWN, "kin": _N_UNKNOWN, "absent": _N_ABSENT,
        "compendium": _N_COMPENDIUM,
    }.get(name, 0)  # fmt: skip
    every = random_motifs(rng, _N_MOTIFS + n_more)
    is_ours = np.arange(len(every)) < _N_MOTIFS
    ours = _chosen(every, is_ours)
    if name == "kin":
        return every, ours
    if name == "unknown":
        return _chosen(every, is_ours | _is_unlike(every, _N_MOTIFS)), ours
    return ours, every


def _is_unlike(motifs: SimulatedMotifs, n_ours: int) -> NDArray[np.bool_]:
    """Return which of the motifs after the first ``n_ours`` resemble these least, (N,)."""
    start, end = motifs.core
    trimmed = [cwm[:, a:b] for cwm, a, b in zip(motifs.cwm, start, end, strict=True)]
    bank = SimilarityBank(trimmed[:n_ours])
    highest = np.array([bank.cosines(cwm).max() for cwm in trimmed[n_ours:]])
    is_chosen = np.zeros(len(motifs), np.bool_)
    is_chosen[n_ours + np.flatnonzero(highest <= _UNKNOWN_SIMILARITY)[:_N_UNKNOWN]] = True
    return is_chosen


def _settings(name: str) -> SimulationSettings:
    sites, scores = SiteSettings(), ScoreSettings()
    if name == "weak":
        sites = replace(sites, weak_fraction=0.5, weak_strength=0.35)
    if name == "noisy":
        scores = replace(scores, noise=2 * scores.noise)
    return SimulationSettings(sites=sites, scores=scores)


def _chosen(motifs: SimulatedMotifs, rows: NDArray[np.bool_]) -> SimulatedMotifs:
    return SimulatedMotifs(
        tuple(name for name, is_chosen in zip(motifs.name, rows, strict=True) if is_chosen),
        motifs.cwm[rows],
        motifs.hypothetical[rows],
        motifs.frequencies[rows],
    )


def _relatives(rng: np.random.Generator) -> SimulatedMotifs:
    """Return motifs and a relative of each, which shares most of every column with it."""
    n_families = _N_MOTIFS // 2
    motifs = random_motifs(rng, 2 * n_families)
    frequencies, hypothetical = motifs.frequencies.copy(), motifs.hypothetical.copy()
    start, end = motifs.core
    for first in range(n_families):
        other = n_families + first
        columns = slice(start[first], end[first])
        changed = _exchanged(rng, frequencies[first][:, columns])
        frequencies[other], hypothetical[other] = frequencies[first], hypothetical[first]
        frequencies[other][:, columns] = changed
        weight = np.abs(hypothetical[first][:, columns]).max(axis=0)
        hypothetical[other][:, columns] = weight * (changed - 0.25) / (changed.max(axis=0) - 0.25)
    return SimulatedMotifs(motifs.name, hypothetical * frequencies, hypothetical, frequencies)


def _exchanged(rng: np.random.Generator, frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return columns of which a few prefer another base."""
    found = frequencies.copy()
    n_columns = found.shape[1]
    for column in rng.choice(n_columns, max(1, n_columns // 6), replace=False):
        found[:, column] = np.roll(found[:, column], int(rng.integers(1, 4)))
    return found
