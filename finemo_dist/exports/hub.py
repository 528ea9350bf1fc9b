"""A track hub of hits, and sessions of IGV and WashU beside it: one bigBed for each sample.

Formats: "Track Database Definition Document" and "Track Hub settings" of the UCSC Genome Browser;
session files of IGV; "Data hub" of the WashU Epigenome Browser.
"""

import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pybigtools

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.chunks import place_chunks
from finemo_dist.core.errors import UsageError
from finemo_dist.exports.bigbed import export_bigbed
from finemo_dist.exports.places import require_hits
from finemo_dist.exports.tables import HitTable, RankBy
from finemo_dist.storage.folders import merged_folder

logger = logging.getLogger(__name__)

_GENOME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SHORT_LABEL: Final = 17
"""Letters of a label that UCSC shows beside a track."""
_AROUND: Final = 500
"""Bases that IGV shows on either side of the hit that it opens at."""


def export_hub(
    catalog: Catalog,
    out: Path,
    samples: Sequence[str],
    *,
    genome: str | None,
    table: HitTable = HitTable.UNIQUE,
    label: str = "motif",
    rank_by: RankBy = RankBy.SCORE,
) -> None:
    """Write a folder to put on a web server: ``hub.txt``, ``igv_session.xml``, ``washu.json``.

    Parameters
    ----------
    samples
        Those to write; samples without a hit are left out, which is logged.
    genome
        Name of the assembly in the browsers, such as ``hg38``.

    Raises
    ------
    UsageError
        The genome is not given or cannot name a folder, or no sample has a hit with a place.
    RunError
        The run is damaged.
    """
    if genome is None or not _GENOME.fullmatch(genome):
        found = "no genome" if genome is None else repr(genome)
        raise UsageError(
            f"--to hub: {found} was given, expected the name that browsers have for the assembly. "
            "Give it with --genome, such as --genome hg38."
        )
    chunks = {sample: _chunks_of(catalog, sample) for sample in samples}
    require_hits(catalog, [chunk for found in chunks.values() for chunk in found], "a hub")
    with merged_folder(out, last="hub.txt") as made:
        (made / genome).mkdir()
        tracks: dict[str, str] = {}
        for number, sample in enumerate(samples):
            if not chunks[sample]:
                logger.warning("Sample %r has no hits and is left out of the hub.", sample)
                continue
            # Any text may name a sample, and a server decodes what is percent-encoded.
            name = f"{number:03d}_{re.sub(r'[^A-Za-z0-9_.-]', '_', sample)[:80]}.bb"
            path = made / genome / name
            with catalog.only(sample) as single:
                export_bigbed(single, path, table=table, label=label, rank_by=rank_by)
            tracks[sample] = name
        _write_hub(made, genome, tracks)
        first = made / genome / next(iter(tracks.values()))
        _write_igv(made / "igv_session.xml", genome, tracks, locus=_first_locus(first))
        _write_washu(made / "washu.json", genome, tracks)


def _chunks_of(catalog: Catalog, sample: str) -> list[tuple[str, str]]:
    with catalog.only(sample) as single:
        return place_chunks(single)


def _write_hub(folder: Path, genome: str, tracks: dict[str, str]) -> None:
    hub = {
        "hub": "finemo_dist_hits",
        "shortLabel": "Motif hits",
        "longLabel": "Motif hits in contribution scores, by finemo_dist",
        "genomesFile": "genomes.txt",
        "email": "unknown",
    }
    (folder / "hub.txt").write_text(_stanza(hub), "utf-8")
    genomes = {"genome": genome, "trackDb": f"{genome}/trackDb.txt"}
    (folder / "genomes.txt").write_text(_stanza(genomes), "utf-8")
    stanzas = (
        _stanza(
            {
                "track": f"hits_{number}",
                "bigDataUrl": name,
                "shortLabel": _line(sample)[:_SHORT_LABEL],
                "longLabel": f"Motif hits in {_line(sample)}, by finemo_dist",
                "type": "bigBed 6 +",
                "visibility": "pack",
                "spectrum": "on",
            }
        )
        for number, (sample, name) in enumerate(tracks.items())
    )
    (folder / genome / "trackDb.txt").write_text("\n".join(stanzas), "utf-8")


def _stanza(values: dict[str, str]) -> str:
    return "".join(f"{key} {value}\n" for key, value in values.items())


def _line(text: str) -> str:
    """Return a text as one line, in which a label ends."""
    return " ".join(text.split()) or "-"


def _first_locus(path: Path) -> str:
    """Return the place of the first hit of a bigBed: a view of a whole genome shows no hits."""
    with pybigtools.open(str(path)) as file:
        chrom = next(iter(file.chroms()))
        start, end, *_ = next(iter(file.records(chrom)))
    return f"{chrom}:{max(start + 1 - _AROUND, 1)}-{end + _AROUND}"


def _write_igv(path: Path, genome: str, tracks: dict[str, str], *, locus: str) -> None:
    session = ElementTree.Element("Session", genome=genome, locus=locus, version="8")
    resources = ElementTree.SubElement(session, "Resources")
    panel = ElementTree.SubElement(session, "Panel", name="DataPanel")
    for sample, name in tracks.items():
        place = f"{genome}/{name}"
        ElementTree.SubElement(resources, "Resource", path=place, type="bb")
        ElementTree.SubElement(
            panel, "Track", id=place, name=_line(sample), displayMode="EXPANDED"
        )  # fmt: skip
    ElementTree.indent(session)
    ElementTree.ElementTree(session).write(path, "utf-8", xml_declaration=True)


def _write_washu(path: Path, genome: str, tracks: dict[str, str]) -> None:
    listed = [
        {
            "type": "bigbed",
            "name": _line(sample),
            "url": f"{genome}/{name}",
            "showOnHubLoad": True,
            "metadata": {"sample": _line(sample), "genome": genome},
        }
        for sample, name in tracks.items()
    ]
    path.write_text(json.dumps(listed, indent=1) + "\n", "utf-8")
