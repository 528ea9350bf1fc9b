"""What a page is made from: tables, CWMs and numbers, gathered elsewhere.

Tables are Arrow tables; the columns a page reads are named beside each field. ``report.html`` takes
a ``ReportData``, the page of an atlas an ``AtlasData``: nothing else reaches a page, so that the
same data always give the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.core.records import InputFile, MotifSet
from finemo_dist.hits.matches import StoredMatch
from finemo_dist.reports.comparison_page import ComparisonData
from finemo_dist.reports.locus_view import LocusView
from finemo_dist.reports.trust import FilterReport, Trust

Quantity = Literal["hits_per_region", "coefficient", "similarity", "importance", "position"]
"""What a distribution is of: hits of a motif in a region, three columns of its hits, and the
distance of their centres from the middle of the region, which is the summit."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of the first screen, which the verdict reads."""

    n_samples: int
    n_regions: int
    """In all samples, committed or not."""
    n_regions_done: int
    n_hits: int
    """In every region that they were called in."""
    n_unique: int
    """One per site where regions overlap."""
    n_without_hit: int
    n_not_converged: int
    n_motifs: int
    """Motifs, both strands together."""
    n_motifs_without_hit: int
    n_shards: int
    n_shards_done: int
    max_gap: float = 0.0
    tolerance: float = 1e-6
    n_clipped: int = 0
    """Reaching over an end of their chromosome."""
    median_recall: float | None = None
    """Of seqlets, over motifs that have any; None without seqlets."""
    warnings: Mapping[str, int] = field(default_factory=dict)
    """Kind of irregular input, but for clipped regions, to how often it was met."""

    @property
    def hits_per_region(self) -> float:
        """Mean hits of a committed region; 0 without regions."""
        return self.n_hits / self.n_regions_done if self.n_regions_done else 0.0


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the numbers came about."""

    version: str
    created: str
    """When the run began, ISO 8601."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Setting to its value, as text, in the order to be shown; keys as ``lambda``, ``mode``."""
    versions: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    caller: str = "finemo_dist"
    """The program that called the hits: ``finemo_dist``, or ``finemo`` for a directory it wrote."""


@dataclass(frozen=True, slots=True)
class SampleQuality:
    """One row of the samples table."""

    name: str
    n_regions: int
    n_regions_done: int
    n_hits: int
    n_without_hit: int
    n_not_converged: int
    max_gap: float = 0.0
    median_nll: float | None = None
    """Median of half the squared residual over the region width: small explains much."""
    n_clipped: int | None = None
    """Reaching over an end of their chromosome; None where the run does not say."""

    @property
    def hits_per_region(self) -> float:
        """Mean hits of a committed region; 0 without regions."""
        return self.n_hits / self.n_regions_done if self.n_regions_done else 0.0


@dataclass(frozen=True, slots=True)
class RegionHit:
    """A hit drawn over its region; positions count from the first base of the region."""

    motif_name: str
    strand: str
    start: int
    end: int
    coefficient: float
    similarity: float
    label: str = ""
    """The name that people read, where that is another."""

    @property
    def shown(self) -> str:
        """Return the name that people read."""
        return self.label or self.motif_name


@dataclass(frozen=True, slots=True)
class ExampleRegion:
    """A region with its projected contributions and hits."""

    title: str
    """Why it is shown: ``most hits``, ``typical``, ``least explained``."""
    place: str
    """``chrI:2,252-3,252 (peak_0)``, or the row of a region without coordinates."""
    sequence: NDArray[np.uint8]
    """(L,) codes 0-3 for A, C, G, T and 4 for any other base."""
    contributions: NDArray[np.floating]
    """(L,) projected."""
    hits: tuple[RegionHit, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that ``report.html`` shows."""

    title: str
    summary: Summary
    provenance: Provenance
    motifs: MotifSet
    """Trims, penalties and the modisco CWMs."""
    motif_report: pa.Table
    """finemo's ``motif_report.tsv``: ``motif_name``, ``num_hits_total`` and, with seqlets,
    ``num_hits_restricted``, ``num_seqlets``, ``num_overlaps``, ``num_seqlets_only``,
    ``num_hits_restricted_only``, ``seqlet_recall``; ``cwm_similarity`` may be null."""
    hit_cwms: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    """Motif to its mean contributions over hits, forward, (4, W)."""
    missed_cwms: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    """The same over the seqlets that no hit found."""
    additional_cwms: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    """The same over the hits in the window that are no seqlet."""
    samples: tuple[SampleQuality, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    display: Mapping[str, str] = field(default_factory=dict)
    """Motif to the name that people read, where that is another."""
    """Motif to what it is known as, by its modisco file or a database."""
    palindromes: frozenset[str] = frozenset()
    """Motifs that read the same on both strands."""
    counts: pa.Table | None = None
    """The answer to the query ``counts``: ``motif_name``, ``n_hits``, ``n_regions`` and
    ``mean_similarity``."""
    distributions: pa.Table | None = None
    """``motif_name`` (null for all motifs together), ``quantity``, ``bin_start``, ``bin_end``,
    ``n``; bins of one motif and quantity do not overlap. See ``Quantity``."""
    confusion: pa.Table | None = None
    """finemo's ``seqlet_confusion.tsv``: ``motif_name_seqlets``, ``motif_name_hits``,
    ``frac_overlap``."""
    seqlet_scope: str = ""
    """Which regions and windows seqlets and hits share, as a sentence."""
    cooccurrence: pa.Table | None = None
    """The answer to the query ``cooccurrence``: ``motif_1``, ``motif_2``, ``n_both``, ``n_first``,
    ``n_second``, ``expected`` and ``odds_ratio``, every pair once."""
    spacing: pa.Table | None = None
    """The answer to the query ``spacing``: ``motif_1``, ``motif_2``, ``orientation`` (``same``,
    ``convergent``, ``divergent``), ``distance`` in bases between centres, ``n`` pairs."""
    examples: tuple[ExampleRegion, ...] = ()
    """Drawn without scripts."""
    loci: tuple[LocusView, ...] = ()
    """Drawn by scripts, one at a time: examples, and the strongest regions of every motif."""
    funnel: tuple[tuple[str, int], ...] = ()
    """Stage to the hits that it leaves."""
    trust: Trust | None = None
    """How far hits can be believed, of a run with confidence."""
    filtered: FilterReport | None = None
    """What rules left out, of a derived run."""
    matches: Mapping[str, Sequence[StoredMatch]] = field(default_factory=dict)
    """Motif to the motifs of a database that it is like, the best first."""


@dataclass(frozen=True, slots=True)
class AtlasData:
    """All that the page of a run of many samples shows."""

    title: str
    summary: Summary
    provenance: Provenance
    motifs: MotifSet
    samples: tuple[SampleQuality, ...]
    n_hits: NDArray[np.int64]
    """(motifs, samples) hits; rows as the forward entries of ``motifs``, columns as ``samples``."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    display: Mapping[str, str] = field(default_factory=dict)
    """Motif to the name that people read, where that is another."""
    palindromes: frozenset[str] = frozenset()
    """As in ``ReportData``."""
    trust: Trust | None = None
    filtered: FilterReport | None = None
    hit_cwms: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    """As in ``ReportData``, over the hits of all samples."""
    matches: Mapping[str, Sequence[StoredMatch]] = field(default_factory=dict)
    """As in ``ReportData``."""
    clusters: Mapping[str, str] = field(default_factory=dict)
    """Motif to its cluster, of those that have one."""
    comparison: ComparisonData | None = None
    """Two groups of the samples."""

    @property
    def rates(self) -> NDArray[np.float64]:
        """Return hits per committed region, (motifs, samples); 0 where there is no region."""
        n_regions = np.array([sample.n_regions_done for sample in self.samples], np.float64)
        return np.asarray(self.n_hits / np.maximum(n_regions, 1))
