"""The motifs of each sample: every file read once, every set built once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finemo_dist.core.config import SampleSettings, digest_of
from finemo_dist.core.errors import InputError
from finemo_dist.core.palindromes import NO_PALINDROME, palindrome_offsets
from finemo_dist.core.records import InputFile, MotifSet
from finemo_dist.hits.run_motifs import MotifsOfSet, unite
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.files import read_motif_files
from finemo_dist.motifs.modisco import Pattern
from finemo_dist.record.run_record import RunRecord
from finemo_dist.storage.files import describe_input


@dataclass(frozen=True, slots=True)
class SampleMotifs:
    """What is called in a sample, and where it comes from."""

    motifs: MotifSet
    """The same object for samples that share a set."""
    files: tuple[InputFile, ...]
    """In the order in which they were given."""

    @property
    def modisco(self) -> InputFile:
        """The file whose seqlets a report may look for: the first H5, or else the first."""
        is_h5 = (f for f in self.files if f.path.endswith((".h5", ".hdf5")))
        return next(is_h5, self.files[0])


def read_sample_motifs(settings: Mapping[str, SampleSettings]) -> dict[str, SampleMotifs]:
    """Return the motifs of every sample, files by files, so that one set of them is in memory.

    Raises
    ------
    InputError
        A motif file cannot be read, or does not hold what the settings name.
    """
    by_files: dict[tuple[Path, ...], list[str]] = {}
    for name, asked in settings.items():
        by_files.setdefault(asked.modisco_h5, []).append(name)
    found = {
        name: motifs
        for paths, names in by_files.items()
        for name, motifs in _of_files(paths, {name: settings[name] for name in names}).items()
    }
    return {name: found[name] for name in settings}


def _of_files(
    paths: tuple[Path, ...], settings: Mapping[str, SampleSettings]
) -> dict[str, SampleMotifs]:
    patterns = read_motif_files(paths)
    files = tuple(map(describe_input, paths))
    built: dict[str, MotifSet] = {}
    found: dict[str, SampleMotifs] = {}
    for name, asked in settings.items():
        # The mode decides between two kinds of CWMs and nothing else of a motif.
        cwms = asked.call.solver.mode.cwms_are_hypothetical
        key = digest_of([asked.call.motifs.model_dump(mode="json"), cwms])
        if key not in built:
            built[key] = _build(paths, patterns, asked)
        found[name] = SampleMotifs(built[key], files)
    return found


def _build(paths: tuple[Path, ...], patterns: Sequence[Pattern], asked: SampleSettings) -> MotifSet:
    try:
        return build_motif_set(patterns, asked.call.motifs, asked.call.solver.mode)
    except InputError as error:
        raise InputError(f"{', '.join(map(str, paths))}: {error}") from error


def split_palindromes(
    record: RunRecord,
    settings: Mapping[str, SampleSettings],
    motifs: Mapping[str, SampleMotifs],
) -> tuple[str, ...]:
    """Return the palindromes whose strands are called apart, named as in the tables of the run."""
    of_set = {s.motif_set: motifs[s.name].motifs for s in reversed(record.samples)}
    united = unite(MotifsOfSet.of(of_set[s.name], s, record) for s in record.sets)
    found: dict[str, None] = {}
    seen: set[str] = set()
    for sample in record.samples:
        if settings[sample.name].call.solver.merge_palindromes or sample.motif_set in seen:
            continue
        seen.add(sample.motif_set)
        offsets = palindrome_offsets(of_set[sample.motif_set])[::2].tolist()
        names = zip(united.names_in(sample.motif_set)[::2], offsets, strict=True)
        found |= {name: None for name, offset in names if offset != NO_PALINDROME}
    return tuple(found)
