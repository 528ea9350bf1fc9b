"""The settings of a call: checked once, then frozen."""

import hashlib
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from finemo_dist.core import defaults
from finemo_dist.core.records import Mode

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class FrozenModel(BaseModel):
    """A model whose fields are checked once and never change; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SolverName(StrEnum):
    """The two ways to reach the optimum."""

    WORKING_SET = "working-set"
    DENSE = "dense"


class MotifConfig(FrozenModel):
    """Which motifs are called, and how they are trimmed, named and penalised."""

    trim_threshold: Fraction = defaults.TRIM_THRESHOLD
    trim_thresholds: dict[str, Fraction] = {}
    """By modisco name; overrides ``trim_threshold``."""
    trim_coords: dict[str, tuple[int, int]] = {}
    """By modisco name, half-open columns; overrides both thresholds."""
    penalty: Positive = defaults.PENALTY
    penalties: dict[str, Positive] = {}
    """By modisco name; overrides ``penalty``."""
    include: tuple[str, ...] | None = None
    """modisco names to call; all when None."""
    names: dict[str, str] = {}
    """modisco name to the name in the output."""


class SolverConfig(FrozenModel):
    """Which problem is solved, and when it counts as solved."""

    name: SolverName = SolverName(defaults.SOLVER)
    mode: Mode = Mode(defaults.MODE)
    use_sqrt_transform: bool = False
    use_post_filter: bool = True
    tolerance: Positive = defaults.GAP_TOLERANCE
    max_steps: Annotated[int, Field(ge=1)] = defaults.MAX_STEPS
    step_size_max: Positive = defaults.STEP_SIZE_MAX
    step_size_min: Positive = defaults.STEP_SIZE_MIN
    step_adjust: Annotated[float, Field(gt=0, lt=1)] = defaults.STEP_ADJUST
    use_compile: bool = False
    """Whether the steps of the dense solver are compiled, which changes round-off and so bytes."""
    merge_palindromes: bool = False
    """Whether the two hits of a palindrome at one site become one."""


class CallConfig(FrozenModel):
    """Everything that decides the hits of a sample, apart from its regions and motif file."""

    motifs: MotifConfig = MotifConfig()
    solver: SolverConfig = SolverConfig()


def one_or_many(value: object) -> object:
    """Return a tuple of what was given: files may be one or several."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


class SampleSettings(FrozenModel):
    """Which motif files are called in a sample, and how."""

    modisco_h5: Annotated[tuple[Path, ...], BeforeValidator(one_or_many), Field(min_length=1)]
    """TF-MoDISco, MEME or JASPAR files: their motifs are one set."""
    call: CallConfig = CallConfig()


class OutputKind(StrEnum):
    """Files for other tools that a run writes of each sample, beside its own tables."""

    NONE = "none"
    FINEMO = "finemo"
    """Text and arrays of the names that finemo gives them."""
    PARQUET = "parquet"
    """``hits.parquet``: the view ``hits`` of the sample, in the order of ``hits.tsv``."""


class ResourceConfig(FrozenModel):
    """Where and how fast the work is done; never changes a hit."""

    executor: Annotated[str, Field(pattern="^(auto|serial|processes|ray)$")] = defaults.EXECUTOR
    n_workers: Annotated[int, Field(ge=1)] | None = None
    """Workers that call hits. Without GPUs they are the workers of all else, too."""
    n_cores: Annotated[int, Field(ge=1)] | None = None
    """Workers that extract regions and write files. When None, ``n_workers`` without GPUs, and
    all cores beside GPUs."""
    n_gpus: Annotated[int, Field(ge=1)] | None = None
    """GPUs that call hits, with ``workers_per_gpu`` each; all when None."""
    device: Annotated[str, Field(pattern="^(auto|cpu|cuda)$")] = defaults.DEVICE
    workers_per_gpu: Annotated[int, Field(ge=1, le=16)] | None = None
    """Workers that share a GPU: one reads or writes while another solves. Chosen by the memory
    model and the number of cores when None."""
    batch_regions: Annotated[int, Field(ge=1)] | None = None
    """Regions solved together; chosen by the memory model when None."""
    ray_address: str | None = None
    """Cluster to join; a local one is started when None."""
    unit_timeout_s: Positive = 3600.0
    """Time without an answer after which a worker counts as hung."""


def digest_of(value: Any) -> str:  # noqa: ANN401
    """Return a short stable digest of anything JSON can hold."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
