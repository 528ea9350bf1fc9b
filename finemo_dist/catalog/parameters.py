"""Parameters of named queries: their kinds, and values checked before anything is read."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.catalog.motif_choice import chosen_motif
from finemo_dist.core.errors import UsageError, nearest

ALL: Final = "all"
REQUIRED: Final = "required"

_RANGE: Final = re.compile(r"(integer|number) (\S+) to (\S+)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a named query."""

    name: str
    kind: str
    """``sample``, ``motif``, ``intervals`` (a file), ``integer A to B``, ``number A to B`` or
    ``one of a or b``."""
    default: str
    """``all`` for no restriction, ``required`` for none, or a value as text."""
    meaning: str


def check_parameters(
    catalog: Catalog, query: str, parameters: Sequence[Parameter], given: Mapping[str, object]
) -> dict[str, object]:
    """Return the value of every parameter, of its type; None where it does not restrict.

    Raises
    ------
    UsageError
        A name is unknown, a value is not of its kind, or a required one is missing.
    """
    known = [parameter.name for parameter in parameters]
    for name in given:
        if name not in known:
            takes = f"It takes {', '.join(known)}." if known else "It takes no parameters."
            raise UsageError(f"{query} has no parameter {name!r}.{nearest(name, known)} {takes}")
    return {p.name: _value(catalog, query, p, given.get(p.name)) for p in parameters}


def _value(catalog: Catalog, query: str, parameter: Parameter, given: object) -> object:
    if given is None:
        if parameter.default == REQUIRED:
            raise UsageError(
                f"{query} needs {parameter.name}: {parameter.meaning}. "
                f"Give it with `-p {parameter.name}=...`."
            )
        if parameter.default == ALL:
            return None
        given = parameter.default
    if check := _CHECKS.get(parameter.kind):
        return check(catalog, parameter, str(given))
    if match := _RANGE.fullmatch(parameter.kind):
        return _number(parameter, str(given), match)
    return _choice(parameter, str(given))


def _sample(catalog: Catalog, parameter: Parameter, text: str) -> str:
    return catalog.sample(text).name


def _motif(catalog: Catalog, parameter: Parameter, text: str) -> str:
    return chosen_motif(catalog, text, what=parameter.name)


def _text(catalog: Catalog, parameter: Parameter, text: str) -> str:
    return text


_CHECKS: Final[Mapping[str, Callable[[Catalog, Parameter, str], str]]] = {
    "sample": _sample,
    "motif": _motif,
    "intervals": _text,
}


def _number(parameter: Parameter, text: str, kind: re.Match[str]) -> float:
    read = int if kind[1] == "integer" else float
    try:
        value = read(text)
        is_in_range = float(kind[2]) <= value <= float(kind[3])
    except ValueError:
        is_in_range = False
    if not is_in_range:
        raise UsageError(f"{parameter.name} is {text!r}; expected {kind[0]}.")
    return value


def _choice(parameter: Parameter, text: str) -> str:
    choices = parameter.kind.removeprefix("one of ").split(" or ")
    if text not in choices:
        raise UsageError(f"{parameter.name} is {text!r}; expected {parameter.kind}.")
    return text
