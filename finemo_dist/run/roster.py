"""Which samples are in the record of a run: one joins it soon after its store is whole."""

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from finemo_dist.core.events import RunEvent, UnitDone, UnitFailed
from finemo_dist.core.input_report import InputReport
from finemo_dist.core.records import EXTRACTION, Stage, Unit
from finemo_dist.record.run_record import Invocation, RunRecord
from finemo_dist.run.differences import regions_changed
from finemo_dist.run.left_out import LeftOut
from finemo_dist.run.motif_groups import group_motifs
from finemo_dist.run.plan import PlannedSample, RunPlan, another_run, begin_run, record_of
from finemo_dist.store.read import RegionStore, open_store

_SAVING_SHARE: Final = 0.02
"""Largest share of the time that is spent on recording joins. Each save writes all samples, which
takes a tenth of a second for 1,500 of them, and 1,500 of them join."""


class Roster:
    """The record of a run while stores are made, and the samples that are left out of it.

    Parameters
    ----------
    samples
        All of the plan; none where no store is made.
    reports
        What was met while the regions of each whole store were read.
    left_out
        Where samples are added that cannot be extracted.
    """

    def __init__(
        self,
        plan: RunPlan,
        *,
        samples: Mapping[str, PlannedSample] | None = None,
        reports: Mapping[str, InputReport] | None = None,
        left_out: LeftOut | None = None,
    ) -> None:
        self._run_dir: Path = plan.run_dir
        self._samples = dict(samples or {})
        self._reports = dict(reports or {})
        self._total = InputReport.total(self._reports.values())
        self._left_out = left_out or LeftOut()
        self._awaited = set(plan.extraction.samples)
        self._gone: set[str] = set()
        self._is_recorded = plan.record.has_joined
        """Whether the plan did so."""
        self._is_begun = False
        self._is_unsaved = False
        self._save_due = float("-inf")
        """By the monotonic clock."""
        self.record = plan.record
        """With the samples that are awaited."""
        self.stores: dict[str, RegionStore] = {}
        """Those that were made."""

    @property
    def is_empty(self) -> bool:
        """Whether no sample has a store, so that there is no run yet."""
        return not self.record.has_joined

    def begin(self, invocation: Invocation) -> None:
        """Record who works on the run from here on."""
        self.record = self.record.begun(invocation)
        if self._is_recorded:
            self.record = self.record.save_joined(self._run_dir)
        else:
            self.record = begin_run(self._run_dir, self.record, group_motifs(self._samples))
        self._is_begun = True

    def add(self, event: RunEvent) -> None:
        """Take note of what happened to a store.

        Raises
        ------
        RunError
            A store that was made again is another one than the parts were called in.
        """
        match event:
            case UnitDone(unit=Unit(stage=Stage.STORE)):
                self._join(event.unit.sample, event.note)
            case UnitFailed(is_final=True) if event.unit.stage in EXTRACTION:
                name = event.unit.sample
                self._left_out.add(name, event.error, is_refused=event.is_refused)
                self._gone.add(name)

        self._save_if_due()

    def _save_if_due(self) -> None:
        """Record the samples that joined, unless the last save was too recent.

        Parts of a sample that is not recorded yet are not lost: a rerun reads the digest from the
        store and counts the parts that name it.
        """
        begun = time.monotonic()
        if self._is_begun and self._is_unsaved and begun >= self._save_due:
            self.record = self.record.save_joined(self._run_dir)
            self._is_unsaved = False
            ended = time.monotonic()
            self._save_due = ended + (ended - begun) / _SAVING_SHARE

    def is_expected(self, unit: Unit) -> bool:
        """Whether a unit is of a sample that was not left out."""
        return unit.sample not in self._gone

    def _join(self, name: str, digest: str) -> None:
        known = self.record.sample(name)
        if known is not None and known.store_digest not in {"", digest}:
            raise another_run(self._run_dir, regions_changed(name))
        store = open_store(self._samples[name].store.path)
        self.stores[name] = store
        self._samples[name] = replace(self._samples[name], store=store)
        self._awaited.discard(name)
        report = self._reports[name] = store.report
        self._total += report
        update = {
            "input_reports": {**self.record.input_reports, name: asdict(report)},
            "warnings": self._total.counts.irregular(),
        }
        self.record = self.record.with_store(name, digest).model_copy(update=update)
        self._is_unsaved = True

    def settle(self) -> RunRecord:
        """Take those that were left out from the record, and return it."""
        remaining = {n: s for n, s in self._samples.items() if n not in self._gone}
        if self._gone and remaining:
            before, sets = self.record, group_motifs(remaining)
            record = record_of(
                remaining, sets, self._reports, refused=self._refused(), outputs=before.outputs
            ).replacing(before.e_tag, created=before.created, of=before.invocations)
            # Of a store that is still awaited the digest may be known all the same.
            for sample in before.samples:
                if sample.name in self._awaited - self._gone:
                    record = record.with_store(sample.name, sample.store_digest)
            update = {"status": before.status, "executor": before.executor}
            self.record = begin_run(self._run_dir, record.model_copy(update=update), sets)
        known = self.record.input_reports
        ordered = {s.name: known[s.name] for s in self.record.samples if s.name in known}
        self.record = self.record.model_copy(update={"input_reports": ordered})
        return self.record

    def _refused(self) -> Mapping[str, str]:
        own = {name: self._left_out.errors[name] for name in self._gone}
        return {**self.record.refused, **own}
