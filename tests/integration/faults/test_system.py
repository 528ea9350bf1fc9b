"""What the system gives and takes: files, locks, folders, sockets, bytes in names."""

import errno
import fcntl
import gzip
import importlib
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pyBigWig
import pytest
from Bio import bgzf

from finemo_dist.record.run_record import RunRecord
from finemo_dist.store.read import open_store
from tests.command import PROJECT, run_process
from tests.integration.faults.inputs import SCORES_FLAG
from tests.integration.faults.outcomes import tables_of

FEW_FILES = 64
WIDTH = 20


def write_scaffolds(folder, n_scaffolds, *, length=60):
    """Write a genome of many scaffolds with a peak and scores on each."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    names = [f"s{i}" for i in range(n_scaffolds)]
    bases = rng.choice(list("ACGT"), (n_scaffolds, length))
    records = (f">{n}\n{''.join(row)}\n" for n, row in zip(names, bases, strict=True))
    (folder / "g.fa").write_text("".join(records))
    (folder / "p.bed").write_text("".join(f"{name}\t20\t40\n" for name in names))
    with pyBigWig.open(str(folder / "b.bw"), "w") as file:
        ordered = sorted(names)
        file.addHeader([(name, length) for name in ordered])
        file.addEntries(ordered, [25] * n_scaffolds, ends=[30] * n_scaffolds,
                        values=[1.0] * n_scaffolds)  # fmt: skip
    return bases


def extract_scaffolds(folder, out):
    return (
        "extract-regions-bw", "-p", folder / "p.bed", "-f", folder / "g.fa", "-b", folder / "b.bw",
        "-w", WIDTH, "-o", out,
    )  # fmt: skip


def test_C17_scaffolds_take_no_open_file_each(works, tmp_path):
    bases = write_scaffolds(tmp_path / "g", 4 * FEW_FILES)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    n_open = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (n_open + FEW_FILES, limit[1]))
    try:
        works(*extract_scaffolds(tmp_path / "g", tmp_path / "s"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)

    found = open_store(tmp_path / "s").read(0, 4 * FEW_FILES).sequence
    expected = np.array(["ACGT".index(b) for b in bases[:, 20:40].ravel()]).reshape(-1, WIDTH)
    assert np.array_equal(found, expected)


@pytest.mark.slow
def test_C17_time_per_scaffold_does_not_grow_with_their_number(works, tmp_path):
    """CPU time of this process, so that other work on the machine counts little."""
    seconds = {}
    # The first time of the small number is that of what is loaded.
    for n_scaffolds in (500, 500, 8_000):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        write_scaffolds(folder, n_scaffolds)
        words = extract_scaffolds(folder, folder / "s")
        started = time.process_time()
        works(*words)
        seconds[n_scaffolds] = (time.process_time() - started) / n_scaffolds

    # Quadratic, it would be sixteen times as much.
    assert seconds[8_000] < 3 * seconds[500]


@pytest.fixture
def locked(inputs, tmp_path):
    """Return a modisco file that another program has locked."""
    path = tmp_path / "locked.h5"
    shutil.copy(inputs.modisco_h5, path)
    with path.open("r+b") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield path


def test_C18_a_locked_modisco_file_is_read(works, call, locked, tmp_path):
    works(*call(motifs=locked))
    works("report", "-H", tmp_path / "run", "-o", tmp_path / "report")

    assert RunRecord.load(tmp_path / "run").status == "complete"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EAGAIN, 524])
def test_C18_a_lock_that_fails_is_named_as_such(refused, call, monkeypatch, number):
    def fails(*_, **__):
        raise OSError(number, "Unable to synchronously open file (unable to lock file)")

    monkeypatch.setattr(h5py, "File", fails)

    message = refused(*call(), says=("cannot be read", "locked by another program"))
    assert "truncated" not in message


def test_C19_where_numba_may_not_write_is_said_in_one_line(refused, plain, tmp_path, monkeypatch):
    (tmp_path / "db.meme").write_text(
        "MEME version 4\n\nMOTIF a\nletter-probability matrix:\n0.7 0.1 0.1 0.1\n"
    )
    real = importlib.import_module

    def fails(name, package=None):
        if name == "memelite":
            raise RuntimeError("cannot cache function 'logaddexp2': no locator available for file")
        return real(name, package)

    monkeypatch.setattr("finemo_dist.core.optional.importlib.import_module", fails)

    refused(
        "annotate", plain, "--database", tmp_path / "db.meme", "-o", tmp_path / "o",
        says=("Set NUMBA_CACHE_DIR to a writable folder",),
    )  # fmt: skip


def bgzipped(path, content):
    with bgzf.open(path, "wb") as handle:
        handle.write(content)
    return path


@pytest.mark.parametrize("name", ["dataset_1.dat", "genome", "genome.fa", "genome.fa.gz"])
def test_C20_a_bgzipped_genome_is_told_by_its_bytes(works, inputs, tmp_path, name):
    fasta = bgzipped(tmp_path / name, inputs.fasta.read_bytes())

    works(*inputs.extract("bw", fasta=fasta), "-o", tmp_path / "s")
    works(*inputs.extract("bw"), "-o", tmp_path / "right")

    assert open_store(tmp_path / "s").digest == open_store(tmp_path / "right").digest


def test_C20_a_plain_genome_may_have_any_name(works, inputs, tmp_path):
    shutil.copy(inputs.fasta, tmp_path / "genome.fa.gz")

    works(*inputs.extract("bw", fasta=tmp_path / "genome.fa.gz"), "-o", tmp_path / "s")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress, "compressed by gzip: `gunzip` it and compress it with `bgzip`"),
        (lambda raw: b"\xfd7zXZ\x00" + raw, "compressed by xz"),
        (lambda raw: b"\xef\xbb\xbf" + raw, "begins with a byte order mark"),
    ],
    ids=["gzip", "xz", "mark"],
)
def test_C20_a_genome_in_another_form_is_refused_with_the_true_cure(
    refused, inputs, tmp_path, content, said
):
    fasta = tmp_path / "genome.fa"
    fasta.write_bytes(content(inputs.fasta.read_bytes()))

    refused(*inputs.extract("bw", fasta=fasta), "-o", tmp_path / "s", says=(fasta, said))


def test_C20_finemos_regions_may_have_any_name(works, inputs, call, tmp_path):
    np.savez(tmp_path / "r.npz", **inputs.finemo_arrays())
    (tmp_path / "r.npz").rename(tmp_path / "dataset_2.dat")

    works(*call(regions=tmp_path / "dataset_2.dat"))


@pytest.mark.ray
@pytest.mark.slow
def test_C21_a_long_TMPDIR_is_no_hindrance_to_two_workers(works, inputs, call, tmp_path):
    long = tmp_path / ("t" * 40) / ("m" * 40)
    long.mkdir(parents=True)
    works(*inputs.extract("bw"), "-o", tmp_path / "s", "--shard-size", "4")
    words = call("--workers", "2", "--executor", "ray", regions=tmp_path / "s")

    done = run_process(*words, TMPDIR=str(long))

    assert done.returncode == 0, done.stderr
    assert "2 Ray workers" in done.stderr
    works(*call("--executor", "serial", regions=tmp_path / "s", run="one"))
    assert tables_of(tmp_path / "run") == tables_of(tmp_path / "one")


def test_C21_without_a_short_folder_the_cure_is_named(tmp_path, monkeypatch):
    from finemo_dist.core.errors import RunError
    from finemo_dist.run import ray_folder

    long = tmp_path / ("t" * 60)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    monkeypatch.setattr(ray_folder, "_SHORT", (str(tmp_path / "none"),))

    with pytest.raises(RunError, match=r"TMPDIR .* at most 41, .* .--workers 1"):
        ray_folder.short_folder().__enter__()


@pytest.mark.parametrize("option", ["-o", "-p"])
def test_C22_a_path_that_is_no_text_is_refused_before_the_work(refused, inputs, tmp_path, option):
    path = tmp_path / os.fsdecode(b"d\xe9")
    if option == "-p":
        shutil.copy(inputs.peaks, path)
    words = inputs.extract("bw", **({"peaks": path} if option == "-p" else {}))
    out = path if option == "-o" else tmp_path / "s"

    refused(*words, "-o", out, says=(r"d\xe9: the argument", "not UTF-8", "Rename"))


def test_C22_a_working_directory_that_is_no_text_is_refused(refused, inputs, tmp_path, monkeypatch):
    folder = tmp_path / os.fsdecode(b"d\xe9")
    folder.mkdir()
    monkeypatch.chdir(folder)

    refused(*inputs.extract("bw"), "-o", "s", says=("the working directory", "not UTF-8"))


def test_C22_a_standard_output_of_ASCII_gets_names_spelt_out(works, call, tmp_path):
    (tmp_path / "n.tsv").write_text("pos_patterns.pattern_0\tÜnï\n")
    works(*call("-N", tmp_path / "n.tsv"))
    words = ("sql", tmp_path / "run", "SELECT DISTINCT motif_name FROM motifs WHERE strand = '+'")

    for form in ("table", "tsv"):
        done = run_process(*words, "--format", form, PYTHONIOENCODING="ascii")

        assert done.returncode == 0, done.stderr
        assert r"\xdcn\xef" in done.stdout
    assert "Ünï" in works(*words).out


NUMBERS = {
    errno.ENOSPC: "no space is left",
    errno.EMFILE: "too many files are open",
    errno.EACCES: "permission is denied",
    errno.EIO: "does not respond properly",
}


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("kind", ["bw", "chrombpnet-h5", "modisco-fmt"])
def test_C25_what_the_system_refuses_is_no_fault_of_a_format(
    refused, inputs, tmp_path, monkeypatch, kind, number
):
    """Every open of the scores fails as a system without files, room or permission does."""
    words = inputs.extract(kind)
    path = words[words.index(SCORES_FLAG[kind]) + 1]
    real_open, real_file = type(path).open, h5py.File

    def fails(where):
        if str(where) == str(path):
            raise OSError(number, os.strerror(number), str(path))

    def opened(self, *args, **options):
        fails(self)
        return real_open(self, *args, **options)

    def h5_opened(name, *args, **options):
        fails(name)
        return real_file(name, *args, **options)

    monkeypatch.setattr(type(path), "open", opened)
    monkeypatch.setattr(h5py, "File", h5_opened)

    message = refused(*words, "-o", tmp_path / "s", says=(path, NUMBERS[number]))
    assert not any(word in message for word in ("damaged", "truncated", "Expected"))


def test_C25_too_many_open_files_are_named_by_a_limit_that_is_real(inputs, tmp_path):
    files = [tmp_path / f"{i}.bw" for i in range(80)]
    for file in files:
        shutil.copy(inputs.files.bigwig, file)
    words = inputs.extract("bw", scores=files)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60)); "
        "from finemo_dist.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words), "-o", str(tmp_path / "s")],
        cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert done.returncode == 2
    assert "too many files are open. Raise the limit of open files (`ulimit -n" in done.stderr
