"""Opening the regions that hits are called in, and giving them coordinates."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from finemo_dist.core.events import OnEvent, ignore
from finemo_dist.core.records import InputFile, ScoreKind
from finemo_dist.run.space import require_disk_for_store
from finemo_dist.sources.finemo_npz import FinemoRegionsSource, is_regions_file
from finemo_dist.sources.placing import check_overlaps, place_regions
from finemo_dist.storage.files import describe_input
from finemo_dist.store.encode import is_made_for
from finemo_dist.store.placed import PlacedRegions
from finemo_dist.store.read import RegionStore, open_store
from finemo_dist.store.staging import encode

OpenRegions = RegionStore | PlacedRegions | FinemoRegionsSource


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The coordinates of regions that were extracted without peaks."""

    peaks: Path
    chrom_order: str | Path | None = None


def open_regions(
    path: Path, coordinates: Coordinates | None = None, *, kind: ScoreKind | None = None
) -> OpenRegions:
    """Return the regions of a store or of finemo's ``.npz``, at the coordinates given.

    Regions that have coordinates are compared with them.

    Parameters
    ----------
    kind
        ``projected`` where the score of the base that is there is enough; a store has what it has.

    Raises
    ------
    InputError
        The file is damaged, or the peaks are not those of the regions.
    StoreError
        There is no store, or it is damaged.
    """
    if is_regions_file(path):
        return _open_npz(path, coordinates, kind)
    store = open_store(path)
    return store if coordinates is None else _placed(store, coordinates)


def _open_npz(
    path: Path, coordinates: Coordinates | None, kind: ScoreKind | None
) -> FinemoRegionsSource:
    if coordinates is None:
        return FinemoRegionsSource(path, kind=kind)
    peaks = coordinates.peaks
    source = FinemoRegionsSource(path, peaks=peaks, chrom_order=coordinates.chrom_order, kind=kind)
    check_overlaps(source, source.regions, source.region_width, str(peaks))
    return source


def _placed(store: RegionStore, coordinates: Coordinates) -> RegionStore | PlacedRegions:
    known = store.table(0, store.n_regions)
    peaks = place_regions(
        known,
        store.path,
        region_width=store.region_width,
        peaks=coordinates.peaks,
        chrom_order=coordinates.chrom_order,
    )
    if known.has_coordinates:
        is_same = peaks.table.chrom_names == known.chrom_names
        return store if is_same else PlacedRegions.ranked(store, peaks.table)
    check_overlaps(store, peaks.table, store.region_width, peaks.path)
    return PlacedRegions.at(
        store,
        peaks.table,
        describe_input(coordinates.peaks),
        n_no_summit=int(peaks.no_summit.sum()),
        n_summit_outside=int(peaks.is_outside.sum()),
        n_duplicate=int(peaks.is_duplicate.sum()),
    )


def check_coordinates(store: RegionStore, coordinates: Coordinates) -> None:
    """Refuse peaks that are not those of a store: another number, or other places.

    Raises
    ------
    InputError
        They are not.
    """
    known = store.table(0, store.n_regions)
    width = store.region_width
    place_regions(known, store.path, region_width=width, peaks=coordinates.peaks)


def is_written(regions: PlacedRegions | FinemoRegionsSource, store: RegionStore) -> bool:
    """Return whether a store has these regions at these coordinates."""
    if isinstance(regions, PlacedRegions):
        return store.digest == regions.digest
    return is_made_for(store.path, regions, or_more=True)


def write_regions(
    regions: PlacedRegions | FinemoRegionsSource, path: Path, *, on_event: OnEvent = ignore
) -> RegionStore:
    """Write regions as a store, replacing what exists; failure leaves no folder behind.

    Raises
    ------
    InputError
        The source is damaged.
    StoreError, UsageError
        The store cannot be written.
    """
    made = [folder for folder in (path.parent, path.parent.parent) if not folder.exists()]
    try:
        if isinstance(regions, PlacedRegions):
            return regions.write(path)
        require_disk_for_store(regions, path)
        encode(regions, path, overwrite=True, on_event=on_event)
        return open_store(path)
    except BaseException:
        # What is refused leaves nothing, not even the folders on the way.
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


def comes_from(store: RegionStore, path: Path) -> bool:
    """Return whether a store has the sequences and contributions of the regions at a path."""
    if is_regions_file(path):
        return _holds(store.meta.inputs, describe_input(path))
    return open_store(path).digest in {store.digest, store.base.digest if store.base else None}


def _holds(inputs: tuple[InputFile, ...], file: InputFile) -> bool:
    return file.digest in {known.digest for known in inputs}
