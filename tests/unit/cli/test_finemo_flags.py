"""Flags and commands that finemo replaced: each works, with one warning that names its heir."""

import os
import re
import sys
from pathlib import Path

import pytest

from finemo_dist.cli.finemo_flags import CALL_HITS, OPTIONS, REPORT
from finemo_dist.cli.main import cli, main
from finemo_dist.workflow import calling, extracting, reporting
from tests.command import kept_signal_handlers


class AskedError(Exception):
    """What was asked for is known; nothing is to be done."""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the files that commands want to exist."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for name in ("r.npz", "m.h5", "peaks.bed", "chroms.txt", "lambdas.tsv", "hits.tsv", "x.h5"):
        Path(name).write_text("pos_patterns.pattern_0\t0.5\n")
    return tmp_path


def asked_of(monkeypatch, module, name, words):
    """Run a command up to the function that does the work; return what that is given."""
    asked = {}

    def note(*given, **named):
        asked.update(dict(enumerate(given)) | named)
        raise AskedError

    monkeypatch.setattr(module, name, note)
    with kept_signal_handlers(), pytest.raises(AskedError):
        main(list(words))
    return asked


@pytest.fixture
def call(here, monkeypatch):
    words = ("call-hits", "-r", "r.npz", "-m", "m.h5", "-o", "out")
    return lambda *more: asked_of(monkeypatch, calling, "call_hits", [*words, *more])


@pytest.fixture
def report(here, monkeypatch):
    words = ("report", "-r", "r.npz", "-H", ".", "-o", "out")
    return lambda *more: asked_of(monkeypatch, reporting, "report", [*words, *more])


def warnings_of(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if "Warning" in line]


@pytest.mark.parametrize("flag", ["-a", "--alpha", "--a", "--al", "--alph"])
def test_alpha_is_lambda(call, capsys, flag):
    assert call(flag, "0.8")["config"].motifs.penalty == 0.8
    (said,) = warnings_of(capsys)
    assert "-a/--alpha is deprecated" in said
    assert "use -l/--global-lambda" in said


def test_alpha_goes_before_lambda_as_in_finemo(call):
    assert call("-l", "0.6", "-a", "0.8")["config"].motifs.penalty == 0.8
    assert call("-a", "0.8", "-l", "0.6")["config"].motifs.penalty == 0.8


def test_lambda_alone_is_said_nothing_about(call, capsys):
    assert call("-l", "0.6")["config"].motifs.penalty == 0.6
    assert warnings_of(capsys) == []


def test_alphas_of_motifs_are_lambdas(call, capsys):
    penalties = call("-A", "lambdas.tsv")["config"].motifs.penalties

    assert penalties == {"pos_patterns.pattern_0": 0.5}
    assert "use -L/--motif-lambdas" in warnings_of(capsys)[0]


def test_peaks_and_the_order_of_chromosomes_reach_the_call(call, capsys):
    asked = call("-p", "peaks.bed", "-C", "chroms.txt")

    assert (asked["peaks"], asked["chrom_order"]) == (Path("peaks.bed"), Path("chroms.txt"))
    assert [said.split("; ")[1] for said in warnings_of(capsys)] == [
        "use -p of extract-regions-*.", "use -C of extract-regions-*.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "device", "n_warnings"),
    [
        ((), "auto", 0),
        (("-d", "cpu"), "cpu", 1),
        (("-d", "cuda"), "cuda", 1),
        (("-dcpu",), "cpu", 1),
        (("--device", "cpu"), "cpu", 0),
        (("--dev", "cpu"), "cpu", 0),
    ],
)
def test_the_device(call, capsys, words, device, n_warnings):
    assert call(*words)["resources"].device == device
    assert len(warnings_of(capsys)) == n_warnings
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


@pytest.mark.parametrize("flag", ["-d", "--device"])
@pytest.mark.parametrize(("seen", "hides"), [(None, "1"), ("4,7", "7"), ("GPU-a,GPU-b", "GPU-b")])
def test_one_gpu_by_its_number_hides_the_others(call, monkeypatch, flag, seen, hides):
    if seen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)

    assert call(flag, "cuda:1")["resources"].device == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == hides
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")


def test_a_gpu_that_is_hidden_is_refused(refused, here, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4")

    said = refused("call-hits", "-r", "r.npz", "-m", "m.h5", "-o", "out", "-d", "cuda:1")
    assert "CUDA_VISIBLE_DEVICES=4 shows 1 GPU." in said


def test_a_device_that_does_not_exist_is_refused(refused, here):
    words = ("call-hits", "-r", "r.npz", "-m", "m.h5", "-o", "out", "-d", "tpu")

    assert "'tpu' is not one of" in refused(*words)


def test_peaks_reach_the_report(report, capsys):
    assert report("-p", "peaks.bed")["peaks"] == Path("peaks.bed")
    assert len(warnings_of(capsys)) == 1


@pytest.mark.parametrize("flag", ["-s", "--no-seqlets", "--no-seq"])
def test_seqlets_are_left_out(report, capsys, flag):
    assert report(flag)["with_seqlets"] is False
    assert report()["with_seqlets"] is True
    assert "use -n/--no-recall" in warnings_of(capsys)[0]


@pytest.mark.parametrize("words", [("-I", "x"), ("-N", "x"), ("-t", "0.2"), ("--motif-n", "x")])
def test_what_the_report_takes_from_the_call_changes_nothing(report, capsys, words):
    assert report(*words) == report()
    (said,) = warnings_of(capsys)
    assert "of call-hits: the report follows call-hits" in said


def test_the_old_name_of_a_command_runs_the_new_one(here, monkeypatch, capsys):
    words = ["extract-regions-h5", "-c", "x.h5", "-o", "out"]
    asked = asked_of(monkeypatch, extracting, "extract_regions", words)

    assert type(asked[0]).__name__ == "ChromBpnetInput"
    assert warnings_of(capsys) == [
        "Warning: extract-regions-h5 is deprecated since finemo 0.41; use "
        "extract-regions-chrombpnet-h5."
    ]


@pytest.mark.parametrize("name", OPTIONS)
def test_every_long_option_of_finemo_is_one_here(name):
    command = cli.get_command(None, name)
    ours = {flag for option in command.params for flag in option.opts}

    assert {f"--{option}" for option in OPTIONS[name]} <= ours


@pytest.mark.parametrize(("name", "flags"), [("call-hits", CALL_HITS), ("report", REPORT)])
def test_what_was_replaced_is_not_in_the_help(command, name, flags):
    said = command(name, "--help").out

    assert "Usage" in said
    names = {name for old in flags for name in old.names}
    assert not [name for name in names if re.search(rf" {name}\b(?!-)", said)]
    assert "extract-regions-h5" not in command("--help").out


@pytest.mark.parametrize(
    ("path", "name"),
    [("/bin/finemo", "finemo"), ("./finemo-dist", "finemo-dist"), ("-c", "finemo-dist"),
     ("/x/cli/main.py", "finemo-dist"), ("", "finemo-dist")],
)  # fmt: skip
def test_the_program_goes_by_the_name_it_was_started_under(monkeypatch, capsys, path, name):
    monkeypatch.setattr(sys, "argv", [path, "--version"])
    with kept_signal_handlers(), pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith(f"{name}, version")

    monkeypatch.setattr(sys, "argv", [path, "call-hits", "-h"])
    with kept_signal_handlers(), pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith(f"Usage: {name} call-hits")


def test_messages_name_the_program_as_it_was_started(monkeypatch, capsys, finished):
    monkeypatch.setattr(sys, "argv", ["/bin/finemo", "query", "no_such", str(finished)])
    with kept_signal_handlers(), pytest.raises(SystemExit):
        main()
    assert "`finemo query --list` lists them" in capsys.readouterr().err


def test_the_line_that_resumes_names_the_program_as_it_was_started(monkeypatch, capsys):
    def stop(*_words, **_named):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", stop)
    monkeypatch.setattr(sys, "argv", ["/bin/finemo", "call-hits", "-r", "a"])
    with kept_signal_handlers(), pytest.raises(SystemExit):
        main()
    assert "resume with: finemo call-hits -r a" in capsys.readouterr().err


def test_a_regions_file_that_does_not_exist_is_the_store_of_that_name(call, capsys):
    for name in ("a", "b.zarr"):
        Path(name).mkdir()
        Path(name, "zarr.json").write_text("{}")

    assert call("-r", "a.npz")[0] == Path("a")
    assert "a.npz: does not exist; using the region store a instead\n" in capsys.readouterr().err
    assert call("-r", "b.npz")[0] == Path("b.zarr")
    Path("a.npz").touch()
    assert call("-r", "a.npz")[0] == Path("a.npz")


def test_a_folder_that_is_no_store_is_not_taken_for_one(refused, here):
    Path("a").mkdir()

    said = refused("call-hits", "-r", "a.npz", "-m", "m.h5", "-o", "out")
    assert "'a.npz' does not exist" in said
