"""Runs that lose a sample, their record or a store, and what the same command does next."""

import json
import shutil
from collections import Counter

import pytest

from finemo_dist.record.run_record import RunRecord
from finemo_dist.run import worker as workers
from finemo_dist.store.read import open_store
from tests.command import finemo_dist, read_tsv
from tests.integration.faults.outcomes import lines_with, tables_of
from tests.unit.reports.page_reader import Page, number
from tests.unit.run.runs import parts

SHARDS = ("--shard-size", "4")


@pytest.fixture
def samples(inputs):
    """Return the samples of a configuration, each with its bigWig; changed by name."""

    def make(names, **changed):
        files = {"peaks": str(inputs.peaks), "fasta": str(inputs.fasta),
                 "bigwigs": [str(inputs.files.bigwig)], "region_width": inputs.width}  # fmt: skip
        return [{"name": name, "bigwig": files | changed.get(name, {})} for name in names]

    return make


@pytest.fixture
def config(inputs, tmp_path):
    """Return a function that writes a configuration of samples."""

    def write(samples):
        content = {"output": "run", "modisco_h5": str(inputs.modisco_h5), "samples": samples,
                   "resources": {"executor": "serial"}}  # fmt: skip
        (tmp_path / "run.yaml").write_text(json.dumps(content))
        return tmp_path / "run.yaml"

    return write


def test_C24_one_refused_sample_holds_up_none_of_the_others(
    command, works, samples, config, tmp_path
):
    gone = tmp_path / "gone.bw"
    words = ("run", config(samples("abc", b={"bigwigs": [str(gone)]})))

    answer = command(*words)

    assert answer.status == 2
    assert "Traceback" not in answer.err
    (message,) = lines_with(answer, "Error: ")
    for said in ("1 of 3 samples was not called", f"b: {gone}", str(tmp_path / "run")):
        assert said in message
    for name in "ac":
        assert (tmp_path / f"run/samples/{name}/hits.tsv").stat().st_size > 0
    before = parts(tmp_path / "run")
    assert {path.split("/")[1] for path in before} == {"sample=a", "sample=c"}
    assert command(*words).status == 2
    assert parts(tmp_path / "run") == before

    shutil.copy(samples("b")[0]["bigwig"]["bigwigs"][0], gone)
    works(*words)
    assert before.items() < parts(tmp_path / "run").items()
    works("status", tmp_path / "run")


def test_C24_a_status_names_what_was_refused(command, works, samples, config, tmp_path):
    gone = tmp_path / "gone.bw"
    command("run", config(samples("ab", b={"bigwigs": [str(gone)]})))

    answer = command("status", tmp_path / "run")

    assert answer.status == 3
    (line,) = (line for line in answer.out.splitlines() if line.startswith("refused b: "))
    assert str(gone) in line
    assert "incomplete; 1 of 1 sample complete" in answer.out
    (message,) = lines_with(answer, "Error: ")
    assert "1 sample is not called" in message
    assert f"run {tmp_path / 'run.yaml'}" in message
    told = json.loads(command("status", tmp_path / "run", "--json").out)
    assert told["refused"].keys() == {"b"}
    # It may be given up as well.
    works("run", config(samples("a")))
    works("status", tmp_path / "run")


def test_C24_a_sample_that_cannot_be_called_holds_up_none_of_the_others(
    command, works, samples, config, inputs, store, tmp_path
):
    (tmp_path / "no.zarr").mkdir()
    narrow = samples("a", a={"region_width": 10})
    given = [{"name": "b", "regions": str(store)}, {"name": "c", "regions": "no.zarr"}]

    answer = command("run", config([*narrow, *given]))

    assert answer.status == 2
    (message,) = lines_with(answer, "Error: ")
    assert "2 of 3 samples were not called" in message
    assert "regions of sample 'a' are 10 bases wide" in message
    assert f"c: {tmp_path / 'no.zarr'}: no region store here" in message
    assert RunRecord.load(tmp_path / "run").refused.keys() == {"a", "c"}
    assert {path.split("/")[1] for path in parts(tmp_path / "run")} == {"sample=b"}


def test_C24_a_complete_run_keeps_a_sample_whose_inputs_went(
    command, works, samples, config, inputs, tmp_path
):
    mine = tmp_path / "mine.bw"
    shutil.copy(inputs.files.bigwig, mine)
    words = ("run", config(samples("ab", b={"bigwigs": [str(mine)]})))
    works(*words)
    record = (tmp_path / "run/run.json").read_bytes()
    mine.unlink()

    answer = command(*words)

    assert answer.status == 2
    assert str(mine) in answer.err
    assert (tmp_path / "run/run.json").read_bytes() == record


@pytest.fixture(scope="module")
def sharded(inputs, tmp_path_factory):
    """A store of three shards; not to be changed."""
    path = tmp_path_factory.mktemp("sharded") / "s.zarr"
    finemo_dist(*inputs.extract("bw"), "-o", path, *SHARDS)
    return path


@pytest.fixture(scope="module")
def whole(run_of, sharded):
    """The run of this store; not to be changed."""
    return run_of(sharded)


@pytest.fixture
def called(whole, tmp_path):
    """The run of this store, to be changed, where ``call`` writes."""
    return shutil.copytree(whole, tmp_path / "run")


def identity(run):
    """Inode and time of every part: a part that is written again has others."""
    stats = {path: (run / path).stat() for path in parts(run)}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in stats.items()}


@pytest.mark.parametrize("text", ["", "{", "half", "edited", None])
def test_C23_a_record_that_is_lost_is_made_anew_and_no_shard_is(
    works, call, sharded, called, tmp_path, text
):
    words = call(regions=sharded)
    record, before = tmp_path / "run/run.json", identity(tmp_path / "run")
    tables, whole = tables_of(tmp_path / "run"), record.read_text()
    record.unlink()
    lost = {"half": whole[: len(whole) // 2], "edited": whole.replace("12,", "13,", 1)}
    if text is not None:
        record.write_text(lost.get(text, text))

    said = works(*words)

    assert lines_with(said, "the record of the run was lost and is made anew; 3 committed shards")
    assert identity(tmp_path / "run") == before
    assert tables_of(tmp_path / "run") == tables
    works("status", tmp_path / "run")
    works("verify", tmp_path / "run")


@pytest.mark.parametrize("left", [("motifs",), ("motifs", "hits"), ("motifs", "hits", "peaks_qc")])
def test_C23_a_stop_before_the_first_record_is_resumed(works, call, sharded, whole, tmp_path, left):
    """As releases left it that wrote the motifs first."""
    for name in left:
        shutil.copytree(whole / name, tmp_path / "run" / name)

    works(*call(regions=sharded))

    assert parts(tmp_path / "run") == parts(whole)
    assert tables_of(tmp_path / "run") == tables_of(whole)


def test_C23_without_a_record_another_command_is_refused(refused, call, sharded, called, tmp_path):
    (tmp_path / "run/run.json").unlink()

    refused(
        *call("-l", "0.8", regions=sharded),
        says=(tmp_path / "run", "parts of sample 's' of other settings", "--force"),
    )


@pytest.mark.parametrize("is_lost", [False, True])
def test_C23_force_keeps_every_part_that_matches(works, call, sharded, called, tmp_path, is_lost):
    words = call("--force", regions=sharded)
    before, tables = identity(tmp_path / "run"), tables_of(tmp_path / "run")
    (bad,) = (tmp_path / "run/hits").glob("*/part-00001.parquet")
    bad.write_bytes(bad.read_bytes()[:-100])
    if is_lost:
        (tmp_path / "run/run.json").write_text("{")

    works(*words)

    now = identity(tmp_path / "run")
    changed = {path for path in now if now[path] != before[path]}
    assert {path.rsplit("/")[-1] for path in changed} == {"part-00001.parquet"}
    assert tables_of(tmp_path / "run") == tables
    works(*call("--force", "-l", "0.8", regions=sharded))
    assert identity(tmp_path / "run").keys() == before.keys()
    assert not identity(tmp_path / "run").items() & now.items()
    works("verify", tmp_path / "run")


@pytest.fixture(scope="module")
def other(inputs, tmp_path_factory):
    """A store of the same shape from other contributions; not to be changed."""
    path = tmp_path_factory.mktemp("other") / "other.zarr"
    words = inputs.extract("chrombpnet-h5", peaks=inputs.peaks)
    finemo_dist(*words, "-o", path, *SHARDS)
    assert open_store(path).n_shards == 3
    return path


@pytest.mark.parametrize("at", ["read", "tables"])
def test_S38_a_store_replaced_under_a_worker_leaves_no_hit_of_the_other(
    command, works, call, sharded, whole, other, tmp_path, monkeypatch, at
):
    store = shutil.copytree(sharded, tmp_path / "s.zarr")
    put = shutil.copytree(other, tmp_path / "other.zarr")
    name = {"read": "solve", "tables": "tables"}[at]
    original, n_calls = getattr(workers.RegionCaller, name), []

    def replacing(self, *args, **kwargs):
        n_calls.append(1)
        if len(n_calls) == 2:
            store.rename(tmp_path / "old.zarr")
            put.rename(store)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(workers, "_together", lambda sample, unit, coming: range(
        unit.shard, unit.shard + 1))  # fmt: skip
    monkeypatch.setattr(workers.RegionCaller, name, replacing)
    answer = command(*call(regions=store))

    assert answer.status == 3
    assert "Traceback" not in answer.err
    (message,) = lines_with(answer, "Error: ")
    assert "was replaced by another store while it was read" in message
    expected, found = parts(whole), parts(tmp_path / "run")
    assert {path.rsplit("/")[-1] for path in found} == {"part-00000.parquet"}
    assert found.items() <= expected.items()
    monkeypatch.undo()
    shutil.rmtree(store)
    (tmp_path / "old.zarr").rename(store)
    works(*call(regions=store))
    assert parts(tmp_path / "run") == expected


def test_S37_a_number_on_the_page_is_that_of_its_query(works, inputs, call, tmp_path):
    """Peaks that overlap: most hits are called in two regions and are one place each."""
    peaks = tmp_path / "p.narrowPeak"
    shifted = [[row[0], *(str(int(x) + 3) for x in row[1:3]), *row[3:]] for row in inputs.peak_rows]
    peaks.write_text("".join("\t".join(row) + "\n" for row in [*inputs.peak_rows, *shifted]))
    works(*inputs.extract("bw", peaks=peaks), "-o", tmp_path / "s")
    works(*call(regions=tmp_path / "s"))
    works("report", "-H", tmp_path / "run", "-m", inputs.modisco_h5, "-o", tmp_path / "report")
    page = Page((tmp_path / "report/report.html").read_text())

    def asked(name, *parameters):
        words = [word for p in parameters for word in ("-p", p)]
        works(
            "query",
            name,
            tmp_path / "run",
            *words,
            "--format",
            "tsv",
            "-o",
            tmp_path / f"{name}.tsv",
        )
        return read_tsv(tmp_path / f"{name}.tsv")

    counts = {row["motif_name"]: int(row["n_hits"]) for row in asked("counts")}
    n_hits, n_places = (len(read_tsv(tmp_path / f"run/{n}.tsv")) for n in ("hits", "hits_unique"))
    assert n_places < n_hits
    assert number(page.tiles["Hits"]) == sum(counts.values()) == n_hits
    assert number(page.notes["Hits"][0]) == n_places
    assert page.column("motif-table", "Hits") == counts
    assert sum(page.column("motif-table", "Unique hits").values()) == n_places
    spacing: dict = {}
    for row in asked("spacing", "overlaps=no", "orientation=facing"):
        bins = spacing.setdefault((row["motif_1"], row["motif_2"]), Counter())
        bins[row["orientation"], abs(float(row["distance"])) // 2 * 2] += int(row["n"])
    shown = [Counter({(o, start): n for o, start, _, n in pair}) for pair in page.data["pairs"]]
    assert shown
    assert all(bins in spacing.values() for bins in shown)
