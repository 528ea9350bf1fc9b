"""The record of a run, ``RUN/run.json``: what was asked, of which inputs, and how it went."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from finemo_dist.core.config import OutputKind, digest_of
from finemo_dist.core.errors import DamagedRecordError, RunError
from finemo_dist.core.records import InputFile
from finemo_dist.core.system_errors import fault
from finemo_dist.record.lease import require_held
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location
from finemo_dist.storage.objects import ObjectPath

RUN_FORMAT: Final = "finemo_dist.run"
RUN_FORMAT_VERSION: Final = 1

_CHECKSUM: Final = "checksum"

_CURE: Final = "Run the command that made the run again: it keeps every shard that matches."

AWAITED: Final = "its regions are not extracted yet"
"""Why a sample is not called that joins the run when its store is whole."""

RunStatus = Literal["running", "complete", "incomplete", "interrupted"]

MOST_INVOCATIONS: Final = 50
"""Kept in a record; a job that is pre-empted for weeks must not grow it without end."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


FIRST_SET: Final = "set-00000"
"""The name of the motif set of a run that has one."""


class MotifSetRecord(_Frozen):
    """Motifs that samples share: of one modisco file, with one choice of settings."""

    name: str = Field(min_length=1)
    folder: str = ""
    """In ``RUN/motifs``; empty where this is the only set."""
    digest: str
    """Of the motifs as they are called."""
    n_motifs: int = Field(ge=1)
    """Motifs times strands."""
    motif_width: int = Field(ge=1)
    """Columns of an untrimmed CWM."""
    modisco: InputFile | None = None


class SampleRecord(_Frozen):
    """One sample of a run: its region store, how that is divided, and how it is called."""

    name: str = Field(min_length=1)
    store: str
    """Path of the region store, from any folder."""
    store_given: str = ""
    """The same as it was given; empty in old records."""
    store_digest: str
    n_regions: int = Field(ge=0)
    n_shards: int = Field(ge=0)
    region_width: int = Field(ge=1)
    has_coordinates: bool
    motif_set: str = FIRST_SET
    config: dict[str, Any] | None = None
    """Its settings, where they are not those of the run."""
    config_digest: str = ""
    """Of its settings and motifs; that of the run where empty."""
    assembly: int | None = None
    """Index of its chromosomes' lengths in those of the run; None where they are not known."""


class Invocation(_Frozen):
    """One time that a command worked on the run: the first, or a resume."""

    id: str = Field(min_length=1)
    """Of its log, ``RUN/log/run-ID.jsonl``."""
    command: str | None = None
    """As it was typed; None from Python."""
    directory: str
    """Where it was typed."""
    version: str
    """Of the package."""
    host: str
    pid: int
    executor: dict[str, str | int] = {}
    started: str
    """ISO 8601."""
    finished: str | None = None
    status: RunStatus | Literal["stopped"] = "running"
    """``stopped`` ended without a word and was followed by another."""
    error: str | None = None
    """What ended it, where anything did."""
    n_units: int = 0
    """Units it committed."""
    seconds: float = 0.0
    """Wall time of the work on shards."""


class Derived(_Frozen):
    """What the hits of a run were chosen from."""

    run: str
    """Directory of the run that they were called in, or chosen from before."""
    rules: tuple[dict[str, Any], ...]
    """What was applied, in order, since the hits were called; each its kind and its value."""


class RunRecord(_Frozen):
    """Everything about a run that is not in its tables."""

    format: Literal["finemo_dist.run"] = RUN_FORMAT
    format_version: Literal[1] = RUN_FORMAT_VERSION
    version: str
    """Of the package that wrote the run."""
    status: RunStatus
    created: str
    """When the run began, ISO 8601."""
    finished: str | None = None
    samples: tuple[SampleRecord, ...] = Field(min_length=1)
    config: dict[str, Any]
    """Settings of the samples that have none of their own."""
    config_digest: str
    """Of settings and motifs; of several samples' where they differ."""
    motif_width: int = Field(ge=1)
    """Columns of an untrimmed CWM, the widest."""
    n_motifs: int = Field(ge=1)
    """Motifs times strands, of all sets."""
    motif_digest: str
    motif_sets: tuple[MotifSetRecord, ...] = ()
    chrom_lengths: tuple[dict[str, Annotated[int, Field(ge=1)]], ...] = ()
    """Chromosome to bases, once for all samples that have the same; of known ones only."""
    inputs: tuple[InputFile, ...] = ()
    machine: dict[str, str] = {}
    executor: dict[str, str | int] = {}
    warnings: dict[str, int] = {}
    """How often each kind of irregular input was met."""
    input_reports: dict[str, dict[str, dict[str, int | float]]] = {}
    """What was met while the regions of each sample were read: its `InputReport`."""
    outputs: OutputKind | None = None
    """Files that belong to the complete run; None in old records, which do not say."""
    seconds: dict[str, float] = {}
    """Wall time by stage."""
    refused: dict[str, str] = {}
    """Samples of the command that are not called and not among ``samples``, with why."""
    failures: dict[str, str] = {}
    """Unit, as text, to the error that set it aside."""
    derived: Derived | None = None
    """Of a run that ``filter-hits`` wrote; None where hits were called."""
    invocations: tuple[Invocation, ...] = ()
    """What worked on the run, oldest first; the last ``MOST_INVOCATIONS``."""
    _e_tag: str | None = PrivateAttr(default=None)
    """Of the object this record was read from or written as last."""

    def sample(self, name: str) -> SampleRecord | None:
        """Return the sample of that name, or None."""
        return next((s for s in self.samples if s.name == name), None)

    def begun(self, invocation: Invocation) -> Self:
        """Return the record of the run with an invocation that works on it from now on."""
        earlier = (
            i.model_copy(update={"status": "stopped"}) if i.status == "running" else i
            for i in self.invocations
        )
        known = (*earlier, invocation)[-MOST_INVOCATIONS:]
        return self.model_copy(
            update={
                "status": "running",
                "finished": None,
                "executor": invocation.executor,
                "invocations": known,
            }
        )

    @property
    def sets(self) -> tuple[MotifSetRecord, ...]:
        """The motif sets, in the order of their first samples; of old records the only one."""
        only = MotifSetRecord(
            name=FIRST_SET,
            digest=self.motif_digest,
            n_motifs=self.n_motifs,
            motif_width=self.motif_width,
        )
        return self.motif_sets or (only,)

    def set_of(self, sample: SampleRecord) -> MotifSetRecord:
        """Return the motif set of a sample."""
        return next(found for found in self.sets if found.name == sample.motif_set)

    def place_of(self, file: InputFile) -> str:
        """Return where to look for an input from any folder."""
        if file.resolved or not self.invocations:
            return file.place
        # Old records have paths as they were typed, and where that was.
        return str(Path(self.invocations[0].directory) / location(file.path))

    def chrom_lengths_of(self, sample: SampleRecord) -> dict[str, int]:
        """Return chromosome to bases of a sample, where they are known."""
        return {} if sample.assembly is None else self.chrom_lengths[sample.assembly]

    def measured(self, lengths: Mapping[str, int]) -> Self:
        """Return the record as if all samples had chromosomes of these lengths."""
        samples = tuple(s.model_copy(update={"assembly": 0}) for s in self.samples)
        return self.model_copy(update={"samples": samples, "chrom_lengths": (dict(lengths),)})

    def settings_of(self, sample: SampleRecord) -> dict[str, Any]:
        """Return the settings of a sample."""
        return self.config if sample.config is None else sample.config

    def config_digest_of(self, sample: SampleRecord) -> str:
        """Return the digest that the parts of a sample must name."""
        return sample.config_digest or self.config_digest

    def only(self, name: str) -> Self:
        """Return the record as if that sample, with its motif set, were all of the run."""
        sample = next(s for s in self.samples if s.name == name)
        motif_set = self.set_of(sample)
        others = {found.modisco for found in self.sets} - {motif_set.modisco}
        digest = self.config_digest_of(sample)
        return self.model_copy(
            update={
                "samples": (sample.model_copy(update={"config": None, "config_digest": digest}),),
                "config": self.settings_of(sample),
                "config_digest": digest,
                "motif_width": motif_set.motif_width,
                "n_motifs": motif_set.n_motifs,
                "motif_digest": motif_set.digest,
                "motif_sets": (motif_set,),
                "inputs": tuple(file for file in self.inputs if file not in others),
            }
        )

    def with_store(self, name: str, digest: str) -> Self:
        """Return the record of a run in which the store of a sample has this digest."""
        samples = tuple(
            s.model_copy(update={"store_digest": digest}) if s.name == name else s
            for s in self.samples
        )
        return self.model_copy(update={"samples": samples})

    @property
    def has_joined(self) -> bool:
        """Whether the store of any sample is known to be whole."""
        return any(sample.store_digest for sample in self.samples)

    def save_joined(self, run_dir: str | Path) -> Self:
        """Save the record with the samples whose stores are whole, and return all of it.

        The others are named among those that are not called.
        """
        awaited = {s.name: AWAITED for s in self.samples if not s.store_digest}
        if not awaited:
            self.save(run_dir)
            return self
        joined = self.model_copy(
            update={
                "samples": tuple(s for s in self.samples if s.store_digest),
                "refused": self.refused | awaited,
            }
        )
        joined.save(run_dir)
        return self.replacing(joined.e_tag)

    def save(self, run_dir: str | Path) -> None:
        """Write ``run.json``, replacing the existing one.

        On object storage only the version that this record was made from is replaced, so that of
        two drivers one owns the run: the last that began.

        Raises
        ------
        RunError
            Another driver wrote the object meanwhile.
        IncompleteRunError
            Another driver took over the run.
        """
        require_held(location(run_dir))
        content = json.loads(self.model_dump_json())
        content[_CHECKSUM] = digest_of(content)
        text = json.dumps(content, indent=2) + "\n"
        path = _record_path(run_dir)
        if isinstance(path, ObjectPath):
            self._put(path, text)
            return
        with committed(path) as temporary:
            temporary.write_text(text, encoding="utf-8")

    @property
    def e_tag(self) -> str | None:
        """The version of the object that this record replaces when it is saved."""
        return self._e_tag

    def replacing(
        self,
        e_tag: str | None,
        *,
        created: str | None = None,
        of: tuple[Invocation, ...] | None = None,
    ) -> Self:
        """Return this record as the one to replace an object of that version.

        Parameters
        ----------
        created, of
            When the run was begun and what worked on it; as in this record when None.
        """
        update = {"created": created, "invocations": of}
        record = self.model_copy(update={k: v for k, v in update.items() if v is not None})
        record._e_tag = e_tag
        return record

    def _put(self, path: ObjectPath, text: str) -> None:
        try:
            self._e_tag = path.put_if(text.encode(), replaces=self._e_tag)
        except FileExistsError as error:
            raise RunError(
                f"{path}: was written by another driver that began on this run meanwhile. "
                "Committed shards are kept; let the other one finish, or start again after it."
            ) from error

    @classmethod
    def load(cls, run_dir: str | Path) -> Self:
        """Return the record of a run directory.

        Raises
        ------
        RunError
            There is none, it is damaged, or another format or version wrote it.
        """
        path = _record_path(run_dir)
        text, e_tag = _read(path)
        try:
            record = cls._parsed(path, text)
        except DamagedRecordError as error:
            error.e_tag = e_tag
            raise
        record._e_tag = e_tag
        return record

    @classmethod
    def _parsed(cls, path: Path, text: bytes) -> Self:
        try:
            fields = _require_format(path, json.loads(text))
            checksum = fields.pop(_CHECKSUM, None)
            record = cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(step) for step in first["loc"])
            raise DamagedRecordError(
                f"{path}: {where}: {first['msg']}. The file was edited or is damaged. {_CURE}"
            ) from error
        except ValueError as error:
            raise DamagedRecordError(f"{path}: is not JSON ({error}). {_CURE}") from error
        if checksum != digest_of(fields):
            raise DamagedRecordError(
                f"{path}: was edited or is damaged (its checksum does not match). {_CURE}"
            )
        return record


def _record_path(run_dir: str | Path) -> Path:
    return location(run_dir) / "run.json"


def _read(path: Path) -> tuple[bytes, str | None]:
    try:
        return path.read_tagged() if isinstance(path, ObjectPath) else (path.read_bytes(), None)
    except FileNotFoundError as error:
        raise RunError(
            f"{path.parent}: holds no run.json, so it is not a run directory. "
            "Give the directory that `call-hits -o` or `run -o` wrote."
        ) from error
    except OSError as error:
        what = f"{path}: cannot be read ({error.strerror or error})."
        raise fault(path, error, otherwise=what, kind=RunError) from error


def _require_format(path: Path, content: object) -> dict[str, Any]:
    fields = dict(content) if isinstance(content, Mapping) else {}
    found = (fields.get("format"), fields.get("format_version"))
    if found == (None, None):
        raise DamagedRecordError(f"{path}: is not the record of a run. {_CURE}")
    if found != (RUN_FORMAT, RUN_FORMAT_VERSION):
        raise RunError(
            f"{path}: is of format {found[0]!r}, version {found[1]!r}; this release reads "
            f"{RUN_FORMAT!r}, version {RUN_FORMAT_VERSION}. Use the release that wrote it."
        )
    return fields
