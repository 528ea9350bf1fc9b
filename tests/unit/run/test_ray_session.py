"""Joining a cluster of Ray, and its size, with Ray's answers made up."""

import signal
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import ray

from finemo_dist.core.errors import RunError
from finemo_dist.run import ray_folder, ray_session
from finemo_dist.run.ray_pool import _RayCrew


@pytest.mark.parametrize(
    ("address", "knocked"),
    [
        ("10.0.0.1:6379", [("10.0.0.1", 6379)]),
        ("ray://head:10001", [("head", 10001)]),
        ("[::1]:6379", [("::1", 6379)]),
        # Ray finds these by itself.
        ("auto", []),
        ("local", []),
        ("head:port", []),
    ],
)
def test_whether_anybody_listens_is_asked_of_an_address_with_a_port(monkeypatch, address, knocked):
    asked = []
    monkeypatch.setattr(ray_session, "knock", lambda place, timeout_s: asked.append(place))

    ray_session._knock(address)

    assert asked == knocked


@pytest.mark.parametrize("n_gpus", [0, 2])
def test_a_session_that_is_open_is_used_and_another_is_begun(monkeypatch, n_gpus):
    begun = []

    @contextmanager
    def session(*given, **named):
        begun.append((given, named))
        yield

    monkeypatch.setattr(ray_session, "session", session)
    for is_open in (True, False):
        monkeypatch.setattr(ray, "is_initialized", lambda is_open=is_open: is_open)
        with ray_session.ray_session("head:1", n_cores=3, n_gpus=n_gpus):
            pass

    assert begun == [(("head:1", 3, "cuda" if n_gpus else "cpu"), {"n_gpus": n_gpus})]


def test_what_sigterm_does_is_put_back_and_in_another_thread_nothing_can_be():
    before = signal.getsignal(signal.SIGTERM)
    errors = []

    def elsewhere():
        try:
            with ray_session._same_signal_handler():
                pass
        except ValueError as error:
            errors.append(error)

    try:
        with ray_session._same_signal_handler():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, before)
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()

    assert errors == []


class AnsweringHead:
    """The head of a cluster of so many cores, one answer after another."""

    def __init__(self, *n_cores):
        self.n_cores = list(n_cores)

    def check(self):
        pass

    def ask(self, _question):
        n = self.n_cores.pop(0)
        return {"CPU": n} if n else {}


def test_the_places_of_a_cluster_are_counted_from_time_to_time():
    """One at least: an actor that waits for its place is what makes a cluster grow."""
    crew = _RayCrew(AnsweringHead(0, 5, 4), None, None, "CPU", 2)

    assert [crew.n_places(now) for now in (0, 1, 100, 101, 200)] == [1, 1, 10, 10, 8]


def test_a_number_of_workers_that_is_asked_for_is_not_asked_of_the_cluster():
    crew = _RayCrew(AnsweringHead(), None, 3, "CPU", 1)

    assert [crew.n_places(now) for now in (0, 100)] == [3, 3]


def test_beside_a_long_temporary_folder_ray_has_a_short_one_which_goes(monkeypatch, tmp_path):
    monkeypatch.setattr(ray_folder, "_SHORT", ("/no/such/folder", str(tmp_path)))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/tmp/" + "x" * ray_folder.LONGEST)

    with ray_folder.short_folder() as folder:
        assert Path(folder).parent == tmp_path
        Path(folder, "session").mkdir()

    assert list(tmp_path.iterdir()) == []


def test_a_short_temporary_folder_is_left_to_ray(monkeypatch):
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/tmp/" + "x" * (ray_folder.LONGEST - 5))
    with ray_folder.short_folder() as folder:
        assert folder is None


def test_without_a_short_folder_the_length_and_the_cure_are_named(monkeypatch):
    monkeypatch.setattr(ray_folder, "_SHORT", ("/no/such/folder",))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/tmp/" + "x" * 41)

    with pytest.raises(RunError, match=r"of 46 bytes: .* at most 41, .*--workers 1"):
        ray_folder.short_folder().__enter__()
