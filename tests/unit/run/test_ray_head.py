"""Whether a head is gone, by whether anybody listens where it was."""

import socket
import threading

import pytest

from finemo_dist.core.errors import CutShortError
from finemo_dist.run import ray_head
from finemo_dist.run.ray_head import Head


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
