"""The public functions do what the commands do, to the byte."""

import pytest
import yaml

import finemo_dist as fd
from finemo_dist.testing.dataset import write_demo
from tests.command import finemo_dist

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("demo"), n_regions=24, n_motifs=6)


@pytest.fixture(scope="module")
def inputs(demo):
    sample = demo.samples[0]
    return fd.BigWigInput(
        peaks=sample.peaks, fasta=demo.fasta, bigwigs=(sample.bigwig,), region_width=400
    )


@pytest.fixture(scope="module")
def by_command(demo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("command")
    sample = demo.samples[0]
    finemo_dist(
        "extract-regions-bw", "-p", sample.peaks, "-f", demo.fasta, "-b", sample.bigwig,
        "-w", 400, "-o", folder / "s.zarr",
    )  # fmt: skip
    finemo_dist("call-hits", "-r", folder / "s.zarr", "-m", demo.modisco_h5, "-o", folder / "run")
    return folder


@pytest.fixture(scope="module")
def by_api(demo, inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    fd.extract_regions(inputs, folder / "s.zarr")
    fd.call_hits(folder / "s.zarr", demo.modisco_h5, folder / "run")
    return folder


def tables(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for pattern in ("*.tsv", "*.bed", "hits/*/*", "peaks_qc/*/*", "motifs/*")
        for path in folder.glob(pattern)
    }


def test_extract_regions_and_call_hits_are_the_commands(by_api, by_command):
    assert len(tables(by_api / "run")) > 8
    assert tables(by_api / "run") == tables(by_command / "run")


def test_events_tell_what_happens(inputs, demo, tmp_path):
    events = []
    store = fd.extract_regions(inputs, tmp_path / "s", on_event=events.append).path
    fd.call_hits(store, demo.modisco_h5, tmp_path / "run", on_event=events.append)

    kinds = [type(event).__name__ for event in events]
    assert kinds[0] == "ExtractionPlanned"
    assert kinds.index("StageEnded") < kinds.index("CallPlanned") < kinds.index("UnitDone")
    assert kinds[-1] == "StageEnded"


def test_nothing_is_printed(by_command, inputs, demo, tmp_path, capsys):
    store = fd.extract_regions(inputs, tmp_path / "s").path
    fd.call_hits(store, demo.modisco_h5, tmp_path / "run")
    fd.open_run(tmp_path / "run").report(tmp_path / "report")
    fd.export(tmp_path / "run", "bed", tmp_path / "hits.bed")

    assert capsys.readouterr() == ("", "")


def test_run_config_takes_a_configuration_or_its_file(demo, inputs, by_command, tmp_path):
    settings = {
        "output": str(tmp_path / "from_file"),
        "modisco_h5": str(demo.modisco_h5),
        "samples": [{"name": "s", "regions": str(by_command / "s.zarr")}],
    }
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(settings))
    from_file = fd.run_config(path)
    config = fd.RunConfig(
        output=tmp_path / "made",
        modisco_h5=demo.modisco_h5,
        samples=(fd.SampleConfig(name="s", bigwig=inputs),),
    )
    made = fd.run_config(config, out=tmp_path / "elsewhere")

    assert (from_file.run_dir, made.run_dir) == (tmp_path / "from_file", tmp_path / "elsewhere")
    assert tables(from_file.run_dir) == tables(made.run_dir) == tables(by_command / "run")


def test_export_and_report_are_the_commands(by_command, tmp_path):
    run = by_command / "run"
    fd.export(run, "tsv", tmp_path / "a.tsv", table="unique")
    finemo_dist("export", run, "--to", "tsv", "--table", "unique", "-o", tmp_path / "b.tsv")
    page = fd.report(run, tmp_path / "a", window_bp=200)
    finemo_dist("report", "-H", run, "-o", tmp_path / "b", "-W", 200)

    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()
    assert page == tmp_path / "a" / "report.html"
    assert page.read_bytes() == (tmp_path / "b" / "report.html").read_bytes()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda run, out: fd.export(run, "bad", out), "no export format 'bad'"),
        (lambda run, out: fd.export(run, "h5ad", "s3://bucket/x"), "local disk only"),
        (lambda run, out: fd.open_run(out), "run.json"),
        (lambda run, out: fd.report(out, out / "report"), "neither a run directory"),
        (lambda run, out: fd.run_config(out), "run.yaml"),
    ],
)
def test_what_cannot_be_is_one_of_our_errors(by_command, tmp_path, call, says):
    with pytest.raises((fd.FinemoDistError, OSError), match=says):
        call(by_command / "run", tmp_path / "run.yaml")


def test_motifs_and_machine_are_looked_for_once_per_command(demo, inputs, tmp_path, monkeypatch):
    from finemo_dist.workflow import calling, sample_motifs

    looked = []
    for module, name in ((calling, "find_machine"), (sample_motifs, "read_motif_files")):
        real = getattr(module, name)

        def counted(*words, real=real, name=name, **options):
            looked.append(name)
            return real(*words, **options)

        monkeypatch.setattr(module, name, counted)
    names = ("first", "second")
    samples = tuple(fd.SampleConfig(name=name, bigwig=inputs) for name in names)
    fd.run_config(
        fd.RunConfig(output=tmp_path / "run", modisco_h5=demo.modisco_h5, samples=samples)
    )

    assert sorted(looked) == ["find_machine", "read_motif_files"]
