"""Libraries that only some exports need, and what to install where they are missing."""

import importlib
from typing import Any, Final

from finemo_dist.core.errors import UsageError

_NO_CACHE: Final = "no locator available"
"""What numba says where it may write nowhere."""


def require(module: str, *, needed_for: str, extra: str = "exports") -> Any:  # noqa: ANN401
    """Return an optional library.

    Raises
    ------
    UsageError
        It is not installed; names the extra that brings it. Or it is, and cannot compile here.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"{needed_for} needs {module}, which is not installed ({error}). "
            f"Run `pip install 'finemo-dist[{extra}]'`."
        ) from error
    except RuntimeError as error:
        if _NO_CACHE not in str(error):
            raise
        raise UsageError(
            f"{needed_for} needs {module}, and numba finds no folder for its compiled code, beside "
            "the library or at home. Set NUMBA_CACHE_DIR to a writable folder."
        ) from error
