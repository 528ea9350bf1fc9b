"""Palindromes: which motifs are, and what merging does to their hits."""

import dataclasses

import numpy as np
import pytest
import torch

from finemo_dist.core.palindromes import NO_PALINDROME, palindrome_offsets
from finemo_dist.core.records import MotifSet, Unit
from finemo_dist.run import palindromes
from finemo_dist.run.palindromes import merge_palindromes, motif_offsets
from finemo_dist.run.worker import RegionWorker
from finemo_dist.solver.solution import Hits

WIDTH = 12


def motif_set(*cwms, window=(2, 10)):
    """Both strands of each CWM (4, 12), all trimmed to one window."""
    start, end = window
    both = [strand for cwm in cwms for strand in (cwm, cwm[::-1, ::-1])]
    n = len(cwms)
    return MotifSet(
        name=tuple(np.repeat([f"m{i}" for i in range(n)], 2).tolist()),
        name_orig=tuple(np.repeat([f"m{i}" for i in range(n)], 2).tolist()),
        strand=("+", "-") * n,
        cwm=np.stack(both).astype(np.float16),
        start=np.array([start, WIDTH - end] * n),
        end=np.array([end, WIDTH - start] * n),
        scale=np.ones(2 * n),
        penalty=np.full(2 * n, 0.7),
    )


def palindrome(*, shift=0, noise=0.0):
    rng = np.random.default_rng(5)
    half = rng.normal(size=(4, 3))
    core = np.concatenate([half, half[::-1, ::-1]], axis=1)
    cwm = np.zeros((4, WIDTH))
    cwm[:, 3 + shift : 9 + shift] = core + noise * rng.normal(size=core.shape)
    return cwm


ONE_WAY = np.zeros((4, WIDTH))
ONE_WAY[[0, 0, 1, 1, 0, 0], np.arange(3, 9)] = 1


@pytest.mark.parametrize(
    ("cwm", "offset"),
    [
        (palindrome(), 0),
        (palindrome(noise=0.1), 0),
        (palindrome(shift=1), 2),
        (palindrome(shift=-1), -2),
        (palindrome(noise=1.5), None),
        (ONE_WAY, None),
    ],
)
def test_a_palindrome_is_found_wherever_its_axis_lies(cwm, offset):
    found = palindrome_offsets(motif_set(cwm)).tolist()

    assert found == ([NO_PALINDROME] * 2 if offset is None else [offset, -offset])


def hits(*rows):
    """Hits of (region, motif, position, coefficient)."""
    region, motif, position, coefficient = zip(*rows, strict=True) if rows else ((),) * 4
    n = len(rows)
    return Hits(
        region=torch.tensor(region, dtype=torch.int64),
        motif=torch.tensor(motif, dtype=torch.int64),
        position=torch.tensor(position, dtype=torch.int64),
        coefficient=torch.tensor(coefficient, dtype=torch.float64),
        similarity=torch.full((n,), 0.9),
        importance=torch.ones(n),
        importance_sq=torch.ones(n),
    )


def rows(found):
    columns = (found.region, found.motif, found.position, found.coefficient)
    return list(zip(*(c.tolist() for c in columns), strict=True))


def test_two_strands_at_one_site_become_the_forward_hit_with_their_sum():
    motifs = motif_set(ONE_WAY, palindrome())
    found = hits((0, 0, 5, 1.0), (0, 1, 5, 2.0), (0, 2, 7, 1.5), (0, 3, 7, 1.25), (1, 3, 7, 4.0))

    merged = merge_palindromes(found, motifs, motif_offsets(motifs))

    assert rows(merged) == [(0, 0, 5, 1.0), (0, 1, 5, 2.0), (0, 2, 7, 2.75), (1, 3, 7, 4.0)]


def test_hits_of_other_sites_and_regions_stay():
    motifs = motif_set(palindrome(), palindrome())
    found = hits((0, 0, 5, 1.0), (0, 1, 6, 2.0), (0, 3, 5, 3.0), (1, 1, 5, 4.0), (2, 1, -3, 5.0))

    assert rows(merge_palindromes(found, motifs, motif_offsets(motifs))) == rows(found)


def test_an_axis_off_the_middle_of_the_window_shifts_the_other_strand():
    motifs = motif_set(palindrome(shift=1))
    found = hits((0, 0, 5, 1.0), (0, 1, 7, 2.0))

    assert rows(merge_palindromes(found, motifs, motif_offsets(motifs))) == [(0, 0, 5, 3.0)]
    apart = hits((0, 0, 5, 1.0), (0, 1, 5, 2.0))
    assert len(merge_palindromes(apart, motifs, motif_offsets(motifs))) == 2


@pytest.mark.parametrize("found", [hits(), hits((0, 0, 5, 1.0))])
def test_without_palindromes_nothing_changes(found):
    assert rows(
        merge_palindromes(found, motif_set(ONE_WAY), motif_offsets(motif_set(ONE_WAY)))
    ) == rows(found)


def test_a_worker_looks_for_palindromes_once(inputs, tmp_path, monkeypatch):
    looked = []
    find = palindromes.palindrome_offsets
    monkeypatch.setattr(
        palindromes, "palindrome_offsets", lambda motifs: looked.append(motifs) or find(motifs)
    )
    spec = inputs.spec(inputs.plan(tmp_path))
    samples = {
        name: dataclasses.replace(s, solver=s.solver.model_copy(update={"merge_palindromes": True}))
        for name, s in spec.samples.items()
    }
    worker = RegionWorker(dataclasses.replace(spec, samples=samples), "w")

    for shard in range(3):
        worker.process(Unit("a", shard))

    assert len(looked) == 1
