"""Rules that leave hits out: what users give, checked."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from finemo_dist.core.config import Fraction, FrozenModel, one_or_many
from finemo_dist.core.errors import UsageError, nearest
from finemo_dist.storage.locations import Location
from finemo_dist.workflow.settings import checked
from finemo_dist.workflow.yaml_file import read_yaml

Names = Annotated[tuple[str, ...], BeforeValidator(one_or_many), Field(min_length=1)]


class RepeatDensity(FrozenModel):
    """Hits of one motif that lie so close that they are one repeat."""

    hits: Annotated[int, Field(ge=2)]
    within: Annotated[int, Field(ge=1)]
    """Bases, from the start of the first to the end of the last."""


class FilterRule(FrozenModel):
    """One rule: exactly one of these."""

    decoy_q: Fraction | None = None
    """Keep hits with at most this q against decoy motifs."""
    score: Annotated[float, Field(ge=0)] | None = None
    """Keep hits with at least this hit_score."""
    similarity: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Keep hits with at least this similarity."""
    importance: Annotated[float, Field(ge=0)] | None = None
    """Keep hits with at least this importance."""
    importance_quantile: Fraction | None = None
    """Drop the share of the hits of each motif with the least importance."""
    repeat_density: RepeatDensity | None = None
    """Drop hits that are part of a repeat."""
    trimmed_length: Annotated[int, Field(ge=1)] | None = None
    """Keep hits of motifs with at least so many bases once trimmed."""
    cwm_similarity: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Keep motifs whose mean contributions over their hits have at least this cosine."""
    keep: Names | None = None
    """Keep hits of these motifs."""
    drop: Names | None = None
    """Drop hits of these motifs."""
    inside: Location | None = None
    """Keep hits that share a base with an interval of this BED or VCF."""
    outside: Location | None = None
    """Drop them."""
    where: Annotated[str, Field(min_length=1)] | None = None
    """Keep hits of which this SQL over the columns of hits is true."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = self._given
        if len(given) != 1:
            raise ValueError(
                f"a rule has {' and '.join(given) or 'nothing'}; expected exactly one of "
                f"{', '.join(type(self).model_fields)}"
            )
        return self

    @property
    def _given(self) -> list[str]:
        return [name for name in type(self).model_fields if getattr(self, name) is not None]

    @property
    def kind(self) -> str:
        """Which rule it is."""
        return self._given[0]

    @property
    def value(self) -> Any:  # noqa: ANN401  (by kind)
        """What it is given."""
        return getattr(self, self.kind)

    def __str__(self) -> str:
        value = self.value
        if isinstance(value, RepeatDensity):
            return f"repeat_density: {value.hits} in {value.within} bp"
        if isinstance(value, tuple):
            shown = ", ".join(value[:3])
            return f"{self.kind}: {shown}" + (f" and {len(value) - 3} more" if value[3:] else "")
        return f"{self.kind}: {value}"


class _Rules(FrozenModel):
    rules: Annotated[tuple[FilterRule, ...], Field(min_length=1)]


def read_rules(path: str | Path) -> tuple[FilterRule, ...]:
    """Return the rules of a YAML file, in its order; paths in it count from its folder.

    Raises
    ------
    UsageError
        The file cannot be read, or a rule is none.
    """
    path = Path(path)
    content = read_yaml(path)
    try:
        found = checked(_Rules, **content).rules
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    folder = path.resolve().parent
    return tuple(
        rule.model_copy(update={rule.kind: folder / rule.value})
        if isinstance(rule.value, Path)
        else rule
        for rule in found
    )


def parse_rule(text: str) -> FilterRule:
    """Return the rule that ``KIND=VALUE`` means.

    Several motifs are separated by commas; a repeat is ``HITS/BASES``.

    Raises
    ------
    UsageError
        It is none.
    """
    kind, equals, value = text.partition("=")
    kinds = FilterRule.model_fields
    if not equals or kind not in kinds:
        raise UsageError(
            f"--rule {text}: expected KIND=VALUE with one of {', '.join(kinds)}."
            f"{nearest(kind, kinds)}"
        )
    given: Any = value
    if kind == "repeat_density":
        hits, _, within = value.partition("/")
        given = {"hits": hits, "within": within}
    elif kind in _LISTS:
        given = tuple(value.split(","))
    try:
        return checked(FilterRule, **{kind: given})
    except UsageError as error:
        raise UsageError(f"--rule {text}: {error}") from error


def all_rules(rules: Sequence[FilterRule | str] | str | Path) -> tuple[FilterRule, ...]:
    """Return rules in the order in which they are given: of a file, or one by one."""
    if isinstance(rules, str | Path):
        return read_rules(rules)
    return tuple(_rules(rules))


def _rules(rules: Iterable[FilterRule | str]) -> Iterable[FilterRule]:
    for rule in rules:
        yield parse_rule(rule) if isinstance(rule, str) else rule


_LISTS: Final = ("keep", "drop")
