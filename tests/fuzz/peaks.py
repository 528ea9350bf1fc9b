"""Peaks files: what is read is what an independent reading of the lines says, or a refusal."""

import gzip
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from tests.fuzz.corpus import Corpus, read_regions
from tests.fuzz.outcome import assert_clear, run_command
from tests.unit.sources.samples import CHROM_LENGTHS, WIDTH

_ODD = [
    "", ".", "-1", "NA", "1e3", "0x10", "٣", "1_0", " 5", "-5", "99999999999999", "9" * 40, "chr1",
    "'; DROP", "<b>", "../x", "\0", "\x1b[2J", "é" * 40, "+7", "1.0", "nan", "inf", "\u2028",
    "a\x85b", "2e+02", "<NA>", "250.0", "NULL",
]  # fmt: skip
_ODD_FIELDS = st.one_of(st.sampled_from(_ODD), st.text(max_size=8))


@dataclass(frozen=True, slots=True)
class PeakFile:
    """Content of a peaks file and how it is called."""

    lines: tuple[tuple[str, ...], ...]
    newline: str
    separator: str
    is_gzipped: bool
    prefix: str
    width: int

    def content(self) -> bytes:
        text = self.prefix + self.newline.join(self.separator.join(f) for f in self.lines)
        raw = text.encode("utf-8", "surrogatepass")
        return gzip.compress(raw, mtime=0) if self.is_gzipped else raw


@st.composite
def _rows(draw: st.DrawFn) -> tuple[str, ...]:
    chrom = draw(st.sampled_from([*CHROM_LENGTHS, *CHROM_LENGTHS, "chr1 ", "1", "chrUn"]))
    start = draw(st.integers(0, 900))
    end = start + draw(st.integers(0, 50))
    n_columns = draw(st.sampled_from([3, 4, 6, 10, 10, 10, 12]))
    fields = [chrom, str(start), str(end), draw(st.text(max_size=6)), "0", ".", "0", "0", "0",
              str(draw(st.integers(-1, 60))), "x", "y"][:n_columns]  # fmt: skip
    if draw(st.integers(0, 9)) == 0:
        fields[draw(st.integers(0, n_columns - 1))] = draw(_ODD_FIELDS)
    return tuple(fields)


def peak_files() -> st.SearchStrategy[PeakFile]:
    """Peaks files, most lines of which could be right."""
    other = st.sampled_from(
        [("",), ("track name=x",), ("browser position",), ("#chr", "start"), ("   ",), ("\t\t",)]
    )
    return st.builds(
        PeakFile,
        st.lists(st.one_of(_rows(), _rows(), _rows(), other), max_size=8).map(tuple),
        st.sampled_from(["\n", "\n", "\r\n", "\r"]),
        st.sampled_from(["\t", "\t", "\t", " "]),
        st.booleans(),
        st.sampled_from(["", "", "", "", "\ufeff", "#x\n", "\n\n"]),
        st.sampled_from([WIDTH, WIDTH, WIDTH, 2, 21, 600, 2000]),
    )


def check(corpus: Corpus, folder: Path, case: PeakFile) -> None:
    """Extract at the peaks."""
    path, out = folder / "peaks.bed", folder / "out.zarr"
    path.write_bytes(case.content())
    outcome = run_command(
        "extract-regions-bw", "-p", path, "-f", corpus.samples.fasta,
        "-b", corpus.samples / "scores.bw", "-o", out, "-w", case.width,
    )  # fmt: skip
    if not assert_clear(outcome):
        assert not out.exists()
        return
    found = read_regions(out)
    expected = [_expected(fields, case) for fields in _data_lines(case)]
    assert list(zip(found.chroms, found.start.tolist(), strict=True)) == expected
    for (chrom, start), codes in zip(expected, found.sequence, strict=True):
        genome = corpus.samples.genome[chrom]
        bases = [
            genome[i].upper() if 0 <= i < len(genome) else "N"
            for i in range(start, start + case.width)
        ]
        assert codes.tolist() == ["ACGT".find(b) % 5 for b in bases]


def _data_lines(case: PeakFile) -> list[list[str]]:
    raw = case.content()
    text = (gzip.decompress(raw) if case.is_gzipped else raw).decode()
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = [line for line in lines if line.strip() and not line.startswith("#")]
    kept = [line for line in kept if line.split(None, 1)[0] not in {"track", "browser"}]
    return [line.split("\t") if "\t" in line else line.split() for line in kept]


def _expected(fields: list[str], case: PeakFile) -> tuple[str, int]:
    fields = [field.strip() for field in fields]
    start, end = (int(Decimal(field)) for field in fields[1:3])
    summit = fields[9].lower() if len(fields) > 9 else "."
    has_summit = summit not in {"", ".", "-1", "-1.0", "na", "null", "nan", "<na>"}
    centre = start + int(Decimal(summit)) if has_summit else (start + end) // 2
    return fields[0], centre - case.width // 2
