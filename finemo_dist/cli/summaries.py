"""What a command says at its end: lines for people on standard error, JSON on standard output."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from finemo_dist.cli.messages import say

if TYPE_CHECKING:
    from finemo_dist.core.input_report import InputReport
    from finemo_dist.core.records import InputCounts
    from finemo_dist.workflow.calling import Call
    from finemo_dist.workflow.extracting import Extraction

_COUNT_TEXT = {
    "n_clipped": "reach over an end of their chromosome (N and zero outside)",
    "n_unknown_bases": "hold an unknown base (N)",
    "n_zero": "have no contribution at all",
    "n_nan": "had NaN contributions, read as zero",
    "n_missing_chrom": "lie on a chromosome the bigWig does not have, read as zero",
    "n_no_summit": "have no summit; the middle of the peak was taken",
    "n_summit_outside": "have their summit outside their peak (column 10 counts from its start)",
    "n_duplicate": "have the coordinates of an earlier region",
    "n_zero_off_base": "have hypothetical scores that are zero off the observed base",
}


def print_extraction(extraction: "Extraction", *, as_json: bool) -> None:
    """Say what was extracted, with a line for each kind of irregular region."""
    if as_json:
        content = asdict(extraction)
        report = content.pop("report")
        _print_json({**content, "path": str(extraction.path), **report})
        return
    rate = extraction.n_regions / max(extraction.seconds, 1e-9)
    say(
        f"{extraction.path}: {extraction.n_regions:,} regions of {extraction.region_width:,} bases "
        f"in {extraction.seconds:.1f} s ({rate:,.0f} regions/s)"
    )
    for line in report_lines(extraction.report):
        say(f"  {line}")
    if extraction.n_coarse:
        say(
            f"  {extraction.n_coarse:,} regions have contributions below 6.1e-05 only, which "
            "finemo's float16 holds coarsely: write a region store to keep their hits"
        )


def report_lines(report: "InputReport") -> list[str]:
    """Return an input report as lines of a table: number, of what."""
    counts, scores = report.counts, report.scores
    rows = [(counts.n_regions, "regions read, none refused (a region that cannot be is an error)")]
    rows += [(getattr(counts, name), f"regions {text}") for name, text in _COUNT_TEXT.items()]
    rows.append((scores.n_beyond_float16, "regions float16 holds only with a scale, and has one"))
    rows.append((scores.n_rounded_to_zero, "contributions too small beside the largest to keep"))
    lines = [f"{n:>11,} {text}" for n, text in rows]
    lines.append(
        f"largest |contribution| {scores.largest:.3g}; the weakest region reaches "
        f"{scores.smallest_peak:.3g}"
    )
    return [*lines, _sequence_line(counts), _fold_line(counts)]


def _sequence_line(counts: "InputCounts") -> str:
    if counts.n_from_genome:
        return "sequences: from the genome"
    if counts.n_compared_with_genome:
        return f"sequences: all {counts.n_compared_with_genome:,} equal the genome's"
    return "sequences: not compared with a genome (give it by -f, and peaks by -p)"


def _fold_line(counts: "InputCounts") -> str:
    if counts.n_compared_between_folds:
        return f"folds: the same sequences in all, {counts.n_compared_between_folds:,} compared"
    return "folds: one file of sequences"


def print_call(call: "Call", *, as_json: bool) -> None:
    """Say what was called and where it lies."""
    if as_json:
        _print_json(
            {**asdict(call), "run_dir": str(call.run_dir), "files": [str(f) for f in call.files]}
        )
        return
    resumed = call.n_shards - call.n_shards_done
    again = f" ({resumed} of {call.n_shards} shards were committed before)" if resumed else ""
    say(
        f"{call.run_dir}: {call.n_hits:,} hits in {call.n_regions:,} regions, largest duality gap "
        f"{call.max_gap:.1e}{again}"
    )
    say("  " + ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in call.seconds.items()))
    if call.palindromes:
        say(_palindrome_line(call.palindromes))
    if call.n_not_converged:
        say(
            f"  Warning: {call.n_not_converged:,} regions have not converged; their hits are not "
            "exact (peaks_qc.tsv, column converged)"
        )


def _palindrome_line(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
    return (
        f"  {len(names):,} motifs read the same on both strands ({shown}): the two may share the "
        "coefficient of a site; --merge-palindromes sums them"
    )


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2))
