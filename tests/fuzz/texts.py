"""Text in every form: a reader says the same of the same lines, however they are packed."""

import bz2
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from finemo_dist.catalog.intervals import read_intervals
from finemo_dist.core.errors import FinemoDistError
from finemo_dist.motifs.annotation import read_annotation
from finemo_dist.motifs.mappings import read_names, read_numbers, read_renames, read_windows
from finemo_dist.motifs.meme import read_meme
from finemo_dist.sources.peaks import read_chrom_order
from finemo_dist.storage.chrom_sizes import read_chrom_sizes
from finemo_dist.workflow.sample_sheet import read_sample_sheet
from finemo_dist.workflow.yaml_file import read_yaml
from tests.fuzz.corpus import Corpus

_MARK = b"\xef\xbb\xbf"
_SAME: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "mark": lambda raw: _MARK + raw,
    "gzip": lambda raw: gzip.compress(raw, mtime=0),
    "members": lambda raw: gzip.compress(raw[:9], mtime=0) + gzip.compress(raw[9:], mtime=0),
    "mark in gzip": lambda raw: gzip.compress(_MARK + raw, mtime=0),
    "CRLF": lambda raw: raw.replace(b"\n", b"\r\n"),
    "CR": lambda raw: raw.replace(b"\n", b"\r"),
    "no end": lambda raw: raw.removesuffix(b"\n"),
}
_REFUSED: dict[str, Callable[[bytes], bytes]] = {
    "UTF-16": lambda raw: raw.decode("utf-8", "replace").encode("utf-16"),
    "bzip2": bz2.compress,
    "cut gzip": lambda raw: gzip.compress(raw, mtime=0)[:-5],
}
_WORDS = st.sampled_from(
    ["chr1", "chr2 ", "a", "b", "a", "1", "250.0", "1e+05", "1_2", "-3", "0.5", "nan", "inf",
     "1e999", "", " ", "é", "\u00a0x", "\x85", "\u2028", "NULL", "#", "\x1b[2J", "٣", "9" * 30,
     "'", '"', "\0"]
)  # fmt: skip
_HEADS = {
    "annotation": ["motif_name\ttf\n", "motif_name\ttf\tfamily\n", "tf\tmotif_name\n", ""],
    "MEME": [
        "MEME version 4\n\nMOTIF a b\nletter-probability matrix: w= 1\n0.7 0.1 0.1 0.1\n",
        "MOTIF a\nletter-probability matrix:\n7 1 1 1\n1 7 1 1\n\nURL x\nMOTIF a\n",
        "ALPHABET= ACGT\nMOTIF a\nletter-probability matrix: w= 2\n0.25 0.25 0.25 0.25\n", "",
    ],
    "intervals": ["##fileformat=VCFv4.5\nchr1\t5\t.\tAC\tA\n", "chr1\t5\t9\n", "track x\n", ""],
    "sheet": ["name\tregions\na\tx.zarr\n", "name\tbigwigs\tmotifs.penalties.x\n", ""],
    "YAML": ["a: 1\nb: {c: 2, c: 3}\n", "a: &x {k: 1}\nb: {<<: *x, k: 2}\n", "a: 1\n", ""],
}  # fmt: skip
READERS: dict[str, Callable[[Path], Any]] = {
    "annotation": lambda path: read_annotation(path, ["a", "b", "chr1"]),
    "MEME": lambda path: [(m.name, m.frequencies.tolist()) for m in read_meme(path)],
    "intervals": lambda path: list(read_intervals(path)),
    "sheet": lambda path: [repr(sample) for sample in read_sample_sheet(path)],
    "YAML": lambda path: repr(read_yaml(path)),
    "-I": read_names,
    "-N": read_renames,
    "-L": lambda path: repr(read_numbers(path)),
    "-R": read_windows,
    "order": read_chrom_order,
    "sizes": read_chrom_sizes,
}


@dataclass(frozen=True, slots=True)
class Text:
    """What a reader is given, and in which form."""

    reader: str
    text: str
    form: str


@st.composite
def texts(draw: st.DrawFn) -> Text:
    """Lines of words, some of which could be right, behind a beginning that is."""
    reader = draw(st.sampled_from(sorted(READERS)))
    lines = draw(st.lists(st.lists(_WORDS, min_size=1, max_size=4), max_size=5))
    separator = draw(st.sampled_from(["\t", "\t", " ", ": "]))
    body = "".join(separator.join(words) + "\n" for words in lines)
    head = draw(st.sampled_from(_HEADS.get(reader, [""])))
    return Text(reader, head + body, draw(st.sampled_from([*_SAME, *_REFUSED])))


def check(_corpus: Corpus, folder: Path, case: Text) -> None:
    """Read the plain file and the other."""
    raw = case.text.encode()
    read = READERS[case.reader]
    plain = _answer(read, folder / "given.txt", raw)
    if case.form in _REFUSED:
        refused = _answer(read, folder / "given.txt", _REFUSED[case.form](raw))
        assert refused[0] == "refused", refused
        return
    assert _answer(read, folder / "given.txt", _SAME[case.form](raw)) == plain
    assert json.dumps(plain[1])


def _answer(read: Callable[[Path], Any], path: Path, raw: bytes) -> tuple[str, str]:
    """Return what is read, or that it is refused in one line that names the file."""
    path.write_bytes(raw)
    try:
        return "read", repr(read(path))
    except FinemoDistError as error:
        message = str(error)
        assert str(path) in message, message
        assert 20 < len(message) < 2000, message
        return "refused", ""
