"""The tables of ``compare``: every column with its type, unit and meaning."""

from typing import Final, Literal, get_args

from finemo_dist.core.schema import Column

SiteClass = Literal["shared", "changed", "specific_first", "specific_second"]
SITE_CLASSES: Final[tuple[SiteClass, ...]] = get_args(SiteClass)

_QUANTILE: Final = "quantile of hit_score among all hits of the sample, 0 to 1"
_BELIEVED: Final = "share of the hits with a q that are believed: at most believed_q"

SAMPLE_MOTIF_COLUMNS: Final = (
    Column("sample", "string", "name of the sample"),
    Column("group", "string", "group that the sample is in"),
    Column("motif", "string", "motif, or what its annotation names"),
    Column("n_hits", "int64", "hits, in every region that they were called in"),
    Column("hits_per_region", "double", "hits over committed regions of the sample"),
    Column("score_quantile", "double", f"mean {_QUANTILE}; null without hits", is_nullable=True),
    Column("believed_share", "double", f"{_BELIEVED}; null without q", is_nullable=True),
)  # fmt: skip

MOTIF_COMPARISON_COLUMNS: Final = (
    Column("motif", "string", "motif, or what its annotation names"),
    Column("n_samples_first", "int64", "samples of the first group called with it"),
    Column("n_samples_second", "int64", "samples of the second group called with it"),
    Column("hits_per_region_first", "double", "mean over samples of the first group"),
    Column("hits_per_region_second", "double", "mean over samples of the second group"),
    Column("log2_ratio", "double", "log2 of second over first mean, each with half a hit more in "
           "the regions of its group"),
    Column("p_hits", "double", "rank-sum test of hits per region; null without replicates",
           is_nullable=True),
    Column("q_hits", "double", "p_hits after Benjamini and Hochberg", is_nullable=True),
    Column("score_quantile_first", "double", f"mean {_QUANTILE}", is_nullable=True),
    Column("score_quantile_second", "double", f"mean {_QUANTILE}", is_nullable=True),
    Column("quantile_change", "double", "second less first", is_nullable=True),
    Column("p_score", "double", "rank-sum test of score quantiles; null without replicates",
           is_nullable=True),
    Column("q_score", "double", "p_score after Benjamini and Hochberg", is_nullable=True),
    *(Column(f"n_sites_{name}", "int64", f"sites on common regions that are {name}")
      for name in SITE_CLASSES),
    Column("believed_share_first", "double", f"mean {_BELIEVED}; null without q",
           is_nullable=True),
    Column("believed_share_second", "double", f"mean {_BELIEVED}; null without q",
           is_nullable=True),
    Column("believed_change", "double", "second less first", is_nullable=True),
    Column("p_believed", "double", "rank-sum test of believed_share; null without replicates or q",
           is_nullable=True),
    Column("q_believed", "double", "p_believed after Benjamini and Hochberg", is_nullable=True),
)  # fmt: skip

SITE_COMPARISON_COLUMNS: Final = (
    Column("chr", "string", "chromosome"),
    Column("start", "int64", "first base of the trimmed motif, 0-based", unit="base"),
    Column("end", "int64", "base after the last of the trimmed motif", unit="base"),
    Column("motif_name", "string", "name of the motif"),
    Column("strand", "string", "+ or -"),
    Column("class", "string", "shared, changed, specific_first or specific_second"),
    Column("n_first", "int64", "samples of the first group with the site"),
    Column("n_second", "int64", "samples of the second group with the site"),
    Column("quantile_first", "double", f"mean {_QUANTILE}", is_nullable=True),
    Column("quantile_second", "double", f"mean {_QUANTILE}", is_nullable=True),
)
