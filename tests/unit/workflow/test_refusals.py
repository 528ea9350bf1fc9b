"""What the functions of the package refuse before any work: a number or a place that cannot be."""

import numpy as np
import pytest

import finemo_dist
from finemo_dist.core.errors import FinemoDistError, InputError, UsageError
from finemo_dist.storage.locations import location
from finemo_dist.workflow.extracting import extract
from finemo_dist.workflow.linking import link_motifs
from tests.unit.catalog.builder import hit, write_run
from tests.unit.store.memory_source import make_source


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", {"a": [[hit()]], "b": [[hit()]]})


@pytest.mark.parametrize(
    ("ask", "kind", "said"),
    [
        (lambda run: finemo_dist.confidence(run, fraction=0), UsageError,
         "fraction 0: expected a share above 0 and at most 1."),
        (lambda run: finemo_dist.confidence(run, fraction=1.5), UsageError,
         "fraction 1.5: expected a share above 0 and at most 1."),
        (lambda run: link_motifs(run, least=0), UsageError,
         "The least similarity is 0; expected a cosine above 0, up to 1."),
        (lambda run: link_motifs(run, least=1.1), UsageError,
         "The least similarity is 1.1; expected a cosine above 0, up to 1."),
        (lambda run: finemo_dist.report(run, run.parent / "r", regions=run.parent / "x.zarr"),
         UsageError,
         "-r applies to the regions of one sample, and {run} has 2. Leave it out, or choose a "
         "sample with --sample."),
        (lambda run: finemo_dist.report(run, run.parent / "r", peaks=run.parent / "x.bed"),
         UsageError,
         "-p applies to the regions of one sample, and {run} has 2. Leave it out, or choose a "
         "sample with --sample."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_nothing(run, ask, kind, said):
    before = sorted(run.parent.rglob("*"))

    with pytest.raises(FinemoDistError) as caught:
        ask(run)

    assert type(caught.value) is kind
    assert str(caught.value) == said.format(run=run)
    assert [path for path in sorted(run.parent.rglob("*")) if path.suffix != ".lock"] == before


@pytest.mark.parametrize(
    "start", [[0.0, 1.0], [0], [[0], [1]]], ids=["no whole numbers", "one", "a table"]
)
def test_places_that_are_no_rows_are_refused(start):
    one_hot = np.zeros((2, 4, 40), np.int8)
    one_hot[:, 0] = 1
    motifs = finemo_dist.MotifSet((), finemo_dist.MotifConfig())

    with pytest.raises(InputError, match=r"^peaks: found chr of shape \(2,\) and start of shape"):
        finemo_dist.find_hits(
            one_hot, np.ones((2, 40)), motifs, peaks={"chr": ["a", "b"], "start": start}
        )


def test_what_needs_a_disk_is_refused_before_object_storage_is_asked():
    config = finemo_dist.RunConfig(
        output="s3://bucket/run", modisco_h5="m.h5", compact="place",
        samples=({"name": "a", "regions": "a.zarr"},),
    )  # fmt: skip

    with pytest.raises(UsageError, match=r"^s3://bucket/run: compacts runs on a disk only\. Leave"):
        finemo_dist.run_config(config)
    with pytest.raises(UsageError, match=r"^s3://bucket/x\.npz: finemo's regions file can be"):
        extract(make_source(3), location("s3://bucket/x.npz"))
