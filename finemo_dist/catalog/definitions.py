"""Statements that make tables, views and macros, each run when its name is first asked for."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import RLock
from typing import Final

import duckdb

from finemo_dist.catalog.connection import load_query

_STATEMENT: Final = re.compile(r"^(?=CREATE )", re.MULTILINE)
_MADE: Final = re.compile(r"CREATE (?:OR REPLACE )?(?:TABLE|VIEW|MACRO) (\w+)")
_COMMENT: Final = re.compile(r"--.*")
_WORD: Final = re.compile(r"\w+")


@cache
def statements(query: str) -> Mapping[str, str]:
    """Return the statements of a file of ``catalog/queries``, by the name that each makes."""
    parts = _STATEMENT.split(_COMMENT.sub("", load_query(query)))
    return {match[1]: part for part in parts if (match := _MADE.match(part))}


def words(text: str) -> frozenset[str]:
    """Return the words of a query in lower case, because DuckDB's names have none."""
    return frozenset(_WORD.findall(_COMMENT.sub("", text).lower()))


@cache
def _words_of(query: str, name: str) -> frozenset[str]:
    return words(statements(query)[name]) - {name}


class Definitions:
    """What a connection can be asked for, made name by name.

    To make a view, DuckDB binds all that it is made of; most questions need few of them.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        queries: Mapping[str, Callable[[], str]],
        makers: Mapping[str, Callable[[], None]],
    ) -> None:
        """Make nothing yet.

        Parameters
        ----------
        connection
            Where statements run, for these alone: they are a transaction.
        queries
            Name to what tells the file of ``catalog/queries`` that has its statement.
        makers
            Name to what is done after its statement, or without one.
        """
        self._connection = connection
        self._queries = queries
        self._makers = makers
        self._names = queries.keys() | makers.keys()
        self._made: set[str] = set()
        self._lock = RLock()

    def has_made(self, names: Iterable[str]) -> bool:
        """Whether one of some names is made."""
        return not self._made.isdisjoint(names)

    def remake(self, names: Iterable[str]) -> None:
        """Make those of ``names`` anew that are made; what is made of them stays."""
        with self._lock, self._all_or_nothing():
            for name in sorted(self._made.intersection(names)):
                if name in self._queries:
                    self._connection.execute(statements(self._queries[name]())[name])
                if name in self._makers:
                    self._makers[name]()

    def make_all(self) -> None:
        """Make everything."""
        self.make(self._names)

    def make(self, names: Iterable[str]) -> None:
        """Make those of ``names`` that are known, and all that they are made of."""
        with self._lock:
            wanted = self._names.intersection(names) - self._made
            if wanted:
                with self._all_or_nothing():
                    for name in sorted(wanted):
                        self._make(name)

    def _make(self, name: str) -> None:
        if name in self._made:
            return
        self._made.add(name)
        if name in self._queries:
            query = self._queries[name]()
            for needed in sorted(self._names & _words_of(query, name)):
                self._make(needed)
            self._connection.execute(statements(query)[name])
        if name in self._makers:
            self._makers[name]()

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        before = set(self._made)
        self._connection.begin()
        try:
            yield
            self._connection.commit()
        except BaseException:
            self._made = before
            self._connection.rollback()
            raise
