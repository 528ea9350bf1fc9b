"""Files of a sample are written of a whole sample alone."""

import pytest

from finemo_dist.core.config import ResourceConfig
from finemo_dist.core.errors import RunError
from finemo_dist.core.records import Stage, Unit
from finemo_dist.hits.layout import part_path
from finemo_dist.record.run_record import RunRecord
from finemo_dist.workflow.outputs import OutputSpec
from tests.unit.catalog.builder import hit, write_run


def test_a_sample_that_lacks_a_shard_has_no_files(tmp_path):
    run = write_run(tmp_path / "run", {"a": [[hit()], [hit(peak_id=2)]]})
    part_path(run, "hits", Unit("a", 1)).unlink()
    spec = OutputSpec(str(run), RunRecord.load(run), {}, ResourceConfig(), n_threads=1)

    with pytest.raises(RunError) as caught:
        spec.make_worker("w").process(Unit("a", 0, Stage.OUTPUTS))

    assert str(caught.value) == (
        f"{run}: shards of sample 'a' are missing. Run the same command again to finish it."
    )
    assert not list(run.rglob("hits.tsv"))
