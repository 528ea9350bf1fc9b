"""q of hits against decoys: calibration in simulation, foreign motifs on real data, and time."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import h5py
import numpy as np

from finemo_dist.catalog.catalog import open_catalog
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


def with_foreign(path: Path, ours: Path, compendium: Path, *, seed: int) -> set[str]:
    """Write our motifs and some of a compendium as one file; return the names of the foreign."""
    rng = np.random.default_rng(seed)
    names = set()
    with h5py.File(ours) as own, h5py.File(compendium) as other, h5py.File(path, "w") as out:
        for group in own:
            own.copy(group, out)
        patterns = [(group, name) for group in other for name in other[group]]
        chosen = rng.choice(len(patterns), N_FOREIGN, replace=False)
        for number, index in enumerate(sorted(chosen)):
            group, name = patterns[index]
            new = f"pattern_{900 + number}"
            other.copy(f"{group}/{name}", out.require_group("pos_patterns"), name=new)
            names.add(f"pos_patterns.{new}")
    return names


def _entrapment(work: Path, store: Path, shared: Path, n_draws: int) -> str:
    counts = {(kind, level): [0, 0] for kind in ("pooled", "motif") for level in LEVELS}
    n_draws = max(2, min(n_draws, 4))
    n_hits = n_foreign = 0
    for draw in range(n_draws):
        motifs = work / f"entrapment-{draw}.h5"
        foreign = with_foreign(
            motifs, shared / "yeast/modisco_results.h5",
            shared / "jaspar2026_dl_352_clusters.h5", seed=draw,
        )  # fmt: skip
        run = work / f"entrapment-{draw}"
        call_hits(store, motifs, run, resources=SERIAL, force=True)
        confidence(run, seed=draw, resources=SERIAL, force=True)
        with open_catalog(run) as catalog:
            rows = catalog.rows("SELECT motif_name, decoy_q, decoy_q_pooled FROM hit_confidence")
        n_hits += len(rows)
        n_foreign += sum(name in foreign for name, *_ in rows)
        for name, own, pooled in rows:
            for kind, q in (("motif", own), ("pooled", pooled)):
                for level in LEVELS:
                    if q is not None and q <= level:
                        counts[kind, level][0] += 1
                        counts[kind, level][1] += name in foreign
        click.echo(f"confidence: foreign motifs, draw {draw}", err=True)
    # Half of the motifs are foreign: as many false hits are ours.
    lines = [
        f"Foreign motifs: yeast with {N_FOREIGN} motifs of another genome's compendium among its "
        f"own {N_FOREIGN}, {n_draws} draws; {n_hits:,} hits, {n_foreign:,} of them foreign. Share "
        "of foreign hits among those kept (kept hits in brackets).",
        "",
        "| | q 0.01 | 0.05 | 0.10 | 0.20 |",
        "|---|---|---|---|---|",
    ]
    for kind in ("pooled", "motif"):
        cells = [
            f"{counts[kind, level][1] / max(1, counts[kind, level][0]):.3f} "
            f"({counts[kind, level][0]:,})"
            for level in LEVELS
        ]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _timing(work: Path, store: Path, folder: Path) -> str:
    motifs = folder / "modisco_results.h5"
    ratios: dict[float, list[float]] = {1.0: [], 0.25: []}
    accepted: dict[float, set[tuple[object, ...]]] = {}
    for repeat in range(5):
        run = work / f"timing-{repeat}"
        called = call_hits(store, motifs, run, resources=SERIAL)
        for fraction in ratios:
            found = confidence(run, fraction=fraction, resources=SERIAL, force=True)
            ratios[fraction].append(found.seconds["worker.solve"] / called.seconds["worker.solve"])
            with open_catalog(run) as catalog:
                accepted[fraction] = set(
                    catalog.rows("""
                        SELECT sample, peak_id, motif_id, start_untrimmed FROM hit_confidence
                        WHERE decoy_q <= 0.1
                    """)
                )
    shared = accepted[1.0] & accepted[0.25]
    jaccard = len(shared) / len(accepted[1.0] | accepted[0.25])
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
    return "\n".join(
        [*lines, "", f"Hits with q of at most 0.10: Jaccard index {jaccard:.3f} of the two."]
    )
