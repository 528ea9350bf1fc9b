"""``export --to meme``: the motifs of a run as base frequencies."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.errors import StoreError
from finemo_dist.core.records import MotifSet
from finemo_dist.exports.site_counts import count_sites
from finemo_dist.hits.motifs import read_all_motifs, read_motifs
from finemo_dist.motifs.frequencies import base_frequencies, count_frequencies
from finemo_dist.motifs.meme import MemeMotif, write_meme
from finemo_dist.store.read import RegionStore, open_store


def export_meme(catalog: Catalog, out: Path, kind: str, sample: str | None) -> None:
    """Write the motifs of a run as a MEME file.

    ``full`` and ``trimmed`` are made of the CWMs, ``hits`` of the bases at the hits of ``sample``,
    or of all samples, over the untrimmed width.

    Raises
    ------
    StoreError
        ``hits``: a region store is not there, or not the one the hits were called in.
    """
    if kind == "hits":
        samples = catalog.samples if sample is None else (catalog.sample(sample).name,)
        write_meme(out, _from_hits(catalog, samples))
    else:
        motifs = read_all_motifs(catalog.run_dir, catalog.record)
        write_meme(out, _from_cwms(motifs, is_trimmed=kind == "trimmed"))


def _from_cwms(motifs: MotifSet, *, is_trimmed: bool) -> list[MemeMotif]:
    written = []
    for i in range(0, len(motifs), 2):
        # Over the whole CWM, so that a column is the same trimmed or not.
        frequencies = base_frequencies(motifs.cwm[i])
        columns = slice(motifs.start[i], motifs.end[i]) if is_trimmed else slice(None)
        written.append(_named(motifs.name[i], motifs.name_orig[i], frequencies[:, columns], 0))
    return written


def _from_hits(catalog: Catalog, samples: Sequence[str]) -> list[MemeMotif]:
    """Return the motifs that samples are called with, in the order of the run."""
    record, united = catalog.record, catalog.motifs
    width = max(motif_set.motif_width for motif_set in record.sets)
    counts = np.zeros((len(united.names) // 2, 4, width), np.int64)
    n_sites = np.zeros(len(counts), np.int64)
    widths = np.zeros(len(counts), np.int64)
    originals: dict[int, str] = {}
    for motif_set in record.sets:
        users = [name for name in samples if catalog.sample(name).motif_set == motif_set.name]
        if not users:
            continue
        motifs = read_motifs(catalog.run_dir, motif_set.folder)
        found = count_sites(catalog, motifs, {name: _store(catalog, name) for name in users})
        numbers = united.ids[motif_set.name][::2] // 2
        # Forward strands of narrower sets lack columns on the right.
        counts[numbers, :, : motifs.width] += found.counts
        n_sites[numbers] += found.n_sites
        widths[numbers] = np.maximum(widths[numbers], motifs.width)
        originals |= dict(zip(numbers.tolist(), motifs.name_orig[::2], strict=True))
    return [
        _named(
            united.names[2 * i],
            originals[i],
            count_frequencies(counts[i, :, : widths[i]]),
            int(n_sites[i]),
        )
        for i in sorted(originals)
    ]


def _named(name: str, original: str, frequencies: NDArray[np.float64], n_sites: int) -> MemeMotif:
    return MemeMotif(name, "" if name == original else original, frequencies, n_sites)


def _store(catalog: Catalog, sample: str) -> RegionStore:
    record = catalog.sample(sample)
    store = open_store(record.store)
    if store.digest != record.store_digest:
        raise StoreError(
            f"{record.store}: is not the store that {catalog.run_dir} was made from (its digest is "
            f"{store.digest}, not {record.store_digest}). Put the original back, or export "
            "--motifs trimmed."
        )
    return store
