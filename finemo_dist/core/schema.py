"""The tables of a run: every column with its type, unit and meaning.

The Parquet writer, the catalog's views and the documentation read this; nothing else names types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    type: str
    """An Arrow type name; ``dictionary`` is a dictionary-encoded string."""
    meaning: str
    is_nullable: bool = False
    unit: str = ""
    """Of a number that has one: base, contribution, ...; empty for counts and names."""

    @property
    def sql_type(self) -> str:
        """Its type in the catalog, as DuckDB spells it."""
        return _SQL_TYPES[self.type]


_SQL_TYPES: Final[Mapping[str, str]] = {
    "dictionary": "VARCHAR",
    "string": "VARCHAR",
    "bool": "BOOLEAN",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint32": "UINTEGER",
    "float": "FLOAT",
    "double": "DOUBLE",
    "timestamp": "TIMESTAMP",
}


HIT_COLUMNS: Final = (
    Column(
        "chr", "dictionary", "chromosome; null where regions have no coordinates", is_nullable=True
    ),
    Column(
        "start",
        "int64",
        "first base of the trimmed motif, 0-based; in the region if no chr",
        unit="base",
    ),
    Column(
        "end",
        "int64",
        "base after the last of the trimmed motif",
        unit="base",
    ),
    Column(
        "start_untrimmed",
        "int64",
        "first base of the untrimmed CWM; may be negative",
        unit="base",
    ),
    Column(
        "end_untrimmed",
        "int64",
        "base after the last of the untrimmed CWM",
        unit="base",
    ),
    Column("motif_name", "dictionary", "name of the motif, after renaming"),
    Column(
        "hit_coefficient",
        "float",
        "coefficient at the optimum, per normalised contribution",
        unit="normalised contribution",
    ),
    Column(
        "hit_coefficient_global",
        "float",
        "coefficient times the squared scale of the region",
        unit="contribution squared",
    ),
    Column(
        "hit_similarity",
        "float",
        "cosine of the contributions with the trimmed CWM",
        unit="cosine, -1 to 1",
    ),
    Column(
        "hit_importance",
        "float",
        "sum of |contribution| over the trimmed motif",
        unit="contribution",
    ),
    Column(
        "hit_importance_sq",
        "float",
        "sum of squared contribution over the trimmed motif",
        unit="contribution squared",
    ),
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
    Column(
        "global_scale",
        "double",
        "root mean square contribution of the region",
        unit="contribution",
    ),
    Column("peak_id", "uint32", "row of the peak in the peaks file, from 0"),
    Column(
        "chr", "dictionary", "chromosome; null where regions have no coordinates", is_nullable=True
    ),
    Column(
        "peak_region_start",
        "int64",
        "first base of the region; may be negative",
        unit="base",
    ),
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
    Column(
        "motif_start",
        "int64",
        "first column of the trim window",
        unit="CWM column",
    ),
    Column(
        "motif_end",
        "int64",
        "column after the last of the trim window",
        unit="CWM column",
    ),
    Column(
        "motif_scale",
        "double",
        "Frobenius norm of the pattern, contribution units",
        unit="contribution",
    ),
    Column("lambda", "double", "weight of the L1 penalty"),
    Column(
        "is_palindrome",
        "bool",
        "whether both strands read the same, so that a site shares its coefficient between them",
    ),
    Column(
        "source",
        "string",
        "file the motif comes from, as it was given; null in runs of older releases",
        is_nullable=True,
    ),
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

FINEMO_SCORE_COLUMNS: Final = (
    "hit_coefficient", "hit_coefficient_global", "hit_similarity", "hit_correlation",
    "hit_importance", "hit_importance_sq",
)  # fmt: skip
"""Those of them in which hits of one site differ."""

FINEMO_QC_COLUMNS: Final = (
    "nll", "dual_gap", "num_steps", "step_size", "global_scale", "peak_id", "chr",
    "peak_region_start", "peak_name", "converged",
)  # fmt: skip
"""Columns of ``peaks_qc.tsv`` in finemo's order, then ``converged``."""

FINEMO_MOTIF_COLUMNS: Final = tuple(
    column.name for column in MOTIF_COLUMNS if column.name not in ("is_palindrome", "source")
)
"""Columns of ``motif_data.tsv``: finemo's and no more, because its ``report`` refuses others."""

COMPACT_COLUMNS: Final = (
    *HIT_COLUMNS,
    Column("is_unique", "bool", "whether the hit is in hits_unique"),
    Column("is_primary", "bool", "whether the hit is in hits_primary"),
)

PLACED_COLUMNS: Final = (Column("sample", "dictionary", "name of the sample"), *COMPACT_COLUMNS)

CONFIDENCE_TABLES: Final[Mapping[str, tuple[Column, ...]]] = {
    "steps": (
        Column("sample", "string", "name of the sample"),
        Column("own_name", "string", "motif in its set; null for all together", is_nullable=True),
        Column("hit_amplitude", "double", "smallest amplitude that has the q", unit="amplitude"),
        Column("q", "double", "q of hits from there to the next step"),
    ),
    "motifs": (
        Column("sample", "string", "name of the sample"),
        Column("own_name", "string", "name of the motif in its set"),
        Column("n_hits", "int64", "hits of the motif, one a place"),
        Column("n_decoy_hits_1", "int64", "hits of its decoy of the first round, one a place"),
        Column("n_decoy_hits_2", "int64", "those of the second round"),
        Column("n_decoy_hits_3", "int64", "those of the third round"),
        Column(
            "false_share", "double",
            "estimated share of all its hits that a scrambled motif would have had; null if it has "
            "too few hits",
            is_nullable=True,
        ),
        Column(
            "least_amplitude", "double", "smallest amplitude with decoy_q of at most 0.05",
            is_nullable=True, unit="amplitude",
        ),
        Column(
            "n_believed", "int64", "hits with decoy_q of at most 0.05, one a place",
        ),
        Column(
            "own_similar_to", "string", "most similar other motif", is_nullable=True
        ),
        Column(
            "similarity", "double",
            "cosine with it, trimmed, at the best shift on either strand; from 0.75 on q is of the "
            "family and not of the name",
            is_nullable=True,
        ),
        Column("family", "int32", "motifs that a chain of cosines of 0.75 or more connects"),
    ),
    "levels": (
        Column("sample", "string", "name of the sample"),
        Column("own_name", "string", "motif in its set; null for all together", is_nullable=True),
        Column("largest_q", "double", "hits with at most this q are kept"),
        Column("n_hits", "int64", "hits in all, one a place"),
        Column("n_kept", "int64", "hits that are kept"),
        Column("false_share", "double", "estimated false share of the hits that are kept"),
    ),
    "decoys": (
        Column("motif_set", "string", "motif set of the motif"),
        Column("own_name", "string", "motif whose columns were permuted"),
        Column("round", "int32", "round of decoys, from 1"),
        Column("decoy_start", "int64", "first column of the trim window", unit="CWM column"),
        Column("decoy_end", "int64", "column after its last", unit="CWM column"),
        Column("n_draws", "int64", "permutations that were drawn"),
        Column("own_similar_to", "string", "motif that the decoy resembles most"),
        Column("similarity", "double", "cosine with it; above 0.7 if no draw passed"),
    ),
    "decoy_hits": (
        Column("sample", "string", "name of the sample"),
        Column("round", "int32", "round of decoys, from 1"),
        Column("chr", "string", "chromosome; null without coordinates", is_nullable=True),
        Column("start", "int64", "first base of the trimmed decoy", unit="base"),
        Column("end", "int64", "base after the last of the trimmed decoy", unit="base"),
        Column("strand", "string", "+ or -"),
        Column("own_name", "string", "motif whose columns were permuted"),
        Column("hit_amplitude", "double", "amplitude of the hit", unit="amplitude"),
        Column("hit_score", "float", "as in hits", unit="contribution"),
        Column("peak_id", "uint32", "row of the peak in the peaks file, from 0"),
    ),
}  # fmt: skip
"""The tables of ``RUN/confidence``; motifs have the names of their own set there."""

_STEPS: Final = {column.name: column for column in CONFIDENCE_TABLES["steps"]}
_MOTIF_NAME: Final = Column("motif_name", "string", "name of the motif, after renaming")


def _named(table: str) -> tuple[Column, ...]:
    """Return the columns of a table as the catalog shows them: with the motifs of the run."""
    names = {"own_name": "motif_name", "own_similar_to": "similar_to"}
    return tuple(
        replace(column, name=names.get(column.name, column.name))
        for column in CONFIDENCE_TABLES[table]
    )


_SAMPLE: Final = Column("sample", "string", "name of the sample")
_HIT: Final = {column.name: column for column in HIT_COLUMNS}
_SCORE: Final = Column(
    "hit_score", "float",
    "square root of hit_coefficient times hit_coefficient_global: what to rank hits by",
    unit="contribution",
)  # fmt: skip
CONFIDENCE_COLUMNS: Final = (
    Column(
        "hit_amplitude", "double", "hit_coefficient / sqrt(1 + S): what the solver compares",
        unit="amplitude",
    ),
    Column(
        "decoy_q", "double",
        "q against decoy motifs, by motif: the expected share of hits that a scrambled motif would "
        "have had; null if there is none",
        is_nullable=True,
    ),
    Column(
        "decoy_q_pooled", "double", "the same, of all motifs together", is_nullable=True
    ),
)  # fmt: skip
"""What confidence says of a hit."""
CALLED_HIT_COLUMNS: Final = (
    _SAMPLE,
    *(
        Column(
            "hit_correlation", "float", "hit_similarity under finemo's old name",
            unit="cosine, -1 to 1",
        )
        if name == "hit_correlation"
        else _HIT[name]
        for name in FINEMO_HIT_COLUMNS
    ),
    _HIT["motif_id"],
    _HIT["chr_id"],
    _SCORE,
)  # fmt: skip
"""A hit as it was called, without what an annotation says of its motif."""
_HIT_VIEW: Final = (
    *CALLED_HIT_COLUMNS,
    Column(
        "cluster", "string", "cluster of the motif; null where the annotation has none",
        is_nullable=True,
    ),
)  # fmt: skip
_MOTIF: Final = {column.name: column for column in MOTIF_COLUMNS}
_QC: Final = {column.name: column for column in QC_COLUMNS}

FUNNEL_COLUMNS: Final = (
    _SAMPLE,
    Column("rule_number", "int32", "place of the rule among those applied, from 1"),
    Column("rule", "string", "the rule"),
    Column("motif_name", "string", "name of the motif, after renaming"),
    Column("n_before", "int64", "hits of the motif that the rules before left"),
    Column("n_dropped", "int64", "hits of it that this rule dropped"),
)
"""What rules left out of a derived run."""
DROPPED_COLUMNS: Final = (
    *(replace(column, type="string" if column.type == "dictionary" else column.type)
      for column in CALLED_HIT_COLUMNS),
    *CONFIDENCE_COLUMNS,
    Column("dropped_by", "int32", "rule_number of the rule that dropped the hit"),
)  # fmt: skip
"""The hits that rules left out of a derived run."""

VIEWS: Final[Mapping[str, tuple[Column, ...]]] = {
    "hits": _HIT_VIEW,
    "hits_unique": _HIT_VIEW,
    "hits_primary": _HIT_VIEW,
    "peaks": (
        _SAMPLE,
        _QC["peak_id"],
        _QC["chr"],
        _QC["chr_id"],
        Column("start", "int64", "first base of the region; may be negative", unit="base"),
        Column("end", "int64", "base after the last of the region", unit="base"),
        Column("name", "string", "name of the peak", is_nullable=True),
    ),
    "peaks_qc": (
        _SAMPLE,
        *(_QC[name] for name in FINEMO_QC_COLUMNS),
        _QC["n_hits"],
        _QC["chr_id"],
    ),
    "motifs": (
        *MOTIF_COLUMNS,
        *ANNOTATION_COLUMNS[1:],
        Column("motif_set", "string", "first motif set that it belongs to, as in samples"),
        Column(
            "name_in_set", "string",
            "motif_name without its set: that leads motif_name where one name means several "
            "motifs, so that they never count as one",
        ),
        Column(
            "display_name", "string",
            "name for people: tf, with motif_name where several motifs share it; else motif_name",
        ),
    ),
    "samples": (
        _SAMPLE,
        Column("n_regions", "int64", "regions of the sample"),
        Column("n_shards", "int64", "shards of the sample"),
        Column("n_shards_committed", "int64", "shards that are committed"),
        Column("n_regions_committed", "int64", "regions of these shards"),
        Column("n_hits", "int64", "hits of these shards"),
        Column("n_not_converged", "int64", "regions whose dual gap is above the tolerance"),
        Column("max_gap", "double", "largest dual gap; 0 without regions"),
        Column("region_width", "int64", "length of a region", unit="base"),
        Column("has_coordinates", "bool", "whether regions lie on chromosomes"),
        Column("motif_set", "string", "motif set that is called in the sample"),
        Column(
            "mode", "string", "kinds of CWMs and contributions: pp, ph, hp or hh",
            is_nullable=True,
        ),
        Column(
            "lambda", "double", "weight of the L1 penalty of motifs without one of their own",
            is_nullable=True,
        ),
        Column(
            "trim_threshold", "double",
            "share of the largest column that trims motifs without a window of their own",
            is_nullable=True,
        ),
    ),
    "sample_motifs": (
        _SAMPLE,
        Column("motif_id", "int32", "row of the motif and strand in motifs"),
        Column("motif_name", "string", "name of the motif, as in motifs"),
        _MOTIF["strand"],
        _MOTIF["motif_start"],
        _MOTIF["motif_end"],
        _MOTIF["motif_scale"],
        _MOTIF["lambda"],
        Column("motif_set", "string", "motif set that is called in the sample"),
    ),
    "timings": (
        _SAMPLE,
        Column("shard", "int32", "number of the shard in the sample, from 0"),
        Column("worker", "string", "worker that did it", is_nullable=True),
        Column("node", "string", "machine of that worker", is_nullable=True),
        Column("n_regions", "int64", "regions of the shard", is_nullable=True),
        Column("n_hits", "int64", "hits of the shard", is_nullable=True),
        Column(
            "seconds_read", "double", "time reading regions", is_nullable=True, unit="second"
        ),
        Column("seconds_solve", "double", "time solving", is_nullable=True, unit="second"),
        Column(
            "seconds_write", "double", "time writing its parts", is_nullable=True, unit="second"
        ),
        Column(
            "started", "timestamp", "when it was given to the worker", is_nullable=True,
            unit="UTC",
        ),
        Column("finished", "timestamp", "when it was reported done", is_nullable=True, unit="UTC"),
    ),
    "motif_counts": (
        _SAMPLE,
        Column("motif_name", "string", "name of the motif, after renaming"),
        Column("n_hits", "int64", "hits of the motif, both strands"),
        Column("n_forward", "int64", "hits on the + strand"),
        Column("n_reverse", "int64", "hits on the - strand"),
        Column("n_regions", "int64", "regions with at least one hit"),
        Column(
            "mean_similarity", "double", "mean of hit_similarity; null without hits",
            is_nullable=True, unit="cosine, -1 to 1",
        ),
    ),
    "hit_confidence": (
        _SAMPLE,
        *(_HIT[name] for name in (
            "chr", "start", "end", "strand", "motif_name", "peak_id", "motif_id",
            "start_untrimmed",
        )),
        _SCORE,
        *CONFIDENCE_COLUMNS,
    ),
    "motif_confidence": _named("motifs"),
    "confidence_by_q": _named("levels"),
    "decoys": (_SAMPLE, *_named("decoys")[1:]),
    "decoy_hits": _named("decoy_hits"),
    "filter_funnel": FUNNEL_COLUMNS,
    "hits_dropped": DROPPED_COLUMNS,
}  # fmt: skip
"""The views of the catalog, in the order of their documentation."""
