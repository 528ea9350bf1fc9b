"""A file that one process has at a time, whatever the order in which several try."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finemo_dist.storage import claims
from finemo_dist.storage.claims import OwnClaim, claim, read_claim
from finemo_dist.storage.locations import location
from finemo_dist.storage.objects import ObjectPath

STEPS = ("_create", "_read", "_rename", "_unlink")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "claim"


def names_in(folder):
    return sorted(p.name for p in folder.iterdir())


def test_a_claim_is_had_by_one_and_leaves_nothing(path):
    assert read_claim(path) is None
    own = claim(path, "a 1", over=None)
    assert own is not None
    assert claim(path, "b 1", over=None) is None
    assert read_claim(path).text == "a 1"
    assert own.renew("a 2")
    assert read_claim(path).text == "a 2"

    own.release("a 2")

    assert names_in(path.parent) == []


def test_a_claim_is_taken_over_by_one_of_those_who_saw_it(path):
    first = claim(path, "a", over=None)
    seen = read_claim(path)

    second = claim(path, "b", over=seen)
    assert second is not None
    assert claim(path, "c", over=seen) is None
    assert not first.renew("a again")
    first.release("a")

    assert read_claim(path).text == "b"
    assert names_in(path.parent) == ["claim"]


def test_a_claim_that_was_removed_by_hand_is_made_again(path):
    own = claim(path, "a", over=None)
    path.unlink()
    assert own.renew("a 2")
    assert read_claim(path).text == "a 2"

    path.unlink()
    other = claim(path, "b", over=None)
    assert not own.renew("a 3")
    assert other.renew("b 2")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff" * 2000, b"0" * 32])
def test_a_damaged_claim_is_one_that_can_be_taken_over(path, content):
    path.write_bytes(content)
    seen = read_claim(path)
    assert seen.text == ""

    own = claim(path, "a", over=seen)

    assert read_claim(path).token == own.token


def test_where_there_are_no_links_a_claim_is_had_by_one(path, monkeypatch):
    def refuse(*_):
        raise OSError(claims.errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(claims.os, "link", refuse)
    own = claim(path, "a", over=None)
    assert claim(path, "b", over=None) is None
    taken = claim(path, "b", over=read_claim(path))
    assert not own.renew("a")
    taken.release("b")
    assert names_in(path.parent) == []


def test_of_many_threads_one_has_a_claim(path):
    for over in (None, "dead"):
        if over is not None:
            claim(path, "dead", over=None)
        seen = read_claim(path)
        start, won = threading.Barrier(8), []

        def take(number, seen=seen, start=start, won=won):
            start.wait()
            if (own := claim(path, str(number), over=seen)) is not None:
                won.append((number, own))

        threads = [threading.Thread(target=take, args=(i,)) for i in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]

        ((number, own),) = won
        assert read_claim(path).text == str(number)
        own.release("")
        assert names_in(path.parent) == []


class Killed(BaseException):
    """Ends an actor before its next operation, and before all after it."""


@dataclass
class Actor:
    """A process that runs step by step: one operation on the disk, and it waits for its turn."""

    name: str
    act: Callable[["Actor"], None]
    is_over: bool = False
    is_dead: bool = False
    error: BaseException | None = None
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    back: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def start(self):
        threading.Thread(target=self._run, daemon=True).start()

    def step(self):
        """Let it do one operation."""
        self.turn.release()
        assert self.back.acquire(timeout=30)
        if self.error is not None:
            raise self.error

    def wait(self):
        """Wait for a turn; called by the actor before each operation."""
        self.back.release()
        self.turn.acquire()
        if self.is_dead:
            raise Killed

    def kill(self):
        """Let it do nothing more."""
        self.is_dead = True
        self.turn.release()

    def _run(self):
        ACTORS[threading.get_ident()] = self
        self.turn.acquire()
        try:
            if not self.is_dead:
                self.act(self)
        except Killed:
            pass
        except BaseException as error:
            self.error = error
        del ACTORS[threading.get_ident()]
        self.is_over = True
        self.back.release()


ACTORS: dict[int, Actor] = {}


@pytest.fixture(scope="module")
def stepwise():
    """Have every operation on the disk wait for the turn of its actor."""

    def waiting(original):
        def operation(*args):
            if (actor := ACTORS.get(threading.get_ident())) is not None:
                actor.wait()
            return original(*args)

        return operation

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(claims, name, waiting(getattr(claims, name)))
        yield


@settings(max_examples=200)
@given(data=st.data())
def test_whatever_the_order_and_whoever_dies_no_two_living_ones_have_it(
    tmp_path_factory, stepwise, data
):
    """Actors acquire, give signs of life and release, again and again; any may die at any step.

    One is taken for dead when it is, never before.
    """
    path = tmp_path_factory.mktemp("run") / "claim"
    dead: set[str] = set()
    having: set[str] = set()

    def drive(actor):
        for _ in range(2):
            while True:
                seen = read_claim(path)
                if seen is not None and seen.text not in dead:
                    return
                if (own := claim(path, actor.name, over=seen)) is not None:
                    break
            having.add(actor.name)
            for _ in range(2):
                actor.wait()
                assert own.renew(actor.name), "taken from a living one"
            having.discard(actor.name)
            own.release(actor.name)

    actors = [Actor(name, drive) for name in "abcd"]
    for actor in actors:
        actor.start()
    living = list(actors)
    while living:
        actor = data.draw(st.sampled_from(living), label="next")
        if len(living) > 1 and data.draw(st.integers(0, 9), label="dies") == 0:
            living.remove(actor)
            dead.add(actor.name)
            having.discard(actor.name)
            actor.kill()
            continue
        actor.step()
        assert len(having) <= 1
        if actor.is_over:
            living.remove(actor)

    # Whoever comes last gets it, and nothing of those that died is left.
    while (own := claim(path, "z", over=read_claim(path))) is None:
        pass
    own.release("z")
    assert names_in(path.parent) == []


@given(data=st.data())
def test_one_that_was_taken_for_dead_removes_nothing_of_its_follower(
    tmp_path_factory, stepwise, data
):
    path = tmp_path_factory.mktemp("run") / "claim"
    first = claim(path, "a", over=None)
    seen = read_claim(path)
    got = []

    actors = [
        Actor("a", lambda _: first.release("a")),
        Actor("b", lambda _: got.append(claim(path, "b", over=seen))),
    ]
    for actor in actors:
        actor.start()
    while living := [actor for actor in actors if not actor.is_over]:
        data.draw(st.sampled_from(living), label="next").step()

    (own,) = got
    left = read_claim(path)
    assert (None if left is None else left.token) == (None if own is None else own.token)
    if own is not None:
        own.release("b")
    assert names_in(path.parent) == []


def test_a_claim_that_cannot_be_written_leaves_no_file(tmp_path, monkeypatch):
    def fill(path, _content):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(OSError, match="No space"):
        claim(tmp_path / "lease.json", "me", over=None)

    assert list(tmp_path.iterdir()) == []


def test_who_follows_at_once_is_not_swept_away_with_those_that_were_late(path, monkeypatch):
    """Another process may follow a claim before its maker has looked around."""
    late, follower = path.with_name(f".claim.{'f' * 32}"), path.with_name(f".claim.{'a' * 32}")
    late.write_bytes(claims._content("b" * 32, "late"))
    follower.write_bytes(claims._content("c" * 32, "the follower"))
    monkeypatch.setattr(claims, "new_token", lambda: "a" * 32)

    own = claim(path, "me", over=None)

    assert own is not None
    assert names_in(path.parent) == [follower.name, "claim"]
    assert read_claim(path).text == "the follower"


@pytest.mark.parametrize("is_retaken", [False, True])
def test_an_object_that_was_removed_by_hand_is_claimed_again_by_one(monkeypatch, is_retaken):
    """S3 answers a put in the place of a version that is gone by 404."""
    place, there = location("s3://bucket/lease.json"), {}

    def put_if(path, content, *, replaces):
        if replaces is not None:
            raise FileNotFoundError(2, "no such object (NoSuchKey)", str(path))
        if is_retaken:
            there[path] = claims._content("b" * 32, "another"), "2"
            raise FileExistsError(17, "was changed", str(path))
        there[path] = content, "1"
        return "1"

    def read_tagged(path):
        if path not in there:
            raise FileNotFoundError
        return there[path]

    monkeypatch.setattr(ObjectPath, "put_if", put_if)
    monkeypatch.setattr(ObjectPath, "read_tagged", read_tagged)
    own = OwnClaim(place, "a" * 32, "0")

    assert own.renew("me") is not is_retaken
    assert read_claim(place).text == ("another" if is_retaken else "me")


def test_a_claim_in_a_bucket_that_is_not_there_is_an_error(monkeypatch):
    def put_if(path, content, *, replaces):
        raise FileNotFoundError(2, "no such object (NoSuchBucket)", str(path))

    monkeypatch.setattr(ObjectPath, "put_if", put_if)
    with pytest.raises(FileNotFoundError, match="NoSuchBucket"):
        claim(location("s3://nowhere/lease.json"), "me", over=None)
