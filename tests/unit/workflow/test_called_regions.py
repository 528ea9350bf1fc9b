"""The regions that hits were called in, and no others."""

import pytest

import finemo_dist
from finemo_dist.core.errors import FinemoDistError, RunError, StoreError
from finemo_dist.record.run_record import RunRecord
from finemo_dist.store.read import open_store
from finemo_dist.workflow.called_regions import store_called_in
from finemo_dist.workflow.filtering import filter_hits
from finemo_dist.workflow.reported import Reported


def test_the_store_of_the_hits_is_opened(stored, tmp_path):
    (sample,) = RunRecord.load(stored()).samples

    assert store_called_in(sample).digest == open_store(tmp_path / "sample.zarr").digest


def test_a_store_that_is_gone_is_named(stored, tmp_path):
    (sample,) = RunRecord.load(stored()).samples
    (tmp_path / "sample.zarr").rename(tmp_path / "moved.zarr")

    with pytest.raises(StoreError, match=r"^sample\.zarr: "):
        store_called_in(sample)


@pytest.mark.parametrize(
    ("ask", "kind", "said"),
    [
        (
            lambda run: finemo_dist.runner_up(run),
            RunError,
            "is not the store in which the hits of sample 'sample' were called; it has been "
            "rewritten since. Call the hits again.",
        ),
        (
            lambda run: filter_hits(run, run.with_name("out"), ["cwm_similarity=0.9"]),
            RunError,
            "is not the store in which the hits of sample 'sample' were called; it has been "
            "rewritten since. Call the hits again.",
        ),
        (
            lambda run: finemo_dist.export(run, "meme", run.with_name("m"), motifs="hits"),
            StoreError,
            None,
        ),
        (
            lambda run: Reported(run).regions_of(*RunRecord.load(run).samples, run),
            StoreError,
            "has changed since sample 'sample' was called. Call hits again, or give the regions "
            "that were used with -r.",
        ),
    ],
    ids=["runner-up", "filter", "export", "report"],
)
def test_a_store_that_was_rewritten_is_refused(stored, tmp_path, ask, kind, said):
    run = stored(is_rewritten=True)

    with pytest.raises(FinemoDistError) as caught:
        ask(run)

    assert type(caught.value) is kind
    assert str(caught.value).startswith("sample.zarr: ")
    assert said is None or str(caught.value) == f"sample.zarr: {said}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "sample.zarr"]
