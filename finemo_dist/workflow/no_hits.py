"""Why a sample has no hit: a word on the likely cause, because nothing else went wrong."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from finemo_dist.catalog.summary import SampleSummary
from finemo_dist.core.records import InputCounts
from finemo_dist.core.words import count, have
from finemo_dist.store.read import RegionStore
from finemo_dist.workflow.sample_motifs import SampleMotifs

logger = logging.getLogger(__name__)

_HIGH_PENALTY: Final = 0.9
"""A lambda beyond this asks for sites that are almost the motif itself."""


def warn_of_samples_without_hits(
    samples: Sequence[SampleSummary],
    stores: Mapping[str, RegionStore],
    motifs: Mapping[str, SampleMotifs],
) -> None:
    """Log each sample without a hit, with the likely cause."""
    for sample in samples:
        if sample.sample in stores and sample.n_regions and not sample.n_hits:
            counts = stores[sample.sample].meta.counts
            least = float(motifs[sample.sample].motifs.penalty.min())
            logger.warning(
                "Sample %s: no hits in %s. %s.",
                sample.sample, count(sample.n_regions, "region"), _cause(counts, least),
            )  # fmt: skip


def _cause(counts: InputCounts, least_penalty: float) -> str:
    if 2 * counts.n_zero > counts.n_regions:
        return (
            f"{counts.n_zero:,} of them {have(counts.n_zero)} no contribution: check that scores "
            "and "
            "peaks belong to the same sample and assembly"
        )
    if least_penalty > _HIGH_PENALTY:
        return (
            f"Lambda is at least {least_penalty:g}, which few sites reach: try a lower value (-l)"
        )
    return (
        "Nothing in them resembles the motifs: check that scores and motifs come from the same "
        "model, and check the mode (-M) and the trim (-t)"
    )
