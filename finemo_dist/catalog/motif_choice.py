"""Which motif a user means: by its name, or by what an annotation says it is."""

from finemo_dist.catalog.catalog import Catalog
from finemo_dist.core.errors import UsageError, nearest


def chosen_motif(catalog: Catalog, text: str, *, what: str = "motif") -> str:
    """Return the ``motif_name`` that a text means.

    The name of a motif goes first, then the names that people read, then factors, then the name of
    a motif in one of several sets, with or without that of the set. Factors may be in any case.

    Parameters
    ----------
    what
        The parameter or option, for messages.

    Raises
    ------
    UsageError
        No motif is called so, or several are.
    """
    rows = catalog.run("motif_meanings")
    names = [row[0] for row in rows]
    if text in names:
        return text
    ways = (
        [row[0] for row in rows if row[1] == text],
        [row[0] for row in rows if row[2] == text],
        [row[0] for row in rows if (row[2] or "").casefold() == text.casefold()],
        [row[0] for row in rows if text in (row[3], f"{row[4]}:{row[3]}")],
    )
    found = next((way for way in ways if way), [])
    if len(found) == 1:
        return str(found[0])
    if found:
        raise UsageError(
            f"{what} is {text!r}, which may mean {len(found)} motifs: {', '.join(found)}. Give one "
            "of these names."
        )
    known = [*names, *dict.fromkeys(row[2] for row in rows if row[2])]
    first = f" such as {names[0]!r}" if names else ""
    raise UsageError(
        f"{what} is {text!r}, which is not a motif of the run.{nearest(text, known)} Give one of "
        f"its {len(names)}{first}."
    )
