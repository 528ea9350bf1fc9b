"""How the files of a sample for other tools are, which are units of the run as shards are."""

import pytest

from finemo_dist.catalog.summary import SampleSummary
from finemo_dist.core.records import Stage, Unit
from finemo_dist.record.activity import Activity, InFlight
from finemo_dist.workflow.standing import standings

FILES = Unit("a", 0, Stage.OUTPUTS)


@pytest.mark.parametrize(
    ("is_written", "at_work", "failures", "state", "is_complete"),
    [
        (True, (), {}, "written", True),
        # What was written by another than the worker that still has it is written.
        (True, (FILES,), {}, "written", True),
        (False, (FILES,), {str(FILES): "full disk"}, "running", False),
        (False, (), {str(FILES): "full disk"}, "failed", False),
        (False, (Unit("b", 0, Stage.OUTPUTS), Unit("a", 0)), {}, "missing", False),
        (None, (), {}, "none", True),
    ],
)
def test_files_are_in_one_state(is_written, at_work, failures, state, is_complete):
    in_flight = tuple(InFlight(unit, "w", None, "t") for unit in at_work)
    activity = Activity(is_alive=True, last_sign="t", in_flight=in_flight, failures=failures)
    files = None if is_written is None else {"a": is_written}

    (found,) = standings([SampleSummary("a", 9, 1, 1, 9, 7, 0, 0.0)], {"a": {0}}, activity, files)

    assert (found.files, found.is_complete) == (state, is_complete)
