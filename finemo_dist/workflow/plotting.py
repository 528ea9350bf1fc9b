"""Figures of loci: from a run and places to SVG, PNG or a page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.intervals import read_intervals
from finemo_dist.core.errors import UsageError
from finemo_dist.core.protocols import RegionReader
from finemo_dist.reports.loci import MOST_BASES, Place, find_places, views_of
from finemo_dist.reports.locus_figure import locus_png, locus_svg
from finemo_dist.reports.locus_view import LocusView
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import location
from finemo_dist.storage.temporary import scratch_folder
from finemo_dist.workflow.feature_files import read_track
from finemo_dist.workflow.reported import Reported

FIGURE_FORMATS: Final = (".svg", ".png", ".html")
_MOST_LOCI: Final = 5_000
"""Of one page."""


@dataclass(frozen=True, slots=True, repr=False)
class Figure:
    """One locus or several, drawn. A notebook shows the first; ``save`` writes a file."""

    views: tuple[LocusView, ...]
    """What is drawn: one view per locus, with contributions, hits and reconstruction as arrays."""
    all_panels: bool = True
    same_scale: bool = False

    @property
    def svg(self) -> str:
        """The first locus as an SVG document."""
        return locus_svg(self.views[0], all_panels=self.all_panels, same_scale=self.same_scale)

    def png(self, scale: float = 2.0) -> bytes:
        """Return the first locus as a PNG image, ``scale`` pixels for each unit of the SVG.

        Raises
        ------
        UsageError
            The scale is not above 0.
        """
        if not scale > 0:
            raise UsageError(f"scale {scale}: expected a number above 0.")
        return locus_png(self.svg, scale=scale)

    @property
    def html(self) -> str:
        """All loci as one page without links, with a list to choose from."""
        # jinja2 is loaded for pages alone.
        from finemo_dist.reports.locus_page import render_loci

        return render_loci(self.views)

    def save(self, path: str | Path) -> Path:
        """Write a file, as its ending says: ``.svg``, ``.png`` or ``.html``. Return its path.

        Raises
        ------
        UsageError
            The ending is another, or several loci are to be one image.
        """
        path = Path(path)
        ending = path.suffix.lower()
        _check_format(ending, path, len(self.views))
        with committed(path) as temporary:
            if ending == ".png":
                temporary.write_bytes(self.png())
            else:
                text = self.svg if ending == ".svg" else self.html
                temporary.write_text(text, encoding="utf-8")
        return path

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        n_more = len(self.views) - 1
        return f"<Figure of {self.views[0].title}{f' and {n_more:,} more' if n_more else ''}>"


def plot(
    run: str | Path,
    loci: str | Sequence[str] = (),
    out: str | Path | None = None,
    *,
    bed: str | Path | None = None,
    samples: Sequence[str] | None = None,
    tracks: Sequence[str | Path] = (),
    width: int | None = None,
    all_panels: bool = True,
    same_scale: bool = False,
    regions: str | Path | None = None,
    memory_limit: str | None = None,
    largest_q: float | None = None,
) -> Figure:
    """Draw loci: contributions as letters, hits with their scores, and what the hits explain.

    Parameters
    ----------
    run
        A run directory, or the output directory of finemo's ``call-hits`` with ``regions``.
    loci
        One locus or several: ``chrom:start-end`` (0-based, half-open), the name of a peak, or its
        row in the peaks file.
    out
        File to write: ``.svg`` or ``.png`` of one locus, ``.html`` of any number; none when None.
    bed
        BED or VCF with more loci, plain or gzipped. Those that no region covers are left out.
    samples
        Samples to show, one row each; all that have a region there when None.
    tracks
        BED, GTF or GFF3 files to show below, such as genes.
    width
        Bases to show around the middle of each locus; the whole locus when None.
    all_panels
        Whether the reconstruction and the residual are drawn below the contributions.
    same_scale
        Whether samples share one scale; otherwise each has its own.
    regions
        Regions in which the hits were called; those of the run when None.
    memory_limit
        Memory that DuckDB may use, such as ``"2GB"``.
    largest_q
        Show only hits with a ``decoy_q`` of at most this; all when None.

    Raises
    ------
    UsageError
        A locus is not one, no region covers it, or it is too long to be drawn.
    InputError, StoreError, RunError
        A file is missing or damaged.
    """
    asked = [loci] if isinstance(loci, str) else list(loci)
    if out is not None:
        _check_format(Path(out).suffix.lower(), Path(out), 2 if bed else len(asked))
    reported = Reported(location(run), None if regions is None else location(regions))
    with scratch_folder() as scratch:
        run_dir, given = reported.without_table().run(Path(scratch))
        with open_catalog(run_dir, memory_limit=memory_limit, largest_q=largest_q) as catalog:

            def reader_of(sample: str) -> RegionReader:
                return given or reported.regions_of(catalog.sample(sample), Path(scratch))

            figure = draw(
                catalog, reader_of, asked, bed=bed, samples=samples, tracks=tracks, width=width,
                all_panels=all_panels, same_scale=same_scale,
            )  # fmt: skip
    if out is not None:
        figure.save(out)
    return figure


def plot_open(catalog: Catalog, loci: str | Sequence[str], **options: Any) -> Figure:  # noqa: ANN401
    """Return a figure of a run that is open; ``options`` are those of ``draw``."""
    asked = [loci] if isinstance(loci, str) else list(loci)
    reported = Reported(catalog.run_dir)

    def reader_of(sample: str) -> RegionReader:
        return reported.regions_of(catalog.sample(sample), catalog.run_dir)

    return draw(catalog, reader_of, asked, **options)


def draw(
    catalog: Catalog,
    reader_of: Callable[[str], RegionReader],
    loci: Sequence[str],
    *,
    bed: str | Path | None = None,
    samples: Sequence[str] | None = None,
    tracks: Sequence[str | Path] = (),
    width: int | None = None,
    all_panels: bool = True,
    same_scale: bool = False,
) -> Figure:
    """Return a figure of an open catalog; see ``plot``."""
    for name in samples or ():
        catalog.sample(name)
    if width is not None and not 1 <= width <= MOST_BASES:
        raise UsageError(f"width {width}: expected 1 to {MOST_BASES:,} bases.")
    places = find_places(catalog, loci)
    if bed is not None:
        places += _places_of(bed)
    if not places:
        raise UsageError("No locus was given. Give chrom:start-end, the name of a peak, or a BED.")
    if len(places) > _MOST_LOCI:
        raise UsageError(f"{len(places):,} loci: a page shows at most {_MOST_LOCI:,}.")
    places = [place.narrowed(width) for place in places]
    views = views_of(catalog, reader_of, places, samples=samples, all_in_one=bed is None)
    shown = [view for view in views if view.rows]
    if not shown:
        raise UsageError(f"{bed}: no region covers any of its {len(views):,} loci.")
    return Figure(tuple(_with_tracks(shown, tracks)), all_panels, same_scale)


def _with_tracks(views: Sequence[LocusView], tracks: Sequence[str | Path]) -> list[LocusView]:
    places = [(view.chrom, view.start, view.end) for view in views]
    columns = [read_track(path, places) for path in tracks]
    return [
        replace(view, tracks=tuple(column[i] for column in columns)) for i, view in enumerate(views)
    ]


def _places_of(bed: str | Path) -> list[Place]:
    found = []
    for interval in read_intervals(bed):
        end = max(interval.end, interval.start + 1)
        if end - interval.start > MOST_BASES:
            raise UsageError(
                f"{bed}, line {interval.line}: has {end - interval.start:,} bases; a figure shows "
                f"at most {MOST_BASES:,}. Give shorter places, or narrow them with a width."
            )
        place = f"{interval.chr}:{interval.start}-{end}"
        name = place if interval.name in (None, ".", "") else str(interval.name)
        found.append(Place(name, interval.chr, interval.start, end))
    return found


def _check_format(ending: str, path: Path, n_loci: int) -> None:
    if ending not in FIGURE_FORMATS:
        raise UsageError(
            f"{path}: ends in {ending or 'nothing'!r}; expected {', '.join(FIGURE_FORMATS)}."
        )
    if n_loci > 1 and ending != ".html":
        raise UsageError(f"{path}: an image shows one locus. Write several to a page: .html.")
