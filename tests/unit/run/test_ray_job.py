"""Following a job whose head does not always answer."""

import os
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ray.job_submission import JobStatus

from finemo_dist.core.errors import IncompleteRunError, UsageError
from finemo_dist.run import ray_job
from finemo_dist.run.ray_job import JobEnd, RayJobs

ADDRESS = "http://127.0.0.1:1"


@dataclass
class Details:
    status: JobStatus
    driver_exit_code: int | None = None
    message: str | None = None


@dataclass
class FakeClient:
    """A head whose log breaks off after so many pieces, connection by connection."""

    pieces: list[str]
    breaks: list[int]
    ends: list[Details]
    asked_at: list[str | None] = field(default_factory=list)

    def __call__(self, address):
        self.asked_at.append(os.environ.get("RAY_API_SERVER_ADDRESS"))
        return self

    async def tail_job_logs(self, job):
        n = self.breaks.pop(0) if self.breaks else None
        for piece in self.pieces[:n]:
            yield piece
        if n is not None:
            raise RuntimeError("WebSocket connection closed unexpectedly")

    def get_job_info(self, job):
        return self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]


def follow(client, monkeypatch):
    monkeypatch.setattr(ray_job, "_RETRY_S", 0.0)
    monkeypatch.setattr(ray_job, "JobSubmissionClient", client)
    written = []
    return RayJobs(ADDRESS).follow("job", written.append), "".join(written)


@given(
    pieces=st.lists(st.text("ab\n", min_size=1, max_size=9), max_size=6),
    breaks=st.lists(st.integers(0, 6), max_size=8),
    n_early=st.integers(0, 3),
)
def test_a_log_is_whole_and_said_once_however_often_it_breaks(pieces, breaks, n_early):
    ends = [Details(JobStatus.RUNNING)] * n_early + [Details(JobStatus.SUCCEEDED, 0)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        end, said = follow(FakeClient(pieces, breaks, ends), monkeypatch)

    assert said == "".join(pieces)
    assert end == JobEnd(0, is_stopped=False, reason="")


@pytest.mark.parametrize(
    ("details", "end"),
    [
        (Details(JobStatus.FAILED, 3, "exit code 3\nlogs"), JobEnd(3, False, "exit code 3")),
        (Details(JobStatus.STOPPED), JobEnd(None, True, "")),
        (Details(JobStatus.FAILED, None, "no such env"), JobEnd(None, False, "no such env")),
    ],
)
def test_how_a_job_ended_is_told(monkeypatch, details, end):
    assert follow(FakeClient(["x"], [], [details]), monkeypatch) == (end, "x")


def test_a_head_that_is_gone_ends_the_wait(monkeypatch):
    client = FakeClient(["x"], [0] * 99, [Details(JobStatus.RUNNING)])

    with pytest.raises(IncompleteRunError, match="may still be running"):
        follow(client, monkeypatch)

    assert len(client.breaks) == 99 - 12


def test_the_address_given_goes_before_the_one_of_the_environment(monkeypatch):
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "http://elsewhere:8265")
    client = FakeClient([], [], [Details(JobStatus.SUCCEEDED, 0)])

    follow(client, monkeypatch)

    assert client.asked_at == [ADDRESS]
    assert os.environ["RAY_API_SERVER_ADDRESS"] == "http://elsewhere:8265"


@pytest.mark.parametrize("address", ["ray://head:10001", "os://x", "head:8265", ""])
def test_an_address_of_another_kind_is_refused(address):
    with pytest.raises(UsageError, match="http://HEAD:8265"):
        RayJobs(address)


def test_where_no_head_is_the_error_names_the_address():
    with pytest.raises(UsageError, match=r"http://127\.0\.0\.1:1: no Ray cluster"):
        RayJobs(ADDRESS)
