"""Extraction of many samples: what is done, in which order, and what a stop or a fault leaves."""

import weakref
from dataclasses import replace
from functools import partial

import pytest

from finemo_dist.core.config import ResourceConfig
from finemo_dist.core.errors import IncompleteRunError, InputError, StoreError, UsageError
from finemo_dist.core.events import NodeRests, ShardExtracted, UnitDone, UnitFailed
from finemo_dist.core.records import Stage as UnitStage
from finemo_dist.core.records import Unit
from finemo_dist.run.extraction import ExtractionPlan, extract_samples
from finemo_dist.run.extraction_worker import ExtractionWorker, Stage
from finemo_dist.run.resources import Machine, choose_extractor
from finemo_dist.run.serial import SerialExecutor
from finemo_dist.store import staging
from finemo_dist.store.read import open_store
from finemo_dist.store.verify import verify
from tests.unit.run.extractions import (
    N_REGIONS,
    N_SHARDS,
    WIDTH,
    broken,
    content,
    expected_store,
    extractions,
    simulated,
    spec_of,
)


def extract(samples, *, make=SerialExecutor, check=lambda begun: None, overwrite=False):
    """Extract in this process; return the shards that were written."""
    events = []
    left_out = extract_samples(
        samples,
        executor_for=lambda plan: make(plan.spec),
        check=check,
        on_event=events.append,
        overwrite=overwrite,
    )
    left_out.raise_any(len(samples))
    return [event.unit for event in events if isinstance(event, ShardExtracted)]


def stopping_after(n_units):
    """Return an executor that is interrupted after so many shards."""

    class Stopping(SerialExecutor):
        def run(self, units):
            n_done = 0
            for event in super().run(units):
                yield event
                n_done += isinstance(event, UnitDone)
                if self._spec.stage is Stage.WRITE and n_done == n_units:
                    raise KeyboardInterrupt

    return Stopping


def identity(folder):
    """Inode and time of every shard of an array: a shard that is written again has others."""
    stats = {p.name: p.stat() for p in folder.glob("**/sequence/c.*")}
    return {shard: (stat.st_ino, stat.st_mtime_ns) for shard, stat in stats.items()}


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_stores_are_those_that_one_process_writes_in_one_go(tmp_path):
    written = extract(extractions(tmp_path / "out", a=1, b=2))

    assert written == [Unit(name, shard) for name in "ab" for shard in range(N_SHARDS)]
    assert names(tmp_path / "out") == ["a.zarr", "b.zarr"]
    for name, seed in (("a", 1), ("b", 2)):
        expected = expected_store(tmp_path / name, seed)
        assert content(tmp_path / "out" / f"{name}.zarr") == content(expected)


def test_stores_that_stand_are_left_alone(tmp_path):
    extract(extractions(tmp_path, a=1))
    before = identity(tmp_path)

    assert extract(extractions(tmp_path, a=1)) == []
    assert identity(tmp_path) == before
    assert names(tmp_path) == ["a.zarr"]


@pytest.mark.parametrize("n_units", [1, 2, N_SHARDS, N_SHARDS + 2])
def test_a_stopped_extraction_goes_on_from_the_shards_that_stand(tmp_path, n_units):
    with pytest.raises(KeyboardInterrupt):
        extract(extractions(tmp_path / "out", a=1, b=2), make=stopping_after(n_units))
    before = identity(tmp_path)

    written = extract(extractions(tmp_path / "out", a=1, b=2))

    assert len(written) == 2 * N_SHARDS - n_units
    assert before.items() <= identity(tmp_path).items() or n_units > N_SHARDS
    for name, seed in (("a", 1), ("b", 2)):
        expected = expected_store(tmp_path / name, seed)
        assert content(tmp_path / "out" / f"{name}.zarr") == content(expected)


def test_a_shard_without_its_record_is_written_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        extract(extractions(tmp_path, a=1), make=stopping_after(2))
    (record,) = tmp_path.glob("**/partitions/00001.json")
    record.unlink()
    (half,) = tmp_path.glob("**/contributions/c.1.0")
    half.write_bytes(half.read_bytes()[:100])

    assert extract(extractions(tmp_path, a=1)) == [Unit("a", 1), Unit("a", 2)]
    assert verify(tmp_path / "a.zarr") == []


def test_a_stop_between_the_last_shard_and_the_name_costs_no_shard(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        extract(extractions(tmp_path, a=1), make=stopping_after(2))
    (staged,) = tmp_path.glob(".a.zarr.staging/0")
    worker = spec_of(Stage.WRITE, extractions(tmp_path, a=1)).make_worker("w")
    worker.process(Unit("a", 2))

    assert not staged.exists()
    assert extract(extractions(tmp_path, a=1)) == []
    assert names(tmp_path) == ["a.zarr"]


@pytest.mark.parametrize("changed", [{"seed": 2}, {"seed": 1, "width": WIDTH + 2}])
def test_inputs_or_a_width_that_changed_begin_a_store_anew(tmp_path, changed):
    with pytest.raises(KeyboardInterrupt):
        extract(extractions(tmp_path, a=1), make=stopping_after(2))

    written = extract(extractions(tmp_path, a=partial(simulated, **changed)))

    assert len(written) == N_SHARDS
    assert open_store(tmp_path / "a.zarr").region_width == changed.get("width", WIDTH)


def test_a_store_of_other_inputs_is_replaced_only_when_that_is_asked(tmp_path):
    extract(extractions(tmp_path, a=1))
    before = content(tmp_path / "a.zarr")

    with pytest.raises(InputError, match=r"a\.zarr: was extracted from other inputs.*--force"):
        extract(extractions(tmp_path, a=2))
    assert content(tmp_path / "a.zarr") == before
    assert names(tmp_path) == ["a.zarr"]

    assert len(extract(extractions(tmp_path, a=2), overwrite=True)) == N_SHARDS
    assert content(tmp_path / "a.zarr") == content(expected_store(tmp_path / "b", 2))


def test_what_is_no_store_is_never_replaced(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "thesis.tex").write_text("precious")

    with pytest.raises(InputError, match="no region store here"):
        extract(extractions(tmp_path, a=1), overwrite=True)

    assert content(tmp_path / "a.zarr") == {"thesis.tex": b"precious"}


def test_a_store_is_replaced_only_by_a_whole_one(tmp_path):
    extract(extractions(tmp_path, a=1))
    before = content(tmp_path / "a.zarr")

    with pytest.raises(KeyboardInterrupt):
        extract(extractions(tmp_path, a=2), make=stopping_after(2), overwrite=True)

    assert content(tmp_path / "a.zarr") == before


def test_one_sample_that_is_refused_says_so_in_the_words_of_its_source(tmp_path):
    with pytest.raises(InputError) as caught:
        extract(extractions(tmp_path / "out", a=broken))

    assert str(caught.value) == "gone.bw: no such file. Check the path."
    assert not (tmp_path / "out").exists()


def test_samples_that_are_refused_are_all_named_and_the_others_extracted(tmp_path):
    with pytest.raises(InputError) as caught:
        extract(extractions(tmp_path, a=1, b=broken, c=2, d=broken))

    message = str(caught.value)
    assert message.startswith("2 of 4 samples were not extracted")
    assert "b: gone.bw: no such file" in message
    assert "d: gone.bw: no such file" in message
    assert "\n" not in message
    assert names(tmp_path) == ["a.zarr", "c.zarr"]


def failing_at(victim):
    """Return an executor that cannot write one shard."""

    class Failing(SerialExecutor):
        def run(self, units):
            is_writing = self._spec.stage is Stage.WRITE
            yield from super().run([u for u in units if not is_writing or u != victim])
            if is_writing:
                yield UnitFailed(victim, "w", "a.zarr: cannot be written.", is_final=True)

    return Failing


def test_a_shard_that_cannot_be_written_leaves_the_others_for_the_rerun(tmp_path):
    with pytest.raises(IncompleteRunError, match=r"1 of 2 samples.*a: a\.zarr: cannot be written"):
        extract(extractions(tmp_path, a=1, b=2), make=failing_at(Unit("a", 1)))

    assert (tmp_path / "b.zarr").exists()
    assert not (tmp_path / "a.zarr").exists()
    assert extract(extractions(tmp_path, a=1, b=2)) == [Unit("a", 1)]


def test_what_is_refused_before_the_first_shard_leaves_nothing(tmp_path):
    def refuse(begun):
        assert [(s.name, s.n_regions, s.pending) for s in begun] == [
            ("a", N_REGIONS, (0, 1, 2)),
            ("b", N_REGIONS, (0, 1, 2)),
        ]
        raise UsageError("too small a disk")

    with pytest.raises(UsageError, match="too small a disk"):
        extract(extractions(tmp_path / "out", a=1, b=2), check=refuse)

    assert not (tmp_path / "out").exists()


def test_what_is_refused_leaves_shards_that_stood(tmp_path):
    def refuse(begun):
        raise UsageError("too small a disk")

    with pytest.raises(KeyboardInterrupt):
        extract(extractions(tmp_path, a=1), make=stopping_after(2))
    with pytest.raises(UsageError):
        extract(extractions(tmp_path, a=1), check=refuse)

    assert extract(extractions(tmp_path, a=1)) == [Unit("a", 2)]


def test_a_writer_of_an_earlier_claim_writes_no_more_into_the_store(tmp_path):
    """The process that started it was killed, and it lives on while the same command goes on."""
    earlier = extractions(tmp_path, a=1)
    with pytest.raises(KeyboardInterrupt):
        extract(earlier, make=stopping_after(1))
    later = extractions(tmp_path, a=1)
    before = identity(tmp_path)

    with pytest.raises(StoreError, match="no region store here"):
        ExtractionWorker(spec_of(Stage.WRITE, earlier), "orphan").process(Unit("a", 1))

    assert identity(tmp_path) == before
    assert len(extract(later)) == N_SHARDS - 1


def test_a_worker_makes_a_source_once_for_the_units_of_a_sample(tmp_path):
    made = []

    def make(seed):
        made.append(seed)
        return simulated(seed)

    samples = extractions(tmp_path, a=partial(make, 1), b=partial(make, 2))
    extract(samples)

    assert made == [1, 2, 1, 2], "once to begin, once to write"


def test_inputs_that_change_while_the_work_goes_on_are_refused(tmp_path):
    seeds = iter([1, 2])

    with pytest.raises(InputError, match="was made for other inputs than those given now"):
        extract(extractions(tmp_path, a=lambda: simulated(next(seeds))))

    assert not (tmp_path / "a.zarr").exists()


def test_a_claim_takes_what_the_last_one_left_and_nothing_else(tmp_path):
    path = tmp_path / "a.zarr"
    first = staging.claim(path)
    staging.begin(first, simulated(1))

    second = staging.claim(path)
    first.mkdir()
    third = staging.claim(path)

    assert not second.exists()
    assert staging.unwritten(third) == [0, 1, 2]
    assert len({first, second, third}) == 3


def plan_of(n_units, n_bases):
    return ExtractionPlan(
        spec_of(Stage.WRITE, {}), tuple(Unit("a", i) for i in range(n_units)), n_bases
    )


@pytest.mark.parametrize(
    ("resources", "plan", "kind", "n_workers"),
    [
        ({}, plan_of(4, 10**6), "serial", 1),
        ({}, plan_of(400, 10**9), "processes", 8),
        ({}, plan_of(3, 10**9), "processes", 3),
        ({}, plan_of(3, 0), "serial", 1),
        ({}, plan_of(1500, 0), "processes", 8),
        ({"executor": "serial"}, plan_of(400, 10**9), "serial", 1),
        ({"executor": "ray", "n_workers": 2}, plan_of(4, 10**3), "ray", 2),
        ({"n_workers": 1}, plan_of(400, 10**9), "serial", 1),
    ],
)
def test_small_work_stays_in_the_process_and_large_work_takes_every_core(
    resources, plan, kind, n_workers
):
    executor = choose_extractor(ResourceConfig(**resources), plan, Machine(n_cores=8, n_gpus=0))

    assert executor.describe() == {"kind": kind, "n_workers": n_workers, "device": "cpu"}


def test_a_worker_lets_go_of_a_source_once_the_next_is_made(tmp_path):
    """It holds a table of regions; until then it holds the genome, which the next may share."""
    made = []

    def make(seed):
        assert all(source() is None for source in made[:-1])
        source = simulated(seed)
        made.append(weakref.ref(source))
        return source

    extract(extractions(tmp_path, **{f"s{i}": partial(make, i) for i in range(3)}))

    assert len(made) == 6
    assert all(source() is None for source in made)


def test_a_store_is_finished_only_with_the_files_of_all_its_shards(tmp_path):
    """A writer taken for lost comes back, removes a shard to write it anew, and is stopped."""
    with pytest.raises(KeyboardInterrupt):
        extract(extractions(tmp_path, a=1), make=stopping_after(2))
    (lost,) = tmp_path.glob("**/contributions/c.1.0")
    lost.unlink()

    assert extract(extractions(tmp_path, a=1)) == [Unit("a", 1), Unit("a", 2)]
    assert verify(tmp_path / "a.zarr") == []


def test_a_store_that_lost_a_shard_is_mended_by_a_rerun(tmp_path):
    extract(extractions(tmp_path, a=1))
    whole = content(tmp_path / "a.zarr")
    (lost,) = (tmp_path / "a.zarr").glob("sequence/c.2.*")
    lost.unlink()

    assert len(extract(extractions(tmp_path, a=1))) == N_SHARDS
    assert content(tmp_path / "a.zarr") == whole
    assert names(tmp_path) == ["a.zarr"]


def test_a_node_that_rests_is_warned_of(tmp_path, caplog):
    class Resting(SerialExecutor):
        def run(self, units):
            yield NodeRests("node-3", 5.0, "no space is left")
            yield from super().run(units)

    assert len(extract(extractions(tmp_path, a=1), make=Resting)) == N_SHARDS
    assert {r.getMessage() for r in caplog.records} == {
        "node node-3 extracts nothing for 5 s: no space is left"
    }


def test_stores_on_object_storage_are_made_once_under_their_name(local_bucket, tmp_path):
    """There is no folder to make them in: the name of a store is that of one in the making."""
    out = local_bucket("out")

    with pytest.raises(KeyboardInterrupt):
        extract(extractions(out, a=1, b=2), make=stopping_after(N_SHARDS + 1))

    # The first is whole, and only the second is begun.
    begun = []
    written = extract(extractions(out, a=1, b=2), check=begun.extend)
    assert [(store.name, store.pending) for store in begun] == [("b", (1, 2))]
    assert written == [Unit("b", 1), Unit("b", 2)]
    for name, seed in (("a", 1), ("b", 2)):
        store = open_store(out / f"{name}.zarr")
        assert store.digest == open_store(expected_store(tmp_path / name, seed)).digest


@pytest.mark.parametrize("mode", [None, "pp"])
@pytest.mark.parametrize("is_told", [True, False])
def test_a_store_is_given_its_name_once_whoever_has_told_of_it(tmp_path, mode, is_told):
    """Whoever did it first may have been lost before it said so."""
    samples = extractions(tmp_path, a=1)
    samples["a"] = replace(samples["a"], mode=mode)
    with pytest.raises(KeyboardInterrupt):
        extract(samples, make=stopping_after(N_SHARDS - 1))
    worker = ExtractionWorker(spec_of(Stage.WRITE, samples), "w")
    worker.process(Unit("a", N_SHARDS - 1))
    finish = Unit("a", 0, UnitStage.STORE)
    if not is_told:
        worker.process(finish)

    done = worker.process(finish)

    assert (done.unit, done.n_regions) == (finish, N_REGIONS)
    assert done.note == open_store(tmp_path / "a.zarr").digest
    assert names(tmp_path) == ["a.zarr"]
