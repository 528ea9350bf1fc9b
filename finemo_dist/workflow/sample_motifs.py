"""The motifs of each sample: every file read once, every set built once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finemo_dist.core.config import SampleSettings, digest_of
from finemo_dist.core.errors import InputError
from finemo_dist.core.records import InputFile, MotifSet
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import Pattern, read_patterns
from finemo_dist.storage.files import describe_input


@dataclass(frozen=True, slots=True)
class SampleMotifs:
    """What is called in a sample, and where it comes from."""

    motifs: MotifSet
    """The same object for samples that share a set."""
    modisco: InputFile


def read_sample_motifs(settings: Mapping[str, SampleSettings]) -> dict[str, SampleMotifs]:
    """Return the motifs of every sample, file by file, so that one is in memory at a time.

    Raises
    ------
    InputError
        A modisco file cannot be read, or does not hold what the settings name.
    """
    by_file: dict[Path, list[str]] = {}
    for name, asked in settings.items():
        by_file.setdefault(asked.modisco_h5, []).append(name)
    found = {
        name: motifs
        for path, names in by_file.items()
        for name, motifs in _of_file(path, {name: settings[name] for name in names}).items()
    }
    return {name: found[name] for name in settings}


def _of_file(path: Path, settings: Mapping[str, SampleSettings]) -> dict[str, SampleMotifs]:
    patterns = read_patterns(path)
    modisco = describe_input(path)
    built: dict[str, MotifSet] = {}
    found: dict[str, SampleMotifs] = {}
    for name, asked in settings.items():
        # The mode decides between two kinds of CWMs and nothing else of a motif.
        cwms = asked.call.solver.mode.cwms_are_hypothetical
        key = digest_of([asked.call.motifs.model_dump(mode="json"), cwms])
        if key not in built:
            built[key] = _build(path, patterns, asked)
        found[name] = SampleMotifs(built[key], modisco)
    return found


def _build(path: Path, patterns: Sequence[Pattern], asked: SampleSettings) -> MotifSet:
    try:
        return build_motif_set(patterns, asked.call.motifs, asked.call.solver.mode)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
