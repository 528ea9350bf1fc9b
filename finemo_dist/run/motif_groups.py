"""Which samples share motifs: the motif sets of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from finemo_dist.core.config import digest_of
from finemo_dist.core.records import InputFile, MotifSet
from finemo_dist.record.run_record import FIRST_SET, MotifSetRecord


class HasMotifs(Protocol):
    """A sample and the motifs that are called in it."""

    @property
    def motifs(self) -> MotifSet:
        """Both strands of each motif."""

    @property
    def modisco(self) -> InputFile | None:
        """The file they come from, if it is known."""


@dataclass(frozen=True, slots=True)
class MotifGroups:
    """The motif sets of a run, in the order of their first samples."""

    records: tuple[MotifSetRecord, ...]
    motifs: tuple[MotifSet, ...]
    index: Mapping[str, int]
    """Sample to its set."""

    def record_of(self, sample: str) -> MotifSetRecord:
        """Return the set of a sample."""
        return self.records[self.index[sample]]


def group_motifs(samples: Mapping[str, HasMotifs]) -> MotifGroups:
    """Return the motif sets of samples: one for motifs that are equal and of one modisco file."""
    digests: dict[int, str] = {}
    keys: dict[tuple[str, str], HasMotifs] = {}
    key_of: dict[str, tuple[str, str]] = {}
    for name, sample in samples.items():
        # Samples pass the very same object, and a digest reads every CWM.
        digest = digests.get(id(sample.motifs)) or motif_digest(sample.motifs)
        digests[id(sample.motifs)] = digest
        key_of[name] = (digest, sample.modisco.digest if sample.modisco else "")
        keys.setdefault(key_of[name], sample)
    number = {key: i for i, key in enumerate(keys)}
    records = tuple(
        _record(i, key[0], sample, is_only=len(keys) == 1)
        for i, (key, sample) in enumerate(keys.items())
    )
    return MotifGroups(
        records,
        tuple(sample.motifs for sample in keys.values()),
        {name: number[key] for name, key in key_of.items()},
    )


def motif_digest(motifs: MotifSet) -> str:
    """Return a digest of everything about motifs that decides a hit."""
    return digest_of(
        {
            "names": [motifs.name, motifs.name_orig, motifs.strand],
            "cwm": [motifs.cwm.shape, motifs.cwm.tobytes().hex()],
            "trim": [motifs.start.tolist(), motifs.end.tolist()],
            "penalty": motifs.penalty.tolist(),
        }
    )


def _record(number: int, digest: str, sample: HasMotifs, *, is_only: bool) -> MotifSetRecord:
    name = f"{FIRST_SET.removesuffix('00000')}{number:05d}"
    return MotifSetRecord(
        name=name,
        folder="" if is_only else name,
        digest=digest,
        n_motifs=len(sample.motifs),
        motif_width=sample.motifs.width,
        modisco=sample.modisco,
    )
