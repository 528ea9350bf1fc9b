"""q of hits against decoys: calibration in simulation, foreign motifs on real data, and time."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import h5py
import numpy as np

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.config import MotifConfig
from finemo_dist.core.records import Mode
from finemo_dist.core.similarity import FAMILY_SIMILARITY, SimilarityBank, trimmed_cwms
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.decoys import HIGHEST_SIMILARITY
from finemo_dist.motifs.files import read_motif_files
from finemo_dist.sources.bigwig import BigWigSource
from finemo_dist.store.staging import encode
from finemo_dist.testing.scenarios import SCENARIOS
from finemo_dist.workflow.calling import call_hits
from finemo_dist.workflow.confidence import confidence
from tests.benchmarks.datasets import ABSENT
from tests.benchmarks.efforts import Effort
from tests.calibration import LEVELS, SERIAL, JudgedHits, judged

SEEDS = range(101, 109)
N_REGIONS = 400
N_FOREIGN = 24
FORGIVEN = "family, name forgiven"


def measure_confidence(effort: Effort, work: Path, *, shared: Path) -> str:
    """Return the tables of the section."""
    work.mkdir(parents=True, exist_ok=True)
    seeds = list(SEEDS)[: 2 if effort.repeats == 1 else None]
    parts = [_calibration(seeds)]
    if shared.is_dir():
        store = work / "yeast.zarr"
        folder = shared / "yeast"
        source = BigWigSource(
            folder / "peaks.narrowPeak", folder / "genome.fa", [folder / "contribs.bw"],
            region_width=1000,
        )  # fmt: skip
        encode(source, store, overwrite=True)
        parts += [_entrapment(work, store, shared, effort.repeats), _timing(work, store, folder)]
    else:
        parts.append(ABSENT)
    return "\n\n".join(parts)


def _calibration(seeds: list[int]) -> str:
    lines = [
        f"True share of false hits, {len(seeds)} seeds of {N_REGIONS} regions each; kept hits in "
        "brackets.",
        "",
        "| scenario | pooled q 0.01 | 0.05 | 0.10 | 0.20 | q by motif 0.01 | 0.05 | 0.10 | 0.20 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in SCENARIOS:
        hits = []
        for seed in seeds:
            with tempfile.TemporaryDirectory(prefix="finemo-dist-bench-") as folder:
                hits.append(judged(name, Path(folder), seed=seed, n_regions=N_REGIONS))
            click.echo(f"confidence: {name}, seed {seed}", err=True)
        lines.append(_row(name, hits))
        if name == "family":
            lines.append(_row(FORGIVEN, hits, by_name=False))
    return "\n".join(lines)


def _row(title: str, hits: list[JudgedHits], *, by_name: bool = True) -> str:
    return f"| {title} | {' | '.join(_cells(hits, by_name=by_name))} |"


def _cells(hits: list[JudgedHits], *, by_name: bool) -> Iterator[str]:
    for kind in ("pooled", "motif"):
        for level in LEVELS:
            counts = [one.counts(kind, level, by_name=by_name) for one in hits]
            kept, false = (sum(column) for column in zip(*counts, strict=True))
            yield f"{false / kept:.3f} ({kept:,})" if kept else "none"


def unlike(ours: Path, compendium: Path, limit: float) -> list[str]:
    """Return the motifs of a compendium whose cosine with each of ours is at most a limit.

    A relative is found at the sites of our motif, and which of the two it is no q can say.
    """
    own, others = (
        build_motif_set(read_motif_files([path]), MotifConfig(), Mode.PP)
        for path in (ours, compendium)
    )
    bank = SimilarityBank(trimmed_cwms(own))
    return [
        name
        for name, cwm in zip(others.name_orig[::2], trimmed_cwms(others), strict=True)
        if bank.cosines(cwm).max() <= limit
    ]


def with_foreign(path: Path, ours: Path, compendium: Path, *, seed: int, limit: float) -> set[str]:
    """Write our motifs and some of a compendium as one file; return the names of the foreign."""
    rng = np.random.default_rng(seed)
    names = set()
    chosen = rng.choice(unlike(ours, compendium, limit), N_FOREIGN, replace=False).tolist()
    with h5py.File(ours) as own, h5py.File(compendium) as other, h5py.File(path, "w") as out:
        for group in own:
            own.copy(group, out)
        for number, pattern in enumerate(sorted(chosen)):
            group, name = pattern.split(".", 1)
            new = f"pattern_{900 + number}"
            other.copy(f"{group}/{name}", out.require_group("pos_patterns"), name=new)
            names.add(f"pos_patterns.{new}")
    return names


def _entrapment(work: Path, store: Path, shared: Path, n_draws: int) -> str:
    n_draws = max(2, n_draws)
    lines = [
        f"Foreign motifs: yeast with {N_FOREIGN} motifs of a human compendium among its own "
        f"{N_FOREIGN}, {n_draws} draws. Share of foreign hits among those kept (kept hits in "
        "brackets), by the highest cosine that a foreign motif may have with one of ours. Decoys "
        f"may have {HIGHEST_SIMILARITY}; from {FAMILY_SIMILARITY} on motifs are of one family, and "
        "a foreign motif is found at the sites of its relative.",
        "",
        "| cosine | hits | foreign | pooled q 0.01 | 0.05 | 0.10 | 0.20 | q by motif 0.01 | 0.05 "
        "| 0.10 | 0.20 |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for limit in (HIGHEST_SIMILARITY, FAMILY_SIMILARITY, 1.0):
        rows: list[tuple[bool, float | None, float | None]] = []
        for draw in range(n_draws):
            rows += _judged_draw(work, store, shared, draw, limit)
            click.echo(f"confidence: foreign motifs up to {limit}, draw {draw}", err=True)
        cells = [
            _share([is_foreign for is_foreign, *q in rows if (q[kind] or 1.0) <= level])
            for kind in (1, 0)
            for level in LEVELS
        ]
        n_foreign = sum(is_foreign for is_foreign, *_ in rows)
        lines.append(f"| {limit} | {len(rows):,} | {n_foreign:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _share(foreign: list[bool]) -> str:
    return f"{sum(foreign) / len(foreign):.3f} ({len(foreign):,})" if foreign else "none"


def _judged_draw(
    work: Path, store: Path, shared: Path, draw: int, limit: float
) -> list[tuple[bool, float | None, float | None]]:
    """Return of each hit whether it is foreign, and its q by motif and pooled."""
    motifs, run = work / "entrapment.h5", work / f"entrapment-{limit}-{draw}"
    ours, compendium = "yeast/modisco_results.h5", "jaspar2026_dl_352_clusters.h5"
    foreign = with_foreign(motifs, shared / ours, shared / compendium, seed=draw, limit=limit)
    call_hits(store, motifs, run, resources=SERIAL)
    confidence(run, seed=draw, resources=SERIAL)
    with open_catalog(run) as catalog:
        rows = catalog.rows("SELECT motif_name, decoy_q, decoy_q_pooled FROM hit_confidence")
    return [(name in foreign, own, pooled) for name, own, pooled in rows]


def _timing(work: Path, store: Path, folder: Path) -> str:
    motifs = folder / "modisco_results.h5"
    ratios: dict[float, list[float]] = {1.0: [], 0.25: []}
    agreements: dict[str, list[float]] = {"decoy_q": [], "decoy_q_pooled": []}
    for repeat in range(5):
        run = work / f"timing-{repeat}"
        called = call_hits(store, motifs, run, resources=SERIAL)
        kept: dict[str, list[set[tuple[object, ...]]]] = {kind: [] for kind in agreements}
        for fraction, found in ratios.items():
            done = confidence(run, seed=repeat, fraction=fraction, resources=SERIAL, force=True)
            found.append(done.seconds["worker.solve"] / called.seconds["worker.solve"])
            for kind in agreements:
                kept[kind].append(_kept(run, kind))
        for kind, (whole, part) in kept.items():
            agreements[kind].append(len(whole & part) / len(whole | part))
    lines = [
        "Time on yeast (1,034 regions, 24 motifs): solving of three rounds over that of the call, "
        "one worker, median of 5 alternations (smallest, largest).",
        "",
        "| regions | ratio |",
        "|---|---|",
    ]
    for fraction, values in ratios.items():
        lines.append(
            f"| {fraction:.0%} | {statistics.median(values):.2f} ({min(values):.2f}, "
            f"{max(values):.2f}) |"
        )
    said = ", ".join(
        f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f}) by {kind}"
        for kind, values in agreements.items()
    )
    what = "Jaccard index of the hits with q of at most 0.10 on a quarter and on all regions, the "
    return "\n".join([*lines, "", f"{what}same seed, median of 5 seeds: {said}."])


def _kept(run: Path, kind: str) -> set[tuple[object, ...]]:
    """Return the hits with q of at most 0.1."""
    with open_catalog(run) as catalog:
        hit = "sample, peak_id, motif_id, start_untrimmed"
        return set(catalog.rows(f"SELECT {hit} FROM hit_confidence WHERE {kind} <= 0.1"))
