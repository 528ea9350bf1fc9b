"""``compare``: two groups of samples of a run, by motif and by site."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from finemo_dist import __version__
from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.comparison import MotifMatrix, compare_motifs, compare_sites, with_q
from finemo_dist.core.comparison_schema import (
    MOTIF_COMPARISON_COLUMNS,
    SAMPLE_MOTIF_COLUMNS,
    SITE_CLASSES,
    SITE_COMPARISON_COLUMNS,
)
from finemo_dist.core.defaults import BELIEVED_Q, MAX_Q, SITE_CHANGE, SITE_SHARE
from finemo_dist.core.errors import RunError, UsageError, nearest
from finemo_dist.core.program import program
from finemo_dist.core.words import count
from finemo_dist.exports.comparison_h5ad import export_comparison
from finemo_dist.hits.columns import arrow_schema, arrow_table
from finemo_dist.reports.comparison_page import (
    COMPARISON_PAGE,
    ComparisonData,
    write_comparison_page,
)
from finemo_dist.storage.folders import replaced_folder
from finemo_dist.workflow.rank_tests import adjusted, rank_sum, smallest_p
from finemo_dist.workflow.sample_groups import Groups, read_groups

Kind = Literal["motif", "tf", "family", "cluster"]
Scale = Literal["auto", "quantile", "decoy_q"]
"""What scores of models that differ in scale are compared by."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What ``compare`` wrote, and what it says."""

    folder: Path
    n_motifs: int
    n_different: int
    """Motifs whose hits or scores differ at the q-value that was asked for."""
    n_sites: dict[str, int]
    """Class to sites on common regions; empty without coordinates."""
    words: str
    """What the tests can and cannot say."""

    @property
    def motifs(self) -> Path:
        """The table of motifs as Parquet."""
        return self.folder / "motifs.parquet"

    @property
    def sites(self) -> Path:
        """The table of sites as Parquet."""
        return self.folder / "sites.parquet"

    @property
    def page(self) -> Path:
        """The page."""
        return self.folder / COMPARISON_PAGE


def compare(
    run: str | Path,
    out: str | Path,
    *,
    sheet: str | Path | None = None,
    by: str | None = None,
    groups: Sequence[str] = (),
    first: Sequence[str] = (),
    second: Sequence[str] = (),
    kind: Kind = "motif",
    max_q: float = MAX_Q,
    share: float = SITE_SHARE,
    change: float = SITE_CHANGE,
    scale: Scale = "auto",
    believed_q: float = BELIEVED_Q,
    h5ad: bool = False,
    memory_limit: str | None = None,
    threads: int | None = None,
    force: bool = False,
) -> Comparison:
    """Compare two groups of samples of a run and write tables and a page.

    By motif: hits per region, and scores on a scale that models share: quantiles among all hits of
    their sample, or the share of hits that are believed, by their q against decoy motifs. With two
    or more samples in each group both are tested by the rank-sum test over samples, and p-values
    become false discovery rates. By site: sites on regions of all samples are shared, changed, or
    specific to a group.

    Parameters
    ----------
    run
        A run directory.
    out
        Folder to write, as a whole or not at all.
    sheet
        Tab-separated table with a column ``name`` or ``sample``; a sample sheet of ``run`` works.
        Its other columns are shown beside the samples.
    by
        Column of the sheet whose values are the groups.
    groups
        Two values of that column, if it has more.
    first, second
        Samples of the groups, instead of a column.
    kind
        What motifs are compared by: ``motif``, or what an annotation says, ``tf``, ``family`` or
        ``cluster``.
    max_q
        False discovery rate at which a motif counts as different.
    share
        Share of the samples of a group that must have a site for the group to have it.
    change
        Least difference of mean quantiles for a site to count as changed.
    scale
        What scores are tested by: ``quantile``, or ``decoy_q``, which all samples must have;
        ``auto`` is ``decoy_q`` where they do.
    believed_q
        Largest q against decoy motifs of a hit that is believed.
    h5ad
        Also write ``compare.h5ad``: samples by motifs.
    memory_limit
        Memory that DuckDB may use, such as ``"2GB"``.
    threads
        Number of threads; one per core when None.
    force
        Replace an existing folder.

    Raises
    ------
    UsageError
        The groups are not two groups of samples of the run, or a sample has no q that is asked
        for.
    InputError
        The sheet cannot be read.
    RunError
        The run is damaged, or the folder exists.
    """
    folder = Path(out)
    if folder.exists() and not force:
        raise RunError(f"{folder}: exists already. Choose another folder, or use --force.")
    _check_shares(share, change, max_q, believed_q)
    with open_catalog(run, memory_limit=memory_limit, threads=threads) as catalog:
        asked = read_groups(
            catalog.samples,
            sheet=None if sheet is None else Path(sheet),
            column=by,
            groups=groups,
            first=first,
            second=second,
        )
        settings = _Settings(
            kind=kind, max_q=max_q, share=share, change=change, scale=scale,
            believed_q=believed_q, h5ad=h5ad,
        )  # fmt: skip
        with replaced_folder(folder) as made:
            found, n_sites = _write(catalog, asked, settings, made)
        return Comparison(folder, len(found.labels), sum(found.different), n_sites, found.words)


@dataclass(frozen=True, slots=True)
class _Settings:
    """What may be chosen of a comparison."""

    kind: str = "motif"
    max_q: float = MAX_Q
    share: float = SITE_SHARE
    change: float = SITE_CHANGE
    scale: Scale = "auto"
    believed_q: float = BELIEVED_Q
    h5ad: bool = False


def compare_on_page(
    catalog: Catalog, sheet: Path, by: str, groups: Sequence[str]
) -> Callable[[Path], ComparisonData]:
    """Return what writes a comparison into a folder of a report and returns what its page shows.

    Parameters
    ----------
    sheet, by, groups
        As ``compare`` takes them.

    Raises
    ------
    UsageError
        There are no such groups.
    InputError
        The sheet cannot be read.
    """
    asked = read_groups(catalog.samples, sheet=sheet, column=by, groups=groups, first=(), second=())

    def written(folder: Path) -> ComparisonData:
        folder.mkdir()
        return _write(catalog, asked, _Settings(), folder, report="../report.html")[0]

    return written


def _write(
    catalog: Catalog, asked: Groups, settings: _Settings, made: Path, *, report: str = ""
) -> tuple[ComparisonData, dict[str, int]]:
    """Write tables and page, and return what the page shows, and how many sites there are."""
    max_q, share, change = settings.max_q, settings.share, settings.change
    uses_q = _uses_q(catalog, asked, settings.scale)
    largest_q = settings.believed_q if uses_q else None
    found = _Compared.of(catalog, asked, settings.kind, largest_q)
    n_sites = found.write_sites(catalog, made, share=share, change=change)
    found.write_tables(made)
    if settings.h5ad:
        export_comparison(
            made / "compare.h5ad", found.matrix, found.motif_table, asked.names,
            [asked.side[s] for s in found.matrix.samples], asked.metadata,
        )  # fmt: skip
    page = found.page(catalog, max_q, report)
    write_comparison_page(made / COMPARISON_PAGE, page)
    record = {
        "version": __version__, "run": str(catalog.run_dir), "groups": asked.names,
        "samples": {n: asked.samples(i) for i, n in enumerate(asked.names)},
        "kind": settings.kind, "max_q": max_q, "share": share, "change": change,
        "n_sites": n_sites, "scale": "decoy_q" if uses_q else "quantile",
        "believed_q": largest_q, "words": page.words,
    }  # fmt: skip
    (made / "compare.json").write_text(json.dumps(record, indent=2) + "\n")
    return page, n_sites


def _check_shares(share: float, change: float, max_q: float, believed_q: float) -> None:
    if not (0 < share <= 1 and all(0 <= value <= 1 for value in (change, max_q, believed_q))):
        raise UsageError(
            f"share is {share}, change {change}, max_q {max_q} and believed_q {believed_q}; "
            "expected numbers from 0 to 1, and a share above 0."
        )


def _uses_q(catalog: Catalog, groups: Groups, scale: str) -> bool:
    """Return whether scores are compared by q against decoy motifs."""
    if scale not in get_args(Scale):
        raise UsageError(f"There is no scale {scale!r}.{nearest(scale, get_args(Scale))}")
    if scale == "quantile":
        return False
    samples = tuple(groups.side)
    known = with_q(catalog, samples)
    if scale == "decoy_q" and len(known) < len(samples):
        lacking = next(sample for sample in samples if sample not in known)
        raise UsageError(
            f"{catalog.run_dir}: sample {lacking!r} has no q against decoy motifs. Run "
            f"`{program()} confidence {catalog.run_dir}` first, or compare by `--scale quantile`."
        )
    return len(known) == len(samples)


class _Compared:
    """Motifs of two groups, and what tests say about them."""

    def __init__(
        self,
        matrix: MotifMatrix,
        groups: Groups,
        *,
        has_sites: bool,
        kind: str,
        largest_q: float | None,
    ) -> None:
        self.matrix = matrix
        self._largest_q = largest_q
        self._groups = groups
        self._has_sites = has_sites
        self._kind = kind
        self._is_first = np.array([groups.side[s] == 0 for s in matrix.samples])
        self._sites = {name: np.zeros(len(matrix.labels), np.int64) for name in SITE_CLASSES}
        self._label_of: dict[str, int] = {}

    @classmethod
    def of(
        cls, catalog: Catalog, groups: Groups, kind: str, largest_q: float | None
    ) -> "_Compared":
        has_sites = all(catalog.sample(name).has_coordinates for name in groups.side)
        matrix = compare_motifs(
            catalog, groups.side, kind=kind, with_sites=has_sites, largest_q=largest_q
        )
        compared = cls(matrix, groups, has_sites=has_sites, kind=kind, largest_q=largest_q)
        rows = catalog.rows(
            "SELECT DISTINCT motif_name, label FROM motifs JOIN motif_labels($kind)"
            " USING (motif_id)",
            {"kind": kind},
        )
        at = {label: i for i, label in enumerate(matrix.labels)}
        compared._label_of = {name: at[label] for name, label in rows if label in at}
        return compared

    def write_sites(
        self, catalog: Catalog, folder: Path, *, share: float, change: float
    ) -> dict[str, int]:
        """Write the sites, and return how many there are of each class."""
        if not self._has_sites:
            return {}
        sizes = (int(self._is_first.sum()), int((~self._is_first).sum()))
        schema = arrow_schema(SITE_COMPARISON_COLUMNS)
        with parquet.ParquetWriter(folder / "sites.parquet", schema, compression="zstd") as file:
            for batch in compare_sites(catalog, sizes, share=share, change=change):
                table = pa.Table.from_batches([batch])
                file.write_table(table.cast(schema))
                self._count(table)
        return {name: int(counts.sum()) for name, counts in self._sites.items()}

    def _count(self, table: pa.Table) -> None:
        names, classes = (table[c].to_pylist() for c in ("motif_name", "class"))
        for name, kind in zip(names, classes, strict=True):
            self._sites[kind][self._label_of[name]] += 1

    @cached_property
    def _p_values(self) -> tuple[NDArray[np.float64], ...]:
        """Rank-sum tests of hits, scores and believed shares."""
        matrix = self.matrix
        compared = (matrix.rates, matrix.score_quantile, matrix.believed_share)
        return tuple(rank_sum(values, self._is_first) for values in compared)

    @property
    def motif_table(self) -> pa.Table:
        """One row per motif, in the order of the run."""
        rates, first, matrix = self.matrix.rates, self._is_first, self.matrix
        compared = (rates, matrix.score_quantile, matrix.believed_share)
        p_hits, p_score, p_believed = self._p_values
        means = [_mean(values[:, side]) for values in compared for side in (first, ~first)]
        values: dict[str, NDArray[Any]] = {
            "motif": np.array(self.matrix.labels, object),
            "n_samples_first": (~np.isnan(rates[:, first])).sum(axis=1),
            "n_samples_second": (~np.isnan(rates[:, ~first])).sum(axis=1),
            "hits_per_region_first": means[0],
            "hits_per_region_second": means[1],
            "log2_ratio": self._log_ratio(means[0], means[1]),
            "p_hits": p_hits,
            "q_hits": adjusted(p_hits),
            "score_quantile_first": means[2],
            "score_quantile_second": means[3],
            "quantile_change": means[3] - means[2],
            "p_score": p_score,
            "q_score": adjusted(p_score),
            **{f"n_sites_{name}": counts for name, counts in self._sites.items()},
            "believed_share_first": means[4],
            "believed_share_second": means[5],
            "believed_change": means[5] - means[4],
            "p_believed": p_believed,
            "q_believed": adjusted(p_believed),
        }
        return _with_nulls(arrow_table(MOTIF_COMPARISON_COLUMNS, values))

    def _log_ratio(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> Any:  # noqa: ANN401
        regions = [self.matrix.n_regions[side].sum() for side in (self._is_first, ~self._is_first)]
        more = [0.5 / max(int(n), 1) for n in regions]
        return np.log2((np.nan_to_num(second) + more[1]) / (np.nan_to_num(first) + more[0]))

    def display(self, catalog: Catalog) -> tuple[str, ...]:
        """Return what people read for each motif."""
        if self._kind != "motif":
            return self.matrix.labels
        shown = {row[0]: row[1] for row in catalog.run("motif_meanings")}
        return tuple(shown[label] for label in self.matrix.labels)

    def page(self, catalog: Catalog, max_q: float, report: str) -> ComparisonData:
        """Return what the page shows."""
        groups, samples = self._groups, self.matrix.samples
        return ComparisonData(
            title=catalog.run_dir.name,
            names=groups.names,
            samples=samples,
            side=tuple(groups.side[s] for s in samples),
            metadata=groups.metadata,
            labels=self.display(catalog),
            rates=self.matrix.rates,
            table=self.motif_table.to_pylist(),
            different=tuple(self.different(max_q).tolist()),
            words=self.words(max_q),
            max_q=max_q,
            believed_q=self._largest_q,
            report=report,
        )

    def different(self, max_q: float) -> NDArray[np.bool_]:
        """Return which motifs differ in hits or, by the scale that is used, in scores."""
        table = self.motif_table
        tested = ("q_hits", "q_score" if self._largest_q is None else "q_believed")
        q = [table[name].to_numpy(zero_copy_only=False) for name in tested]
        found: NDArray[np.bool_] = np.any([values <= max_q for values in q], axis=0)
        return found

    def words(self, max_q: float) -> str:
        """Return what the tests can say with these samples, and what scores are compared by."""
        text = self._test_words(max_q)
        if self._largest_q is None:
            return text
        return (
            f"{text} Scores are compared by q against decoy motifs: a hit with at most "
            f"{self._largest_q:g} is believed."
        )

    def _test_words(self, max_q: float) -> str:
        n = [len(self._groups.samples(side)) for side in (0, 1)]
        if min(n) < 2:
            lone = self._groups.names[n.index(min(n))]
            return (
                f"No test was made: group {lone!r} has {count(min(n), 'sample')}, and the spread "
                "between samples is unknown without replicates. Ratios and quantiles describe "
                "these samples and no population."
            )
        least, n_motifs = smallest_p(n[0], n[1]), len(self.matrix.labels)
        text = (
            f"{count(n[0], 'sample')} and {count(n[1], 'sample')} were compared by the rank-sum "
            f"test; its smallest p-value with so many is {least:.2g}."
        )
        if least > max_q:
            return f"{text} No motif can reach q {max_q:g}: more samples are needed."
        needed = int(np.ceil(least * n_motifs / max_q))
        if needed > 1:
            text += (
                f" For one of {n_motifs:,} motifs to reach q {max_q:g}, at least {needed:,} must "
                "have that p-value."
            )
        return text

    def write_tables(self, folder: Path) -> None:
        """Write motifs, and motifs by sample, as Parquet and TSV."""
        matrix = self.matrix
        n_motifs, n_samples = matrix.n_hits.shape
        names = [self._groups.names[self._groups.side[s]] for s in matrix.samples]
        is_called = ~np.isnan(matrix.n_hits.T.ravel())
        values = {
            "sample": np.repeat(np.array(matrix.samples, object), n_motifs),
            "group": np.repeat(np.array(names, object), n_motifs),
            "motif": np.tile(np.array(matrix.labels, object), n_samples),
            "n_hits": np.nan_to_num(matrix.n_hits.T.ravel()).astype(np.int64),
            "hits_per_region": matrix.rates.T.ravel(),
            "score_quantile": matrix.score_quantile.T.ravel(),
            "believed_share": matrix.believed_share.T.ravel(),
        }
        called = {name: column[is_called] for name, column in values.items()}
        by_sample = _with_nulls(arrow_table(SAMPLE_MOTIF_COLUMNS, called))
        for name, table in (("motifs", self.motif_table), ("samples", by_sample)):
            parquet.write_table(table, folder / f"{name}.parquet", compression="zstd")
            _write_tsv(table, folder / f"{name}.tsv")


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    n = (~np.isnan(values)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean: NDArray[np.float64] = np.nansum(values, axis=1) / np.where(n > 0, n, np.nan)
    return mean


def _with_nulls(table: pa.Table) -> pa.Table:
    """Return a table with null in the place of NaN where a column may be null."""
    for at, field in enumerate(table.schema):
        if field.nullable and pa.types.is_floating(field.type):
            values = table.column(at).to_numpy()
            array = pa.array(values, field.type, mask=np.isnan(values))
            table = table.set_column(at, field, array)
    return table


def _write_tsv(table: pa.Table, path: Path) -> None:
    with path.open("wb") as handle:
        handle.write(("\t".join(table.column_names) + "\n").encode())
        options = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
        csv.write_csv(_without_tabs(table), handle, write_options=options)


def _without_tabs(table: pa.Table) -> pa.Table:
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            cells: Iterator[str | None] = iter(table.column(at).to_pylist())
            texts = [None if c is None else c.translate({9: " ", 10: " ", 13: " "}) for c in cells]
            table = table.set_column(at, field, pa.array(texts, pa.string()))
    return table
