"""Known sites against called hits: the score, and the table the sites are kept in."""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core.errors import InputError
from finemo_dist.core.program import program
from finemo_dist.core.records import RegionTable
from finemo_dist.storage.files import committed
from finemo_dist.testing.motifs import SimulatedMotifs
from finemo_dist.testing.sites import PlantedSites, core_range

SITE_COLUMNS = (
    "chr", "start", "end", "strand", "motif_name", "peak_id", "start_untrimmed", "strength",
)  # fmt: skip
"""Columns of ``planted_sites.tsv``; the first six as in ``hits.tsv``."""


@dataclass(frozen=True, slots=True)
class MotifSites:
    """Motif sites by name, planted or called."""

    peak_id: NDArray[np.int64]
    motif_name: NDArray[np.object_]
    """(S,) str."""
    strand: NDArray[np.object_]
    """(S,) ``+`` or ``-``."""
    start_untrimmed: NDArray[np.int64]
    """(S,) first base of the untrimmed CWM, in the chromosome or in the region; what is compared
    must count from the same base."""

    def __len__(self) -> int:
        return len(self.peak_id)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Recovery:
    """How many planted sites were found, and how many hits are planted sites."""

    recall: float
    """Share of the planted sites that a hit finds; NaN where none was planted."""
    precision: float
    """Share of the hits that find a planted site; NaN without hits."""
    n_hits: int
    n_planted: int
    n_found: int
    """Planted sites that a hit finds."""


def score(
    hits: MotifSites,
    truth: MotifSites,
    *,
    tolerance_bp: int = 2,
    palindromes: Collection[str] = (),
) -> Recovery:
    """Return how well hits and planted sites agree.

    A hit finds a planted site when peak, motif and strand agree and their untrimmed starts lie at
    most ``tolerance_bp`` apart; the strand of the motifs in ``palindromes`` means nothing. A
    planted site counts once however many hits find it.
    """
    hit_key, site_key = _joint_keys(hits, truth, set(palindromes), tolerance_bp)
    n_found = int(_is_near(site_key, hit_key, tolerance_bp).sum())
    n_right = int(_is_near(hit_key, site_key, tolerance_bp).sum())
    return Recovery(
        recall=n_found / len(truth) if len(truth) else float("nan"),
        precision=n_right / len(hits) if len(hits) else float("nan"),
        n_hits=len(hits),
        n_planted=len(truth),
        n_found=n_found,
    )


def _joint_keys(
    hits: MotifSites, truth: MotifSites, palindromes: set[str], tolerance_bp: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return one number a site: near each other only where all but the position agree."""
    peak = np.concatenate([hits.peak_id, truth.peak_id]).astype(np.int64)
    start = np.concatenate([hits.start_untrimmed, truth.start_untrimmed]).astype(np.int64)
    names = [*hits.motif_name, *truth.motif_name]
    strands = [*hits.strand, *truth.strand]
    rank: dict[tuple[str, str], int] = {}
    kind = np.array(
        [
            rank.setdefault((n, "." if n in palindromes else s), len(rank))
            for n, s in zip(names, strands, strict=True)
        ],
        dtype=np.int64,
    )
    if not len(start):
        return start, start
    start -= start.min()
    span = int(start.max()) + tolerance_bp + 1
    _, peak_rank = np.unique(peak, return_inverse=True)
    key = (peak_rank * len(rank) + kind) * span + start
    return key[: len(hits)], key[len(hits) :]


def _is_near(
    keys: NDArray[np.int64], others: NDArray[np.int64], tolerance_bp: int
) -> NDArray[np.bool_]:
    """Return whether any of ``others`` lies within the tolerance of each key."""
    others = np.sort(others)
    first = np.searchsorted(others, keys - tolerance_bp, side="left")
    last = np.searchsorted(others, keys + tolerance_bp, side="right")
    return np.asarray(last > first)


def named_sites(
    sites: PlantedSites, motifs: SimulatedMotifs, *, regions: RegionTable | None = None
) -> MotifSites:
    """Return sites by name, counted along the chromosomes of ``regions``, or in their regions."""
    names = np.array(motifs.name, dtype=object)
    strands = np.array(["+", "-"], dtype=object)
    offset = 0 if regions is None else regions.start[sites.region]
    peak_id = sites.region if regions is None else regions.peak_id[sites.region].astype(np.int64)
    return MotifSites(
        peak_id=peak_id,
        motif_name=names[sites.motif],
        strand=strands[sites.is_reverse.astype(np.intp)],
        start_untrimmed=sites.position + offset,
    )


def write_sites(
    path: Path, sites: PlantedSites, *, motifs: SimulatedMotifs, regions: RegionTable
) -> None:
    """Write sites as a table; ``start`` and ``end`` are those of the core, as in ``hits.tsv``."""
    named = named_sites(sites, motifs, regions=regions)
    start, end = core_range(sites, motifs)
    offset = regions.start[sites.region]
    chroms = np.array(regions.chrom_names, dtype=object)[regions.chrom_id[sites.region]]
    columns: Sequence[Sequence[object]] = (
        chroms.tolist(),
        (start + offset).tolist(),
        (end + offset).tolist(),
        named.strand.tolist(),
        named.motif_name.tolist(),
        named.peak_id.tolist(),
        named.start_untrimmed.tolist(),
        [f"{s:.4f}" for s in sites.strength],
    )
    with committed(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(SITE_COLUMNS)
        writer.writerows(zip(*columns, strict=True))


def read_sites(path: Path) -> tuple[MotifSites, NDArray[np.float64]]:
    """Return the sites of a table and their strengths; positions are along the chromosome.

    Raises
    ------
    InputError
        The file is not a table of sites.
    """
    with path.open(newline="") as file:
        reader = csv.DictReader(file, delimiter="\t")
        if tuple(reader.fieldnames or ()) != SITE_COLUMNS:
            raise InputError(
                f"{path}: columns are {reader.fieldnames}, expected {list(SITE_COLUMNS)}. "
                f"Write the data set again with `{program()} demo`."
            )
        rows = list(reader)
    sites = MotifSites(
        peak_id=np.array([int(r["peak_id"]) for r in rows], dtype=np.int64),
        motif_name=np.array([r["motif_name"] for r in rows], dtype=object),
        strand=np.array([r["strand"] for r in rows], dtype=object),
        start_untrimmed=np.array([int(r["start_untrimmed"]) for r in rows], dtype=np.int64),
    )
    return sites, np.array([float(r["strength"]) for r in rows])
