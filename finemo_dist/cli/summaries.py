"""What a command says at its end: lines for people on standard error, JSON on standard output."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from finemo_dist.cli.extraction import Extraction
    from finemo_dist.cli.pipeline import Call

_COUNT_TEXT = {
    "n_clipped": "reach over an end of their chromosome (N and zero outside)",
    "n_unknown_bases": "hold an unknown base (N)",
    "n_zero": "have no contribution at all",
    "n_nan": "had NaN contributions, read as zero",
    "n_missing_chrom": "lie on a chromosome the bigWig does not have, read as zero",
    "n_no_summit": "have no summit; the middle of the peak was taken",
    "n_duplicate": "have the coordinates of an earlier region",
}


def print_extraction(extraction: "Extraction", *, as_json: bool) -> None:
    """Say what was extracted, with a line for each kind of irregular region."""
    counts = asdict(extraction.counts)
    if as_json:
        _print_json({**asdict(extraction), "path": str(extraction.path)})
        return
    rate = extraction.n_regions / max(extraction.seconds, 1e-9)
    _say(
        f"{extraction.path}: {extraction.n_regions:,} regions of {extraction.region_width:,} bases "
        f"in {extraction.seconds:.1f} s ({rate:,.0f} regions/s)"
    )
    for name, text in _COUNT_TEXT.items():
        if counts[name]:
            _say(f"  {counts[name]:,} regions {text}")
    if extraction.n_coarse:
        _say(
            f"  {extraction.n_coarse:,} regions have contributions below 6.1e-05 only, which "
            "finemo's float16 holds coarsely: write a region store to keep their hits"
        )


def print_call(call: "Call", *, as_json: bool) -> None:
    """Say what was called and where it lies."""
    if as_json:
        _print_json(
            {**asdict(call), "run_dir": str(call.run_dir), "files": [str(f) for f in call.files]}
        )
        return
    resumed = call.n_shards - call.n_shards_done
    again = f" ({resumed} of {call.n_shards} shards were committed before)" if resumed else ""
    _say(
        f"{call.run_dir}: {call.n_hits:,} hits in {call.n_regions:,} regions, largest duality gap "
        f"{call.max_gap:.1e}{again}"
    )
    _say("  " + ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in call.seconds.items()))
    if call.palindromes:
        _say(_palindrome_line(call.palindromes))
    if call.n_not_converged:
        _say(
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


def _say(line: str) -> None:
    click.echo(line, err=True)
