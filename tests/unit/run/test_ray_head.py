"""Whether a head is gone, by whether anybody listens where it was."""

import socket
import threading
from types import SimpleNamespace

import pytest

from finemo_dist.core.errors import CutShortError
from finemo_dist.run import ray_head
from finemo_dist.run.ray_head import Head, watched_head


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(ray_head, "GONE_S", 0.0)
    monkeypatch.setattr(ray_head, "LOOK_S", 0.01)


def test_a_head_that_listens_is_there(listener):
    head = Head({"the head": listener.getsockname()})
    head.look()

    head.check()
    assert head.ask(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        head.ask(lambda: 1 / 0)


def test_a_port_that_is_closed_for_long_is_a_head_that_is_gone(listener):
    address = listener.getsockname()
    listener.close()
    head = Head({"the head": address, "another": address})
    head.look()

    with pytest.raises(CutShortError, match=r"the head has not answered .*\(Connection refused\)"):
        head.check()


def test_a_port_that_is_closed_for_a_moment_is_not(listener, monkeypatch):
    monkeypatch.setattr(ray_head, "GONE_S", 60.0)
    address = listener.getsockname()
    listener.close()
    head = Head({"the head": address})
    head.look()

    head.check()


def test_a_question_is_given_up_when_the_head_goes(listener):
    answered = threading.Event()
    address = listener.getsockname()
    listener.close()
    head = Head({"the head": address})
    timer = threading.Timer(0.05, head.look)
    timer.start()

    with pytest.raises(CutShortError):
        head.ask(answered.wait)

    answered.set()
    timer.join()


@pytest.fixture
def joined(listener, monkeypatch):
    """Return what has this process be in a cluster, as Ray tells of it, and its address."""
    host, port = listener.getsockname()

    def join(*, is_client=False, nodes=("other", "own")):
        context = SimpleNamespace(gcs_address=f"{host}:{port}", get_node_id=lambda: "own")
        told = [
            {"NodeID": name, "NodeManagerAddress": host, "NodeManagerPort": port} for name in nodes
        ]
        fake = SimpleNamespace(
            util=SimpleNamespace(
                client=SimpleNamespace(ray=SimpleNamespace(is_connected=lambda: is_client))
            ),
            get_runtime_context=lambda: context,
            nodes=lambda: told,
        )
        monkeypatch.setattr(ray_head, "ray", fake)
        monkeypatch.setattr(ray_head, "_watched", None)

    join.address = (host, port)
    return join


@pytest.mark.parametrize(
    ("cluster", "watched"),
    [
        ({}, ["the head of the Ray cluster", "Ray on the machine of the driver"]),
        # Ray takes a moment to tell of the node it has just made.
        ({"nodes": ("other",)}, ["the head of the Ray cluster"]),
        # What a client is connected to says itself that it is gone.
        ({"is_client": True}, []),
    ],
)
def test_the_head_and_what_is_here_of_the_cluster_are_watched(joined, cluster, watched):
    joined(**cluster)

    with watched_head() as head:
        assert head.addresses == dict.fromkeys(watched, joined.address)
        with watched_head() as again:
            assert again is head, "a process has one Ray"
        assert ray_head.the_head() is head
    assert ray_head._watched is None
