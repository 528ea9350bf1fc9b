import dataclasses
import os
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from finemo_dist.core.errors import RunError
from finemo_dist.core.records import Unit
from finemo_dist.core.schema import HIT_COLUMNS, QC_COLUMNS
from finemo_dist.hits.columns import Categorical
from finemo_dist.hits.layout import part_path
from finemo_dist.hits.read import standing_shards, survey, survey_run, verify_part
from finemo_dist.hits.seal import UNSEALED, seal
from finemo_dist.hits.write import write_streams, write_unit
from tests.unit.catalog.builder import columns_of, hit, random_hits, region, write_shard

UNIT = Unit("s", 0)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.fixture
def run(tmp_path, rng):
    write_shard(tmp_path, "s", 0, random_hits(rng, 50), [region(dual_gap=0.25), region()])
    write_shard(tmp_path, "s", 1, [], [region(converged=False)])
    return tmp_path


def read(run, table="hits", unit=UNIT):
    return pq.read_table(part_path(run, table, unit), partitioning=None)


def part_bytes(run):
    return [part_path(run, table, UNIT).read_bytes() for table in ("hits", "peaks_qc")]


@pytest.mark.parametrize(("table", "columns"), [("hits", HIT_COLUMNS), ("peaks_qc", QC_COLUMNS)])
def test_a_part_has_the_columns_of_the_schema(run, table, columns):
    schema = read(run, table).schema

    assert schema.names == [c.name for c in columns]
    assert [f.nullable for f in schema] == [c.is_nullable for c in columns]
    assert [f.metadata[b"meaning"].decode() for f in schema] == [c.meaning for c in columns]
    for field, column in zip(schema, columns, strict=True):
        kind = str(field.type)
        assert kind.startswith("dictionary" if column.type == "dictionary" else column.type)


def test_a_shard_stands_when_both_its_parts_do(run):
    assert standing_shards(run, "s") == {0, 1}

    part_path(run, "hits", Unit("s", 0)).unlink()
    part_path(run, "peaks_qc", Unit("s", 1)).unlink()

    assert standing_shards(run, "s") == set()


def test_the_parts_of_one_sample_are_those_it_has_among_others(run):
    write_shard(run, "t", 0, [], [region()])
    parts = survey_run(run, ["s", "t"])

    only = parts.only("s")

    assert (list(only), only.n_units) == (["s"], 2)
    assert only["s"].rows.equals(parts["s"].rows)
    assert only.spread(["s"]).tolist() == ["s", "s"]


def test_every_value_comes_back(run, tmp_path):
    row = hit(chr=None, peak_name=None, start=-3, peak_id=2**32 - 1, hit_similarity=0.1)
    write_shard(tmp_path, "one", 0, [row], [region()])

    stored = read(tmp_path, unit=Unit("one", 0)).to_pylist()

    assert stored == [row | {"hit_similarity": float(np.float32(0.1))}]


def test_the_footer_counts_what_the_part_holds(run):
    footers = survey(run, "s").units

    first = footers[0]
    assert (first.n_rows, first.n_regions) == (len(read(run)), 2)
    assert (first.n_not_converged, first.max_gap) == (0, 0.25)
    assert (footers[1].n_rows, footers[1].n_not_converged) == (0, 1)


def test_a_unit_written_twice_in_any_order_of_rows_is_the_same_bytes(run, rng):
    before = part_bytes(run)
    rows = read(run).to_pylist()

    write_shard(run, "s", 0, rng.permutation(rows), [region(), region(dual_gap=0.25)])

    assert [r["start"] for r in rows] != [r["start"] for r in rng.permutation(rows)]
    assert part_bytes(run)[0] == before[0]


def test_codes_and_strings_give_the_same_bytes(run, rng):
    rows = read(run).to_pylist()
    before = part_bytes(run)
    hits = columns_of(HIT_COLUMNS, rows)
    names = sorted({r["chr"] for r in rows}, reverse=True)
    hits["chr"] = Categorical(np.array([names.index(c) for c in hits["chr"]], np.int32), names)

    write_unit(
        run,
        UNIT,
        hits=hits,
        qc=columns_of(QC_COLUMNS, [region(dual_gap=0.25), region()]),
        config_digest="c0ffee",
        store_digest="5707e",
    )

    assert part_bytes(run) == before


def test_a_negative_code_is_null(tmp_path):
    hits = columns_of(HIT_COLUMNS, [hit(), hit()])
    hits["peak_name"] = Categorical(np.array([-1, 0], np.int32), ["p"])
    qc = columns_of(QC_COLUMNS, [region()])

    write_unit(tmp_path, UNIT, hits=hits, qc=qc, config_digest="", store_digest="")

    assert read(tmp_path)["peak_name"].to_pylist() == [None, "p"]


def test_rows_are_sorted_by_chromosome_and_start(run):
    table = read(run)

    keys = list(zip(table["chr_id"].to_pylist(), table["start"].to_pylist(), strict=True))
    assert keys == sorted(keys)


def test_without_coordinates_rows_are_sorted_by_region(tmp_path):
    rows = [hit(chr=None, chr_id=-1, peak_id=p, start=s) for p, s in [(1, 5), (0, 9), (1, 2)]]
    write_shard(tmp_path, "s", 0, rows, [region()])

    table = read(tmp_path)

    assert (table["peak_id"].to_pylist(), table["start"].to_pylist()) == ([0, 1, 1], [9, 2, 5])


def test_a_unit_counts_only_when_both_parts_stand(run):
    part_path(run, "peaks_qc", UNIT).unlink()

    found = survey(run, "s")
    assert (list(found.units), found.damaged) == ([1], ())


@pytest.mark.parametrize("table", ["hits", "peaks_qc"])
@pytest.mark.parametrize("kept", [0, 3, 100, -1])
def test_a_truncated_part_is_not_committed_and_is_named(run, table, kept):
    path = part_path(run, table, UNIT)
    path.write_bytes(path.read_bytes()[:kept])

    found = survey(run, "s")

    assert list(found.units) == [1]
    assert len(found.damaged) == 1
    assert found.damaged[0].startswith(str(path))


def test_verification_finds_any_flipped_bit_that_matters(run):
    path = part_path(run, "hits", UNIT)
    content, rows, footer = path.read_bytes(), read(run).to_pylist(), verify_part(path)
    n_found = 0

    for offset in range(4, len(content), 61):
        flipped = bytearray(content)
        flipped[offset] ^= 1 << (offset % 8)
        path.write_bytes(flipped)
        try:
            found = verify_part(path)
        except RunError:
            n_found += 1
        else:
            # Much of a Parquet footer is statistics that no value depends on.
            assert (found, read(run).to_pylist()) == (footer, rows)

    assert n_found > 50


def test_a_whole_part_passes_verification(run):
    assert verify_part(part_path(run, "hits", UNIT)) == survey(run, "s").units[0]


def test_a_part_with_fewer_rows_than_its_footer_says_is_not_committed(run):
    path = part_path(run, "hits", UNIT)
    table = read(run)
    pq.write_table(table.slice(1), path)

    assert f"its footer says {len(table)}" in survey(run, "s").damaged[0]


def test_a_changed_footer_is_found(run):
    path = part_path(run, "hits", UNIT)
    content = path.read_bytes()
    assert content.count(b'"n_not_converged": 0') == 1
    path.write_bytes(content.replace(b'"n_not_converged": 0', b'"n_not_converged": 7'))

    assert "its checksum differs" in survey(run, "s").damaged[0]


def test_a_part_of_another_unit_is_not_committed(run):
    for table in ("hits", "peaks_qc"):
        source = part_path(run, table, UNIT)
        shutil.copy(source, source.with_name("part-00005.parquet"))

    found = survey(run, "s")

    assert 5 not in found.units
    assert "its name says s[5]" in found.damaged[0]


def test_twins_of_different_work_are_not_committed(run, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    write_shard(other, "s", 0, [], [region()], config_digest="other")
    shutil.copy(part_path(other, "peaks_qc", UNIT), part_path(run, "peaks_qc", UNIT))

    assert list(survey(run, "s").units) == [1]


def test_a_parquet_file_of_another_origin_is_not_committed(run):
    path = part_path(run, "hits", UNIT)
    pq.write_table(read(run).replace_schema_metadata(None), path)

    assert "no finemo_dist footer" in survey(run, "s").damaged[0]


def test_a_part_of_another_format_version_is_not_committed(run):
    path = part_path(run, "hits", UNIT)
    footer = dataclasses.replace(survey(run, "s").units[0], format_version=2)
    pq.write_table(read(run).replace_schema_metadata(footer.to_metadata()), path)

    assert "part format 2" in survey(run, "s").damaged[0]


def test_foreign_and_temporary_files_are_passed_over(run):
    directory = part_path(run, "hits", UNIT).parent
    shutil.copy(part_path(run, "hits", UNIT), directory / ".part-00009.parquet.ab.tmp")
    shutil.copy(part_path(run, "hits", UNIT), directory / ".part-00009.tmp.parquet")
    (directory / "notes.parquet").write_text("no")
    (run / "hits" / ".DS_Store").write_text("")
    (run / "hits" / "sample=%73").mkdir()

    found = survey(run, "s")
    assert (list(found.units), found.damaged) == ([0, 1], ())


def test_a_part_that_goes_while_parts_are_listed_takes_no_other_with_it(run):
    # A link to what is gone has a name and no status, as such a part has.
    (part_path(run, "hits", UNIT).parent / "part-00009.parquet").symlink_to(run / "gone")

    assert standing_shards(run, "s") == {0, 1}
    assert list(survey(run, "s").units) == [0, 1]


def test_a_run_without_parts_has_no_units(tmp_path):
    assert survey(tmp_path, "s").units == {}


def test_a_failed_rename_leaves_no_part_and_no_temporary_file(tmp_path, monkeypatch):
    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_shard(tmp_path, "s", 0, [hit()], [region()])

    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_a_footer_of_other_rows_is_found_though_the_file_is_whole(run):
    path = part_path(run, "hits", UNIT)
    table = pq.read_table(path, partitioning=None)
    swapped = table.take([1, 0, *range(2, len(table))])
    assert not swapped.equals(table)
    pq.write_table(swapped.replace_schema_metadata(table.schema.metadata | UNSEALED), path)
    seal(path)

    with pytest.raises(RunError) as caught:
        verify_part(path)

    assert str(caught.value).startswith(
        f"{path}: its rows have changed since they were written (digest "
    )
    assert str(caught.value).endswith("Remove the file and rerun the same command.")


def test_a_stream_that_never_begins_leaves_no_file_and_its_own_error(tmp_path):
    class Gone:
        def __arrow_c_stream__(self, requested_schema=None):
            raise RunError("the first of all batches is gone")

    with pytest.raises(RunError, match="the first of all batches is gone"):
        write_streams(tmp_path / "x.parquet", [Gone()])

    assert list(tmp_path.iterdir()) == []
