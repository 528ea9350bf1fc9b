"""The motifs of a run, each once: which motifs of its sets are the same.

A motif is its CWM and its name. Lambda, trims and mode are settings of a sample. Samples that
differ in them are called with different motif sets, and the motifs of these sets are the same.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.records import MotifSet
from finemo_dist.record.run_record import MotifSetRecord, RunRecord


@dataclass(frozen=True, slots=True)
class RunMotifs:
    """The motifs of a run and where each of its sets has them.

    ``motif_id`` counts motifs and strands over the sets, each motif where it first occurs.
    """

    names: tuple[str, ...]
    """By ``motif_id``. Where a name means several motifs, those of the sets in question lead with
    the name of the set that has them first: ``set-00001:NAME``."""
    homes: tuple[tuple[str, int], ...]
    """By ``motif_id``: the first set that has it, and its row there."""
    ids: Mapping[str, NDArray[np.int32]]
    """Set to the ``motif_id`` of each of its rows."""
    own_names: Mapping[str, tuple[str, ...]]
    """Set to the names of its rows."""
    annotated: tuple[str, ...] = ()
    """By ``motif_id``: what annotations call it, where that is not its name."""

    def names_in(self, motif_set: str) -> tuple[str, ...]:
        """Return the names in the run of the rows of a set."""
        return tuple(self.names[i] for i in self.ids[motif_set])

    def is_own(self, motif_set: str) -> bool:
        """Whether ids and names of a set are those of the run."""
        ids = self.ids[motif_set]
        is_counted_alike = np.array_equal(ids, np.arange(len(ids)))
        return is_counted_alike and self.names_in(motif_set) == self.own_names[motif_set]

    def alone(self, motif_set: str) -> "RunMotifs":
        """Return the motifs of a set as if it were the only one; annotations keep their names."""
        only = _only(motif_set, self.own_names[motif_set])
        return replace(only, annotated=self.names_in(motif_set))


@dataclass(frozen=True)
class MotifsOfSet:
    """What tells the motifs of a set apart. Rows are motifs and strands, forward ones first."""

    name: str
    """Name of the set."""
    names: tuple[str, ...]
    """(M,)."""
    origins: tuple[tuple[str, str] | None, ...]
    """(M,) digest of the motif file and name in it, where they are known: motifs of one origin
    are one motif even where modes take its two kinds of CWM."""
    read_cwms: Callable[[], NDArray[np.float16]]
    """(M, 4, W); called only where names and origins leave it open."""

    @classmethod
    def of(cls, motifs: MotifSet, motif_set: MotifSetRecord, record: RunRecord) -> "MotifsOfSet":
        """Return the motifs of a set of a run."""
        return cls(
            motif_set.name,
            motifs.name,
            origins_of(motifs.name_orig, motifs.source, motif_set, record),
            lambda: motifs.cwm,
        )

    @cached_property
    def _cwms(self) -> NDArray[np.float16]:
        return self.read_cwms()

    def digest(self, row: int) -> bytes:
        """Return a digest of the CWM of a forward row, however wide its set is."""
        cwm = self._cwms[row]
        filled = np.flatnonzero(cwm.any(axis=0))
        content = np.ascontiguousarray(cwm[:, : filled[-1] + 1] if len(filled) else cwm[:, :0])
        return blake2b(content.tobytes(), digest_size=16).digest()


def origins_of(
    names: Iterable[str], sources: Iterable[str], motif_set: MotifSetRecord, record: RunRecord
) -> tuple[tuple[str, str] | None, ...]:
    """Return of motifs of a set, by their names in their files, what ``MotifsOfSet`` wants.

    Parameters
    ----------
    sources
        Paths of the files as they were given; empty in runs of older releases, which know one.
    """
    known = {file.path: file.digest for file in record.inputs}
    only = motif_set.modisco.digest if motif_set.modisco else ""
    names = tuple(names)
    digests = [known.get(source, "") if source else only for source in sources]
    return tuple(
        (digest, name) if digest else None
        for name, digest in zip(names, digests or [only] * len(names), strict=True)
    )


@dataclass(slots=True)
class _Motif:
    """A motif, and what it has been seen as."""

    name: str
    motif_set: MotifsOfSet
    row: int
    origins: set[tuple[str, str]] = field(default_factory=set)

    def is_same(self, motif_set: MotifsOfSet, row: int) -> bool:
        return motif_set.origins[row] in self.origins or (
            self.motif_set.digest(self.row) == motif_set.digest(row)
        )


def unite(sets: Iterable[MotifsOfSet]) -> RunMotifs:
    """Return the motifs of some sets, in the order of their first sets, each once."""
    sets = tuple(sets)
    if len(sets) == 1:
        # Nothing to compare; and a directory of finemo's may have motifs on one strand.
        return _only(sets[0].name, sets[0].names)
    motifs: list[_Motif] = []
    by_name: dict[str, list[int]] = {}
    ids: dict[str, NDArray[np.int32]] = {}
    for motif_set in sets:
        numbers = [
            _number(motifs, by_name, motif_set, row) for row in range(0, len(motif_set.names), 2)
        ]
        ids[motif_set.name] = (2 * np.repeat(np.array(numbers, np.int32), 2)).astype(np.int32)
        ids[motif_set.name][1::2] += 1
    homes = tuple((motif.motif_set.name, motif.row + i) for motif in motifs for i in range(2))
    names = chain.from_iterable((name, name) for name in _told_apart(motifs))
    return RunMotifs(tuple(names), homes, ids, {s.name: s.names for s in sets})


def _only(motif_set: str, names: tuple[str, ...]) -> RunMotifs:
    return RunMotifs(
        names=names,
        homes=tuple((motif_set, row) for row in range(len(names))),
        ids={motif_set: np.arange(len(names), dtype=np.int32)},
        own_names={motif_set: names},
    )


def _number(
    motifs: list[_Motif], by_name: dict[str, list[int]], motif_set: MotifsOfSet, row: int
) -> int:
    """Return which motif a row of a set is; a new one is added."""
    name = motif_set.names[row]
    namesakes = by_name.setdefault(name, [])
    number = next((i for i in namesakes if motifs[i].is_same(motif_set, row)), None)
    if number is None:
        number = len(motifs)
        motifs.append(_Motif(name, motif_set, row))
        namesakes.append(number)
    if (origin := motif_set.origins[row]) is not None:
        motifs[number].origins.add(origin)
    return number


def _told_apart(motifs: list[_Motif]) -> list[str]:
    """Return a name for each motif that no other has, alike for all motifs of one home."""
    counts = Counter(motif.name for motif in motifs)
    unclear = {motif.motif_set.name for motif in motifs if counts[motif.name] > 1}
    return [
        f"{motif.motif_set.name}:{motif.name}" if motif.motif_set.name in unclear else motif.name
        for motif in motifs
    ]
