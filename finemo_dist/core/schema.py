"""The tables of a run: every column with its type, unit and meaning.

The Parquet writer, the catalog's views and the documentation read this; nothing else names types.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    type: str
    """An Arrow type name; ``dictionary`` is a dictionary-encoded string."""
    meaning: str
    is_nullable: bool = False


HIT_COLUMNS: Final = (
    Column(
        "chr", "dictionary", "chromosome; null where regions have no coordinates", is_nullable=True
    ),
    Column("start", "int64", "first base of the trimmed motif, 0-based; in the region if no chr"),
    Column("end", "int64", "base after the last of the trimmed motif"),
    Column("start_untrimmed", "int64", "first base of the untrimmed CWM; may be negative"),
    Column("end_untrimmed", "int64", "base after the last of the untrimmed CWM"),
    Column("motif_name", "dictionary", "name of the motif, after renaming"),
    Column("hit_coefficient", "float", "coefficient at the optimum, per normalised contribution"),
    Column("hit_coefficient_global", "float", "coefficient times the squared scale of the region"),
    Column("hit_similarity", "float", "cosine of the contributions with the trimmed CWM"),
    Column("hit_importance", "float", "sum of |contribution| over the trimmed motif"),
    Column("hit_importance_sq", "float", "sum of squared contribution over the trimmed motif"),
    Column("strand", "dictionary", "+ or -"),
    Column(
        "peak_name",
        "dictionary",
        "name of the peak; null where regions have no coordinates",
        is_nullable=True,
    ),
    Column("peak_id", "uint32", "row of the peak in the peaks file, from 0"),
    Column("motif_id", "int32", "row of the motif and strand in motif_data"),
    Column("chr_id", "int32", "rank of the chromosome in output order; -1 without coordinates"),
)

QC_COLUMNS: Final = (
    Column("nll", "double", "half the squared residual over the region width"),
    Column(
        "dual_gap",
        "double",
        "bound on the distance of the objective from its minimum, over the region width",
    ),
    Column("num_steps", "int64", "dense solver: gradient steps; working set: rounds"),
    Column("step_size", "double", "step size at the end; 0 where the solver takes no fixed step"),
    Column("global_scale", "double", "root mean square contribution of the region"),
    Column("peak_id", "uint32", "row of the peak in the peaks file, from 0"),
    Column(
        "chr", "dictionary", "chromosome; null where regions have no coordinates", is_nullable=True
    ),
    Column("peak_region_start", "int64", "first base of the region; may be negative"),
    Column(
        "peak_name",
        "string",
        "name of the peak; null where regions have no coordinates",
        is_nullable=True,
    ),
    Column("converged", "bool", "whether dual_gap reached the tolerance"),
    Column("n_hits", "int32", "hits in the region"),
    Column("chr_id", "int32", "rank of the chromosome in output order; -1 without coordinates"),
)

MOTIF_COLUMNS: Final = (
    Column("motif_id", "int32", "row of the motif and strand"),
    Column("motif_name", "string", "name of the motif, after renaming"),
    Column("motif_name_orig", "string", "name in the modisco file"),
    Column("strand", "string", "+ or -"),
    Column("motif_start", "int64", "first column of the trim window"),
    Column("motif_end", "int64", "column after the last of the trim window"),
    Column("motif_scale", "double", "Frobenius norm of the pattern, contribution units"),
    Column("lambda", "double", "weight of the L1 penalty"),
)

ANNOTATION_COLUMNS: Final = (
    Column("motif_name", "string", "name of the motif, after renaming"),
    Column("tf", "string", "transcription factor it is thought to be of", is_nullable=True),
    Column("family", "string", "family of that transcription factor", is_nullable=True),
    Column("cluster", "string", "cluster of like motifs; many to one", is_nullable=True),
)
"""What users say about motifs; shown by the view ``motifs``."""

FINEMO_HIT_COLUMNS: Final = (
    "chr", "start", "end", "start_untrimmed", "end_untrimmed", "motif_name", "hit_coefficient",
    "hit_coefficient_global", "hit_similarity", "hit_correlation", "hit_importance",
    "hit_importance_sq", "strand", "peak_name", "peak_id",
)  # fmt: skip
"""Columns of ``hits.tsv`` in finemo's order; ``hit_correlation`` repeats ``hit_similarity``."""

FINEMO_QC_COLUMNS: Final = (
    "nll", "dual_gap", "num_steps", "step_size", "global_scale", "peak_id", "chr",
    "peak_region_start", "peak_name", "converged",
)  # fmt: skip
"""Columns of ``peaks_qc.tsv`` in finemo's order, then ``converged``."""
