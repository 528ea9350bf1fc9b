"""Exporting the hits or the motifs of a run for other tools: one function for all formats."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final, Literal, get_args

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.core.defaults import (
    EXPORT_LABEL,
    EXPORT_MOTIFS,
    EXPORT_SCORE,
    EXPORT_SIGNAL,
    EXPORT_TABLE,
)
from finemo_dist.core.errors import UsageError, nearest
from finemo_dist.exports.places import measured
from finemo_dist.exports.tables import (
    FURTHER_COLUMNS,
    ExportFormat,
    HitTable,
    RankBy,
    export_hits,
    samples_for,
)
from finemo_dist.storage.locations import is_local, location

Format = Literal[
    "tsv", "bed", "tabix", "bigbed", "bigwig", "hub", "h5ad", "mtx", "parquet", "meme"
]  # fmt: skip
Table = Literal["hits", "unique", "primary"]
Label = Literal["motif", "tf", "family", "cluster"]
Score = Literal["score", "similarity", "importance", "coefficient_global"]
Signal = Literal["coverage", "coefficient_global"]
MotifKind = Literal["full", "trimmed", "hits"]

_AS_OBJECTS: Final = ("tsv", "bed", "parquet")


def export(
    run: str | Path,
    to: Format,
    out: str | Path,
    *,
    sample: str | None = None,
    table: Table = EXPORT_TABLE,
    label: Label = EXPORT_LABEL,
    score: Score = EXPORT_SCORE,
    chrom_sizes: str | Path | None = None,
    motifs: MotifKind = EXPORT_MOTIFS,
    signal: Signal = EXPORT_SIGNAL,
    genome: str | None = None,
    memory_limit: str | None = None,
    largest_q: float | None = None,
    columns: str | Sequence[str] = (),
) -> Path:
    """Write the hits of a run, or its motifs, and return the path of what was written.

    Parameters
    ----------
    run
        A run directory.
    to
        ``tsv``, ``bed``, ``tabix``, ``bigbed``, ``parquet``: hits; ``bigwig``: a signal of each
        motif; ``hub``: a track hub of bigBeds; ``h5ad``, ``mtx``: region by motif; ``meme``:
        motifs.
    out
        File to write; for ``mtx``, ``bigwig`` and ``hub`` a folder.
    sample
        The sample to write; all when None.
    table
        All hits, one hit per place where regions overlap, or the best of overlapping hits. For
        ``bigwig`` and ``hub`` ``hits`` is one hit per place as well, so that no site counts twice.
    label
        Name of a hit in ``bed``, ``tabix`` and ``bigbed``; ``bigwig`` has a file for each.
    score
        What the score of ``bed``, ``tabix`` and ``bigbed``, 0 to 1000, is the rank of within the
        sample.
    chrom_sizes
        ``bed``, ``tabix``, ``bigbed``, ``bigwig``: file with the lengths of chromosomes; those of
        the genome of the regions when None.
    motifs
        ``meme``: full CWMs, trimmed CWMs, or base frequencies at hits.
    signal
        ``bigwig``: the number of hits that cover a base, or the sum of their global coefficients.
    genome
        ``hub``: the name of the assembly in browsers, such as ``"hg38"``.
    memory_limit
        Memory that DuckDB may use, such as ``"2GB"``. Beyond that it spills to temporary files.
    largest_q
        Leave out hits with a larger ``decoy_q``; all hits when None.
    columns
        ``tsv``, ``parquet``: further columns: ``hit_score``, ``hit_amplitude``, ``decoy_q``,
        ``decoy_q_pooled``, and of the annotation ``display_name`` and ``cluster``; as names or as
        text with commas.

    Raises
    ------
    UsageError
        What is asked for cannot be written there.
    RunError
        The run is damaged.
    """
    out = location(out)
    if to not in get_args(Format):
        raise UsageError(f"There is no export format {to!r}.{nearest(to, get_args(Format))}")
    if not is_local(out) and to not in _AS_OBJECTS:
        raise UsageError(
            f"{out}: --to {to} can write to a local disk only. Write it there and copy it. "
            f"Only {', '.join(_AS_OBJECTS)} can write to object storage."
        )
    further = (
        tuple(filter(None, columns.split(","))) if isinstance(columns, str) else tuple(columns)
    )
    _check_columns(further, to)
    asked = {"hits": HitTable.HITS, "unique": HitTable.UNIQUE, "primary": HitTable.PRIMARY}[table]
    sizes = None if chrom_sizes is None else location(chrom_sizes)
    with (
        open_catalog(run, memory_limit=memory_limit, largest_q=largest_q) as whole,
        measured(whole, sizes) as catalog,
    ):
        match to:
            case "meme":
                from finemo_dist.workflow.meme_export import export_meme

                export_meme(catalog, out, motifs, sample)
            case "tabix" | "bigbed":
                _export_places(catalog, out, to, asked, sample, label, RankBy(score))
            case "bigwig":
                _export_bigwig(catalog, out, asked, sample, label, signal)
            case "hub":
                _export_hub(catalog, out, asked, sample, label, RankBy(score), genome)
            case "h5ad" | "mtx":
                _export_matrix(catalog, out, to, asked, sample)
            case _:
                written = ExportFormat(to)
                export_hits(
                    catalog, out, export_format=written, table=asked, sample=sample, label=label,
                    rank_by=RankBy(score), columns=further,
                )  # fmt: skip
    return out


def _check_columns(columns: Sequence[str], to: Format) -> None:
    if columns and to not in ("tsv", "parquet"):
        raise UsageError(
            f"--columns: --to {to} has columns of its own. Use --to tsv or --to parquet."
        )
    for name in columns:
        if name not in FURTHER_COLUMNS:
            raise UsageError(
                f"--columns: there is no column {name!r}.{nearest(name, FURTHER_COLUMNS)} Choose "
                f"from {', '.join(FURTHER_COLUMNS)}."
            )


def _export_places(
    catalog: Catalog,
    out: Path,
    to: Format,
    table: HitTable,
    sample: str | None,
    label: Label,
    rank_by: RankBy,
) -> None:
    from finemo_dist.exports.bigbed import export_bigbed
    from finemo_dist.exports.tabix import export_tabix

    samples_for(catalog, table, sample, needs_coordinates=True)
    with nullcontext(catalog) if sample is None else catalog.only(sample) as shown:
        if to == "tabix":
            export_tabix(shown, out, table=table, label=label, rank_by=rank_by)
        else:
            export_bigbed(shown, out, table=table, label=label, rank_by=rank_by)


def _export_bigwig(
    catalog: Catalog,
    out: Path,
    table: HitTable,
    sample: str | None,
    label: Label,
    signal: Signal,
) -> None:
    from finemo_dist.exports.bigwig import export_bigwig

    table = HitTable.UNIQUE if table is HitTable.HITS else table
    samples_for(catalog, table, sample, needs_coordinates=True)
    with nullcontext(catalog) if sample is None else catalog.only(sample) as shown:
        export_bigwig(shown, out, table=table, label=label, signal=signal)


def _export_hub(
    catalog: Catalog,
    out: Path,
    table: HitTable,
    sample: str | None,
    label: Label,
    rank_by: RankBy,
    genome: str | None,
) -> None:
    from finemo_dist.exports.hub import export_hub

    table = HitTable.UNIQUE if table is HitTable.HITS else table
    samples = samples_for(catalog, table, sample, needs_coordinates=True)
    export_hub(
        catalog, out, samples, genome=genome, table=table, label=label, rank_by=rank_by
    )  # fmt: skip


def _export_matrix(
    catalog: Catalog, out: Path, to: Format, table: HitTable, sample: str | None
) -> None:
    from finemo_dist.exports.h5ad import export_h5ad
    from finemo_dist.exports.market import export_market

    write = export_h5ad if to == "h5ad" else export_market
    samples = samples_for(catalog, table, sample, needs_coordinates=False)
    write(catalog, out, samples, table=table)
