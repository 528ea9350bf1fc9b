"""Mapping files of -L -T -R -N -I: every line is obeyed, or the file is refused."""

import csv
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from tests.fuzz.corpus import Corpus
from tests.fuzz.outcome import assert_clear, run_command

NAMES = [f"pos_patterns.pattern_{i}" for i in range(3)] + ["neg_patterns.pattern_0"]
_VALUES = {
    "-L": ["0.7", "1", "1e3", "0.05"],
    "-T": ["0", "0.3", "1", "0.999"],
    "-R": ["0\t20", "3\t9", "5\t20"],
    "-N": ["a", "b b", "Ünï", "c/d", "'x'", "<b>", "..", "=1+1"],
    "-I": [""],
}
_ODD = [
    "nan", "inf", "-1", "0", "1e999", "", " ", "x", "0\t0", "9\t3", "-1\t5", "0\t999", "1_0", "٣",
    "\0", "a\x1bb", "pos_patterns.pattern_1", "é" * 300, '"', "1\t2\t3", "\u2028", "0x5",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mapping:
    """An option and the content of its file."""

    option: str
    lines: tuple[tuple[str, str], ...]
    newline: str
    prefix: str

    def content(self) -> bytes:
        lines = [name if not value else f"{name}\t{value}" for name, value in self.lines]
        return (self.prefix + self.newline.join(lines)).encode("utf-8", "surrogatepass")


@st.composite
def mapping_files(draw: st.DrawFn) -> Mapping:
    """Files for one of the options, most lines of which could be right."""
    option = draw(st.sampled_from(sorted(_VALUES)))
    names = draw(st.permutations(NAMES))[: draw(st.integers(0, 4))]
    lines = [[name, draw(st.sampled_from(_VALUES[option]))] for name in names]
    for line in lines:
        if draw(st.integers(0, 7)) == 0:
            line[1] = draw(st.one_of(st.sampled_from(_ODD), st.text(max_size=6)))
        if draw(st.integers(0, 15)) == 0:
            line[0] = draw(
                st.sampled_from(["", "pattern_0", "pos_patterns.pattern_9", "../x", NAMES[0]])
            )
    return Mapping(
        option,
        tuple((a, b) for a, b in lines),
        draw(st.sampled_from(["\n", "\n\n", "\r\n", "\n \n"])),
        draw(st.sampled_from(["", "", "", "\ufeff", "\n", "#\n"])),
    )


def check(corpus: Corpus, folder: Path, case: Mapping) -> None:
    """Call hits with the file."""
    path, run = folder / "mapping.tsv", folder / "run"
    path.write_bytes(case.content())
    outcome = run_command(
        "call-hits", "-r", corpus.store, "-m", corpus.modisco_h5, "-o", run, case.option, path
    )
    if not assert_clear(outcome):
        assert not run.exists()
        return
    with (run / "motif_data.tsv").open(newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    asked = {name.strip(): value.split("\t") for name, value in case.lines if name.strip()}
    forward = {r["motif_name_orig"]: r for r in rows if r["strand"] == "+"}
    for name, values in asked.items():
        row = forward[name]
        match case.option:
            case "-L":
                assert float(row["lambda"]) == float(values[0])
            case "-R":
                assert [int(row["motif_start"]), int(row["motif_end"])] == [
                    int(v) for v in values[:2]
                ]
            case "-N":
                assert row["motif_name"] == values[0].strip()
            case "-I":
                assert set(forward) == set(asked)
