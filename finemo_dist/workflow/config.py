"""The configuration file of ``finemo-dist run``: samples, motifs, solver, resources, output."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from finemo_dist.core import defaults
from finemo_dist.core.config import (
    CallConfig,
    FrozenModel,
    MotifConfig,
    OutputKind,
    ResourceConfig,
    SampleSettings,
    SolverConfig,
    one_or_many,
)
from finemo_dist.core.records import Mode, ScoreKind
from finemo_dist.sources.make import SOURCE_KINDS, SourceKind
from finemo_dist.storage.locations import Location

_Settings = TypeVar("_Settings", bound=FrozenModel)

MotifFiles = Annotated[tuple[Location, ...], BeforeValidator(one_or_many), Field(min_length=1)]
"""One motif file, or several whose motifs form one set."""
Width = Annotated[int, Field(ge=2)]


class BigWigInput(FrozenModel):
    """Projected contributions from bigWigs (folds) over a genome."""

    kind: ClassVar[SourceKind] = "bigwig"

    peaks: Location
    fasta: Location
    bigwigs: Annotated[tuple[Location, ...], Field(min_length=1)]
    region_width: Width = defaults.REGION_WIDTH
    chrom_order: Location | None = None


class _ArraysInput(FrozenModel):
    """The places of the rows of arrays, and the order of their axes."""

    peaks: Location | None = None
    fasta: Location | None = None
    region_width: Width = defaults.REGION_WIDTH
    chrom_order: Location | None = None
    chrom_sizes: Location | None = None
    """Lengths of chromosomes, if there is no ``fasta`` to take them from."""
    keep: Location | None = None
    """Peaks that have arrays, as ``.npy``."""
    axis_order: Literal["nal", "nla"] | None = None
    """N regions, A bases, L positions; the order of the format when None."""
    scores: ScoreKind | None = None
    """What is kept: ``hypothetical``, the scores of all bases, or ``projected``, that of the base
    that is there, which is all that modes pp and hp need. When None, ``extract_regions`` keeps
    all, and a run what its mode needs."""


class ChromBpnetInput(_ArraysInput):
    """Hypothetical contributions from ChromBPNet's H5 files (folds)."""

    kind: ClassVar[SourceKind] = "chrombpnet_h5"

    h5s: Annotated[tuple[Location, ...], Field(min_length=1)]


class BpnetInput(ChromBpnetInput):
    """Hypothetical contributions from BPNet's H5 files (folds)."""

    kind: ClassVar[SourceKind] = "bpnet_h5"


class ModiscoArraysInput(_ArraysInput):
    """Hypothetical contributions from the inputs of TF-MoDISco (folds)."""

    kind: ClassVar[SourceKind] = "modisco_arrays"

    sequences: Location
    attributions: Annotated[tuple[Location, ...], Field(min_length=1)]


ExtractionInput = BigWigInput | ChromBpnetInput | BpnetInput | ModiscoArraysInput

INPUT_KINDS: Final = ("regions", *SOURCE_KINDS)
"""The kinds of input a sample may have, as keys of the sample."""


class SampleConfig(FrozenModel):
    """One sample: a name and exactly one kind of input."""

    name: Annotated[str, Field(min_length=1)]
    regions: Location | None = None
    """A region store, or finemo's ``.npz``."""
    modisco_h5: MotifFiles | None = None
    """Its motifs, in one file or several. Those of the run when None."""
    motifs: MotifConfig | None = None
    """Settings that override those of the run, key by key."""
    solver: SolverConfig | None = None
    """As ``motifs``."""
    bigwig: BigWigInput | None = None
    chrombpnet_h5: ChromBpnetInput | None = None
    bpnet_h5: BpnetInput | None = None
    modisco_arrays: ModiscoArraysInput | None = None

    @model_validator(mode="after")
    def _has_one_input(self) -> Self:
        given = [kind for kind in INPUT_KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"sample {self.name!r} gives {' and '.join(given) or 'no input'}; expected exactly "
                f"one of {', '.join(INPUT_KINDS)}"
            )
        return self

    @property
    def extracted(self) -> ExtractionInput | None:
        """The input that its regions are extracted from; None if ``regions`` are given."""
        return self.bigwig or self.chrombpnet_h5 or self.bpnet_h5 or self.modisco_arrays

    def extracted_for(self, mode: Mode) -> ExtractionInput | None:
        """Return ``extracted``, of which only the scores are kept that a mode needs."""
        inputs = self.extracted
        is_open = isinstance(inputs, _ArraysInput) and inputs.scores is None
        if inputs is None or not is_open or mode.contributions_are_hypothetical:
            return inputs
        return inputs.model_copy(update={"scores": ScoreKind.PROJECTED})


class RunConfig(FrozenModel):
    """A run over many samples."""

    output: Location
    modisco_h5: MotifFiles | None = None
    """Motifs of the samples that name none of their own; one file or several."""
    samples: tuple[SampleConfig, ...] = ()
    sample_sheet: Location | None = None
    """A table of further samples, one per row. Its relative paths start from its own folder."""
    motifs: MotifConfig = MotifConfig()
    solver: SolverConfig = SolverConfig()
    outputs: OutputKind = OutputKind.FINEMO
    """Files written of each sample: ``finemo``, ``parquet`` or ``none``."""
    resources: ResourceConfig = ResourceConfig()
    confidence: bool = False
    """Whether the q of every hit against decoy motifs is found as well."""
    compact: Literal["none", "sample", "place"] = "none"
    """Whether hits are sorted by place at the end, in files of each sample or of all samples."""

    @model_validator(mode="after")
    def _has_samples(self) -> Self:
        if not self.samples and self.sample_sheet is None:
            raise ValueError(
                "there are no samples; list some under samples, or name a sample_sheet"
            )
        counts = Counter(sample.name for sample in self.samples)
        for name, count in counts.items():
            if count > 1:
                raise ValueError(f"two samples have the name {name!r}")
        for sample in self.samples:
            if sample.modisco_h5 is None and self.modisco_h5 is None:
                raise ValueError(
                    f"sample {sample.name!r} has no modisco_h5; give it one, or give one for all "
                    "samples"
                )
        return self

    def with_samples(self, samples: Sequence[SampleConfig]) -> Self:
        """Return the same run with these samples added after its own, and without a sheet."""
        values = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self)(**values | {"samples": (*self.samples, *samples), "sample_sheet": None})

    @property
    def of_samples(self) -> dict[str, SampleSettings]:
        """The settings of each sample: those of the run, overridden by those of the sample."""
        return {sample.name: self._settings_of(sample) for sample in self.samples}

    def _settings_of(self, sample: SampleConfig) -> SampleSettings:
        modisco_h5 = sample.modisco_h5 or self.modisco_h5
        assert modisco_h5 is not None, "checked when the configuration was made"
        call = CallConfig(
            motifs=_merged(self.motifs, sample.motifs), solver=_merged(self.solver, sample.solver)
        )
        return SampleSettings(modisco_h5=modisco_h5, call=call)


def _merged(common: _Settings, own: _Settings | None) -> _Settings:
    """Return settings with the fields that ``own`` was given in place of the common ones."""
    if own is None:
        return common
    given = {name: getattr(own, name) for name in own.model_fields_set}
    return common.model_copy(update=given)


def with_absolute_paths(value: Any, folder: Path) -> Any:  # noqa: ANN401  (a tree of models)
    """Return a configuration whose relative paths start from ``folder``."""
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, tuple):
        return tuple(with_absolute_paths(item, folder) for item in value)
    if isinstance(value, FrozenModel):
        # Of what was given only, so that it stays known what that is.
        given = value.model_fields_set
        return value.model_copy(
            update={name: with_absolute_paths(getattr(value, name), folder) for name in given}
        )
    return value
