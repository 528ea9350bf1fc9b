"""``export`` and ``verify`` on a small finished run."""

import shutil

import pyarrow.parquet as pq
import pytest

from tests.command import read_tsv


@pytest.mark.parametrize("name", ["hits", "unique"])
def test_tsv_is_finemos_table(command, finished, tmp_path, name):
    out = tmp_path / "out.tsv"
    standing = {"hits": "hits.tsv", "unique": "hits_unique.tsv"}[name]

    answer = command("export", finished, "--to", "tsv", "--table", name, "-o", out)

    assert answer.status == 0, answer.err
    assert out.read_bytes() == (finished / standing).read_bytes()


def test_bed_is_finemos_bed(command, finished, tmp_path):
    command("export", finished, "--to", "bed", "--table", "unique", "-o", tmp_path / "out.bed")

    assert (tmp_path / "out.bed").read_bytes() == (finished / "hits.bed").read_bytes()


def test_parquet_has_every_hit_and_its_sample(command, finished, tmp_path):
    command("export", finished, "--to", "parquet", "-o", tmp_path / "out.parquet")

    table = pq.read_table(tmp_path / "out.parquet")
    assert table.num_rows == len(read_tsv(finished / "hits.tsv"))
    assert set(table["sample"].to_pylist()) == {"a"}


def test_an_unknown_sample_is_refused(refused, finished, tmp_path):
    message = refused("export", finished, "--to", "tsv", "--sample", "b", "-o", tmp_path / "out")

    assert "'b'" in message
    assert not (tmp_path / "out").exists()


def test_verify_finds_nothing_wrong_with_a_finished_run(command, finished, inputs):
    assert command("verify", finished).status == 0
    assert command("verify", inputs.stores["a"]).status == 0


def test_verify_names_a_damaged_part(refused, finished, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    part = run / "hits/sample=a/part-00001.parquet"
    content = bytearray(part.read_bytes())
    content[40] ^= 0xFF
    part.write_bytes(content)

    assert "found 1 problem." in refused("verify", run)


def test_verify_names_a_damaged_shard(refused, inputs, tmp_path):
    store = tmp_path / "store.zarr"
    shutil.copytree(inputs.stores["a"], store)
    files = [path for path in (store / "contributions").glob("c.*") if path.is_file()]
    shard = max(files, key=lambda path: path.stat().st_size)
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 0xFF
    shard.write_bytes(content)

    assert "found 1 problem." in refused("verify", store)
