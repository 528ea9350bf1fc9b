"""Extract, call hits and ask, all on object storage, against the same on a local disk."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from finemo_dist.core.errors import RunError
from finemo_dist.record.run_record import RunRecord
from finemo_dist.storage.locations import location
from finemo_dist.storage.objects import ObjectPath
from finemo_dist.store.staging import encode
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.scenarios import make_scenario
from tests.command import PROJECT, answer_of, finemo_dist, run_process
from tests.integration.objects.conftest import KEY_ID, SECRET

pytestmark = pytest.mark.slow

_SAMPLE = "a b%/c"
_INPUTS = ("peaks.narrowPeak", "genome.fa", "contribs.bw", "modisco_results.h5")


def extract_words(data, out):
    return [
        "extract-regions-bw", "-p", f"{data}/peaks.narrowPeak", "-f", f"{data}/genome.fa",
        "-b", f"{data}/contribs.bw", "-o", out, "--shard-size", "6",
    ]  # fmt: skip


def call_words(store, data, run):
    return [
        "call-hits", "-r", store, "-m", f"{data}/modisco_results.h5", "-o", run,
        "--sample", _SAMPLE, "--executor", "serial",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def inputs(bucket, yeast_slice):
    for name in _INPUTS:
        bucket.put(f"in/{name}", yeast_slice / name)
    return str(bucket.path("in"))


@pytest.fixture(scope="module")
def local(yeast_slice, tmp_path_factory):
    """Store and run on a local disk."""
    folder = tmp_path_factory.mktemp("local")
    finemo_dist(*extract_words(yeast_slice, folder / "store.zarr"))
    finemo_dist(*call_words(folder / "store.zarr", yeast_slice, folder / "run"))
    return folder


@pytest.fixture(scope="module")
def store(inputs, bucket):
    finemo_dist(*extract_words(inputs, bucket.path("store.zarr")))
    return bucket.path("store.zarr")


@pytest.fixture(scope="module")
def run(store, inputs, bucket):
    finemo_dist(*call_words(store, inputs, bucket.path("run")))
    return bucket.path("run")


def objects_below(path):
    """Content by key."""
    return {str(p.relative_to(path)): p.read_bytes() for p in path.below()}


def parts(run):
    found = run.glob("*/sample=*/part-*.parquet")
    return {str(p.relative_to(run)): p.read_bytes() for p in found}


def test_a_store_on_objects_is_that_on_a_disk(store, local):
    on_disk = local / "store.zarr"
    expected = {
        str(p.relative_to(on_disk)): p.read_bytes() for p in on_disk.rglob("*") if p.is_file()
    }
    found = objects_below(store)

    assert found.keys() == expected.keys()
    # The inputs have other paths.
    assert {k for k in found if found[k] != expected[k]} <= {"zarr.json"}


def test_parts_and_tables_on_objects_are_those_on_a_disk(run, local):
    tables = ("hits.tsv", "hits_unique.tsv", "hits.bed", "peaks_qc.tsv", "motif_cwms.npy")

    assert len(parts(run)) == 8
    assert parts(run) == parts(local / "run")
    for name in tables:
        assert (run / name).read_bytes() == (local / "run" / name).read_bytes()


def test_commands_answer_of_a_run_on_objects(run, local, tmp_path, capsys):
    query = "SELECT motif_name, count(*) FROM hits_unique GROUP BY 1 ORDER BY 1"
    for words in (["status", "RUN"], ["sql", "RUN", query], ["query", "counts", "RUN"]):
        of_objects, of_disk = (
            answer_of(capsys, *(place if word == "RUN" else word for word in words))
            for place in (run, local / "run")
        )
        # `status` names the run.
        said = of_objects.out.replace(str(run), str(local / "run"))
        assert (of_objects.status, said, of_objects.err) == (0, of_disk.out, of_disk.err)
    assert answer_of(capsys, "verify", run).err.endswith("no problems found\n")
    for name in ("out.tsv", "out.bed", "out.parquet"):
        out = run.parent / "exported" / name
        finemo_dist("export", run, "--to", out.suffix[1:], "-o", out)
        finemo_dist("export", local / "run", "--to", out.suffix[1:], "-o", tmp_path / name)
        assert out.read_bytes() == (tmp_path / name).read_bytes()


def test_a_report_is_made_of_a_run_on_objects(run, tmp_path):
    finemo_dist("report", "-H", run, "-o", tmp_path / "report")

    assert (tmp_path / "report" / "report.html").stat().st_size


def test_coordinates_of_a_call_lie_on_objects(run, store, inputs, bucket, local, tmp_path, capsys):
    order = tmp_path / "chroms.txt"
    order.write_text("chrVI\nchrIII\nchrI\n")
    out = bucket.path("placed/run")
    more = ("-p", f"{inputs}/peaks.narrowPeak", "-C", order)

    for _ in range(2):
        finemo_dist(*call_words(store, inputs, out), *more)

    lines = (out / "hits.tsv").read_text().splitlines()
    assert lines[1].startswith("chrVI\t")
    assert sorted(lines) == sorted((local / "run" / "hits.tsv").read_text().splitlines())
    assert answer_of(capsys, "verify", out).err.endswith("no problems found\n")
    kept = {str(p.relative_to(out / "regions")).split("/")[1] for p in (out / "regions").below()}
    assert kept == {"zarr.json", "regions.npz"}


@pytest.fixture(scope="module")
def believed(bucket, tmp_path_factory):
    """A run with confidence on objects and on a disk, with hits enough for q."""
    scenario = make_scenario("noisy", seed=5, n_regions=60)
    folder = tmp_path_factory.mktemp("believed")
    encode(scenario.source, folder / "s.zarr", shard_regions=32)
    write_modisco_h5(folder / "motifs.h5", scenario.called)
    places = (bucket.path("believed/run"), folder / "run")
    for place in places:
        finemo_dist(
            "call-hits", "-r", folder / "s.zarr", "-m", folder / "motifs.h5", "-o", place,
            "--executor", "serial",
        )  # fmt: skip
        finemo_dist("confidence", place, "--executor", "serial")
    return places


def test_confidence_on_objects_is_that_on_a_disk(believed, capsys):
    query = "SELECT * FROM hit_confidence ORDER BY ALL"
    of_objects, of_disk = (answer_of(capsys, "sql", place, query).out for place in believed)

    assert of_objects == of_disk
    assert len(of_disk.splitlines()) > 100
    decoys, on_disk = (parts(place / "confidence" / "decoys") for place in believed)
    assert decoys == on_disk
    assert len(decoys) == 2 * 2 * 3


def test_a_derived_run_on_objects_is_that_on_a_disk(believed, capsys):
    derived = [place.parent / "derived" for place in believed]
    for place, out in zip(believed, derived, strict=True):
        finemo_dist("filter-hits", place, "-o", out, "--rule", "decoy_q=0.05")

    assert parts(derived[0]) == parts(derived[1])
    assert parts(derived[0]) != parts(believed[0])
    assert (derived[0] / "hits.tsv").read_bytes() == (derived[1] / "hits.tsv").read_bytes()
    assert answer_of(capsys, "verify", derived[0]).err.endswith("no problems found\n")


@pytest.fixture(scope="module")
def both(bucket, yeast_slice, store, inputs, tmp_path_factory):
    """The same run of two samples on objects and on a disk."""
    places = (bucket.path("both/run"), tmp_path_factory.mktemp("both") / "run")
    config = places[1].parent / "config.yaml"
    for place in places:
        content = {
            "output": str(place),
            "modisco_h5": f"{inputs}/modisco_results.h5",
            "samples": [{"name": name, "regions": str(store)} for name in ("a", "b")],
            "resources": {"executor": "serial"},
        }
        config.write_text(json.dumps(content))
        finemo_dist("run", config)
    return places


def test_the_next_command_of_a_run_on_objects_works_as_printed(both, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config = both[1].parent / "again.yaml"
    text = (both[1].parent / "config.yaml").read_text()
    config.write_text(text.replace(str(both[1]), str(both[0])))

    answer = answer_of(capsys, "run", config)
    _, line = answer.err.rsplit("next: ", 1)
    _, *words = shlex.split(line)
    finemo_dist(*words)

    assert (tmp_path / "run-report" / "report.html").is_file()


def test_motifs_of_a_run_on_objects_are_named(both, tmp_path, capsys):
    names = tmp_path / "names.tsv"
    names.write_text("motif_name\ttf\npos_patterns.pattern_0\tREB1\n")
    query = "SELECT motif_name, display_name FROM motifs ORDER BY ALL"
    for place in both:
        finemo_dist("annotate", place, "-a", names)
    of_objects, of_disk = (answer_of(capsys, "sql", place, query).out for place in both)

    assert "REB1" in of_objects
    assert of_objects == of_disk


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("collapse-hits",), "collapsed.tsv"),
        (("intersect-hits",), "shared.tsv.gz"),
        (("compare", "-a", "a", "-b", "b"), "motifs.tsv"),
    ],
)
def test_hits_of_runs_on_objects_are_compared(both, tmp_path, words, name):
    found = []
    for number, place in enumerate(both):
        out = tmp_path / str(number) / name
        finemo_dist(words[0], place, *words[1:], "-o", out.parent if words[1:] else out)
        found.append(out.read_bytes())

    assert found[0] == found[1]
    assert len(found[0]) > 200


def test_tables_on_objects_are_read_and_written(both, tmp_path):
    finemo_dist("collapse-hits", "-i", both[1], "-o", tmp_path / "x.tsv")
    hits = [place / "samples" / "a" / "hits.tsv" for place in both]
    outs = [both[0].parent / "x.tsv", tmp_path / "y.tsv"]
    for table, out in zip(hits, outs, strict=True):
        finemo_dist("collapse-hits", "-i", table, "-o", out)

    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert outs[0].read_bytes() != (tmp_path / "x.tsv").read_bytes()


def test_a_query_reads_the_parts_and_no_other_object(run, capsys):
    for place in (run / "run.json", run.parent / "in" / "peaks.narrowPeak", run / "hits" / "*"):
        answer = answer_of(capsys, "sql", run, f"SELECT * FROM read_text('{place}')")
        assert answer.status == 2
        assert "Cannot access file" in answer.err


def test_the_same_command_has_nothing_left_to_do(run, store, inputs, capsys, monkeypatch):
    before = parts(run)
    put = spy_on_puts(monkeypatch)
    answer = answer_of(capsys, *call_words(store, inputs, run))

    assert answer.status == 0
    assert "4 of 4 shards were already committed" in answer.err + answer.out
    assert not [p for p in put if "part-" in p]
    assert parts(run) == before


def spy_on_puts(monkeypatch):
    """The keys that are put from here on."""
    put = []
    real = ObjectPath.put_file
    monkeypatch.setattr(
        ObjectPath, "put_file", lambda path, file: (put.append(str(path)), real(path, file))[1]
    )
    return put


def test_a_killed_run_goes_on_where_it_stopped(store, inputs, bucket, local, monkeypatch):
    run = bucket.path("killed")
    kill_in_third_unit(call_words(store, inputs, run))
    committed = set(parts(run))
    put = spy_on_puts(monkeypatch)
    finemo_dist(*call_words(store, inputs, run))

    assert len(committed) == 4
    assert not committed & {p.removeprefix(f"{run}/") for p in put}
    assert parts(run) == parts(local / "run")


def kill_in_third_unit(words):
    code = (
        "import os, signal\n"
        "import finemo_dist.run.worker as worker\n"
        "from finemo_dist.cli.main import main\n"
        "write, done = worker.write_unit, []\n"
        "def write_unit(*a, **k):\n"
        "    if len(done) == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    done.append(write(*a, **k))\n"
        "    return done[-1]\n"
        "worker.write_unit = write_unit\n"
        "main()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], cwd=PROJECT, timeout=240, check=False
    )
    assert ended.returncode == -signal.SIGKILL


def test_of_two_drivers_one_owns_the_run(run):
    first, second = RunRecord.load(run), RunRecord.load(run)
    second = second.model_copy(update={"seconds": {"wall": 1.0}})
    second.save(run)

    with pytest.raises(RunError, match="another driver"):
        first.save(run)
    second.save(run)


def test_a_store_that_is_replaced_is_none_until_it_is_whole(store, inputs, bucket, capsys):
    out = bucket.path("replaced.zarr")
    finemo_dist(*extract_words(inputs, out))
    code = (
        "import os, signal\n"
        "import finemo_dist.store.staging as staging\n"
        "from finemo_dist.cli.main import main\n"
        "staging.finalise = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        "main()\n"
    )
    words = [*map(str, extract_words(inputs, out)), "--force"]
    subprocess.run([sys.executable, "-c", code, *words], cwd=PROJECT, timeout=240, check=False)
    half = answer_of(capsys, "verify", out)
    again = answer_of(capsys, *words)

    assert half.status == 2
    assert "not complete" in half.err
    assert again.status == 0
    assert objects_below(out) == objects_below(store)


def test_an_extraction_that_fails_leaves_nothing(inputs, bucket, capsys, monkeypatch):
    out = bucket.path("failed.zarr")
    monkeypatch.setattr(
        "finemo_dist.store.staging.finalise", lambda _: (_ for _ in ()).throw(OSError(28, "full"))
    )
    answer = answer_of(capsys, *extract_words(inputs, out))

    assert answer.status == 2
    assert not out.exists()


@pytest.mark.ray
def test_workers_of_ray_write_the_same_parts(store, inputs, bucket, local):
    run = bucket.path("ray")
    words = [*call_words(store, inputs, run)[:-1], "ray", "--workers", 2, "--device", "cpu"]
    # In a process of its own: it starts a Ray of its own, whose workers know its environment.
    answer = run_process(*words)

    assert answer.returncode == 0, answer.stderr
    assert parts(run) == parts(local / "run")


def refused(answer, *said, status=2):
    assert answer.status == status
    assert len(answer.err.strip().splitlines()) == 1, answer.err
    assert all(word in answer.err for word in said), answer.err
    assert SECRET not in answer.err + answer.out


@pytest.mark.parametrize("which", ["input", "store", "modisco", "out", "status"])
@pytest.mark.parametrize("fault", ["bucket", "denied", "down"])
def test_faults_are_one_line(
    request, store, inputs, yeast_slice, capsys, monkeypatch, which, fault
):
    if fault == "denied":
        request.getfixturevalue("denied")
    if fault == "down":
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    elsewhere = "s3://no-such-bucket-there/x" if fault == "bucket" else f"{inputs}/nothing/x"
    words = {
        "input": extract_words(elsewhere, elsewhere + ".zarr"),
        "store": call_words(elsewhere, inputs, elsewhere),
        "modisco": call_words(store, elsewhere, elsewhere),
        "out": extract_words(yeast_slice, elsewhere),
        "status": ["status", elsewhere],
    }[which]

    # An endpoint that is down may be up again; what is refused stays so.
    refused(answer_of(capsys, *words), "s3://", status=3 if fault == "down" else 2)


def test_what_is_not_supported_is_said(run, inputs, capsys):
    for words in (
        ["report", "-H", run, "-o", "s3://bucket/report"],
        ["compact", run],
        ["export", run, "--to", "h5ad", "-o", "s3://bucket/x.h5ad"],
        extract_words(inputs, "s3://bucket/x.npz"),
        ["run", "s3://bucket/config.yaml"],
    ):  # fmt: skip
        answer = answer_of(capsys, *words)
        assert answer.status == 2
        assert "s3://" in answer.err


def test_a_configuration_names_objects(store, inputs, bucket, local, tmp_path):
    out = bucket.path("configured")
    config = tmp_path / "config.yaml"
    content = {
        "output": str(out),
        "modisco_h5": f"{inputs}/modisco_results.h5",
        "samples": [{"name": _SAMPLE, "regions": str(store)}],
        "resources": {"executor": "serial"},
    }
    config.write_text(json.dumps(content))
    finemo_dist("run", config)

    assert parts(out) == parts(local / "run")


def test_a_configuration_is_extracted_to_objects(inputs, bucket, tmp_path):
    # In shards of the usual size, of which a configuration says nothing.
    store = bucket.path("usual.zarr")
    finemo_dist(*extract_words(inputs, store)[:-2])
    finemo_dist(*call_words(store, inputs, tmp_path / "run"))
    out = bucket.path("extracted")
    config = tmp_path / "config.yaml"
    bigwig = {
        "peaks": f"{inputs}/peaks.narrowPeak",
        "fasta": f"{inputs}/genome.fa",
        "bigwigs": [f"{inputs}/contribs.bw"],
    }
    sample = {"name": _SAMPLE, "bigwig": bigwig}
    content = {
        "output": str(out),
        "modisco_h5": f"{inputs}/modisco_results.h5",
        "samples": [sample],
        "resources": {"executor": "serial"},
    }
    config.write_text(json.dumps(content))
    finemo_dist("run", config)
    (extracted,) = bucket.path("extracted.regions").iterdir()

    assert objects_below(extracted) == objects_below(store)
    assert parts(out) == parts(tmp_path / "run")


def test_no_credential_is_written_anywhere(run, store, capsys, tmp_path):
    answer = answer_of(capsys, "-v", "sql", run, "SELECT * FROM hits LIMIT 1")
    cache = Path(os.environ["FINEMO_DIST_CACHE"])
    written = [
        (answer.out + answer.err).encode(),
        *objects_below(run).values(),
        *objects_below(store).values(),
        *(p.read_bytes() for p in cache.rglob("*") if p.is_file()),
    ]

    assert any(b"s3://" in content for content in written)
    assert not any(word.encode() in content for word in (SECRET, KEY_ID) for content in written)
    assert str(location(str(run))) == str(run)
