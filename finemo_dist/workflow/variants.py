"""``call-variants``: the hits that variants make, break and change."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finemo_dist import __version__
from finemo_dist.core import records
from finemo_dist.core.clock import Clock
from finemo_dist.core.config import CallConfig
from finemo_dist.core.defaults import (
    MIN_CHANGE,
    REGION_WIDTH,
    STRONGEST_VARIANTS,
    VARIANT_TOLERANCE,
)
from finemo_dist.core.errors import RunError, UsageError
from finemo_dist.core.variant_schema import LEAST_CHANGE, VARIANT_CLASSES, VariantClass
from finemo_dist.hits.columns import Categorical
from finemo_dist.reports.locus_view import LocusView
from finemo_dist.run.region_checks import check_regions
from finemo_dist.run.solving import RegionCaller, device_here, make_caller, memory_budget
from finemo_dist.sources.variants import Variant, read_variants
from finemo_dist.storage.files import describe_input
from finemo_dist.storage.folders import replaced_folder
from finemo_dist.storage.locations import location
from finemo_dist.workflow.allele_pairs import AlleleHits, Ints, Pairs, Places, classify, pair_hits
from finemo_dist.workflow.allele_regions import Alleles, find_places, open_alleles
from finemo_dist.workflow.motif_set import MotifSet, Paths, read_motifs
from finemo_dist.workflow.variant_loci import Block, StrongestLoci
from finemo_dist.workflow.variant_tables import (
    HITS,
    SUMMARY,
    VariantTables,
    hit_rows,
    summary_rows,
)

_BLOCK_VARIANTS: Final = 1024
_RECORD: Final = "call_variants.json"
_PAGE: Final = "variants.html"
_MOST_LOCI: Final = 5_000
"""Of the page."""


@dataclass(frozen=True, slots=True)
class VariantCalls:
    """What ``call_variants`` wrote, and how many rows of each class."""

    folder: Path
    """Holds ``variant_hits`` and ``variant_summary``, each as Parquet and TSV, and
    ``variant_hits.bed`` for variant-scorer's ``variant_annotation --hits``."""
    n_variants: int
    n_hits: int
    """Rows of ``variant_hits``."""
    n_by_class: Mapping[VariantClass, int] = field(default_factory=dict)
    n_drawn: int = 0
    """Variants that the page shows."""

    @property
    def hits(self) -> Path:
        """The table ``variant_hits`` as Parquet."""
        return self.folder / f"{HITS}.parquet"

    @property
    def summary(self) -> Path:
        """The table ``variant_summary`` as Parquet."""
        return self.folder / f"{SUMMARY}.parquet"

    @property
    def page(self) -> Path | None:
        """The page of the strongest variants; None where none changes a hit or none was wanted."""
        return self.folder / _PAGE if self.n_drawn else None


def call_variants(
    ref: str | Path,
    variants: str | Path,
    motifs: MotifSet | Paths,
    out: str | Path,
    *,
    alt: str | Path | None = None,
    pairs: str | Path | None = None,
    config: CallConfig | None = None,
    region_width: int = REGION_WIDTH,
    tolerance: int = VARIANT_TOLERANCE,
    min_change: float = MIN_CHANGE,
    anywhere: bool = False,
    unchanged: bool = False,
    strongest: int = STRONGEST_VARIANTS,
    device: str = "auto",
    batch_size: int | None = None,
    force: bool = False,
) -> VariantCalls:
    """Call hits in both alleles of variants and write those that differ.

    Both alleles are solved to their certified optimum, so that a difference is one of the
    contributions and not of a stopping rule: equal alleles have no row. Hits of one variant, motif
    and strand are pairs where their places agree; places after an indel are shifted by it. Alleles
    have no coordinates while hits are called, so that hits of different alleles never count as one.

    Parameters
    ----------
    ref
        Regions of the reference alleles: a region store, finemo's ``.npz``, or a contribution H5 of
        ChromBPNet or BPNet. Without ``alt`` and ``pairs`` it holds first all reference and then
        all alternative alleles, as variant-scorer writes them.
    variants
        VCF, BED, or variant-scorer's list, in the order of the regions.
    motifs
        A ``MotifSet`` of ``read_motifs``, or the path of one or several motif files.
    out
        Folder to write, as a whole or not at all.
    alt
        Regions of the alternative alleles.
    pairs
        Table without order: name of the variant, row of its reference region, row of its
        alternative region, from 0.
    config
        Settings of the call; those of ``motifs`` and the defaults when None.
    region_width
        Bases of the middle of each row of an H5; other regions have their own width.
    tolerance
        Bases by which places of paired hits may differ.
    min_change
        Share of the larger score from which a hit counts as changed. At least 2^-10: below that
        a difference is round-off of contributions, which are float16.
    anywhere
        Compare all hits of the regions and not only those whose trimmed window holds the variant
        in one of the alleles.
    unchanged
        Write hits that do not change, too.
    strongest
        Variants that ``variants.html`` draws, both alleles as logos: those with the largest change
        of a score. Without a variant that changes a hit, and with 0, there is no page.
    device
        ``auto``, ``cpu`` or ``cuda``.
    batch_size
        Regions solved together; chosen from the available memory when None. Changes no hit.
    force
        Replace an existing folder.

    Raises
    ------
    InputError
        A file is damaged, or the regions do not hold the alleles of the variants.
    StoreError
        There is no region store, or it is damaged.
    UsageError
        A setting is out of range.
    RunError
        The folder exists.
    """
    _check_settings(min_change, tolerance, strongest)
    folder = Path(out)
    if folder.exists() and not force:
        raise RunError(f"{folder}: exists already. Choose another folder, or use --force.")
    called, settings = _called(motifs, config)
    files = [location(path) for path in (ref, alt, pairs) if path is not None]
    alleles = open_alleles(
        read_variants(variants),
        location(ref),
        None if alt is None else location(alt),
        pairs=None if pairs is None else location(pairs),
        region_width=region_width,
    )
    for name, regions in (("reference", alleles.ref), ("alternative", alleles.alt)):
        check_regions(name, regions.path, regions, motifs=called, config=settings)
    comparison = _Comparison(
        alleles, called, settings, tolerance, min_change, anywhere=anywhere, unchanged=unchanged,
        strongest=strongest, device=device, batch_size=batch_size,
    )  # fmt: skip
    with replaced_folder(folder) as made:
        with VariantTables(made) as tables:
            comparison.write(tables)
        record = {
            "version": __version__,
            "inputs": [asdict(describe_input(f)) for f in (*files, Path(variants)) if f.is_file()],
            "stores": {r.path: r.digest for r in (alleles.ref, alleles.alt) if r.digest},
            "settings": settings.model_dump(mode="json"),
            "tolerance": tolerance,
            "min_change": min_change,
            "least_change": LEAST_CHANGE,
            "anywhere": anywhere,
            "unchanged": unchanged,
            "n_variants": len(alleles.variants),
            "n_by_class": tables.n_by_class,
            "strongest": strongest,
        }
        (made / _RECORD).write_text(json.dumps(record, indent=2) + "\n")
        n_drawn = _write_page(made / _PAGE, comparison.loci.views)
    n_variants = len(alleles.variants)
    return VariantCalls(folder, n_variants, tables.n_hits, tables.n_by_class, n_drawn)


def _check_settings(min_change: float, tolerance: int, strongest: int) -> None:
    if not LEAST_CHANGE <= min_change <= 1 or tolerance < 0:
        raise UsageError(
            f"min_change is {min_change} and tolerance {tolerance}; expected a min_change from "
            f"{LEAST_CHANGE:.3g} (round-off) to 1, and a tolerance of 0 or more."
        )
    if not 0 <= strongest <= _MOST_LOCI:
        raise UsageError(f"strongest is {strongest}; expected 0 to {_MOST_LOCI:,} variants.")


def _write_page(path: Path, views: Sequence[LocusView]) -> int:
    """Write the page of the strongest variants if there are any, and return their number."""
    if views:
        # jinja2 is loaded for pages alone.
        from finemo_dist.reports.locus_page import render_variants

        path.write_text(render_variants(views), encoding="utf-8")
    return len(views)


def _called(
    motifs: MotifSet | Paths, config: CallConfig | None
) -> tuple[records.MotifSet, CallConfig]:
    read = motifs if isinstance(motifs, MotifSet) else read_motifs(motifs)
    if config is not None:
        read = MotifSet(read.patterns, config.motifs)
    settings = CallConfig(motifs=read.settings, **({} if config is None else _solver(config)))
    return read.both_strands(settings.solver.mode), settings


def _solver(config: CallConfig) -> dict[str, Any]:
    return {"solver": config.solver}


@dataclass(frozen=True, slots=True)
class _Solved:
    """One allele of a block of variants."""

    hits: AlleleHits
    reconstruction: NDArray[np.float64]
    converged: NDArray[np.bool_]


class _Comparison:
    """Calls and compares both alleles, block by block; memory does not grow with the variants."""

    def __init__(
        self,
        alleles: Alleles,
        motifs: records.MotifSet,
        settings: CallConfig,
        tolerance: int,
        min_change: float,
        *,
        anywhere: bool,
        unchanged: bool,
        strongest: int,
        device: str,
        batch_size: int | None,
    ) -> None:
        self._alleles = alleles
        self._motifs = motifs
        self._tolerance = tolerance
        self._min_change = min_change
        self._anywhere = anywhere
        self._unchanged = unchanged
        self.loci = StrongestLoci(motifs, strongest)
        self._filters = settings.solver.use_post_filter
        where = device_here(device)
        # Whether a hit is lost or only slips below lambda is seen without the filter.
        solver = settings.solver.model_copy(update={"use_post_filter": False})
        caller = make_caller(motifs, solver, where)
        self._callers = tuple(
            RegionCaller(caller, regions, budget_bytes=memory_budget(where), batch_size=batch_size)
            for regions in (alleles.ref, alleles.alt)
        )

    def write(self, tables: VariantTables) -> None:
        """Add the rows of all variants, in their order."""
        n_variants = len(self._alleles.variants)
        for first in range(0, n_variants, _BLOCK_VARIANTS):
            self._write_block(tables, range(first, min(first + _BLOCK_VARIANTS, n_variants)))

    def _write_block(self, tables: VariantTables, block: range) -> None:
        alleles = self._alleles
        batches = [regions.read(block.start, block.stop) for regions in (alleles.ref, alleles.alt)]
        places = find_places(alleles, block.start, *batches)
        ref, alt = (self._solved(caller, block) for caller in self._callers)
        all_pairs = pair_hits(ref.hits, alt.hits, places, tolerance=self._tolerance)
        all_classes = classify(ref.hits, alt.hits, all_pairs, min_change=self._min_change)
        is_compared = (all_classes >= 0) & self._compared(ref.hits, alt.hits, all_pairs, places)
        pairs, classes = _chosen(all_pairs, is_compared), all_classes[is_compared]
        variants = alleles.variants[block.start : block.stop]
        rows = (alleles.ref.rows[block], alleles.alt.rows[block])
        compared, of = hit_rows(
            variants, rows, self._motifs, (ref.hits, alt.hits), pairs, classes, places
        )
        is_written = compared["class"].to_numpy() != "unchanged"
        tables.add_hits(compared if self._unchanged else compared.filter(is_written))
        names = np.array(compared["class"].to_pylist(), object)
        counts = [np.bincount(of[names == n], minlength=len(variants)) for n in VARIANT_CLASSES]
        n_hits = (
            _per_variant(ref.hits, pairs.ref, variants),
            _per_variant(alt.hits, pairs.alt, variants),
        )
        summary = summary_rows(
            variants, rows, compared, of, n_hits, np.stack(counts, axis=1),
            (ref.reconstruction, alt.reconstruction), ref.converged & alt.converged,
        )  # fmt: skip
        tables.add_summary(summary)
        self.loci.add(
            Block(
                variants, places, (batches[0], batches[1]), (ref.hits, alt.hits), all_pairs,
                all_classes, compared, of,
            )
        )  # fmt: skip

    def _compared(
        self, ref: AlleleHits, alt: AlleleHits, pairs: Pairs, places: Places
    ) -> NDArray[np.bool_]:
        if self._anywhere:
            return np.ones(len(pairs.ref), bool)
        holds = np.append(ref.holds(places.ref, places.ref_width), [False])[pairs.ref]
        holds |= np.append(alt.holds(places.alt, places.alt_width), [False])[pairs.alt]
        return np.asarray(holds, bool)

    def _solved(self, caller: RegionCaller, block: range) -> _Solved:
        solution = caller.solve(block, Clock())
        hits, qc = caller.tables(solution, block)
        column = {name: v for name, v in hits.items() if not isinstance(v, Categorical)}
        motif = np.asarray(column["motif_id"]).astype(np.int64)
        single = np.asarray(column["hit_coefficient"], np.float64)
        coefficient = single * np.asarray(column["hit_coefficient_global"], np.float64)
        similarity = np.asarray(column["hit_similarity"], np.float64)
        penalty = self._motifs.penalty.astype(np.float32)[motif]
        found = AlleleHits(
            variant=np.asarray(column["peak_id"]).astype(np.int64) - block.start,
            motif=motif,
            start=np.asarray(column["start"]).astype(np.int64),
            end=np.asarray(column["end"]).astype(np.int64),
            coefficient=single,
            score=np.sqrt(coefficient),
            similarity=similarity,
            importance=np.asarray(column["hit_importance"], np.float64),
            passes=similarity >= penalty if self._filters else np.ones(len(motif), bool),
        )
        has_scores = np.asarray(qc["global_scale"]) > 0
        share = np.where(has_scores, 1 - 2 * np.asarray(qc["nll"]), np.nan)
        return _Solved(found, share, np.asarray(qc["converged"], bool))


def _per_variant(hits: AlleleHits, rows: Ints, variants: Sequence[Variant]) -> Ints:
    """Return of each variant how many of some hits the post-filter keeps."""
    there = rows[rows >= 0]
    kept = there[hits.passes[there]]
    return np.bincount(hits.variant[kept], minlength=len(variants))


def _chosen(pairs: Pairs, rows: NDArray[np.bool_]) -> Pairs:
    return replace(pairs, ref=pairs.ref[rows], alt=pairs.alt[rows])
