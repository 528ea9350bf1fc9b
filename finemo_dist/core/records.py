"""The values that pass between layers: plain frozen records of numpy arrays.

Axes are written R region, M motif (one per strand), L position in a region, W column of a CWM.
Genomic ranges are 0-based and half-open: ``start``, ``end``.
"""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

UNKNOWN_BASE = 4
"""Code of a base that is not A, C, G or T; the codes of those are 0 to 3."""

NO_CHROM = -1
"""``chrom_id`` of a region without genomic coordinates."""


class ScoreKind(StrEnum):
    """What a contribution array holds."""

    PROJECTED = "projected"
    """One score a position, of the base that is there: (R, L)."""
    HYPOTHETICAL = "hypothetical"
    """One score a position for each base that could be there: (R, 4, L)."""


class Mode(StrEnum):
    """Which scores a call compares: first letter the CWMs, second the contributions."""

    PP = "pp"
    PH = "ph"
    HP = "hp"
    HH = "hh"

    @property
    def cwms_are_hypothetical(self) -> bool:
        """Whether CWMs come from ``hypothetical_contribs`` instead of ``contrib_scores``."""
        return self.value[0] == "h"

    @property
    def contributions_are_hypothetical(self) -> bool:
        """Whether the target is the hypothetical scores instead of those of the sequence."""
        return self.value[1] == "h"


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file a result was made from."""

    path: str
    """As it was given."""
    size_bytes: int
    digest: str
    """Of the content, or of size and a sample of the content where the file is large."""
    resolved: str = ""
    """The same from any folder: absolute and without links; empty in old records."""

    @property
    def place(self) -> str:
        """Where to look for it."""
        return self.resolved or self.path


@dataclass(frozen=True, slots=True)
class InputCounts:
    """What was met while reading regions; each a number of regions unless said otherwise."""

    n_regions: int = 0
    n_clipped: int = 0
    """Reaching over an end of their chromosome; the part outside is N with zero contribution."""
    n_unknown_bases: int = 0
    """With at least one N inside the chromosome."""
    n_zero: int = 0
    """Without any non-zero contribution."""
    n_nan: int = 0
    """With at least one NaN contribution, read as zero."""
    n_missing_chrom: int = 0
    """On a chromosome the bigWig does not have, read as zero."""
    n_no_summit: int = 0
    """Whose peak names no summit, so that the middle of the peak was taken."""
    n_summit_outside: int = 0
    """Whose peak names a summit that lies outside it; the region is around that summit."""
    n_duplicate: int = 0
    """With the same coordinates as an earlier region."""
    n_zero_off_base: int = 0
    """With hypothetical scores that are zero at all bases but the observed: projected ones."""
    n_from_genome: int = 0
    """Whose sequence was taken from the genome."""
    n_compared_with_genome: int = 0
    """Whose sequence came with the scores and was found equal to the genome's."""
    n_compared_between_folds: int = 0
    """Whose sequence was found equal in every fold; 0 where folds share one sequence."""

    def irregular(self) -> dict[str, int]:
        """Return how many regions were irregular, by what was irregular, where any was."""
        names = (
            "clipped", "unknown_bases", "zero", "nan", "missing_chrom", "no_summit",
            "summit_outside", "duplicate", "zero_off_base",
        )  # fmt: skip
        return {name: n for name in names if (n := getattr(self, f"n_{name}"))}

    def __add__(self, other: Self) -> Self:
        return type(self)(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )


@dataclass(frozen=True, slots=True)
class RegionTable:
    """Where regions lie. Without coordinates ``chrom_id`` is ``NO_CHROM`` and ``start`` 0."""

    chrom_names: tuple[str, ...]
    """Chromosomes in output order; ``chrom_id`` indexes them."""
    chrom_id: NDArray[np.int32]
    start: NDArray[np.int64]
    """(R,) first base; negative where a region reaches over the start of its chromosome."""
    peak_id: NDArray[np.uint32]
    """(R,) row of the peak in the peaks file, or of the region in its arrays."""
    peak_name: NDArray[np.object_]
    """(R,) str; ``.`` where the peaks file has no name."""
    chrom_lengths: tuple[int, ...] = ()
    """Bases of each of ``chrom_names``, 0 where that is not known; empty where none is."""

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> Self:
        return type(self)(
            self.chrom_names,
            self.chrom_id[rows],
            self.start[rows],
            self.peak_id[rows],
            self.peak_name[rows],
            self.chrom_lengths,
        )

    @property
    def has_coordinates(self) -> bool:
        """Whether regions lie on chromosomes; all do or none does."""
        return bool(self.chrom_names)

    @classmethod
    def without_coordinates(cls, n_regions: int) -> Self:
        """Return a table of ``n_regions`` regions known by their row alone."""
        return cls(
            chrom_names=(),
            chrom_id=np.full(n_regions, NO_CHROM, np.int32),
            start=np.zeros(n_regions, np.int64),
            peak_id=np.arange(n_regions, dtype=np.uint32),
            peak_name=np.full(n_regions, ".", dtype=object),
        )


@dataclass(frozen=True, slots=True)
class RegionBatch:
    """Sequences and contributions of some regions, as a source or a store yields them."""

    sequence: NDArray[np.uint8]
    """(R, L) codes 0-3 for A, C, G, T and 4 for any other base."""
    contributions: NDArray[np.floating]
    """(R, L) projected or (R, 4, L) hypothetical; finite.

    Zero off the chromosome, and projected ones where the base is unknown.
    """
    counts: InputCounts = InputCounts()

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def score_kind(self) -> ScoreKind:
        """What ``contributions`` holds, read off its shape."""
        return ScoreKind.PROJECTED if self.contributions.ndim == 2 else ScoreKind.HYPOTHETICAL


@dataclass(frozen=True, slots=True)
class MotifSet:
    """The motifs of a call, two entries each: forward strand at even, reverse at odd positions.

    ``motif_id`` is the position in these arrays. All CWMs have the width of the widest.
    """

    name: tuple[str, ...]
    name_orig: tuple[str, ...]
    """Names in the modisco file, ``pos_patterns.pattern_0``; ``name`` after renaming."""
    strand: tuple[str, ...]
    """``+`` or ``-``."""
    cwm: NDArray[np.float16]
    """(M, 4, W) divided by the full Frobenius norm, untrimmed."""
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    """(M,) trim window in columns of ``cwm``, half-open."""
    scale: NDArray[np.float64]
    """(M,) Frobenius norm of the pattern before division, contribution units."""
    penalty: NDArray[np.float64]
    """(M,) weight of the L1 penalty, lambda."""
    source: tuple[str, ...] = ()
    """(M,) the file that each comes from; empty where that is not known."""

    def __len__(self) -> int:
        return len(self.name)

    @property
    def width(self) -> int:
        """Columns of every CWM, W."""
        return int(self.cwm.shape[2])

    def reverse_of(self, motif_id: int) -> int:
        """Return the entry of the same motif on the other strand."""
        return motif_id ^ 1


@dataclass(frozen=True, slots=True)
class MotifAnnotation:
    """What a user says a motif is; None where nothing is said."""

    motif_name: str
    """After renaming."""
    tf: str | None = None
    family: str | None = None
    cluster: str | None = None


class Stage(StrEnum):
    """What is done to a sample, in this order."""

    EXTRACT = "extract"
    """A shard of its store is written."""
    STORE = "store"
    """Its store is finished and gets its name."""
    CALL = "call"
    """Hits are called in a shard."""
    OUTPUTS = "outputs"
    """The files for other tools are written, of all shards at once."""


STAGES: Final = tuple(Stage)
"""A unit of one begins when the sample has no open unit of those before it."""
EXTRACTION: Final = frozenset({Stage.EXTRACT, Stage.STORE})
"""What makes a store. A unit of these has one writer: no second worker is given a copy of it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of work: what a worker takes, does and commits as a whole."""

    sample: str
    shard: int
    """0 where the stage is one of the whole sample."""
    stage: Stage = Stage.CALL
    note: str = field(default="", compare=False, repr=False)
    """What units of earlier stages found out of the sample: the digest of its store."""

    def __str__(self) -> str:
        match self.stage:
            case Stage.CALL:
                return f"{self.sample}[{self.shard}]"
            case Stage.EXTRACT:
                return f"{self.sample}[{self.stage} {self.shard}]"
        return f"{self.sample}[{self.stage}]"
