"""Bases from FASTA files, indexed or not."""

import fcntl
import gc
import gzip
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.sources import genome as module
from finemo_dist.sources import shared_file as shared_file_module
from finemo_dist.sources.genome import Genome
from finemo_dist.sources.shared_file import remove_left_lists, shared_file
from tests.command import wait_until
from tests.unit.sources.samples import write_fasta

GENOME = {"chr1": "ACGTNacgtnRY-" * 30, "chr2": "TTTT", "empty": ""}
CODES = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 4, 4, 4]


@pytest.fixture(params=["genome.fa", "genome.fa.gz"])
def fasta(request, tmp_path):
    path = tmp_path / request.param
    write_fasta(path, GENOME)
    return path


def decode_all(path):
    genome = Genome(path)
    return [genome.codes(chrom) for chrom in genome.lengths]


def test_genomes_of_one_file_share_what_is_decoded_while_one_lives(fasta, monkeypatch):
    decoded = []
    decode = module._Decoded._decode
    monkeypatch.setattr(
        module._Decoded,
        "_decode",
        lambda self, *args: (decoded.append(args[0]), decode(self, *args)),
    )
    first = Genome(fasta)
    first.codes("chr1")
    second = Genome(fasta)
    del first
    gc.collect()

    assert second.codes("chr1").tolist() == CODES * 30
    assert second.codes("chr2").tolist() == [3] * 4
    assert decoded == ["chr1", "chr2"]
    del second
    gc.collect()
    assert not module._IN_USE


def test_a_genome_that_was_rewritten_is_decoded_anew(fasta):
    first = Genome(fasta)
    first.codes("chr2")
    write_fasta(fasta, GENOME | {"chr2": "AAAA"})

    assert Genome(fasta).codes("chr2").tolist() == [0] * 4
    assert first.codes("chr2").tolist() == [3] * 4


def test_letters_become_codes_in_either_case(fasta):
    genome = Genome(fasta)

    assert genome.codes("chr1").tolist() == CODES * 30
    assert genome.codes("chr2").tolist() == [3] * 4
    assert genome.lengths == {name: len(bases) for name, bases in GENOME.items()}


def test_chromosome_without_bases_is_empty(fasta):
    assert Genome(fasta).codes("empty").tolist() == []


def test_pieces_join_without_seams(fasta, monkeypatch):
    expected = np.array(Genome(fasta).codes("chr1"))
    for piece in (1, 49, 50, 51, 389):
        monkeypatch.setattr(module, "_PIECE_BASES", piece)

        assert np.array_equal(Genome(fasta).codes("chr1"), expected)


def test_chromosome_is_decoded_once(fasta):
    genome = Genome(fasta)

    assert genome.codes("chr1") is genome.codes("chr1")


def test_pickled_genome_carries_no_bases(fasta):
    genome = Genome(fasta)
    genome.codes("chr1")
    copy = pickle.loads(pickle.dumps(genome))

    assert len(pickle.dumps(genome)) < 2000
    assert np.array_equal(copy.codes("chr1"), genome.codes("chr1"))


def test_index_is_left_beside_the_genome_for_the_next_time(fasta):
    Genome(fasta)

    assert fasta.with_name(fasta.name + ".fai").is_file()
    assert not list(fasta.parent.glob(".*"))


def test_read_only_folder_is_read_and_left_as_it_is(fasta):
    fasta.parent.chmod(0o555)
    try:
        assert Genome(fasta).codes("chr2").tolist() == [3] * 4
        assert [p.name for p in fasta.parent.iterdir()] == [fasta.name]
    finally:
        fasta.parent.chmod(0o755)


def test_stale_index_is_neither_used_nor_replaced(fasta):
    Genome(fasta)
    index = fasta.with_name(fasta.name + ".fai")
    stale = index.read_bytes()
    write_fasta(fasta, {"chr0": "GGGGGGG", **GENOME})
    os.utime(index, (1, 1))

    assert Genome(fasta).codes("chr1").tolist() == CODES * 30
    assert index.read_bytes() == stale


def test_index_of_another_genome_is_passed_over(tmp_path):
    path = tmp_path / "genome.fa"
    write_fasta(path, GENOME)
    other = tmp_path / "other.fa"
    write_fasta(other, {"chr0": "G" * 7, **GENOME})
    Genome(other)
    shutil.copy(tmp_path / "other.fa.fai", tmp_path / "genome.fa.fai")

    assert Genome(path).codes("chr1").tolist() == CODES * 30


def test_index_that_points_at_a_header_is_passed_over(tmp_path):
    path = tmp_path / "genome.fa"
    path.write_text(">a\nACGT\n>b\nACGT\n")
    (tmp_path / "genome.fa.fai").write_text("a\t2\t8\t60\t61\n")

    assert Genome(path).codes("a").tolist() == [0, 1, 2, 3]


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """A temporary folder of this test, also for the processes that it starts."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_nothing_is_left_in_the_temporary_folder(fasta, scratch):
    genome = Genome(fasta)
    genome.codes("chr1")

    (listed,) = scratch.iterdir()
    assert listed.stat().st_size < 200
    del genome
    gc.collect()
    assert list(scratch.iterdir()) == []


READER = """
import sys
from finemo_dist.sources import genome as module
from finemo_dist.sources.shared_file import remove_left_lists
decoded, decode = [], module._Decoded._decode
module._Decoded._decode = lambda self, *args: (decoded.append(args[0]), decode(self, *args))
genome = module.Genome(sys.argv[1])
for chrom in genome.lengths:
    genome.codes(chrom)
print(len(decoded), flush=True)
sys.stdin.read()
"""


@contextmanager
def reader_of(fasta):
    """Yield a process that has decoded a genome, or found it decoded, and holds it."""
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(fasta)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_a_genome_is_decoded_once_for_all_processes_and_outlives_the_first(
    fasta, scratch, monkeypatch
):
    genome = Genome(fasta)
    with reader_of(fasta) as first, reader_of(fasta) as second:
        n_decoded = [int(process.stdout.readline()) for process in (first, second)]
        monkeypatch.setattr(
            module._Decoded, "_decode", lambda *_: pytest.fail("was decoded a second time")
        )
        found = {chrom: genome.codes(chrom) for chrom in GENOME}

    assert sum(n_decoded) == len(GENOME)
    assert first.returncode == second.returncode == -signal.SIGKILL
    assert found["chr1"].tolist() == CODES * 30
    with reader_of(fasta) as third:
        assert int(third.stdout.readline()) == 0


def test_processes_that_are_killed_leave_a_list_that_the_next_removes(fasta, scratch):
    with reader_of(fasta) as process:
        process.stdout.readline()
        remove_left_lists()
        (listed,) = scratch.iterdir()
    assert listed.stat().st_size < 200

    remove_left_lists()

    assert list(scratch.iterdir()) == []


def test_what_is_in_a_list_is_not_trusted(fasta, scratch, tmp_path):
    """Such as the number of a process that is another by now, and a file of another's."""
    with reader_of(fasta) as process:
        process.stdout.readline()
    (listed,) = scratch.iterdir()
    with (tmp_path / "other").open("w+b") as found:
        stat = os.fstat(found.fileno())
        lines = [
            f"{os.getpid()} {found.fileno()} {stat.st_dev} {stat.st_ino}",
            f"{os.getpid()} 0 1 2",
            "nonsense",
        ]
        listed.write_text("\n".join(lines))

        assert Genome(fasta).codes("chr1").tolist() == CODES * 30
    assert (tmp_path / "other").stat().st_size == 0


def test_a_list_that_is_a_link_is_not_followed(fasta, scratch, tmp_path):
    with reader_of(fasta) as process:
        process.stdout.readline()
    (listed,) = scratch.iterdir()
    listed.unlink()
    (tmp_path / "precious").write_text("precious")
    listed.symlink_to(tmp_path / "precious")

    assert Genome(fasta).codes("chr1").tolist() == CODES * 30
    assert (tmp_path / "precious").read_text() == "precious"


def test_without_room_bases_are_decoded_where_they_are_asked_for(fasta, monkeypatch, caplog):
    usage = shutil.disk_usage("/")._replace(free=0)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    genome = Genome(fasta)

    bases = genome.codes("chr1")

    assert "has no room for the bases" in caplog.text
    assert bases[0:390].tolist() == CODES * 30
    assert bases[45:130].tolist() == (CODES * 30)[45:130]
    assert bases[7:7].tolist() == []
    assert os.fstat(genome._decoded._handle.fileno()).st_blocks == 0


def test_without_a_list_of_processes_a_file_is_of_this_process_alone(scratch, monkeypatch):
    monkeypatch.setattr(shared_file_module, "_PROCESSES", scratch / "none")

    with shared_file("key", 5) as first, shared_file("key", 5) as second:
        first.write(b"ACGTN")
        first.flush()
        assert second.read() == bytes(5)
    assert list(scratch.iterdir()) == []


def test_a_file_of_another_size_is_not_shared(scratch):
    with shared_file("key", 5) as first, shared_file("key", 7) as second:
        first.write(b"ACGTN")
        first.flush()
        assert second.read() == bytes(7)
        with shared_file("key", 5) as third:
            assert third.read() == b"ACGTN"


def test_a_list_of_another_user_is_left_alone(scratch, monkeypatch):
    with shared_file("key", 5) as first:
        (listed,) = scratch.iterdir()
        before = listed.read_bytes()
        # Its name says that it is of this user, and its owner says otherwise.
        other = os.getuid() + 1
        theirs = listed.with_name(listed.name.replace(f"-{os.getuid()}-", f"-{other}-"))
        theirs.write_bytes(before)
        monkeypatch.setattr(os, "getuid", lambda: other)
        first.write(b"ACGTN")
        first.flush()

        with shared_file("key", 5) as second:
            assert second.read() == bytes(5)
        assert theirs.read_bytes() == before


def test_a_list_that_is_removed_while_it_is_waited_for_is_made_anew(scratch):
    with shared_file("key", 5) as first:
        (listed,) = scratch.iterdir()
        first.write(b"ACGTN")
        first.flush()
        found = []
        waiting = threading.Thread(target=lambda: found.append(shared_file("key", 5)))
        with listed.open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            waiting.start()
            blocked = re.compile(rf"-> FLOCK .*:{listed.stat().st_ino} ")
            wait_until(lambda: blocked.search(Path("/proc/locks").read_text()))
            listed.unlink()
        waiting.join()

        with found[0] as second:
            assert second.read() == bytes(5)
            assert listed.read_text().split()[1] == str(second.fileno())


def test_a_genome_that_is_cut_after_it_was_opened_refuses(tmp_path):
    path = tmp_path / "g.fa"
    path.write_text(">a\nACGT\nACGT\n")
    genome = Genome(path)
    path.write_text(">a\nACGT\nA")

    with pytest.raises(InputError, match=r"a is not where the index says it is; delete the \.fai"):
        genome.codes("a")


def test_missing_genome_refuses(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Genome(tmp_path / "none.fa")


@pytest.mark.parametrize(
    "content",
    [b">a\nACGT\nACGTACGT\nAC\n", b">a\nAC\n>a\nGT\n", b"\x1f\x8b\x08\x00junk", b"\x00\x01"],
    ids=["ragged lines", "one name twice", "gzip", "bytes"],
)
def test_file_that_is_not_fasta_refuses(tmp_path, content):
    path = tmp_path / "genome.fa"
    path.write_bytes(content)

    with pytest.raises(InputError, match=r"genome\.fa"):
        decode_all(path)


def test_gzip_that_is_not_bgzip_refuses_with_the_cure(tmp_path):
    path = tmp_path / "genome.fa.gz"
    path.write_bytes(gzip.compress(b">a\nACGT\n"))

    with pytest.raises(InputError, match="bgzip"):
        Genome(path)


@pytest.mark.parametrize("content", [b"", b"ACGT\n"])
def test_a_file_without_a_chromosome_leaves_no_index(tmp_path, content):
    path = tmp_path / "g.fa"
    path.write_bytes(content)

    with pytest.raises(InputError, match="'>'"):
        Genome(path)

    assert [p.name for p in tmp_path.iterdir()] == ["g.fa"]
