"""The tables of ``call-variants``: every column with its type, unit and meaning."""

from typing import Final, Literal, get_args

from finemo_dist.core.schema import Column

VariantClass = Literal["lost", "gained", "strengthened", "weakened", "unchanged"]
VARIANT_CLASSES: Final[tuple[VariantClass, ...]] = get_args(VariantClass)

LEAST_CHANGE: Final = 2.0**-10
"""Share of the larger score below which a difference means nothing.

Contributions are float16, each within 2^-12 of itself, and hits are solved to round-off: what is
called in two alleles differs by more only where the contributions do.
"""

_VARIANT: Final = (
    Column("variant_id", "string", "name of the variant"),
    Column("chr", "string", "chromosome of the variant"),
    Column("pos", "int64", "first base of the variant, 0-based", unit="base"),
    Column("ref", "string", "reference allele; empty where nothing is replaced"),
    Column("alt", "string", "alternative allele; empty where the variant is deleted"),
)


def _both(
    name: str, kind: str, meaning: str, unit: str = "", *, is_nullable: bool = False
) -> tuple[Column, ...]:
    return tuple(
        Column(f"{name}_{allele}", kind, f"{meaning}, {said} allele", is_nullable, unit)
        for allele, said in (("ref", "reference"), ("alt", "alternative"))
    )


VARIANT_HIT_COLUMNS: Final = (
    *_VARIANT,
    Column("motif_name", "string", "name of the motif, after renaming"),
    Column("strand", "string", "+ or -"),
    Column("class", "string", "lost, gained, strengthened, weakened or unchanged"),
    Column("start", "int64", "first base of the trimmed motif on the reference, 0-based",
           unit="base"),
    Column("end", "int64", "base after the last of the trimmed motif", unit="base"),
    Column("start_ref", "int64", "first base of the hit in the reference region", unit="base",
           is_nullable=True),
    Column("start_alt", "int64", "first base of the hit in the alternative region", unit="base",
           is_nullable=True),
    *_both("hit_coefficient", "double", "coefficient; 0 where the optimum has no hit",
           "normalised contribution"),
    Column("coefficient_change", "double", "alternative less reference",
           unit="normalised contribution"),
    *_both("hit_score", "double", "square root of hit_coefficient times hit_coefficient_global; 0 "
           "where the optimum has no hit", "contribution"),
    Column("score_change", "double", "alternative less reference", unit="contribution"),
    *_both("hit_similarity", "double", "cosine with the trimmed CWM; null where the optimum has no "
           "hit", "cosine, -1 to 1", is_nullable=True),
    *_both("hit_importance", "double", "sum of |contribution| over the trimmed motif; null where "
           "the optimum has no hit", "contribution", is_nullable=True),
    *_both("row", "int64", "row of the region, from 0"),
)  # fmt: skip

VARIANT_SUMMARY_COLUMNS: Final = (
    *_VARIANT,
    *_both("n_hits", "int64", "hits that are compared"),
    *(Column(f"n_{name}", "int64", f"hits that are {name}") for name in VARIANT_CLASSES),
    Column("top_motif", "string", "motif of the largest change of score; null without one",
           is_nullable=True),
    Column("top_class", "string", "class of that hit", is_nullable=True),
    Column("top_score_change", "double", "its change of score; 0 without one",
           unit="contribution"),
    *_both("reconstruction", "double", "share of the squared contributions that the optimum "
           "explains; NaN without contributions"),
    Column("reconstruction_change", "double", "alternative less reference"),
    Column("converged", "bool", "whether both regions reached the tolerance"),
    *_both("row", "int64", "row of the region, from 0"),
)  # fmt: skip
