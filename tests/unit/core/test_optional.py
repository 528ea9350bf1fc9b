"""Libraries that are optional: what is said where one is missing or cannot work."""

import json

import pytest

from finemo_dist.core.errors import UsageError
from finemo_dist.core.optional import require

NO_CACHE = "cannot cache function 'f': no locator available for file 'x.py'"


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Return what makes a library that does something when it is imported."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(does):
        name = f"library_{tmp_path.name}".replace("-", "_")
        (tmp_path / f"{name}.py").write_text(does)
        return name

    return make


def test_a_library_that_is_there_is_returned(library):
    assert require(library("answer = 42"), needed_for="x").answer == 42
    assert require("json", needed_for="x") is json


@pytest.mark.parametrize(
    ("does", "kind", "said"),
    [
        ("import no_such_library", UsageError,
         "export --to x needs {name}, which is not installed (No module named 'no_such_library'). "
         "Run `pip install 'finemo-dist[more]'`."),
        (f"raise RuntimeError({NO_CACHE!r})", UsageError,
         "export --to x needs {name}, and numba finds no folder for its compiled code, beside the "
         "library or at home. Set NUMBA_CACHE_DIR to a writable folder."),
        ("raise RuntimeError('of its own')", RuntimeError, "of its own"),
    ],
)  # fmt: skip
def test_a_library_that_cannot_be_had_is_named_with_its_cure(library, does, kind, said):
    name = library(does)

    with pytest.raises((UsageError, RuntimeError)) as caught:
        require(name, needed_for="export --to x", extra="more")

    assert type(caught.value) is kind
    assert str(caught.value) == said.format(name=name)
