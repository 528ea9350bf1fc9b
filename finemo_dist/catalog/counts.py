"""``RUN/motif_counts.parquet``: how often each motif was found in each sample, counted once.

A cache: it is used while it names the parts that a sample has, and the parts are counted otherwise.
"""

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from finemo_dist.catalog.compaction import parts_digest
from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import FinemoDistError
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.seal import UNSEALED, seal, sealed_bytes
from finemo_dist.storage.files import committed

logger = logging.getLogger(__name__)

COUNTS_NAME: Final = "motif_counts.parquet"
COUNTS_VERSION: Final = 1
FEW_HITS: Final = 1_000_000
"""As many are counted in a fraction of a second."""
_DIGEST: Final = "parts_digest"

Units = Mapping[str, Iterable[PartFooter]]
"""Sample to the footers of its committed units."""


def known_counts(run_dir: Path, units: Units, names: Iterable[str]) -> pa.Table:
    """Return the counts of samples, or None unless they are known of all of them.

    Parameters
    ----------
    names
        What motifs are called in the run.
    """
    # Loading it takes a tenth of the time of a small question, which needs no counts.
    import pyarrow.compute as pc

    path = run_dir / COUNTS_NAME
    try:
        table = pq.read_table(pa.BufferReader(sealed_bytes(path)), partitioning=None)
    except (FinemoDistError, pa.ArrowException, OSError, ValueError) as error:
        logger.debug("%s: is not used (%s)", path, error)
        return None
    wanted = pa.array(list(_digests(units, names).values()), pa.string())
    if _DIGEST not in table.schema.names or len(wanted) == 0:
        return None
    digests = table.column(_DIGEST)
    if not pc.all(pc.is_in(wanted, pc.unique(digests))).as_py():
        return None
    return table.filter(pc.is_in(digests, wanted)).drop_columns([_DIGEST])


def save_counts(run_dir: Path, counts: pa.Table, units: Units, names: Iterable[str]) -> None:
    """Write the counts of all samples, if they can be written: nothing depends on it."""
    digests = _digests(units, names)
    column = [digests[sample] for sample in counts.column("sample").to_pylist()]
    table = counts.append_column(_DIGEST, pa.array(column, pa.string()))
    # A sample without a hit has a row as well, so that it is known.
    found = set(column)
    for sample, digest in digests.items():
        if digest not in found:
            row = {"sample": sample, _DIGEST: digest}
            table = pa.concat_tables([table, pa.Table.from_pylist([row], table.schema)])
    path = run_dir / COUNTS_NAME
    with suppress(OSError, FinemoDistError), committed(path) as temporary:
        pq.write_table(table.replace_schema_metadata(UNSEALED), temporary, compression="zstd")
        seal(temporary)


def _digests(units: Units, names: Iterable[str]) -> dict[str, str]:
    motifs = digest_of(list(names))
    return {
        name: digest_of([COUNTS_VERSION, name, motifs, parts_digest(found)])
        for name, found in units.items()
    }
