"""Lines of text files, plain or gzipped, with the errors a user can act on."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from finemo_dist.core.errors import InputError
from finemo_dist.storage.locations import local_copy

_GZIP_MAGIC = b"\x1f\x8b"


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Yield each line that is not blank with its number, counted from 1, without the line end.

    Raises
    ------
    InputError
        The file cannot be read, is a damaged gzip file, or is not text.
    """
    try:
        file = local_copy(path)
        with file.open("rb") as handle:
            is_gzipped = handle.read(2) == _GZIP_MAGIC
        opener = gzip.open if is_gzipped else open
        with opener(file, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file (byte {error.start} is not UTF-8).") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: damaged gzip file ({error}). Fetch or compress it again."
        ) from error
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
