"""finemo's files from a run: the names, columns and order its users' scripts expect."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import chromosome_chunks
from finemo_dist.catalog.text import Copy, write_hit_lines, write_text
from finemo_dist.core.errors import RunError
from finemo_dist.core.schema import (
    FINEMO_HIT_COLUMNS,
    FINEMO_MOTIF_COLUMNS,
    FINEMO_QC_COLUMNS,
)
from finemo_dist.exports.chunks import as_called
from finemo_dist.exports.tables import HitTable, RankBy, rank_hits
from finemo_dist.hits.motifs import motif_cwms_path
from finemo_dist.storage.files import committed
from finemo_dist.storage.locations import local_copy, location


def write_finemo_files(catalog: Catalog, sample: str, out_dir: str | Path) -> tuple[Path, ...]:
    """Write finemo's files of one sample and return their paths.

    ``hits.tsv``, ``hits_unique.tsv``, ``hits.bed``, ``peaks_qc.tsv``, ``motif_data.tsv`` and
    ``motif_cwms.npy``, each whole or not at all. Lines are sorted by chromosome in output order,
    start, end, motif and peak. Two columns differ from finemo 0.41 on purpose: ``peaks_qc.tsv``
    ends with ``converged``, and the BED score is the rank of ``hit_score`` in the sample, 0 to
    1000. Without coordinates ``hits_unique.tsv`` and ``hits.bed`` have no meaning: they are not
    written, and those of an earlier call are removed.

    Raises
    ------
    UsageError
        There is no such sample.
    RunError
        The run is damaged.
    """
    out_dir = location(out_dir)
    has_coordinates = catalog.sample(sample).has_coordinates
    with as_called(catalog, sample) as single:
        # A sample without a hit is not asked where its hits are.
        chunks = chromosome_chunks(single, sample) if catalog.n_hits(sample) else []

        def copies(query: str, table: str, **further: str) -> Iterator[Copy]:
            named = {"has_sample": False, "sample": sample, "table": table, **further}
            return ((single, query, {"first": a, "last": b} | named) for a, b in chunks)

        def lines(table: str) -> Iterator[tuple[Catalog, Mapping[str, object]]]:
            named = {"has_sample": False, "sample": sample, "table": f"named_{table}"}
            return ((single, {"first": a, "last": b} | named) for a, b in chunks)

        written = [out_dir / "hits.tsv"]
        write_hit_lines(written[0], lines("hits"), header=FINEMO_HIT_COLUMNS)
        by_place = (out_dir / "hits_unique.tsv", out_dir / "hits.bed")
        if has_coordinates:
            write_hit_lines(by_place[0], lines("hits_unique"), header=FINEMO_HIT_COLUMNS)
            if chunks:
                rank_hits(single, HitTable.UNIQUE, RankBy.SCORE)
            ranked = copies("copy_hits_bed", "hits_unique", label="motif", rank_by=RankBy.SCORE)
            write_text(by_place[1], ranked)
            written.extend(by_place)
        else:
            for path in by_place:
                # Left from a call with coordinates, it would read as the result of this one.
                path.unlink(missing_ok=True)
        written.extend(_write_rest(single, sample, out_dir))
    return tuple(written)


def _write_rest(catalog: Catalog, sample: str, out_dir: Path) -> tuple[Path, ...]:
    qc, data, cwms = (out_dir / n for n in ("peaks_qc.tsv", "motif_data.tsv", "motif_cwms.npy"))
    write_text(qc, [(catalog, "copy_peaks_qc_tsv", {"sample": sample})], header=FINEMO_QC_COLUMNS)
    write_text(data, [(catalog, "copy_motif_data_tsv", {})], header=FINEMO_MOTIF_COLUMNS)
    motif_set = catalog.record.set_of(catalog.sample(sample))
    source = motif_cwms_path(catalog.run_dir, motif_set.folder)
    try:
        with committed(cwms) as temporary:
            shutil.copyfile(local_copy(source), temporary)
    except FileNotFoundError as error:
        raise RunError(
            f"{source}: does not exist. Run the command that made the run again to rewrite it."
        ) from error
    return (qc, data, cwms)
