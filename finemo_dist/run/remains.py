"""What a directory holds of an earlier run: what may go, what counts, what belongs to another."""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import get_args
from urllib.parse import quote, unquote

from finemo_dist import __version__
from finemo_dist.core.errors import DamagedRecordError, RunError
from finemo_dist.core.words import count
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.layout import TableName, folder_name, sample_directory, shard_of
from finemo_dist.hits.manifest import MANIFEST_NAME
from finemo_dist.hits.motifs import motif_data_path
from finemo_dist.hits.read import survey_run
from finemo_dist.record.run_log import remove_logs
from finemo_dist.record.run_record import FIRST_SET, RunRecord, SampleRecord
from finemo_dist.storage.files import remove_tree

logger = logging.getLogger(__name__)

OWN_ENTRIES = (
    "run.json", "motifs", "hits", "peaks_qc", "outputs", "regions", "samples", "hits.tsv",
    "hits_unique.tsv", "hits.bed", "peaks_qc.tsv", "motif_data.tsv", "motif_cwms.npy",
    "params.json", "parameters.json", "hits.parquet", "confidence", "filter",
    MANIFEST_NAME, "motif_counts.parquet",
)  # fmt: skip
"""What a run directory may hold of ours; ``--force`` removes these and nothing else."""

_TABLES = frozenset(get_args(TableName))


def standing_record(run_dir: Path) -> tuple[RunRecord | None, str | None]:
    """Return the record of a directory, and the version of the object it is.

    A record that is damaged is none: what counts is in the footers of the parts.

    Raises
    ------
    RunError
        It cannot be read, or another release wrote it.
    """
    if not (run_dir / "run.json").exists():
        return None, None
    try:
        record = RunRecord.load(run_dir)
    except DamagedRecordError as error:
        return None, error.e_tag
    return record, record.e_tag


def clear_run(run_dir: Path, *, keep: Collection[str] = ()) -> None:
    """Remove what an earlier run left in a directory; files of others stay.

    Parameters
    ----------
    keep
        Samples whose parts, and regions staged in the run, stay; and then the record does, until
        that of the new run replaces it.
    """
    for name in OWN_ENTRIES:
        path = run_dir / name
        if keep and name == "run.json":
            continue
        if keep and name in {*_TABLES, "regions"} and path.is_dir():
            _clear_samples(path, keep)
        else:
            remove_tree(path)
    remove_logs(run_dir)


def _clear_samples(directory: Path, keep: Collection[str]) -> None:
    kept = {f"sample={quote(name, safe='')}" for name in keep}
    kept |= {f"{folder_name(name)}.zarr" for name in keep}
    for path in directory.iterdir():
        if path.name not in kept:
            remove_tree(path)


def check_output(run_dir: Path) -> None:
    """Refuse a directory that holds files of the names of ours, and nothing of a run.

    Raises
    ------
    RunError
        Another program wrote it.
    """
    motifs = (motif_data_path(run_dir, folder) for folder in ("", FIRST_SET))
    is_ours = (run_dir / "run.json").exists() or any(path.exists() for path in motifs)
    others = set(_others(run_dir)) - _TABLES
    if others and not is_ours and not _samples_with_parts(run_dir):
        raise _another(run_dir, min(others, key=OWN_ENTRIES.index))


def check_remains(run_dir: Path, record: RunRecord) -> None:
    """Refuse a directory without a record unless all that is there belongs to this very run.

    Raises
    ------
    RunError
        Another program wrote it, or a run of other samples, settings or regions.
    """
    check_output(run_dir)
    if not _others(run_dir):
        return
    names = {s.name for s in record.samples} | record.refused.keys()
    if foreign := sorted(_samples_with_parts(run_dir) - names):
        raise _another(run_dir, f"parts of sample {foreign[0]!r}, which the command does not have")
    n_kept = 0
    for sample in record.samples:
        for footer in survey_run(run_dir, [sample.name])[sample.name].units.values():
            if not is_current(footer, record, sample):
                what = f"parts of sample {sample.name!r} of other settings, motifs or regions"
                raise _another(run_dir, what)
            n_kept += 1
    logger.warning(
        "%s: the record of the run was lost and is made anew; %s of it are kept.",
        run_dir / "run.json", count(n_kept, "committed shard"),
    )  # fmt: skip


def _others(run_dir: Path) -> list[str]:
    """Return what there is of ours but the record, and stores made before there was one."""
    passed = {"run.json", "regions"}
    return [n for n in OWN_ENTRIES if n not in passed and (run_dir / n).exists()]


def _another(run_dir: Path, what: str) -> RunError:
    return RunError(
        f"{run_dir}: holds {what} but no run.json, so it is the output of another program, or what "
        "is left of another run. Choose another directory, or replace what is there with --force."
    )


def _samples_with_parts(run_dir: Path) -> set[str]:
    found = (run_dir / table for table in _TABLES)
    folders = [folder for table in found if table.is_dir() for folder in table.iterdir()]
    return {
        unquote(folder.name.removeprefix("sample="))
        for folder in folders
        if folder.name.startswith("sample=") and _parts(folder)
    }


def _parts(folder: Path) -> dict[int, Path]:
    if not folder.is_dir():
        return {}
    found = ((shard_of(path.name), path) for path in folder.iterdir())
    return {shard: path for shard, path in found if shard is not None}


def is_current(footer: PartFooter, record: RunRecord, sample: SampleRecord) -> bool:
    """Whether a part was made with the settings and from the store that the record names."""
    is_same = footer.config_digest == record.config_digest_of(sample)
    return is_same and footer.store_digest == sample.store_digest


def remove_other_parts(run_dir: Path, record: RunRecord) -> None:
    """Remove parts that do not match the record of a run, and those of another release."""
    found = survey_run(run_dir, [sample.name for sample in record.samples])
    for sample in record.samples:
        kept = {
            shard
            for shard, footer in found[sample.name].units.items()
            if is_current(footer, record, sample)
            and footer.version == __version__
            and shard < sample.n_shards
        }
        for table in _TABLES:
            for shard, path in _parts(sample_directory(run_dir, table, sample.name)).items():
                if shard not in kept:
                    path.unlink(missing_ok=True)
