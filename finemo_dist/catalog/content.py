"""What a catalog shows of a run: the committed parts of samples and what was compacted of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from finemo_dist.catalog.compaction import Compaction, current_compactions
from finemo_dist.catalog.part_files import current_parts
from finemo_dist.catalog.placed import Placed, current_places
from finemo_dist.core.errors import RunError, UsageError, nearest
from finemo_dist.core.words import be, count
from finemo_dist.hits.read import survey_run
from finemo_dist.hits.run_motifs import RunMotifs
from finemo_dist.hits.run_parts import RunParts
from finemo_dist.record.run_record import RunRecord

_CHECKED_BYTES: Final = 2 << 30
"""Parts of at most this size are read against their checksums on opening, in about a second; a
question to an atlas should not begin by reading all of it."""


@dataclass(frozen=True, slots=True)
class Content:
    """Samples of a run at one moment."""

    record: RunRecord
    parts: RunParts
    """One for each sample shown, in the order of the run."""
    compactions: Mapping[str, Compaction]
    """The current ones."""
    places: Placed | None = None
    """The hits of all samples by place, where they are current and all samples are shown."""
    motifs: RunMotifs | None = None
    """Where motifs have other names than the run gives them."""

    def only(self, sample: str) -> "Content":
        """Return that of one sample, without looking at the parts again."""
        return Content(
            self.record,
            self.parts.only(sample),
            {name: found for name, found in self.compactions.items() if name == sample},
            motifs=self.motifs,
        )


def read_content(
    run_dir: Path, record: RunRecord, samples: Sequence[str] | None, *, allow_damaged: bool
) -> Content:
    """Return what is committed of some samples; see ``open_catalog``.

    Raises
    ------
    RunError
        A part is damaged.
    UsageError
        There is no such sample.
    """
    known = [sample.name for sample in record.samples]
    for name in samples or ():
        if name not in known:
            raise UsageError(f"{run_dir}: has no sample {name!r}.{nearest(name, known)}")
    shown = known if samples is None else list(dict.fromkeys(samples))
    found = survey_run(run_dir, shown, check_bytes=not allow_damaged, most_checked=_CHECKED_BYTES)
    damaged = [problem for name in shown for problem in found.damaged.get(name, ())]
    if damaged and not allow_damaged:
        n = len(damaged) - 1
        others = f" ({count(n, 'other part')} {be(n)} also damaged.)" if n else ""
        raise RunError(f"{damaged[0]}{others}")
    parts = current_parts(record, found)
    places = current_places(run_dir, parts) if set(shown) == set(known) else None
    return Content(record, parts, current_compactions(run_dir, parts), places)
