"""Writing many files at once: a folder as a whole, or files beside those of others."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finemo_dist.storage.temporary import remove_left_behind, temporary_path


@contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path`` that takes its name on success and vanishes otherwise.

    Raises
    ------
    OSError
        The folder cannot be made or renamed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_left_behind(path.parent)
    made = temporary_path(path)
    made.mkdir()
    try:
        yield made
        rename_folder(made, path)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def merged_folder(path: Path, *, last: str) -> Iterator[Path]:
    """Yield an empty folder whose files, on success, go into ``path`` beside what is there.

    Each file takes its name as a whole, ``last`` after all others; a file of the same name is
    replaced and nothing else is touched.

    Raises
    ------
    OSError
        A file cannot be written or renamed.
    """
    path.mkdir(parents=True, exist_ok=True)
    remove_left_behind(path)
    made = temporary_path(path / "x", "")
    made.mkdir()
    try:
        yield made
        files = sorted(file.relative_to(made) for file in made.rglob("*") if file.is_file())
        for file in sorted(files, key=lambda file: file == Path(last)):
            (path / file).parent.mkdir(parents=True, exist_ok=True)
            (made / file).replace(path / file)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def rename_folder(made: Path, path: Path) -> None:
    """Give a folder a name, and remove the folder that has it.

    Raises
    ------
    OSError
        The folder cannot be renamed; the one that has the name keeps it.
    """
    # A folder cannot be renamed over one that is not empty: the old one steps aside first.
    old = made.with_name(f".{made.name.lstrip('.')}.old")
    shutil.rmtree(old, ignore_errors=True)
    try:
        if path.exists():
            path.rename(old)
        made.rename(path)
    finally:
        # Interrupted between the two renames, the old folder goes back to its name.
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(old, ignore_errors=True)
