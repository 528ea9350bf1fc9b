"""Counts that a run remembers are those that its parts give."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from finemo_dist.catalog import summary
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.counts import COUNTS_NAME
from finemo_dist.catalog.summary import remember_counts
from finemo_dist.hits.seal import UNSEALED, seal
from tests.unit.catalog.builder import random_hits, region, write_run, write_shard

QUERY = "FROM motif_counts ORDER BY ALL"


@pytest.fixture(scope="module")
def uncounted(tmp_path_factory):
    """A run that remembers nothing, and what it answers."""
    rng = np.random.default_rng(8)
    shards = {name: [random_hits(rng, 40) for _ in range(2)] for name in ("a", "b")}
    run = write_run(tmp_path_factory.mktemp("uncounted"), {**shards, "none": [[]]})
    expected, reads_parts = answer(run)
    assert reads_parts
    return run, expected


@pytest.fixture
def expected(uncounted):
    return uncounted[1]


@pytest.fixture
def run(uncounted, tmp_path, monkeypatch):
    """A copy of the run, which a test may change."""
    monkeypatch.setattr(summary, "FEW_HITS", 0)
    return shutil.copytree(uncounted[0], tmp_path / "run")


def answer(run, query=QUERY, **options):
    """The rows, and whether any part is read for them."""
    with open_catalog(run, **options) as catalog:
        plan = json.dumps(catalog.rows(f"EXPLAIN {query}"))
        return catalog.rows(query), "PARQUET" in plan.upper() and "part_files" in plan


def remember(run):
    with open_catalog(run) as catalog:
        remember_counts(catalog)


def test_counts_are_remembered_and_no_part_is_read(run, expected):
    remember(run)

    assert answer(run) == (expected, False)
    assert len({row[0] for row in expected}) == 3


def test_counts_of_some_samples_are_taken_from_those_of_all(run):
    expected, _ = answer(run, samples=["b"])
    remember(run)
    assert answer(run, samples=["b"]) == (expected, False)


def test_a_part_more_is_counted(run):
    remember(run)
    write_shard(run, "a", 0, random_hits(np.random.default_rng(1), 3), [region()])

    found, reads_parts = answer(run)
    assert reads_parts
    remember(run)
    assert answer(run) == (found, False)


@pytest.mark.parametrize("content", [b"", b"PAR1", None])
def test_damaged_counts_are_not_used(run, expected, content):
    remember(run)
    path = run / COUNTS_NAME
    packed = bytearray(path.read_bytes())
    packed[len(packed) // 2] ^= 1
    path.write_bytes(packed if content is None else content)

    assert answer(run) == (expected, True)


def test_counts_that_do_not_say_what_they_are_of_are_not_used(run, expected):
    remember(run)
    path = run / COUNTS_NAME
    table = pq.read_table(path)
    table = table.drop_columns(["parts_digest"])
    pq.write_table(table.replace_schema_metadata(UNSEALED), path)
    seal(path)

    assert answer(run) == (expected, True)


def test_a_run_of_few_hits_remembers_nothing(run, monkeypatch):
    monkeypatch.setattr(summary, "FEW_HITS", 161)
    remember(run)
    assert not (run / COUNTS_NAME).exists()
