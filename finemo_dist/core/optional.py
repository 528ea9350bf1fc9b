"""Libraries that only some exports need, and what to install where they are missing."""

import importlib
from typing import Any

from finemo_dist.core.errors import UsageError


def require(module: str, *, needed_for: str, extra: str = "exports") -> Any:  # noqa: ANN401
    """Return an optional library.

    Raises
    ------
    UsageError
        It is not installed; names the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"{needed_for} needs {module}, which is not installed ({error}). "
            f"Run `pip install 'finemo-dist[{extra}]'`."
        ) from error
