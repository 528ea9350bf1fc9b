"""What commands leave behind and say."""

from pathlib import Path

from finemo_dist.record.run_record import RunRecord
from tests.command import Answer

FILES = (
    "hits.tsv", "hits_unique.tsv", "hits.bed", "peaks_qc.tsv", "motif_data.tsv", "motif_cwms.npy",
)  # fmt: skip


def warnings_of(run: Path) -> dict[str, int]:
    """Return what a run counted."""
    return RunRecord.load(run).warnings


def lines_with(answer: Answer, text: str) -> list[str]:
    """Return the lines on standard error that hold a text."""
    return [line for line in answer.err.splitlines() if text in line]


def tables_of(run: Path) -> dict[str, bytes]:
    """Return the bytes of finemo's files, by name."""
    return {name: (run / name).read_bytes() for name in FILES if (run / name).exists()}


def everything_in(folder: Path) -> dict[Path, bytes | None]:
    """Return every path and what it holds; an index beside a FASTA is as good as none."""
    found = (p for p in folder.rglob("*") if p.suffix != ".fai")
    return {p: p.read_bytes() if p.is_file() else None for p in found}
