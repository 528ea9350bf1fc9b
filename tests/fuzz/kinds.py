"""Every kind of case: how it is drawn, how it is checked, and how often it comes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.fuzz import arrays, configs, mappings, peaks, texts
from tests.fuzz.binary import CALLS, EXTRACTIONS
from tests.fuzz.binary import Check as DamageCheck
from tests.fuzz.corpus import Corpus
from tests.fuzz.damage import damages


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of input."""

    strategy: st.SearchStrategy[Any]
    check: Callable[[Corpus, Path, Any], None]
    weight: int
    """Share of all cases: more where a case is an extraction, which takes a fifth of a call."""


_EXTRACTION = 4
_CALL = 1


def _damaged(check: DamageCheck, weight: int) -> Kind:
    def run(corpus: Corpus, folder: Path, case: Any) -> None:
        damage, choice = case
        check(corpus, folder, damage, choice)

    return Kind(st.tuples(damages(), st.integers(0, 999)), run, weight)


KINDS: dict[str, Kind] = {
    "peaks": Kind(peaks.peak_files(), peaks.check, _EXTRACTION),
    "texts": Kind(texts.texts(), texts.check, _EXTRACTION),
    "mappings": Kind(mappings.mapping_files(), mappings.check, _CALL),
    "configs": Kind(configs.configurations(), configs.check, _CALL),
    "array shapes": Kind(arrays.array_pairs(), arrays.check, _EXTRACTION),
    **{name: _damaged(check, _EXTRACTION) for name, check in EXTRACTIONS.items()},
    **{name: _damaged(check, _CALL) for name, check in CALLS.items()},
}
