"""Options as argparse reads them: long ones may be cut short, short ones may have ``=``.

Scripts written for finemo, which is made with argparse, rely on both; click knows neither.
"""

from collections.abc import Collection, Iterable

import click


def spelt_out(
    command: click.Command, ctx: click.Context, words: list[str], *, first: Collection[str] = ()
) -> list[str]:
    """Return words with every long option spelt out and ``-x=VALUE`` as ``-x VALUE``.

    What is no prefix of an option stays as it is, for click to refuse.

    Parameters
    ----------
    first
        Options that go before others: a prefix that only one of them has is that one's, whatever
        else begins so. Options that came later must not make a script ambiguous.

    Raises
    ------
    UsageError
        A prefix is that of several options; they are named.
    """
    options = {
        name: option
        for option in command.get_params(ctx)
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
    }
    spelt: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            return [*spelt, word, *rest]
        if word.startswith("--"):
            name, *value = word.split("=", 1)
            spelt.append("=".join([_whole(name, options, ctx, first), *value]))
        elif word[:1] == "-" and word[2:3] == "=" and _takes_value(options.get(word[:2])):
            spelt += [word[:2], word[3:]]
        else:
            spelt.append(word)
    return spelt


def _takes_value(option: click.Option | None) -> bool:
    return option is not None and not option.is_flag


def _whole(
    name: str, options: dict[str, click.Option], ctx: click.Context, first: Collection[str]
) -> str:
    if name in options:
        return name
    found = [other for other in options if other.startswith(name)]
    for candidates in ([other for other in found if other in first], found):
        if candidates and _are_one(options[other] for other in candidates):
            return candidates[0]
    if not found:
        return name
    raise click.UsageError(
        f"Option {name} is ambiguous. It may be {', '.join(sorted(found))}. Write more letters "
        "of it.",
        ctx,
    )


def _are_one(options: Iterable[click.Option]) -> bool:
    return len({id(option) for option in options}) == 1
