"""Every reader of text there is, on text in every form it comes in.

The table of readers is held against the package: one that is not in it fails, and so does one that
opens its file by itself instead of by ``storage.text``.
"""

import ast
import bz2
import gzip
import io
import lzma
import os
import re
import threading
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finemo_dist.catalog.intervals import read_intervals
from finemo_dist.core.errors import FinemoDistError, InputError
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.hits.hits_tsv import open_hit_table
from finemo_dist.motifs.annotation import read_annotation
from finemo_dist.motifs.files import read_motif_files
from finemo_dist.motifs.jaspar import read_jaspar
from finemo_dist.motifs.mappings import read_names, read_numbers, read_renames, read_windows
from finemo_dist.motifs.meme import read_meme
from finemo_dist.sources.peaks import read_chrom_order, read_peaks
from finemo_dist.sources.variants import read_pairs, read_variants
from finemo_dist.storage.chrom_sizes import read_chrom_sizes
from finemo_dist.storage.text import open_bytes
from finemo_dist.workflow.asking import read_query
from finemo_dist.workflow.feature_files import _gtf, read_track
from finemo_dist.workflow.sample_groups import _metadata
from finemo_dist.workflow.sample_sheet import read_sample_sheet
from finemo_dist.workflow.yaml_file import read_yaml
from tests.syntax import nodes

PACKAGE = Path(__file__).resolve().parents[3] / "finemo_dist"
MARK = b"\xef\xbb\xbf"
DOORS = {"open_bytes", "read_lines", "read_text"}
"""Of ``storage.text``."""


@dataclass(frozen=True)
class Reader:
    """One reader: who opens the file, what it may hold, and what comes of it."""

    opens: tuple[str, str]
    """Module and function that call ``storage.text``."""
    text: str
    read: Callable[[Path], Any]
    refuses: frozenset[str] = frozenset()
    """Forms that it refuses on purpose."""


def peaks(path: Path) -> object:
    table = read_peaks(path, region_width=20).table
    return (
        table.chrom_names,
        table.chrom_id.tolist(),
        table.start.tolist(),
        table.peak_name.tolist(),
    )


def motifs(path: Path) -> object:
    return [(m.name, m.alternate, np.round(m.frequencies, 9).tolist()) for m in read_meme(path)]


def samples(path: Path) -> object:
    return [sample.name for sample in read_sample_sheet(path)]


BED = "# x\nchr1\t10\t40\tä\nchrUn 2\t90\t200\tb\n"
ROW = ["chr1", "5", "9", "0", "20", "m", "1", "1", "0.9", "0.9", "2", "3", "+", "p", "0"]
JASPAR = ">a A\nA [ 7 1 ]\nC [ 1 1 ]\nG [ 1 1 ]\nT [ 1 7 ]\n"


def hit_lines(path: Path) -> object:
    with open_hit_table(path) as table:
        return table.columns, [block.lines for block in table.blocks(["chr", "start", "end"])]


def kind_of_motifs(path: Path) -> object:
    return [(p.name, np.round(p.contributions, 9).tolist()) for p in read_motif_files([path])]


READERS = {
    "hit table": Reader(
        ("hits/hits_tsv.py", "open_hit_table"),
        "\t".join(FINEMO_HIT_COLUMNS) + "\n" + "\t".join(ROW) + "\n",
        hit_lines,
        # A table that breaks off is told by its last line.
        refuses=frozenset({"no last line end", "CR", "blank lines at the end"}),
    ),
    "JASPAR": Reader(
        ("motifs/jaspar.py", "_lines"),
        JASPAR,
        lambda path: [(m.name, m.frequencies.tolist()) for m in read_jaspar(path)],
    ),
    "motifs of any kind": Reader(("motifs/files.py", "_head"), JASPAR, kind_of_motifs),
    "peaks": Reader(("sources/peaks.py", "read_peaks"), BED, peaks),
    "chromosome order": Reader(
        ("sources/peaks.py", "read_chrom_order"), "chr2\t9\n\nchr1\n", read_chrom_order
    ),
    "chromosome sizes": Reader(
        ("storage/chrom_sizes.py", "read_chrom_sizes"), "chr2\t900\nchr1\t80\n", read_chrom_sizes
    ),
    "intervals in BED": Reader(
        ("catalog/intervals.py", "read_intervals"), BED, lambda path: list(read_intervals(path))
    ),
    "intervals in VCF": Reader(
        ("catalog/intervals.py", "read_intervals"),
        "##fileformat=VCFv4.5\n#CHROM\nchr1\t7\tr\tAC\tA\n",
        lambda path: list(read_intervals(path)),
    ),
    "-I": Reader(("motifs/mappings.py", "_read_rows"), "a\n\nb\n", read_names),
    "-N": Reader(("motifs/mappings.py", "_read_rows"), "a\té\nb\tc d\n", read_renames),
    "-L and -T": Reader(("motifs/mappings.py", "_read_rows"), "a\t0.5\nb\t1e-1\n", read_numbers),
    "-R": Reader(("motifs/mappings.py", "_read_rows"), "a\t0\t9\nb\t3\t20\n", read_windows),
    "annotation": Reader(
        ("motifs/annotation.py", "read_annotation"),
        "motif_name\ttf\na\tCTCF\nb\tÉ\n",
        lambda path: read_annotation(path, ["a", "b"]),
    ),
    "MEME": Reader(
        ("motifs/meme.py", "_blocks"),
        "MEME version 4\n\nMOTIF a A.x\nletter-probability matrix: w= 2\n0.7 0.1 0.1 0.1\n"
        "0 0 0 1\n\nMOTIF b\nletter-probability matrix:\n0.25 0.25 0.25 0.25\n",
        motifs,
    ),
    "sample sheet": Reader(
        ("workflow/sample_sheet.py", "_rows"),
        "name\tregions\tmodisco_h5\na\tx.zarr\tm.h5\nb\ty.zarr\tm.h5\n",
        samples,
    ),
    "variants": Reader(
        ("sources/variants.py", "read_variants"),
        "# x\nchr1\t7\tA\tG\ta\nchr1\t9\tAC\t-\té\n",
        read_variants,
    ),
    "pairs of regions": Reader(
        ("sources/variants.py", "read_pairs"), "a\t0\t2\nb\t1\t3\n", read_pairs
    ),
    "groups of samples": Reader(
        ("workflow/sample_groups.py", "_metadata"),
        "name\tx\na\t1\nb\té\n",
        lambda path: _metadata(path, ["a", "b"]),
    ),
    "query": Reader(
        ("workflow/asking.py", "read_query"),
        "SELECT 'é'\nFROM hits\n",
        lambda path: read_query(path).split(),
    ),
    "track in BED": Reader(
        ("workflow/feature_files.py", "_bed"),
        "chr1\t10\t40\tä\nchr2\t90\t200\tb\n",
        lambda path: [t.features for t in read_track(path, [("chr1", 0, 99), ("chr2", 0, 99)])],
    ),
    "track in GTF": Reader(
        ("workflow/feature_files.py", "_gtf"),
        '# x\nchr1\ta\tgene\t10\t40\t.\t+\t.\tgene_name "ä";\n',
        # The kind of a track is told by the ending of its name.
        lambda path: list(_gtf(path)),
    ),
    "YAML": Reader(("workflow/yaml_file.py", "read_yaml"), "a: é\nb:\n  c: [1, 2]\n", read_yaml),
}
OPENS_BY_ITSELF = {
    "hits", "record", "reports", "run", "store", "testing", "storage",  # files of our own
    "sources/_bigwig_file.py", "sources/_npz.py", "sources/h5.py",  # formats that are not text
    "sources/_fasta_index.py", "sources/genome.py",  # read by offsets: pipes and marks are refused
    "catalog/compacted.py", "catalog/connection.py", "catalog/named.py", "catalog/text.py",
    "exports/bigbed.py", "exports/hub.py", "exports/market.py", "exports/tabix.py",
    "core/processes.py", "sources/shared_file.py",  # of the kernel, and opened by descriptor
}  # fmt: skip
"""Folders and files that open what is no text of a user."""


def calls_by_function(path: Path) -> list[tuple[str, ast.Call]]:
    return [
        (function.name, call)
        for function in nodes(path)
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
    ]


def is_write(call: ast.Call) -> bool:
    modes = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return any(set(mode) <= set("rwxab+t") and set(mode) & set("wxa") for mode in modes)


def test_every_reader_is_in_the_table():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        name = str(path.relative_to(PACKAGE))
        if name != "storage/text.py":
            found |= {
                (name, function)
                for function, call in calls_by_function(path)
                if isinstance(call.func, ast.Name) and call.func.id in DOORS
            }

    assert found == {reader.opens for reader in READERS.values()}


def test_no_reader_opens_its_file_by_itself():
    found = []
    for path in PACKAGE.rglob("*.py"):
        name = str(path.relative_to(PACKAGE))
        if any(name == known or name.startswith(f"{known}/") for known in OPENS_BY_ITSELF):
            continue
        for function, call in calls_by_function(path):
            called = call.func
            word = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            is_door = isinstance(called, ast.Name) and word in DOORS
            is_system = isinstance(called, ast.Attribute) and ast.unparse(called).startswith("os.")
            if word in {"open", "read_text", "read_bytes"} and not (
                is_door or is_system or is_write(call)
            ):
                found.append((name, function, ast.unparse(call)))

    assert found == []


def in_two(raw: bytes) -> bytes:
    """Return bytes as bgzip and `cat a.gz b.gz` write them: one gzip member after another."""
    return gzip.compress(raw[:7]) + gzip.compress(raw[7:])


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "byte order mark": lambda raw: MARK + raw,
    "gzip": gzip.compress,
    "members of gzip": in_two,
    "byte order mark in gzip": lambda raw: gzip.compress(MARK + raw),
    "CRLF": lambda raw: raw.replace(b"\n", b"\r\n"),
    "CR": lambda raw: raw.replace(b"\n", b"\r"),
    "no last line end": lambda raw: raw.rstrip(b"\n"),
    "blank lines at the end": lambda raw: raw + b"\n\n",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", READERS)
def test_the_form_of_text_makes_no_difference(tmp_path, name, form):
    reader = READERS[name]
    raw = reader.text.encode()
    (tmp_path / "plain").write_bytes(raw)
    (tmp_path / "other").write_bytes(FORMS[form](raw))

    if form in reader.refuses:
        with pytest.raises(FinemoDistError, match=str(tmp_path / "other")):
            reader.read(tmp_path / "other")
    else:
        assert reader.read(tmp_path / "other") == reader.read(tmp_path / "plain")


@contextmanager
def piped(raw: bytes):
    """Yield the path of a pipe that gives bytes a few at a time, as `<(command)` does."""
    out, into = os.pipe()

    def fill() -> None:
        with os.fdopen(into, "wb", buffering=0) as handle:
            for i in range(0, len(raw), 5):
                handle.write(raw[i : i + 5])

    writer = threading.Thread(target=fill)
    writer.start()
    try:
        yield Path(f"/dev/fd/{out}")
    finally:
        os.close(out)
        writer.join()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", READERS)
def test_a_pipe_gives_all_it_has(tmp_path, name, pack):
    reader = READERS[name]
    (tmp_path / "plain").write_bytes(reader.text.encode())
    with piped(pack(reader.text.encode())) as path:
        found = reader.read(path)

    assert found == reader.read(tmp_path / "plain")


def zipped(raw: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("x", raw)
    return target.getvalue()


OTHERS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "xz": (lzma.compress, "compressed by xz"),
    "bzip2": (bz2.compress, "compressed by bzip2"),
    "zstd": (lambda raw: b"\x28\xb5\x2f\xfd" + raw, "compressed by zstd"),
    "zip": (zipped, "a zip archive"),
    "UTF-16": (lambda raw: raw.decode().encode("utf-16"), "is UTF-16 text"),
    "UTF-16 without a mark": (lambda raw: raw.decode().encode("utf-16-le"), "is UTF-16 text"),
    "Latin-1": (lambda raw: raw + b"# \xe9\n", "not (a )?text (file )?in UTF-8"),
    "xz in gzip": (lambda raw: gzip.compress(lzma.compress(raw)), "compressed by xz"),
    "cut gzip": (lambda raw: gzip.compress(raw)[:-9], "damaged gzip"),
    "zero bytes": (lambda raw: raw + b"a\0b\n", "zero byte|has 1 columns|as an H5 file"),
}


@pytest.mark.parametrize("form", OTHERS)
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_text_is_named_with_its_cure(tmp_path, name, form):
    change, said = OTHERS[form]
    path = tmp_path / "given"
    path.write_bytes(change(READERS[name].text.encode()))

    with pytest.raises(FinemoDistError, match=said) as caught:
        READERS[name].read(path)

    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("name", READERS)
def test_what_is_not_there_is_named(tmp_path, name):
    with pytest.raises(FinemoDistError, match="no such file"):
        READERS[name].read(tmp_path / "none")


@pytest.mark.parametrize(
    "raw",
    [b"a\tb\n", MARK + b"a\tb\n", gzip.compress(b"a\tb\n"), gzip.compress(MARK + b"a\tb\n")],
    # gzip writes the time into its header, so that the bytes are no name for a test.
    ids=["plain", "mark", "gzip", "mark in gzip"],
)
def test_libraries_get_bytes_without_mark_and_packing(tmp_path, raw):
    path = tmp_path / "t.tsv"
    path.write_bytes(raw)

    with open_bytes(path) as handle:
        assert handle.read() == b"a\tb\n"


def test_an_error_of_another_file_is_not_laid_to_the_one_that_is_read(tmp_path):
    """What goes wrong while the caller reads comes through here too."""
    path = tmp_path / "peaks.bed"
    path.write_text("chr1\t1\t2\n")
    other = FileNotFoundError(2, "No such file or directory", "/genome.fa")
    own = PermissionError(13, "Permission denied", str(path))
    bare = OSError("odd")

    for error, kind, said in (
        (other, FileNotFoundError, "/genome.fa"),
        (own, InputError, f"{path}: cannot be read: permission is denied"),
        (bare, InputError, f"{path}: cannot be read (odd). Check the path."),
    ):
        with pytest.raises(kind, match=re.escape(said)), open_bytes(path):
            raise error
