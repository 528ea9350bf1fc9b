"""Which nodes can be trusted with work: failures in a row are counted by node, and by its samples.

A node on which several different units fail in a row rests: its workers take nothing for a while,
then one of them tries one unit; if that fails too, the node rests twice as long. Where all that
failed is of one sample, and other nodes do that sample, the node rests from that sample alone: an
input may not be mounted there. Pure state; times are those of the caller.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from finemo_dist.core.records import Unit
from finemo_dist.run.pauses import doubled

MOST_IN_A_ROW: Final = 3
"""Different units that may fail on a node before it rests."""
MOST_RESTS: Final = 3
"""In a row; after that, and if no other node works, there is no hope."""
_FIRST_REST_S: Final = 5.0
_LONGEST_REST_S: Final = 600.0
_FORGOTTEN_S: Final = 3600.0
"""After which a node without a worker is no longer known."""


def rest_s(n_rests: int) -> float:
    """Return how long a rest is, by its number in a row: twice as long after each."""
    return doubled(_FIRST_REST_S, n_rests, longest_s=_LONGEST_REST_S)


@dataclass(frozen=True, slots=True)
class NodeNews:
    """A node that begins to rest, or works again."""

    node: str
    rest_s: float
    """0 where it works again."""
    sample: str | None
    """What it rests from; everything when None."""
    error: str
    """The last that went wrong there."""


@dataclass(slots=True)
class _Health:
    """How it went on a node since something last succeeded there."""

    failed: set[Unit] = field(default_factory=set)
    """Different ones, as many as are needed."""
    n_rests: int = 0
    rests_until: float = float("-inf")
    n_trying: int = 0
    """Units in flight."""

    def rests(self, now: float) -> bool:
        return now < self.rests_until

    def may_take(self, now: float) -> bool:
        # After a rest one unit at a time, until one succeeds.
        return not self.rests(now) and not (self.n_rests and self.n_trying)

    @property
    def is_suspect(self) -> bool:
        """Whether what failed in a row is more than chance."""
        return self.n_rests > 0 or len(self.failed) >= MOST_IN_A_ROW

    def add(self, unit: Unit) -> None:
        if len(self.failed) < 2 * MOST_IN_A_ROW:
            self.failed.add(unit)

    def rest(self, now: float) -> float:
        """Begin the next rest and return how long it is."""
        self.n_rests += 1
        self.rests_until = now + rest_s(self.n_rests)
        return rest_s(self.n_rests)

    def recovered(self) -> bool:
        """Forget all failures; return whether there had been a rest."""
        was_resting = self.n_rests > 0
        self.failed.clear()
        self.n_rests, self.rests_until = 0, float("-inf")
        return was_resting


@dataclass(slots=True)
class _Node:
    n_workers: int = 0
    worked_at: float = float("-inf")
    """When the last unit was begun that succeeded there."""
    left_at: float = 0.0
    health: _Health = field(default_factory=_Health)
    samples: dict[str, _Health] = field(default_factory=dict)
    """Those of which units failed there and none succeeded since."""


class Nodes:
    """The nodes that have or had workers, and how work goes on them."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}
        self._news: list[NodeNews] = []
        self.last_error = ""
        """Of what failed last, on any node."""

    def has_worked_since(self, name: str, time: float) -> bool:
        """Whether a unit succeeded on a node that was begun later than this."""
        node = self._nodes.get(name)
        return node is not None and node.worked_at >= time

    def news(self) -> list[NodeNews]:
        """Return what changed since this was asked last."""
        news, self._news = self._news, []
        return news

    def join(self, name: str) -> None:
        """Count a worker of a node."""
        self._nodes.setdefault(name, _Node()).n_workers += 1

    def leave(self, name: str, now: float) -> None:
        """Forget a worker of a node; the node's rest goes on without it."""
        node = self._nodes[name]
        node.n_workers -= 1
        node.left_at = now
        for gone in [n for n, found in self._nodes.items() if _is_forgotten(found, now)]:
            del self._nodes[gone]

    def keep(self, names: Collection[str]) -> None:
        """Forget nodes without workers that are not among those that are there."""
        gone = [n for n, node in self._nodes.items() if not node.n_workers and n not in names]
        for name in gone:
            if self._nodes.pop(name).health.n_rests:
                self._news.append(NodeNews(name, 0.0, None, ""))

    def took(self, name: str, unit: Unit) -> None:
        """Count a unit that a worker of a node has."""
        for health in self._concerned(name, unit):
            health.n_trying += 1

    def dropped(self, name: str, unit: Unit) -> None:
        """Count a unit that no worker of a node has any longer."""
        for health in self._concerned(name, unit):
            health.n_trying = max(0, health.n_trying - 1)

    def succeeded(self, name: str, unit: Unit, began: float) -> None:
        """Count a unit that was begun and done on a node."""
        node = self._nodes[name]
        node.worked_at = max(node.worked_at, began)
        if node.health.recovered():
            self._news.append(NodeNews(name, 0.0, None, ""))
        own = node.samples.pop(unit.sample, None)
        if own is not None and own.recovered():
            self._news.append(NodeNews(name, 0.0, unit.sample, ""))

    def failed(self, name: str, unit: Unit, now: float, *, error: str, other_samples: bool) -> None:
        """Count a failure, and have the node rest where that is one too many in a row.

        Parameters
        ----------
        other_samples
            Whether units of other samples are open, by which the node can prove itself.
        """
        node = self._nodes[name]
        self.last_error = error
        own = node.samples.setdefault(unit.sample, _Health())
        own.add(unit)
        node.health.add(unit)
        is_of_one = len({failed.sample for failed in node.health.failed}) == 1
        # Nodes that do the sample say that it is the node; without any it may be the sample.
        is_done_elsewhere = self._is_done_elsewhere(name, unit.sample, now)
        if _is_due(own, now) and is_done_elsewhere:
            self._news.append(NodeNews(name, own.rest(now), unit.sample, error))
        if not _is_due(node.health, now):
            return
        if not is_of_one or not (is_done_elsewhere or other_samples):
            self._news.append(NodeNews(name, node.health.rest(now), None, error))

    def failed_to_start(self, name: str, n_starts: int, now: float, *, error: str) -> None:
        """Count a worker that could not be made on a node, the how many-th in the run."""
        node = self._nodes.setdefault(name, _Node(left_at=now))
        node.health.add(Unit("", -n_starts))
        if _is_due(node.health, now):
            self._news.append(NodeNews(name, node.health.rest(now), None, error))

    def rests(self, name: str, now: float) -> bool:
        """Whether a node takes nothing now."""
        node = self._nodes.get(name)
        return node is not None and node.health.rests(now)

    def is_trusted(self, name: str) -> bool:
        """Whether a node is there, and did not fail so often in a row that it is its fault."""
        node = self._nodes.get(name)
        return node is not None and node.n_workers > 0 and not node.health.is_suspect

    def with_room(
        self, places: Mapping[str, int], taken: Mapping[str, int], now: float
    ) -> str | None:
        """Return the node with most room for one more worker, of those that do not rest.

        After a rest there is room for one, until a unit succeeds.

        Parameters
        ----------
        places, taken
            How many workers a node holds, and how many it has.
        """

        def room(name: str) -> int:
            node = self._nodes.get(name)
            n_places = places[name]
            if node is not None and node.health.n_rests:
                n_places = 0 if node.health.rests(now) else min(1, n_places)
            return n_places - taken.get(name, 0)

        best = max(places, key=room, default=None)
        return best if best is not None and room(best) > 0 else None

    @property
    def is_any_suspect(self) -> bool:
        """Whether any node rests or has to prove itself after a rest."""
        return any(node.health.n_rests for node in self._nodes.values())

    def may_take(self, name: str, now: float) -> bool:
        """Whether a worker of a node may take a unit of some sample."""
        return self._nodes[name].health.may_take(now)

    def may_take_of(self, name: str, sample: str, now: float) -> bool:
        """Whether a worker of a node that may take a unit may take one of this sample."""
        own = self._nodes[name].samples.get(sample)
        if own is None or own.may_take(now):
            return True
        # A sample that fails everywhere is not the fault of a node.
        return not self._is_done_elsewhere(name, sample, now)

    def others(self, names: Iterable[str], now: float) -> bool:
        """Whether any node but these has a worker and does not rest."""
        known = set(names)
        return any(
            node.n_workers and not node.health.rests(now)
            for name, node in self._nodes.items()
            if name not in known
        )

    def is_hopeless(self, now: float) -> bool:
        """Whether every node that has workers rests, and has rested often enough."""
        live = [node.health for node in self._nodes.values() if node.n_workers]
        return bool(live) and all(
            health.rests(now) and health.n_rests > MOST_RESTS for health in live
        )

    def _is_done_elsewhere(self, name: str, sample: str, now: float) -> bool:
        return any(
            node.n_workers
            and not node.health.rests(now)
            and not (sample in node.samples and node.samples[sample].is_suspect)
            for other, node in self._nodes.items()
            if other != name
        )

    def _concerned(self, name: str, unit: Unit) -> list[_Health]:
        node = self._nodes[name]
        own = node.samples.get(unit.sample)
        return [node.health] if own is None else [node.health, own]


def _is_due(health: _Health, now: float) -> bool:
    """Whether a rest should begin; failures during a rest are one with those before it."""
    return health.is_suspect and not health.rests(now)


def _is_forgotten(node: _Node, now: float) -> bool:
    return not node.n_workers and now - max(node.left_at, node.health.rests_until) > _FORGOTTEN_S
