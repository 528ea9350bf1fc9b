"""Motifs of a database below the motifs of a run that are like them, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from finemo_dist.core.defaults import MAX_Q
from finemo_dist.core.records import MotifSet
from finemo_dist.hits.matches import StoredMatch
from finemo_dist.reports.logo import COLUMN_UNITS, HEIGHT_UNITS, logo_paths, reverse_complement
from finemo_dist.reports.motif_rows import Symbol

_MOST: Final = 3
"""Matches of a motif that are drawn."""
_MANY_MOTIFS: Final = 100
"""More have a drawing of their best match alone, so that the page stays light."""
_GAP: Final = 20


@dataclass(frozen=True, slots=True)
class DrawnMatch:
    """The CWM of a motif above the logo of a match, aligned."""

    factor: str
    target: str
    q_value: float
    strand: str
    offset: int
    overlap: int
    width: int
    height: int
    query: Symbol
    """Drawn with the motifs."""
    query_x: int
    match_x: int
    match_y: int
    paths: tuple[tuple[str, str], ...]
    label: str
    """What it shows, for screen readers."""


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A motif and its best matches."""

    name: str
    shown: str
    matches: tuple[DrawnMatch, ...]
    others: str
    """The matches that are not drawn, as text."""


def match_rows(
    matches: Mapping[str, Sequence[StoredMatch]], motifs: MotifSet, rows: Sequence[Any]
) -> tuple[MatchRow, ...]:
    """Return the motifs that have matches, in the order of the table of motifs.

    The best match is drawn, and others while they pass q 0.05.

    Parameters
    ----------
    rows
        Those of the table of motifs, which have the logos.
    """
    entry = {name: 2 * i for i, name in enumerate(motifs.name[::2])}
    most = _MOST if len(entry) <= _MANY_MOTIFS else 1
    found = []
    for row in rows:
        own = matches.get(row.name, ())
        if not own:
            continue
        n_drawn = 1 + sum(match.q_value <= MAX_Q for match in own[1:most])
        found.append(
            MatchRow(
                row.name,
                row.shown,
                tuple(drawn(match, motifs, entry[row.name], row) for match in own[:n_drawn]),
                "; ".join(f"{m.factor} (q {m.q_value:.2g})" for m in own[n_drawn:]),
            )
        )
    return tuple(found)


def drawn(match: StoredMatch, motifs: MotifSet, entry: int, row: Any) -> DrawnMatch:  # noqa: ANN401
    """Return a match below its motif: the first trimmed column lies above column ``offset``."""
    query = row.logos.modisco_forward
    heights = match.heights if match.strand == "+" else reverse_complement(match.heights)
    # The logo of the motif begins with the flank of its trim window.
    flank = query.trim[0] // COLUMN_UNITS
    first = min(-flank, -match.offset)
    last = max(
        query.width // COLUMN_UNITS - flank, heights.shape[1] - match.offset
    )  # fmt: skip
    of_strand = "" if match.strand == "+" else ", reverse complement"
    return DrawnMatch(
        factor=match.factor,
        target=match.target,
        q_value=match.q_value,
        strand=match.strand,
        offset=match.offset,
        overlap=match.overlap,
        width=(last - first) * COLUMN_UNITS,
        height=2 * HEIGHT_UNITS + _GAP,
        query=query,
        query_x=(-flank - first) * COLUMN_UNITS,
        match_x=(-match.offset - first) * COLUMN_UNITS,
        match_y=HEIGHT_UNITS + _GAP,
        paths=tuple(logo_paths(np.asarray(heights, np.float64)).items()),
        label=f"modisco CWM of {row.name} above {match.target}{of_strand}, offset {match.offset}",
    )
