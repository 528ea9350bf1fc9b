"""What the trim windows of a run's motifs came from: decoys are trimmed by the same rule."""

from collections.abc import Mapping

import numpy as np

from finemo_dist.core.config import CallConfig
from finemo_dist.core.errors import InputError, RunError
from finemo_dist.core.records import MotifSet
from finemo_dist.motifs.decoys import TrimSource
from finemo_dist.motifs.files import read_motif_files
from finemo_dist.motifs.modisco import Pattern
from finemo_dist.record.run_record import RunRecord
from finemo_dist.storage.files import describe_input
from finemo_dist.storage.locations import location


def trim_source(motifs: MotifSet, config: CallConfig, record: RunRecord) -> TrimSource:
    """Return contribution CWMs and thresholds of the motifs of a run.

    Windows are always those of contribution CWMs. If the mode calls with these, the run has them;
    otherwise they are read from the motif files of the run.

    Raises
    ------
    RunError
        The run lacks them, and a motif file is missing or has changed.
    """
    settings = config.motifs
    thresholds = [
        None
        if name in settings.trim_coords
        else settings.trim_thresholds.get(name, settings.trim_threshold)
        for name in motifs.name_orig[::2]
    ]
    if not config.solver.mode.cwms_are_hypothetical:
        return TrimSource(motifs.cwm[::2].astype(np.float64), thresholds)
    patterns = _patterns(motifs, record)
    contributions = np.zeros((len(thresholds), 4, motifs.width))
    for row, name in enumerate(motifs.name_orig[::2]):
        cwm = patterns[name].contributions
        contributions[row, :, : cwm.shape[1]] = cwm
    return TrimSource(contributions, thresholds)


def _patterns(motifs: MotifSet, record: RunRecord) -> Mapping[str, Pattern]:
    if not any(motifs.source):
        raise RunError(_missing("the motif files", "are not recorded in runs of older releases"))
    recorded = {file.path: file for file in record.inputs}
    paths = []
    for source in dict.fromkeys(motifs.source):
        file = recorded.get(source)
        path = None if file is None else location(record.place_of(file))
        if file is None or path is None or not path.is_file():
            raise RunError(_missing(source, "is missing since the hits were called"))
        if describe_input(path).digest != file.digest:
            raise RunError(_missing(str(path), "has changed since the hits were called"))
        paths.append(path)
    try:
        found = {pattern.name: pattern for pattern in read_motif_files(paths)}
    except InputError as error:
        raise RunError(str(error)) from error
    for name in motifs.name_orig:
        if name not in found:
            raise RunError(_missing(f"motif {name!r}", "is missing in the motif files"))
    return found


def _missing(what: str, how: str) -> str:
    return (
        f"{what}: {how}, and decoys of hypothetical CWMs are trimmed by the contributions in the "
        "motif file. Put the file back, or call the hits again."
    )
