"""The configuration file of ``finemo-dist run``: samples, motifs, solver, resources, output."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from finemo_dist.core.config import (
    CallConfig,
    FrozenModel,
    MotifConfig,
    ResourceConfig,
    SolverConfig,
)

Width = Annotated[int, Field(ge=2)]


class BigWigInput(FrozenModel):
    """Projected contributions from bigWigs (folds) over a genome."""

    peaks: Path
    fasta: Path
    bigwigs: Annotated[tuple[Path, ...], Field(min_length=1)]
    region_width: Width = 1000
    chrom_order: Path | None = None


class H5Input(FrozenModel):
    """Hypothetical contributions from H5 files (folds)."""

    h5s: Annotated[tuple[Path, ...], Field(min_length=1)]
    peaks: Path | None = None
    fasta: Path | None = None
    region_width: Width = 1000
    chrom_order: Path | None = None


class ModiscoArraysInput(FrozenModel):
    """Hypothetical contributions from the inputs of TF-MoDISco (folds)."""

    sequences: Path
    attributions: Annotated[tuple[Path, ...], Field(min_length=1)]
    peaks: Path | None = None
    fasta: Path | None = None
    region_width: Width = 1000
    chrom_order: Path | None = None


class SampleConfig(FrozenModel):
    """One sample: a name and exactly one kind of input."""

    name: Annotated[str, Field(min_length=1)]
    regions: Path | None = None
    """A region store, or finemo's ``.npz``."""
    bigwig: BigWigInput | None = None
    chrombpnet_h5: H5Input | None = None
    bpnet_h5: H5Input | None = None
    modisco_arrays: ModiscoArraysInput | None = None

    @model_validator(mode="after")
    def _has_one_input(self) -> Self:
        kinds = ("regions", "bigwig", "chrombpnet_h5", "bpnet_h5", "modisco_arrays")
        given = [kind for kind in kinds if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"sample {self.name!r} gives {' and '.join(given) or 'no input'}; expected exactly "
                f"one of {', '.join(kinds)}"
            )
        return self


class RunConfig(FrozenModel):
    """A run over many samples with one motif set."""

    output: Path
    modisco_h5: Path
    samples: Annotated[tuple[SampleConfig, ...], Field(min_length=1)]
    motifs: MotifConfig = MotifConfig()
    solver: SolverConfig = SolverConfig()
    resources: ResourceConfig = ResourceConfig()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [sample.name for sample in self.samples]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two samples have the name {name!r}")
        return self

    @property
    def call(self) -> CallConfig:
        """What decides the hits."""
        return CallConfig(motifs=self.motifs, solver=self.solver)


def with_absolute_paths(value: Any, folder: Path) -> Any:  # noqa: ANN401  (a tree of models)
    """Return a configuration whose relative paths count from ``folder``."""
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, tuple):
        return tuple(with_absolute_paths(item, folder) for item in value)
    if isinstance(value, FrozenModel):
        fields = type(value).model_fields
        return value.model_copy(
            update={name: with_absolute_paths(getattr(value, name), folder) for name in fields}
        )
    return value
