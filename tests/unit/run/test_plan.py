"""Plans: what is left to do, and whether a directory holds the very run that is asked for."""

import json
from contextlib import nullcontext

import pytest

from finemo_dist.core.config import CallConfig, SolverConfig
from finemo_dist.core.errors import InputError, RunError
from finemo_dist.core.records import Mode, ScoreKind, Unit
from finemo_dist.hits.layout import part_path
from finemo_dist.record.run_record import RunRecord
from finemo_dist.run.plan import (
    PlannedSample,
    plan_run,
    read_plan,
)
from finemo_dist.run.region_checks import check_regions
from finemo_dist.run.remains import OWN_ENTRIES, clear_run
from finemo_dist.run.worker import RegionWorker
from finemo_dist.store.read import open_store
from tests.unit.run.runs import MOTIF_WIDTH, N_MOTIFS, config, parts, write_inputs, write_store


def do(inputs, plan, *shards):
    worker = RegionWorker(inputs.spec(plan), "test")
    for shard in shards:
        worker.process(Unit("a", shard))


def test_a_new_run_has_every_unit_left(inputs, tmp_path):
    plan = inputs.plan(tmp_path / "run")

    assert plan.pending == tuple(Unit("a", i) for i in range(6))
    assert (plan.n_units, plan.n_committed, plan.n_pending_regions) == (6, 0, 24)
    assert (tmp_path / "run/motifs/motif_data.parquet").exists()


def test_a_run_is_recorded_before_work_starts(inputs, tmp_path):
    plan = inputs.plan(tmp_path)

    record = RunRecord.load(tmp_path)
    assert record == plan.record
    assert (record.status, record.n_motifs, record.motif_width) == (
        "running",
        2 * N_MOTIFS,
        MOTIF_WIDTH,
    )
    assert record.samples[0].has_coordinates


def test_units_of_all_samples_follow_each_other(tmp_path):
    inputs = write_inputs(tmp_path, samples=("b", "a"), n_regions=6)

    plan = inputs.plan(tmp_path / "run")

    assert [str(unit) for unit in plan.pending] == ["b[0]", "b[1]", "a[0]", "a[1]"]


def test_the_same_run_has_what_is_not_committed_left(inputs, tmp_path):
    do(inputs, inputs.plan(tmp_path), 0, 3)

    for plan in (inputs.plan(tmp_path), read_plan(tmp_path)):
        assert [unit.shard for unit in plan.pending] == [1, 2, 4, 5]
        assert (plan.n_committed, plan.n_pending_regions) == (2, 16)


def test_a_resumed_run_keeps_when_it_began(inputs, tmp_path):
    began = inputs.plan(tmp_path).record.model_copy(update={"created": "2001-01-01T00:00:00"})
    began.save(tmp_path)

    assert inputs.plan(tmp_path).record.created == "2001-01-01T00:00:00"


@pytest.mark.parametrize("table", ["hits", "peaks_qc"])
def test_a_unit_with_one_of_its_parts_is_left(inputs, tmp_path, table):
    do(inputs, inputs.plan(tmp_path), 2)
    part_path(tmp_path, table, Unit("a", 2)).unlink()

    assert Unit("a", 2) in inputs.plan(tmp_path).pending


def test_a_damaged_part_leaves_its_unit_and_is_named(inputs, tmp_path):
    do(inputs, inputs.plan(tmp_path), 2)
    path = part_path(tmp_path, "hits", Unit("a", 2))
    path.write_bytes(path.read_bytes()[:-9])

    plan = inputs.plan(tmp_path)

    assert Unit("a", 2) in plan.pending
    assert [str(path) in problem for problem in plan.damaged] == [True]


def test_parts_of_other_settings_do_not_count(inputs, tmp_path):
    do(inputs, inputs.plan(tmp_path), 0)
    RunRecord.load(tmp_path).model_copy(update={"config_digest": "other"}).save(tmp_path)

    assert read_plan(tmp_path).n_committed == 0


def test_parts_of_other_regions_do_not_count(inputs, tmp_path):
    do(inputs, inputs.plan(tmp_path), 0)
    record = RunRecord.load(tmp_path)
    sample = record.samples[0].model_copy(update={"store_digest": "other"})
    record.model_copy(update={"samples": (sample,)}).save(tmp_path)

    assert read_plan(tmp_path).n_committed == 0


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (config(penalty=0.8), r"motifs\.penalty was 0\.7 and is now 0\.8"),
        (config(trim_threshold=0.2), r"motifs\.trim_threshold was 0\.3 and is now 0\.2"),
        (config(names={"pos_patterns.pattern_0": "CTCF"}), r"motifs\.names"),
        (
            CallConfig(solver=SolverConfig(use_post_filter=False)),
            r"solver\.use_post_filter was True and is now False",
        ),
    ],
)
def test_a_changed_setting_is_refused_by_name(inputs, tmp_path, changed, named):
    """S24."""
    inputs.plan(tmp_path)
    before = (tmp_path / "run.json").read_bytes()

    with pytest.raises(RunError, match=rf"holds another run: .*{named}.*--force"):
        inputs.plan(tmp_path, changed)

    assert (tmp_path / "run.json").read_bytes() == before


def test_changed_regions_are_refused(tmp_path):
    inputs = write_inputs(tmp_path, n_regions=4)
    inputs.plan(tmp_path / "run")
    write_store(inputs.stores["a"], 4, seed=9)

    with pytest.raises(RunError, match="the regions of sample 'a' have changed"):
        inputs.plan(tmp_path / "run")


def test_the_same_regions_in_another_place_are_the_same_run(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    write_inputs(first, n_regions=4).plan(tmp_path / "run")

    assert write_inputs(second, n_regions=4).plan(tmp_path / "run").n_units == 1


@pytest.mark.parametrize(("samples", "word"), [(("a", "b"), "'b' is new"), (("b",), "'a' is mi")])
def test_other_samples_are_another_run(tmp_path, samples, word):
    write_inputs(tmp_path, samples=("a",), n_regions=4).plan(tmp_path / "run")

    with pytest.raises(RunError, match=word):
        write_inputs(tmp_path, samples=samples, n_regions=4).plan(tmp_path / "run")


def test_changed_motifs_are_refused(tmp_path, rng):
    inputs = write_inputs(tmp_path, n_regions=4)
    inputs.plan(tmp_path / "run")
    motifs = inputs.motifs(CallConfig())
    motifs.cwm[0, 0, 5] += 0.5

    changed = PlannedSample(open_store(inputs.stores["a"]), motifs, CallConfig())
    with pytest.raises(RunError, match="the motifs of the modisco file have changed"):
        plan_run(tmp_path / "run", {"a": changed})


@pytest.mark.parametrize("name", ["hits.tsv", "peaks_qc.tsv", "motif_data.tsv"])
def test_output_of_another_program_is_refused_and_stays(inputs, tmp_path, name):
    """S24: finemo's own output has the same names."""
    (tmp_path / name).write_text("precious\n")

    with pytest.raises(RunError, match=rf"holds {name} but no run\.json.*--force"):
        inputs.plan(tmp_path)

    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {name: "precious\n"}


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"format": "finemo_dist.run"', None])
def test_a_record_that_is_lost_is_made_anew_and_parts_are_kept(inputs, tmp_path, text):
    run = tmp_path / "run"
    do(inputs, inputs.plan(run), 0, 3)
    whole = RunRecord.load(run)
    (run / "run.json").unlink() if text is None else (run / "run.json").write_text(text)

    plan = inputs.plan(run)

    assert (plan.n_committed, len(plan.pending)) == (2, 4)
    assert RunRecord.load(run).samples == whole.samples


def test_a_record_that_was_edited_is_made_anew(inputs, tmp_path):
    run = tmp_path / "run"
    do(inputs, inputs.plan(run), 0)
    text = (run / "run.json").read_text()
    (run / "run.json").write_text(text.replace('"n_regions": 24', '"n_regions": 25'))

    assert inputs.plan(run).n_committed == 1
    assert RunRecord.load(run).samples[0].n_regions == 24


def test_without_a_record_parts_of_other_settings_are_another_run(inputs, tmp_path):
    run = tmp_path / "run"
    do(inputs, inputs.plan(run), 0)
    (run / "run.json").unlink()
    before = parts(run)

    with pytest.raises(RunError, match=r"holds parts of sample 'a' of other settings.*--force"):
        inputs.plan(run, config(penalty=0.8))
    assert parts(run) == before
    assert not (run / "run.json").exists()


def test_without_a_record_parts_of_other_samples_are_another_run(inputs, tmp_path):
    run = tmp_path / "run"
    do(inputs, inputs.plan(run), 0)
    (run / "run.json").unlink()
    (run / "hits/sample=a").rename(run / "hits/sample=z")

    with pytest.raises(RunError, match="holds parts of sample 'z', which the command"):
        inputs.plan(run)


def test_a_stop_between_motifs_and_record_is_no_hindrance(inputs, tmp_path):
    inputs.plan(tmp_path / "run")
    (tmp_path / "run/run.json").unlink()

    assert inputs.plan(tmp_path / "run").n_units == 6


def test_the_record_is_the_first_thing_in_a_run(inputs, tmp_path, monkeypatch):
    """Whatever stands in a directory belongs to a run that is known."""

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("finemo_dist.run.plan.write_motifs", stop)
    with pytest.raises(KeyboardInterrupt):
        inputs.plan(tmp_path / "run")

    assert [p.name for p in (tmp_path / "run").iterdir()] == ["run.json"]


def test_a_record_of_a_later_release_is_refused_and_stays(inputs, tmp_path):
    text = json.dumps({"format": "finemo_dist.run", "format_version": 9})
    (tmp_path / "run.json").write_text(text)

    with pytest.raises(RunError, match=r"version 9; this release reads"):
        inputs.plan(tmp_path)

    assert (tmp_path / "run.json").read_text() == text


def test_files_of_others_beside_a_run_do_not_matter(inputs, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    assert inputs.plan(tmp_path).n_units == 6


def test_clearing_removes_a_run_and_nothing_else(inputs, tmp_path):
    run = tmp_path / "run"
    do(inputs, inputs.plan(run), 0)
    (run / "regions").mkdir()
    (run / "hits.tsv").write_text("x")
    (run / "notes.txt").write_text("mine")
    (run / "figures").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/precious").write_text("mine")
    (run / "samples").symlink_to(tmp_path / "elsewhere")

    clear_run(run)

    assert sorted(p.name for p in run.iterdir()) == ["figures", "notes.txt"]
    assert (tmp_path / "elsewhere/precious").exists()


def test_clearing_what_is_not_there_does_nothing(tmp_path):
    clear_run(tmp_path / "none")

    assert not (tmp_path / "none").exists()


def test_every_entry_of_a_run_is_known_to_clearing(inputs, tmp_path):
    do(inputs, inputs.plan(tmp_path), 0)

    assert {p.name for p in tmp_path.iterdir()} <= set(OWN_ENTRIES)


def test_regions_narrower_than_the_motifs_are_refused(tmp_path):
    """C9."""
    inputs = write_inputs(tmp_path, n_regions=4)
    config_wide = CallConfig()
    motifs = inputs.motifs(config_wide)
    store = open_store(write_store(tmp_path / "narrow.zarr", 4, width=60))
    object.__setattr__(motifs, "cwm", motifs.cwm.repeat(4, axis=2))

    with pytest.raises(InputError, match=r"60 bases wide, narrower than the motifs \(80 columns\)"):
        check_regions("a", tmp_path, store, motifs=motifs, config=config_wide)


@pytest.mark.parametrize("mode", Mode)
def test_modes_of_hypothetical_contributions_need_them(inputs, tmp_path, mode):
    asked = CallConfig(solver=SolverConfig(mode=mode))
    store, motifs = open_store(inputs.stores["a"]), inputs.motifs(asked)
    needs = pytest.raises(InputError, match=rf"mode '{mode.value}' needs hypothetical ones")
    with needs if mode.contributions_are_hypothetical else nullcontext():
        check_regions("a", store.path, store, motifs=motifs, config=asked)


@pytest.mark.parametrize("mode", Mode)
def test_hypothetical_regions_serve_every_mode(tmp_path, mode):
    inputs = write_inputs(tmp_path, n_regions=4, score_kind=ScoreKind.HYPOTHETICAL)

    plan = inputs.plan(tmp_path / "run", CallConfig(solver=SolverConfig(mode=mode)))
    do(inputs, plan, 0)

    assert read_plan(tmp_path / "run").pending == ()


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("nan"), float("inf")])
def test_a_lambda_that_cannot_be_is_refused_by_motif(tmp_path, penalty):
    inputs = write_inputs(tmp_path, n_regions=4)
    motifs = inputs.motifs(CallConfig())
    motifs.penalty[4:6] = penalty

    store = open_store(inputs.stores["a"])

    with pytest.raises(InputError, match=rf"'pos_patterns\.pattern_2' has lambda {penalty}"):
        check_regions("a", store.path, store, motifs=motifs, config=CallConfig())


def test_a_store_of_no_regions_gives_a_run_of_no_units(tmp_path):
    """C7: and it still knows whether its regions have coordinates."""
    plan = write_inputs(tmp_path, n_regions=0).plan(tmp_path / "run")

    assert (plan.n_units, plan.pending) == (0, ())
    assert plan.record.samples[0].has_coordinates


def test_the_record_holds_no_digest_that_depends_on_the_machine(inputs, tmp_path):
    """Two machines with the same inputs make parts that count for each other."""
    a, b = (inputs.plan(tmp_path / name).record for name in ("a", "b"))

    assert a.config_digest == b.config_digest
    assert json.loads(a.model_dump_json())["samples"] == json.loads(b.model_dump_json())["samples"]


def test_a_worker_writes_the_same_bytes_wherever_the_run_is(inputs, tmp_path):
    for name in ("a", "b"):
        do(inputs, inputs.plan(tmp_path / name), 1, 2)

    assert parts(tmp_path / "a") == parts(tmp_path / "b") != {}
