"""What a command reports at its end: text on standard error, or JSON on standard output."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from finemo_dist.cli.messages import next_line, report_line, say
from finemo_dist.core.words import count, have

if TYPE_CHECKING:
    from finemo_dist.core.input_report import InputReport
    from finemo_dist.workflow.calling import Call
    from finemo_dist.workflow.confidence import Confidence
    from finemo_dist.workflow.extracting import Extraction
    from finemo_dist.workflow.filtering import Filtered

_COUNT_TEXT = {
    "n_clipped": (
        "reaches beyond an end of its chromosome (N and zero there)",
        "reach beyond an end of their chromosome (N and zero there)",
    ),
    "n_unknown_bases": ("has an unknown base (N)", "have an unknown base (N)"),
    "n_zero": ("has no contribution at all", "have no contribution at all"),
    "n_nan": ("has NaN contributions, read as zero", "have NaN contributions, read as zero"),
    "n_missing_chrom": (
        "is on a chromosome that the bigWig lacks, read as zero",
        "are on a chromosome that the bigWig lacks, read as zero",
    ),
    "n_no_summit": (
        "has no summit, so the middle of its peak was used",
        "have no summit, so the middle of their peak was used",
    ),
    "n_summit_outside": (
        "has its summit outside its peak (column 10 counts from the start of the peak)",
        "have their summit outside their peak (column 10 counts from the start of the peak)",
    ),
    "n_duplicate": (
        "has the coordinates of an earlier region",
        "have the coordinates of an earlier region",
    ),
    "n_zero_off_base": (
        "has hypothetical scores that are zero off the observed base",
        "have hypothetical scores that are zero off the observed base",
    ),
}
"""What is said of one region, and of several."""


def print_extraction(extraction: "Extraction", *, as_json: bool) -> None:
    """Say what was extracted, with a line for each kind of irregular region."""
    if as_json:
        content = asdict(extraction)
        report = content.pop("report")
        _print_json({**content, "path": str(extraction.path), **report})
        return
    rate = extraction.n_regions / max(extraction.seconds, 1e-9)
    say(
        f"{extraction.path}: {count(extraction.n_regions, 'region')} of "
        f"{extraction.region_width:,} bases in {extraction.seconds:.1f} s ({rate:,.0f} regions/s)"
    )
    for line in report_lines(extraction.report):
        say(f"  {line}")
    if extraction.n_coarse:
        say(
            f"  {count(extraction.n_coarse, 'region')} {have(extraction.n_coarse)} only "
            "contributions below 6.1e-05, which finemo's float16 stores coarsely: write a region "
            "store to keep the hits there"
        )
    say(next_line("call-hits", "-r", str(extraction.path), "-m", "MOTIFS.h5", "-o", "RUN"))


def print_confidence(found: "Confidence", *, as_json: bool) -> None:
    """Say how many hits of each sample can be believed."""
    if as_json:
        _print_json({**asdict(found), "run_dir": str(found.run_dir)})
        return
    for sample in found.samples:
        if sample.refused:
            say(f"{sample.sample}: no q, because {sample.refused}")
            continue
        pooled = sample.n_believed_pooled
        said = "" if pooled is None else f", {pooled:,} by the pooled q"
        say(
            f"{sample.sample}: {sample.n_believed:,} of {count(sample.n_hits, 'hit')} "
            f"{have(sample.n_believed)} a decoy_q of at most 0.05{said}"
        )
    say(
        "q is the expected share of hits that a scrambled motif would have had. It does not say "
        "that the factor binds, nor which of two similar motifs it is."
    )


def print_filtered(done: "Filtered") -> None:
    """Write what rules did as JSON to standard output."""
    _print_json({**asdict(done), "run_dir": str(done.run_dir)})


def report_lines(report: "InputReport") -> list[str]:
    """Return what is irregular in an input report: a number, and what it counts.

    What was met nowhere has no line here; it is in the store, in ``--json`` and on report pages.
    """
    counts, scores = report.counts, report.scores
    rows = [(getattr(counts, name), "region", texts) for name, texts in _COUNT_TEXT.items()]
    tiny = ("is too small beside the largest to keep", "are too small beside the largest to keep")
    rows.append((scores.n_rounded_to_zero, "contribution", tiny))
    lines = [
        f"{n:,} {noun if n == 1 else noun + 's'} {texts[n != 1]}" for n, noun, texts in rows if n
    ]
    if not (counts.n_from_genome or counts.n_compared_with_genome):
        lines.append(
            "sequences were not compared with a genome (give both -f and -p to compare them)"
        )
    return lines


def print_call(call: "Call", *, as_json: bool) -> None:
    """Report what was called and where it is."""
    if as_json:
        _print_json(
            {**asdict(call), "run_dir": str(call.run_dir), "files": [str(f) for f in call.files]}
        )
        return
    resumed = call.n_shards - call.n_shards_done
    again = ""
    if resumed:
        were = "was" if resumed == 1 else "were"
        again = f" ({resumed} of {count(call.n_shards, 'shard')} {were} already committed)"
    say(
        f"{call.run_dir}: {count(call.n_hits, 'hit')} in {count(call.n_regions, 'region')}, "
        "largest "
        f"duality gap {call.max_gap:.1e}{again}"
    )
    say(f"  {call.n_hits / max(call.n_regions, 1):.1f} hits per region{_most(call)}")
    if call.palindromes:
        say(_palindrome_line(call.palindromes))
    n = call.n_not_converged
    if n:
        say(
            f"  Warning: {count(n, 'region')} {have(n)} not converged; hits there are not exact "
            "(peaks_qc.tsv, column converged)"
        )
    if call.n_hits:
        say(report_line(call.run_dir))


def _most(call: "Call") -> str:
    """Return the motifs with the most hits, as the end of a line."""
    named = (f"{name} ({n:,})" for name, n in call.top_motifs)
    return f"; most are of {', '.join(named)}" if call.top_motifs else ""


def _palindrome_line(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
    reads = "reads" if len(names) == 1 else "read"
    return (
        f"  {count(len(names), 'motif')} {reads} the same on both strands ({shown}), so two hits "
        "may "
        "share the coefficient of a site; --merge-palindromes sums them"
    )


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2))
