"""In what a run that stands differs from the one that is asked for, in words."""

from collections.abc import Iterable, Mapping

from finemo_dist.record.run_record import RunRecord, SampleRecord


def differing(standing: RunRecord, asked: RunRecord) -> list[str]:
    """Return what differs: settings of all samples by their key, those of one with its name."""
    pairs = _pairs(standing, asked)
    by_sample = {new.name: _settings(standing, old, asked, new) for old, new in pairs}
    common = _in_all(by_sample.values())
    found = list(common)
    for name, differences in by_sample.items():
        found += [f"sample {name!r}: {what}" for what in differences if what not in common]
    old, new = ({sample.name for sample in run.samples} for run in (standing, asked))
    # A refused sample makes no other run: it joins once it is mended, or is given up.
    is_new = (new | asked.refused.keys()) - (old | standing.refused.keys())
    is_missing = old - new - asked.refused.keys()
    for name in sorted(is_new | is_missing):
        found.append(f"sample {name!r} is {'new' if name in is_new else 'missing'}")
    found += [
        regions_changed(new.name) for old, new in pairs if old.store_digest != new.store_digest
    ]
    return found


def regions_changed(sample: str) -> str:
    """Return what to say where the store of a sample has another digest."""
    return f"the regions of sample {sample!r} have changed"


def _pairs(standing: RunRecord, asked: RunRecord) -> list[tuple[SampleRecord, SampleRecord]]:
    old = {sample.name: sample for sample in standing.samples}
    return [(old[new.name], new) for new in asked.samples if new.name in old]


def _settings(
    standing: RunRecord, old: SampleRecord, asked: RunRecord, new: SampleRecord
) -> list[str]:
    found = _differing_keys(standing.settings_of(old), asked.settings_of(new))
    if not found and standing.set_of(old).digest != asked.set_of(new).digest:
        found.append("the motifs of the modisco file have changed")
    if not found and standing.config_digest_of(old) != asked.config_digest_of(new):
        found.append("its settings differ")
    return found


def _differing_keys(
    standing: Mapping[str, object], asked: Mapping[str, object], path: str = ""
) -> list[str]:
    found = []
    for key in sorted(standing.keys() | asked.keys()):
        old, new = standing.get(key), asked.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differing_keys(old, new, f"{path}{key}.")
        elif old != new:
            found.append(f"{path}{key} was {old!r} and is now {new!r}")
    return found


def _in_all(differences: Iterable[list[str]]) -> list[str]:
    """Return what every sample has, in the order of the first."""
    first, *others = list(differences) or [[]]
    return [what for what in first if all(what in other for other in others)]
