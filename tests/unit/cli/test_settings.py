"""From options to configurations."""

import os

import pytest

from finemo_dist.core.config import MotifConfig, ResourceConfig
from finemo_dist.core.errors import UsageError
from finemo_dist.record.run_record import RunRecord
from finemo_dist.workflow.settings import available_cores, checked, overridden

FIRST = "pos_patterns.pattern_0"


@pytest.fixture
def config_of(command, inputs, tmp_path):
    """Return the configuration that a run made with some options records."""

    def call(*words):
        run = tmp_path / "run"
        answer = command(
            "call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5, "-o", run, *words
        )
        assert answer.status == 0, answer.err
        return RunRecord.load(run).config

    return call


def test_the_defaults_are_those_of_finemo_but_for_the_exact_solver(config_of):
    config = config_of()

    assert config["motifs"] == {
        "trim_threshold": 0.3, "trim_thresholds": {}, "trim_coords": {}, "penalty": 0.7,
        "penalties": {}, "include": None, "names": {},
    }  # fmt: skip
    assert config["solver"] == {
        "name": "working-set", "mode": "pp", "use_sqrt_transform": False, "use_post_filter": True,
        "tolerance": 1e-6, "max_steps": 10000, "step_size_max": 3.0, "step_size_min": 0.08,
        "step_adjust": 0.7, "use_compile": False, "merge_palindromes": False,
    }  # fmt: skip


def test_every_option_arrives(config_of, tmp_path):
    files = {
        "T": f"{FIRST}\t0.2\n", "R": f"{FIRST}\t2\t9\n", "L": f"{FIRST}\t0.6\n",
        "I": f"{FIRST}\n\npos_patterns.pattern_1\n", "N": f"{FIRST}\tCTCF\n",
    }  # fmt: skip
    words = []
    for flag, text in files.items():
        (tmp_path / flag).write_text(text)
        words += [f"-{flag}", tmp_path / flag]

    config = config_of(
        *words, "-M", "hp", "-t", "0.4", "-l", "0.8", "-f", "-q", "-c", "1e-5", "-S", "500",
        "-s", "2", "-i", "0.1", "-j", "0.5", "--merge-palindromes",
    )  # fmt: skip

    assert config["motifs"] == {
        "trim_threshold": 0.4, "trim_thresholds": {FIRST: 0.2}, "trim_coords": {FIRST: [2, 9]},
        "penalty": 0.8, "penalties": {FIRST: 0.6},
        "include": [FIRST, "pos_patterns.pattern_1"], "names": {FIRST: "CTCF"},
    }  # fmt: skip
    assert config["solver"] == {
        "name": "working-set", "mode": "hp", "use_sqrt_transform": True, "use_post_filter": False,
        "tolerance": 1e-5, "max_steps": 500, "step_size_max": 2.0, "step_size_min": 0.1,
        "step_adjust": 0.5, "use_compile": False, "merge_palindromes": True,
    }  # fmt: skip


@pytest.mark.parametrize(("words", "is_compiled"), [((), False), (("--solver", "dense"), True)])
def test_only_the_dense_solver_is_compiled(config_of, words, is_compiled, monkeypatch):
    # Compiling takes longer than all the rest.
    monkeypatch.setattr("finemo_dist.solver.dense._compiled", lambda step: step)

    assert config_of("-J", *words)["solver"]["use_compile"] is is_compiled


@pytest.mark.parametrize(("words", "tolerance"), [((), 5e-4), (("-c", "0.01"), 0.01)])
def test_the_dense_solver_stops_by_finemos_rule(config_of, words, tolerance):
    config = config_of("--solver", "dense", *words)

    assert (config["solver"]["name"], config["solver"]["tolerance"]) == ("dense", tolerance)


@pytest.mark.parametrize(
    ("flag", "text", "message"),
    [
        ("-L", f"{FIRST}\t0\n", f"penalties.{FIRST}: Input should be greater than 0"),
        ("-L", f"{FIRST}\tnan\n", f"penalties.{FIRST}"),
        ("-T", f"{FIRST}\t1.5\n", f"trim_thresholds.{FIRST}: Input should be less than"),
        ("-R", f"{FIRST}\t5\t5\n", "trim window 5 to 5"),
        ("-T", f"{FIRST}\n", "line 1: found"),
        ("-I", "pos_patterns.patern_0\n", f"Did you mean '{FIRST}'?"),
        ("-I", "\n", "is empty"),
        ("-N", f"{FIRST}\tpos_patterns.pattern_1\n", "several motifs with the name"),
        ("-N", f"{FIRST}\ta\x00b\n", "line 1"),
    ],
)
def test_what_is_wrong_in_a_mapping_file_is_named(refused, inputs, tmp_path, flag, text, message):
    (tmp_path / "mapping.tsv").write_text(text)

    said = refused(
        "call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5, "-o", tmp_path / "run",
        flag, tmp_path / "mapping.tsv",
    )  # fmt: skip

    assert message in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("-l", "0"), ("-l", "nan"), ("-l", "inf"), ("-t", "2"), ("-t", "nan"), ("-c", "-1"),
        ("-c", "nan"), ("-j", "1"), ("-j", "nan"), ("-S", "0"), ("-s", "inf"), ("-b", "0"),
        ("-M", "xx"), ("--workers", "0"), ("--device", "tpu"), ("-l", "high"),
    ],
    ids="=".join,
)  # fmt: skip
def test_a_number_out_of_range_is_refused(refused, inputs, tmp_path, words):
    refused(
        "call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5, "-o", tmp_path / "run",
        *words,
    )  # fmt: skip

    assert not (tmp_path / "run").exists()


def test_a_value_that_does_not_fit_is_named_with_what_was_found():
    with pytest.raises(UsageError, match=r"penalty: .* \(found -1\)"):
        checked(MotifConfig, penalty=-1)


@pytest.mark.parametrize(("slurm", "cores"), [("2", 2), ("64", 4), ("0", 4), ("", 4), ("2(x3)", 4)])
def test_cores_are_those_that_slurm_grants(monkeypatch, slurm, cores):
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", slurm)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)

    assert available_cores() == cores


OPTIONS = {
    "executor": "serial", "n_workers": 3, "workers_per_gpu": 2, "device": "cpu", "batch_regions": 5,
    "ray_address": "a:1",
}  # fmt: skip


@pytest.mark.parametrize("given", [(), ("n_workers",), ("executor", "device"), tuple(OPTIONS)])
def test_options_go_before_the_resources_of_a_configuration(given):
    said = ResourceConfig(
        executor="ray", n_workers=9, device="cuda", batch_regions=9, ray_address="b:2",
        unit_timeout_s=60,
    )  # fmt: skip
    options = {key: OPTIONS[key] if key in given else None for key in OPTIONS}

    found = overridden(said, options)

    assert found.model_dump() == said.model_dump() | {key: OPTIONS[key] for key in given}


def test_run_takes_options_of_where_the_work_is_done(command, inputs, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(
        f"output: run\nmodisco_h5: {inputs.modisco_h5}\nresources: {{device: cuda}}\n"
        f"samples: [{{name: a, regions: {inputs.stores['a']}}}]\n"
    )

    answer = command("run", config, "--device", "cpu", "--executor", "serial", "--workers", 1)

    assert answer.status == 0, answer.err
    assert RunRecord.load(tmp_path / "run").executor["device"] == "cpu"
