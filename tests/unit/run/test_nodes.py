"""Failures counted by node: in simulated time, with the project's own schedule."""

import tracemalloc

import pytest

from finemo_dist.core.records import Unit
from finemo_dist.run.nodes import MOST_IN_A_ROW, MOST_RESTS, Nodes, rest_s
from finemo_dist.run.schedule import MAX_FAILURES, Schedule, pause_s
from tests.unit.run.simulated_cluster import Cluster, cluster_of, ideal_s, units_of

SIZES = [
    (4, 8, 400),
    *(pytest.param(*size, 5000, marks=[pytest.mark.slow, pytest.mark.system])
      for size in ((4, 8), (16, 8), (4, 64))),
]  # fmt: skip


def bad(*nodes, until=float("inf"), sample=None):
    """Return the fault of nodes on which everything fails, or all of one sample."""
    return lambda node, unit, now: node in nodes and now < until and sample in {None, unit.sample}


def without(cluster: Cluster, *nodes: str) -> float:
    """How long the same work takes where these nodes are not there."""
    places = {name: n for name, n in cluster.n_places.items() if name not in nodes}
    return Cluster(cluster.units, places, unit_s=cluster.unit_s).run()


def assert_all_done(cluster: Cluster) -> None:
    assert cluster.aside == []
    assert cluster.done == dict.fromkeys(cluster.units, 1)


@pytest.mark.parametrize("kills", [False, True])
@pytest.mark.parametrize("n_samples", [1, 25])
@pytest.mark.parametrize(("n_nodes", "n_workers", "n_units"), SIZES)
def test_a_bad_node_loses_no_unit_and_hardly_any_time(
    n_nodes, n_workers, n_units, n_samples, kills
):
    units = units_of(n_samples, n_units // n_samples)
    cluster = cluster_of(n_nodes, n_workers, units, fails=bad("node-0"), kills=kills)

    took = cluster.run()

    assert_all_done(cluster)
    assert took <= 1.05 * without(cluster, "node-0")
    assert cluster.n_failures.keys() == {"node-0"}
    assert cluster.n_failures.total() <= n_workers + 20
    assert {news.node for _, news in cluster.news} == {"node-0"}
    assert {news.error for _, news in cluster.news} <= {"disk full", "died"}


def test_two_bad_nodes_of_four_set_no_unit_aside():
    cluster = cluster_of(4, 8, units_of(8, 50), fails=bad("node-1", "node-2"))

    took = cluster.run()

    assert_all_done(cluster)
    assert took <= 1.05 * without(cluster, "node-1", "node-2")


def test_a_node_that_is_bad_for_one_sample_does_the_others():
    """An input that is not mounted there."""
    cluster = cluster_of(3, 4, units_of(6, 40), fails=bad("node-0", sample="s0"))

    took = cluster.run()

    assert_all_done(cluster)
    assert took <= 1.05 * cluster_of(3, 4, cluster.units).run()
    rests = [news for _, news in cluster.news if news.rest_s]
    assert rests
    assert {news.sample for news in rests} == {"s0"}


def test_a_node_that_heals_is_used_again():
    cluster = cluster_of(2, 8, units_of(4, 200), fails=bad("node-0", until=60))

    took = cluster.run()

    assert_all_done(cluster)
    # Ten minutes of work: after the first it is that of two nodes again.
    assert took <= ideal_s(800, 16) * 1.05 + 60
    assert cluster.news[-1][1].rest_s == 0
    assert 60 < cluster.news[-1][0] < 60 + rest_s(5)


def test_a_unit_that_fails_everywhere_is_set_aside_and_no_node_is_blamed():
    victims = {Unit("s0", 3), Unit("s1", 7)}
    cluster = cluster_of(3, 4, units_of(4, 40), fails=lambda node, unit, now: unit in victims)

    cluster.run()

    assert set(cluster.aside) == victims
    assert len(cluster.done) == len(cluster.units) - 2
    assert cluster.news == []


@pytest.mark.parametrize("n_nodes", [1, 3])
def test_a_sample_that_fails_everywhere_is_set_aside_alone(n_nodes):
    cluster = cluster_of(
        n_nodes, 4, units_of(5, 30), fails=lambda node, unit, now: unit.sample == "s1"
    )

    took = cluster.run()

    assert {unit.sample for unit in cluster.aside} == {"s1"}
    assert len(cluster.aside) == 30
    assert set(cluster.done) == {unit for unit in cluster.units if unit.sample != "s1"}
    assert took < 2 * ideal_s(120, 4 * n_nodes) + 60


@pytest.mark.parametrize("n_nodes", [1, 4])
def test_where_everything_fails_it_ends_in_bounded_time(n_nodes):
    cluster = cluster_of(n_nodes, 4, units_of(2, 100), fails=lambda node, unit, now: True)

    took = cluster.run()

    assert cluster.done == {}
    assert len(cluster.aside) == 200
    assert took < sum(map(rest_s, range(1, MOST_RESTS + 1))) + 60


def test_a_disk_that_is_full_for_half_a_minute_costs_half_a_minute():
    """All nodes share it."""
    full = cluster_of(2, 4, units_of(2, 60), fails=lambda node, unit, now: 100 < now < 130)

    took = full.run()

    assert_all_done(full)
    assert took < ideal_s(120, 8) + 30 + rest_s(3) + 20


def atlas(n_samples: int, n_shards: int, *, hours: float) -> tuple[Cluster, list[int]]:
    """Return an atlas with one failure in a hundred, and a node lost every ten minutes."""
    units = units_of(n_samples, n_shards)
    cluster = cluster_of(8, 8, units, unit_s=hours * 3600 * 64 / len(units))
    cluster.fails = lambda node, unit, now: cluster.rng.random() < 0.01
    lost = iter(range(10_000))

    def replace_node() -> None:
        cluster.lose(min(cluster.n_places, key=lambda name: int(name.split("-")[1])))
        new = f"node-{8 + next(lost)}"
        cluster.at(cluster.now + 120, lambda: cluster.n_places.update({new: 8}))
        cluster.at(cluster.now + 600, replace_node)

    cluster.at(600, replace_node)
    held: list[int] = []

    def measure(_cluster: Cluster) -> None:
        cluster.done.clear()
        held.append(tracemalloc.get_traced_memory()[0])

    cluster.at_each_minute = measure
    return cluster, held


@pytest.mark.parametrize(
    ("n_samples", "n_shards", "hours"),
    [(60, 10, 0.5), pytest.param(1500, 25, 2.0, marks=[pytest.mark.slow, pytest.mark.system])],
)
def test_an_atlas_of_failures_and_lost_nodes_is_done_in_flat_memory(n_samples, n_shards, hours):
    cluster, held = atlas(n_samples, n_shards, hours=hours)
    tracemalloc.start()
    try:
        took = cluster.run(limit_s=20_000)
    finally:
        tracemalloc.stop()

    assert cluster.aside == []
    assert cluster.schedule.is_over
    assert sum(cluster.n_failures.values()) > 0
    assert took <= 1.3 * hours * 3600
    # What waits grows less, and nothing else grows.
    assert max(held[10:]) <= held[1] + 200_000


def test_a_node_that_fails_to_start_workers_is_not_asked_again():
    nodes = Nodes()
    for i in range(MOST_IN_A_ROW):
        assert nodes.with_room({"bad": 8}, {}, 0) == "bad"
        nodes.failed_to_start("bad", i, 0, error="no driver")

    assert nodes.with_room({"bad": 8, "good": 1}, {}, 1) == "good"
    assert nodes.with_room({"bad": 8, "good": 1}, {"good": 1}, 1) is None
    assert nodes.with_room({"bad": 8}, {}, rest_s(1)) == "bad"
    assert nodes.with_room({"bad": 8}, {"bad": 1}, rest_s(1)) is None
    (news,) = nodes.news()
    assert (news.node, news.rest_s, news.sample, news.error) == ("bad", 5.0, None, "no driver")


def test_rests_double_up_to_a_bound():
    rests = [rest_s(n) for n in range(1, 12)]

    assert rests[:3] == [5.0, 10.0, 20.0]
    assert rests[-1] == rest_s(10_000) == 600.0


def test_a_node_that_is_gone_is_forgotten():
    nodes = Nodes()
    nodes.join("x")
    for shard in range(MOST_IN_A_ROW):
        nodes.failed("x", Unit("a", shard), 0, error="gone", other_samples=False)
    nodes.leave("x", 0)
    assert nodes.is_any_suspect

    nodes.keep([])

    assert not nodes.is_any_suspect
    assert [news.rest_s for news in nodes.news()] == [5.0, 0.0]


def test_a_node_that_goes_is_no_news_unless_it_rested():
    nodes = Nodes()
    nodes.join("x")
    nodes.failed("x", Unit("a", 0), 0, error="once", other_samples=False)
    nodes.leave("x", 0)

    nodes.keep([])

    assert nodes.news() == []


def test_a_node_is_forgotten_an_hour_after_its_last_worker_left():
    """Names of nodes in a cloud are never used again, and its runs take days."""
    nodes = Nodes()
    nodes.join("x")
    for shard in range(MOST_IN_A_ROW):
        nodes.failed("x", Unit("a", shard), 0, error="gone", other_samples=False)
    nodes.leave("x", 10)

    known = []
    for now in (3600, 3620):
        nodes.join("y")
        nodes.leave("y", now)
        known.append(nodes.is_any_suspect)

    assert known == [True, False]


def schedule_on(*nodes: str, n_units: int = 4) -> Schedule:
    """Return a schedule with a worker on each node, by the same name."""
    schedule = Schedule(units_of(1, n_units), unit_timeout_s=100)
    for node in nodes:
        schedule.join(node, node)
    return schedule


def test_a_unit_that_failed_goes_to_another_node_first():
    schedule = schedule_on("x", "y", n_units=2)
    schedule.join("x2", "x")
    schedule.assign(0)
    schedule.fail("x", 0)

    assert schedule.assign(pause_s(1)) == []
    assert schedule.finish("y", 1)
    assert schedule.assign(1) == [("y", Unit("s0", 0))]


def test_a_unit_that_no_other_node_takes_in_time_is_tried_where_it_failed():
    schedule = schedule_on("x", "y", n_units=2)
    schedule.join("x2", "x")
    schedule.assign(0)
    schedule.fail("x", 0)

    assert schedule.assign(29) == []
    assert schedule.assign(31) == [("x2", Unit("s0", 0))]


def test_a_refusal_counts_once_another_node_says_the_same():
    schedule = schedule_on("x", "y")
    schedule.assign(0)

    first = schedule.fail("x", 0, is_refused=True)
    schedule.finish("y", 1)
    schedule.assign(1)
    second = schedule.fail("y", 2, is_refused=True)

    assert (first.is_final, first.is_refused) == (False, False)
    assert (second.unit, second.is_final, second.is_refused) == (Unit("s0", 0), True, True)


def test_a_refusal_of_the_only_node_counts_at_once():
    schedule = schedule_on("x")
    schedule.assign(0)

    assert schedule.fail("x", 0, is_refused=True).is_final


def test_the_last_unit_is_set_aside_though_nothing_is_left_to_prove_a_node():
    schedule = schedule_on("x", "y", "z", n_units=1)
    found, now = [], 0.0
    while not schedule.is_over:
        for worker, _ in schedule.assign(now):
            found.append((worker, schedule.fail(worker, now).is_final))
        now += 1

    assert [is_final for _, is_final in found] == [False] * (MAX_FAILURES - 1) + [True]
    assert len({worker for worker, _ in found}) == MAX_FAILURES
