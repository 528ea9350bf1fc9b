"""Space as arithmetic, held against what is written, and what is said when it does not fit."""

import pytest

from finemo_dist.core.memory import (
    CPU_BUDGET_BYTES,
    Need,
    call_bytes,
    readable,
    store_bytes,
    worker_bytes,
)
from finemo_dist.core.records import ScoreKind
from tests.command import finemo_dist
from tests.unit.run.runs import write_inputs, write_store

NEED = Need("the region store", "/data/x.zarr", 1_000, "Free some.")


def size_of(folder):
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def test_too_little_is_refused_with_both_sizes_and_the_cure():
    assert NEED.refusal(999) == (
        "/data/x.zarr: the region store will take about 1 kB, and 999 bytes are free. Free some."
    )
    assert NEED.warning(999) is None


@pytest.mark.parametrize("free", [1_000, 1_499])
def test_just_enough_is_warned_of(free):
    assert NEED.refusal(free) is None
    assert "That is enough" in NEED.warning(free)


def test_plenty_is_passed_over():
    assert (NEED.refusal(1_500), NEED.warning(1_500)) == (None, None)


@pytest.mark.parametrize("kind", list(ScoreKind))
def test_a_simulated_store_is_no_larger_than_projected(tmp_path, kind):
    """Simulated scores compress better than real ones, which are 0.94 to 0.99 of it."""
    path = write_store(tmp_path / "s", n_regions=300, width=400, shard_regions=128, score_kind=kind)

    assert 0.15 < size_of(path) / store_bytes(300, 400, kind) < 1


@pytest.mark.shared_data
def test_a_real_store_and_its_hits_are_as_large_as_projected(tmp_path, yeast_mini):
    """Measured over projected: stores 0.94 to 0.99, calls 0.80 to 0.82."""
    finemo_dist("extract-regions-chrombpnet-h5", "-c", yeast_mini / "chrombpnet_contribs.h5",
                "-p", yeast_mini / "peaks.narrowPeak", "-o", tmp_path / "s")  # fmt: skip
    finemo_dist("call-hits", "-r", tmp_path / "s", "-m", yeast_mini / "modisco_results.h5",
                "-o", tmp_path / "run")  # fmt: skip

    ratio = size_of(tmp_path / "s") / store_bytes(224, 1000, ScoreKind.HYPOTHETICAL)
    assert 0.85 < ratio < 1.1
    assert 0.5 < size_of(tmp_path / "run") / call_bytes(224, 1000, 48, 30) < 1.3


def test_a_call_is_no_larger_than_projected_where_hits_are_few(tmp_path):
    inputs = write_inputs(tmp_path, n_regions=64, shard_regions=64, width=400)
    finemo_dist("call-hits", "-r", inputs.stores["a"], "-m", inputs.modisco_h5, "-o",
                tmp_path / "run")  # fmt: skip

    assert size_of(tmp_path / "run") / call_bytes(64, 400, 8, 20) < 2


def test_a_worker_takes_its_libraries_and_a_batch():
    sizes = [worker_bytes(n, 1_000_000) for n in (None, 1, 10_000)]

    assert sizes[1] < sizes[0] < sizes[2]
    assert sizes[2] - sizes[0] == 10_000_000_000 - CPU_BUDGET_BYTES


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (3_400_000_000, "3.4 GB"), (5 * 10**15, "5,000 TB")],
)
def test_sizes_are_said_in_units(n_bytes, text):
    assert readable(n_bytes) == text
