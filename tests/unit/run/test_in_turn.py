"""GPUs call hits, and cores write files once the GPUs are let go."""

from finemo_dist.core.events import UnitDone, UnitFailed
from finemo_dist.core.records import Stage, Unit
from finemo_dist.run.in_turn import InTurn

SHARDS = {name: [Unit(name, i) for i in range(2)] for name in "ab"}
FILES = {name: Unit(name, 0, Stage.OUTPUTS) for name in "ab"}
UNITS = [unit for name in "ab" for unit in (*SHARDS[name], FILES[name])]


class Fake:
    """An executor that does everything but what it is told to fail."""

    def __init__(self, fails=()):
        self.fails = fails
        self.given = None

    def run(self, units):
        self.given = list(units)
        for unit in units:
            if unit in self.fails:
                yield UnitFailed(unit, "w", "broken", is_final=True)
            else:
                yield UnitDone(unit, "w", 1, 1, 0, 0.0, {})


def test_all_shards_are_called_before_the_first_file_is_written():
    calling, writing = Fake(), Fake()

    events = list(InTurn(calling, writing).run(UNITS))

    assert calling.given == [*SHARDS["a"], *SHARDS["b"]]
    assert writing.given == list(FILES.values())
    assert [event.unit for event in events] == [*calling.given, *writing.given]


def test_a_sample_with_a_shard_set_aside_has_no_files():
    writing = Fake()

    list(InTurn(Fake(fails=[SHARDS["a"][1]]), writing).run(UNITS))

    assert writing.given == [FILES["b"]]


def test_an_executor_without_work_is_not_begun():
    calling, writing = Fake(), Fake()

    list(InTurn(calling, writing).run([FILES["a"]]))
    assert (calling.given, writing.given) == (None, [FILES["a"]])
    list(InTurn(calling, Fake()).run(SHARDS["a"]))
    assert calling.given == SHARDS["a"]
