"""How far from the optimum a table of hits is, whoever wrote it."""

import csv
from pathlib import Path

import torch
from torch import Tensor

from finemo_dist.core.config import CallConfig
from finemo_dist.core.records import MotifSet
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.modisco import read_patterns
from finemo_dist.solver.cwms import build_cwms
from finemo_dist.solver.dense import build_dense_problem
from finemo_dist.solver.target import build_target
from finemo_dist.store.read import RegionStore, open_store

_BLOCK_VALUES = 1 << 24
"""Coefficients of the regions whose gaps are computed together."""


def gaps_of_hits(hits_tsv: Path, store_path: Path, modisco_h5: Path) -> Tensor:
    """Return the true duality gap of each region over its width, (R,) float64.

    Computed densely in float64 from the coefficients in the table, which must hold every positive
    one: called without the post-filter. Regions are known by ``peak_id``, their row in the store.
    """
    config = CallConfig()
    motifs = build_motif_set(read_patterns(modisco_h5), config.motifs, config.solver.mode)
    store = open_store(store_path)
    at, values = _read_coefficients(hits_tsv, store, motifs)
    cwms = build_cwms(motifs, torch.device("cpu"), use_sqrt_transform=False)
    n_positions = store.region_width - motifs.width + 1
    block = max(1, _BLOCK_VALUES // (len(motifs) * n_positions))
    found = []
    for first in range(0, store.n_regions, block):
        batch = store.read(first, min(first + block, store.n_regions))
        target = build_target(
            torch.from_numpy(batch.sequence),
            torch.from_numpy(batch.contributions),
            is_hypothetical=False,
            use_sqrt_transform=False,
        )
        coefficient = torch.zeros(len(batch), len(motifs), n_positions, dtype=torch.float64)
        inside = (at[:, 0] >= first) & (at[:, 0] < first + len(batch))
        region, motif, position = at[inside].unbind(1)
        coefficient[region - first, motif, position] = values[inside]
        found.append(build_dense_problem(target, cwms, torch.float64).gap(coefficient))
    return torch.cat(found) / store.region_width


def _read_coefficients(
    hits_tsv: Path, store: RegionStore, motifs: MotifSet
) -> tuple[Tensor, Tensor]:
    """Return (H, 3) region, motif, position and (H,) coefficients."""
    motif_of = {key: i for i, key in enumerate(zip(motifs.name, motifs.strand, strict=True))}
    start = store.table(0, store.n_regions).start
    at, values = [], []
    with hits_tsv.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            region = int(row["peak_id"])
            position = int(row["start_untrimmed"]) - int(start[region])
            at.append((region, motif_of[row["motif_name"], row["strand"]], position))
            values.append(float(row["hit_coefficient"]))
    return (
        torch.tensor(at, dtype=torch.int64).reshape(-1, 3),
        torch.tensor(values, dtype=torch.float64),
    )
