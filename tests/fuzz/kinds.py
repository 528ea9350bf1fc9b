"""Every kind of case: how it is drawn, how it is checked, and how often it comes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.fuzz import arrays, configs, mappings, peaks
from tests.fuzz.binary import BINARY
from tests.fuzz.binary import Check as DamageCheck
from tests.fuzz.corpus import Corpus
from tests.fuzz.damage import damages


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of input."""

    strategy: st.SearchStrategy[Any]
    check: Callable[[Corpus, Path, Any], None]
    weight: int = 1
    """Share of all cases."""


def _damaged(check: DamageCheck, *, weight: int = 1) -> Kind:
    def run(corpus: Corpus, folder: Path, case: Any) -> None:
        damage, choice = case
        check(corpus, folder, damage, choice)

    return Kind(st.tuples(damages(), st.integers(0, 999)), run, weight)


KINDS: dict[str, Kind] = {
    "peaks": Kind(peaks.peak_files(), peaks.check, 3),
    "mappings": Kind(mappings.mapping_files(), mappings.check, 3),
    "configs": Kind(configs.configurations(), configs.check, 2),
    "array shapes": Kind(arrays.array_pairs(), arrays.check, 2),
    **{name: _damaged(check) for name, check in BINARY.items()},
}
