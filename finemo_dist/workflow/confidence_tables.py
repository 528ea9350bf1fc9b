"""The tables of ``RUN/confidence``, from the hits of motifs and of their decoys."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.compaction import parts_digest
from finemo_dist.core.protocols import RegionReader
from finemo_dist.core.records import MotifSet
from finemo_dist.core.similarity import Family
from finemo_dist.core.target_decoy import (
    LEVELS,
    N_ROUNDS,
    Competition,
    Scores,
    Steps,
    compete,
    refusal,
)
from finemo_dist.hits.confidence import (
    ConfidenceRecord,
    confidence_directory,
    decoys_directory,
    table_path,
    write_columns,
    write_rows,
)
from finemo_dist.motifs.decoys import Decoys

_BELIEVED: Final = 0.05
"""The q at which a summary counts."""


@dataclass(frozen=True, slots=True)
class SampleConfidence:
    """What is known of the hits of one sample."""

    sample: str
    n_hits: int
    """One a place, as in ``hits_unique``."""
    n_decoy_hits: int
    """Of all rounds, one a place."""
    n_believed: int
    """With a ``decoy_q`` of at most 0.05."""
    n_believed_pooled: int | None
    """With a ``decoy_q_pooled`` of at most 0.05; None where there is no pooled q."""
    refused: str | None
    """Why there is no q, or None."""


@dataclass(frozen=True, slots=True)
class DecoySet:
    """The motifs of a set and their decoys."""

    name: str
    motifs: MotifSet
    rounds: tuple[Decoys, ...]
    families: Sequence[Family]


def decoy_sample(number: int, sample: str) -> str:
    """Return what a sample is called in the run that calls the decoys of a round."""
    return f"{number}-{sample}"


def write_tables(
    catalog: Catalog,
    sets: Mapping[str, DecoySet],
    readers: Mapping[str, RegionReader],
    *,
    seed: int,
    fraction: float,
) -> tuple[SampleConfidence, ...]:
    """Write the tables of a run, its record last, and return what they say."""
    run_dir = catalog.run_dir
    rows: dict[str, list[dict[str, Any]]] = {"steps": [], "motifs": [], "levels": []}
    samples, files = [], []
    with open_catalog(decoys_directory(run_dir)) as decoys:
        for index, name in enumerate(catalog.samples):
            sample = catalog.sample(name)
            one = sets[sample.motif_set]
            actual = readers[name].n_regions / max(1, sample.n_regions)
            targets = _amplitudes(catalog, name, len(one.motifs))
            hits = _decoy_hits(decoys, name, one)
            by_motif = _by_motif(hits, one)
            files.append(f"decoy_hits-{index:05d}.parquet")
            write_columns(confidence_directory(run_dir) / files[-1], "decoy_hits", hits)
            refused = refusal(sum(map(len, targets)), len(hits))
            found = None
            if refused is None:
                pooled = [np.concatenate(rounds) for rounds in by_motif]
                found = compete(targets, pooled, fraction=actual, n_rounds=N_ROUNDS)
            rows["steps"] += _step_rows(name, one, found)
            rows["motifs"] += _motif_rows(name, one, targets, by_motif, found)
            rows["levels"] += _level_rows(name, one, targets, found)
            samples.append(_summary(name, targets, len(hits), found, refused))
    for table, found_rows in rows.items():
        write_rows(table_path(run_dir, table), table, found_rows)
    write_rows(table_path(run_dir, "decoys"), "decoys", _decoy_rows(sets.values()))
    digests = {name: parts_digest(catalog.units(name).values()) for name in catalog.samples}
    refusals = {s.sample: s.refused for s in samples if s.refused}
    ConfidenceRecord(seed, fraction, N_ROUNDS, digests, refusals, tuple(files)).save(run_dir)
    return tuple(samples)


def _amplitudes(catalog: Catalog, sample: str, n_strands: int) -> list[Scores]:
    """Return the amplitudes of the hits of each motif of a sample, one a place."""
    with catalog.as_called(sample) as single:
        found = single.columns("amplitudes", {"table": _table(single, sample), "sample": sample})
    return _split(found["motif_id"] // 2, found["hit_amplitude"], n_strands // 2)


def _table(catalog: Catalog, sample: str) -> str:
    return "hits_unique" if catalog.sample(sample).has_coordinates else "hits"


def _split(motif: NDArray[np.int64], scores: Scores, n_motifs: int) -> list[Scores]:
    order = np.argsort(motif, kind="stable")
    ends = np.searchsorted(motif[order], np.arange(1, n_motifs))
    return [np.asarray(part, np.float64) for part in np.split(scores[order], ends)]


def _decoy_hits(decoys: Catalog, sample: str, one: DecoySet) -> pa.Table:
    """Return the hits of all decoys of a sample, one a place, as ``decoy_hits`` has them."""
    tables = []
    names = pa.array(one.motifs.name[::2], pa.string())
    for number in range(1, N_ROUNDS + 1):
        called = decoy_sample(number, sample)
        with decoys.as_called(called) as single:
            asked = {"table": _table(single, called), "sample": called}
            found = single.arrow("decoy_rows", asked)
        rows = (found["motif_id"].to_numpy() - len(one.motifs)) // 2
        tables.append(
            found.append_column("own_name", names.take(pa.array(rows)))
            .append_column("sample", pa.array([sample] * len(found), pa.string()))
            .append_column("round", pa.array([number] * len(found), pa.int32()))
        )
    return pa.concat_tables(tables)


def _by_motif(hits: pa.Table, one: DecoySet) -> list[list[Scores]]:
    """Return the amplitudes of the hits of each decoy, by motif and round."""
    row_of = {name: row for row, name in enumerate(one.motifs.name[::2])}
    row = np.array([row_of[name] for name in hits["own_name"].to_pylist()], np.int64)
    number, amplitude = hits["round"].to_numpy(), hits["hit_amplitude"].to_numpy()
    n_motifs = len(one.motifs) // 2
    split = [
        _split(row[number == i], amplitude[number == i], n_motifs) for i in range(1, N_ROUNDS + 1)
    ]
    return [list(rounds) for rounds in zip(*split, strict=True)]


def _step_rows(sample: str, one: DecoySet, found: Competition | None) -> list[dict[str, Any]]:
    if found is None:
        return []
    steps = [*zip(one.motifs.name[::2], found.by_motif, strict=True), (None, found.pooled)]
    return [
        {"sample": sample, "own_name": name, "hit_amplitude": float(score), "q": float(q)}
        for name, of_motif in steps
        if of_motif is not None
        for score, q in zip(of_motif.score, of_motif.q, strict=True)
    ]


def _motif_rows(
    sample: str,
    one: DecoySet,
    targets: Sequence[Scores],
    decoys: Sequence[Sequence[Scores]],
    found: Competition | None,
) -> list[dict[str, Any]]:
    rows = []
    for i, name in enumerate(one.motifs.name[::2]):
        steps = found.by_motif[i] if found is not None else None
        family = one.families[i]
        kept = _kept(steps, targets[i], _BELIEVED) if steps is not None else targets[i][:0]
        rows.append(
            {
                "sample": sample,
                "own_name": name,
                "n_hits": len(targets[i]),
                **{f"n_decoy_hits_{j}": len(hits) for j, hits in enumerate(decoys[i], 1)},
                "false_share": None if steps is None else float(steps.q[0]),
                "least_amplitude": float(kept.min()) if len(kept) else None,
                "n_believed": len(kept),
                "own_similar_to": family.similar_to,
                "similarity": family.similarity if family.similar_to is not None else None,
                "family": family.number,
            }
        )
    return rows


def _level_rows(
    sample: str, one: DecoySet, targets: Sequence[Scores], found: Competition | None
) -> list[dict[str, Any]]:
    if found is None:
        return []
    every = np.concatenate(list(targets))
    curves = [
        *zip(one.motifs.name[::2], found.by_motif, targets, strict=True),
        (None, found.pooled, every),
    ]
    return [
        {
            "sample": sample,
            "own_name": name,
            "largest_q": level,
            "n_hits": len(scores),
            "n_kept": len(_kept(steps, scores, level)),
            "false_share": 0.0 if (cut := steps.cut(level)) is None else float(steps.q[cut]),
        }
        for name, steps, scores in curves
        if steps is not None
        for level in LEVELS
    ]


def _kept(steps: Steps, scores: Scores, largest_q: float) -> Scores:
    cut = steps.cut(largest_q)
    return scores[:0] if cut is None else scores[scores >= steps.score[cut]]


def _decoy_rows(sets: Iterable[DecoySet]) -> list[dict[str, Any]]:
    return [
        {
            "motif_set": one.name,
            "own_name": one.motifs.name[2 * row],
            "round": number,
            "decoy_start": int(decoys.motifs.start[2 * row]),
            "decoy_end": int(decoys.motifs.end[2 * row]),
            "n_draws": int(decoys.n_draws[row]),
            "own_similar_to": decoys.similar_to[row],
            "similarity": float(decoys.similarity[row]),
        }
        for one in sets
        for number, decoys in enumerate(one.rounds, 1)
        for row in range(len(one.motifs) // 2)
    ]


def _summary(
    sample: str,
    targets: Sequence[Scores],
    n_decoy_hits: int,
    found: Competition | None,
    refused: str | None,
) -> SampleConfidence:
    n_hits = sum(map(len, targets))
    if found is None:
        return SampleConfidence(sample, n_hits, n_decoy_hits, 0, None, refused)
    pairs = zip(found.by_motif, targets, strict=True)
    n_believed = sum(len(_kept(steps, own, _BELIEVED)) for steps, own in pairs if steps is not None)
    every = np.concatenate(list(targets))
    n_pooled = None if found.pooled is None else len(_kept(found.pooled, every, _BELIEVED))
    return SampleConfidence(sample, n_hits, n_decoy_hits, n_believed, n_pooled, None)
