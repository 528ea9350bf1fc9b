"""Small tables of hits as finemo writes them, and the rules of collapse and intersect as loops."""

import csv
import gzip
import itertools
from pathlib import Path

from hypothesis import strategies as st

from finemo_dist.core.schema import FINEMO_HIT_COLUMNS

RELAXED_KEY = ("chr", "start_untrimmed", "end_untrimmed", "motif_name", "strand")
STRICT_KEY = (*RELAXED_KEY, "start", "end", "peak_name", "peak_id")


def tsv_hit(**given):
    """A row of ``hits.tsv``; what is not given is plain."""
    row = {
        "chr": "chr1",
        "start": 10,
        "end": 20,
        "start_untrimmed": 5,
        "end_untrimmed": 25,
        "motif_name": "m0",
        "hit_coefficient": 1.5,
        "hit_coefficient_global": 1.0,
        "hit_similarity": 0.75,
        "hit_correlation": 0.75,
        "hit_importance": 2.5,
        "hit_importance_sq": 3.5,
        "strand": "+",
        "peak_name": "peak",
        "peak_id": 0,
    }
    assert set(given) <= set(row)
    return row | given


def write_tsv(path: Path, rows, columns=FINEMO_HIT_COLUMNS) -> Path:
    lines = ["\t".join(columns)]
    lines += ["\t".join("NA" if row[c] is None else str(row[c]) for c in columns) for row in rows]
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def read_lines(path: Path) -> list[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def place_of(row):
    """What two hits must share to overlap at all."""
    return row["chr"], row["peak_id"] if row["chr"] is None else None


def primary_by_loop(rows, overlap=0.2):
    """Whether each row is primary, by the rule in words."""

    def rank(row):
        return -row["hit_similarity"], -row["hit_coefficient"], row["start"], row["motif_name"], (
            row["strand"], -row["hit_coefficient_global"], row["end"], row["peak_id"]
        )  # fmt: skip

    def overlaps(a, b):
        shared = min(a["end"], b["end"]) - max(a["start"], b["start"])
        mean = (a["end"] - a["start"] + b["end"] - b["start"]) / 2
        return place_of(a) == place_of(b) and shared >= 1 and shared >= overlap * mean

    return [not any(overlaps(a, b) and rank(b) < rank(a) for b in rows) for a in rows]


def intersect_by_loop(tables, key):
    """Every combination of rows, one of each table, that agree in the key."""
    return [
        combination
        for combination in itertools.product(*tables)
        if len({tuple(row[name] for name in key) for row in combination}) == 1
        and len({place_of(row) for row in combination}) == 1
    ]


@st.composite
def hit_tables(draw, *, max_rows=30, n_chroms=3, has_coordinates=None):
    """Few places, so that ties, touching and nested hits abound; a row only once."""
    if has_coordinates is None:
        has_coordinates = draw(st.booleans())
    rows = []
    for _ in range(draw(st.integers(0, max_rows))):
        # Around 0 and around the edge of a bin of collapse.sql.
        start = draw(st.sampled_from([0, 124])) + draw(st.integers(-3, 20))
        length = draw(st.sampled_from([1, 2, 5, 6, 10, 140]))
        rows.append(
            tsv_hit(
                chr=f"chr{draw(st.integers(1, n_chroms))}" if has_coordinates else None,
                start=start,
                end=start + length,
                start_untrimmed=start - 2,
                end_untrimmed=start + length + 2,
                motif_name=draw(st.sampled_from(["a", "b"])),
                strand=draw(st.sampled_from("+-")),
                hit_similarity=draw(st.sampled_from([0.5, 0.75, 1.0])),
                hit_coefficient=draw(st.sampled_from([1.0, 2.0])),
                hit_coefficient_global=draw(st.sampled_from([1.0, 3.0])),
                peak_name="p" if has_coordinates else None,
                peak_id=draw(st.integers(0, 2)),
            )
        )
    # The solver finds a motif once at one place of one region.
    found = {
        (r["chr"], r["start"], r["end"], r["motif_name"], r["strand"], r["peak_id"]): r
        for r in rows
    }
    return list(found.values())
