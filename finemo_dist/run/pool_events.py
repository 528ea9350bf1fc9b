"""What the pools of workers tell alike, whatever their workers are: failures, nodes, giving up."""

from collections.abc import Iterator, Mapping
from typing import Final

from finemo_dist.core.events import NodeRests, NodeWorks, RunEvent, UnitFailed
from finemo_dist.run.schedule import Failure, Restarts, Schedule

_MAX_LOSSES: Final = 60
"""Workers, or five times as many as are wanted, that may be lost without a unit being finished."""


def told(failure: Failure | None, error: str) -> Iterator[UnitFailed]:
    """Yield the failure of a unit, if it still matters."""
    if failure is not None:
        yield UnitFailed(
            failure.unit,
            failure.worker,
            error,
            is_final=failure.is_final,
            is_refused=failure.is_refused,
        )


def given_up(
    schedule: Schedule, restarts: Restarts, now: float, *, n_wanted: int
) -> Iterator[RunEvent]:
    """Set all that waits aside once nothing works any more, and yield it."""
    if restarts.n_losses > max(_MAX_LOSSES, 5 * n_wanted):
        why = f"{restarts.n_losses} workers in a row were lost"
    elif schedule.nodes.is_hopeless(now):
        why = f"one shard after another failed on every node ({schedule.nodes.last_error})"
    else:
        return
    for unit in schedule.give_up():
        yield UnitFailed(unit, "none", f"not tried again, because {why}", is_final=True)


def told_of_nodes(schedule: Schedule, hosts: Mapping[str, str]) -> Iterator[RunEvent]:
    """Yield which nodes began to rest or work again, by the names of their machines."""
    for news in schedule.nodes.news():
        host = hosts.get(news.node, news.node)
        if news.rest_s:
            yield NodeRests(host, news.rest_s, news.error, news.sample)
        else:
            yield NodeWorks(host, news.sample)
