"""Text in the forms people and programs give it: pipes, marks, packings, keys and cells."""

import gzip
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
import yaml

from finemo_dist.record.run_record import RunRecord
from finemo_dist.storage.files import describe_input
from finemo_dist.store.read import open_store
from tests.command import PROJECT, hit_keys, read_tsv
from tests.integration.faults.outcomes import lines_with, warnings_of

MARK = b"\xef\xbb\xbf"
FIRST = "pos_patterns.pattern_0"


def digest_of(path):
    return describe_input(path).digest


def starts(path):
    table = open_store(path).table(0, open_store(path).n_regions)
    return [
        (table.chrom_names[c], int(s)) for c, s in zip(table.chrom_id, table.start, strict=True)
    ]


@contextmanager
def piped(content):
    """Yield the path of a pipe, as the shell's `<(command)` gives."""
    out, into = os.pipe()

    def fill():
        with os.fdopen(into, "wb") as handle:
            handle.write(content)

    writer = threading.Thread(target=fill)
    writer.start()
    try:
        yield f"/dev/fd/{out}"
    finally:
        os.close(out)
        writer.join()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_S27_peaks_from_a_pipe_are_all_read(works, inputs, tmp_path, pack):
    rows = [row for row in inputs.peak_rows for _ in range(40)]
    content = "".join("\t".join(row) + "\n" for row in rows).encode()
    assert len(content) > 4 * 4096
    # Once: gzip writes the time into its header.
    packed = pack(content)

    with piped(packed) as path:
        works(*inputs.extract("bw", peaks=path), "-o", tmp_path / "s")

    assert open_store(tmp_path / "s").n_regions == 40 * 12
    assert starts(tmp_path / "s")[::40] == inputs.starts
    (tmp_path / "same").write_bytes(packed)
    assert open_store(tmp_path / "s").meta.inputs[0].digest == digest_of(tmp_path / "same")


def test_S27_a_shell_gives_peaks_by_process_substitution(inputs, tmp_path):
    words = [str(word) for word in inputs.extract("bw", peaks="PEAKS")]
    line = " ".join(words).replace("PEAKS", f"<(cat {inputs.peaks})")
    code = "from finemo_dist.cli.main import main; main()"
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -c '{code}' {line} -o {tmp_path / 's'}"],
        cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert starts(tmp_path / "s") == inputs.starts


def test_S27_intervals_from_a_pipe_answer_as_a_file_does(works, plain, tmp_path):
    hit = read_tsv(plain / "hits.tsv")[0]
    line = f"{hit['chr']}\t{hit['start']}\t{hit['end']}\n"
    (tmp_path / "q.bed").write_text(line)
    words = ("query", "overlap", plain, "--format", "tsv", "-p")

    with piped(line.encode()) as path:
        found = works(*words, f"file={path}").out

    assert found == works(*words, f"file={tmp_path / 'q.bed'}").out
    assert found.count("\n") > 1


CONFIG = """\
output: run
modisco_h5: {modisco}
samples:
  - name: a
    regions: {store}
{more}
"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("samples: []", "line 6: the key 'samples' appears twice, first in line 3"),
        ("motifs:\n  penalties:\n    a: 0.5\n    a: 0.6", "line 9: the key 'a' appears twice"),
        ("solver: {mode: pp, mode: hp}", "line 6: the key 'mode' appears twice"),
        ("motifs: {penalties: [{x: {1: 0, 1: 1}}]}", "line 6: the key '1' appears twice"),
    ],
    ids=["above", "below", "in one line", "deep"],
)
def test_S28_a_key_that_stands_twice_is_refused(refused, inputs, store, tmp_path, more, said):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(modisco=inputs.modisco_h5, store=store, more=more))

    refused("run", path, says=(f"{path}: {said}", "Keep one"))


def test_S28_a_merge_may_give_a_key_anew(works, inputs, store, tmp_path):
    path = tmp_path / "config.yaml"
    samples = f"""\
samples:
  - &first
    name: a
    regions: {store}
  - <<: *first
    name: b
"""
    path.write_text(f"output: run\nmodisco_h5: {inputs.modisco_h5}\n{samples}")

    works("run", path, "--executor", "serial")

    assert [s.name for s in RunRecord.load(tmp_path / "run").samples] == ["a", "b"]


@pytest.mark.parametrize("name", ["12878", "no", "2001-02-03", "1e5"])
def test_S28_a_name_that_YAML_takes_for_something_else_is_refused_with_the_cure(
    refused, works, inputs, store, tmp_path, name
):
    path = tmp_path / "config.yaml"
    content = CONFIG.format(modisco=inputs.modisco_h5, store=store, more="")
    path.write_text(content.replace("name: a", f"name: {name}"))

    if isinstance(yaml.safe_load(name), str):
        works("run", path, "--executor", "serial")
    else:
        refused("run", path, says=(f"{path}: samples.0.name", "Put it in quotes"))


def summits(inputs, offset):
    """Return the peaks with the same regions, and their summits ``offset`` bases into them."""
    rows = []
    for chrom, start in inputs.starts:
        centre = start + inputs.width // 2
        rows.append((chrom, centre - offset, centre - offset + 250, "p", 0, ".", 0, -1, -1, offset))
    return rows


@pytest.mark.parametrize(("offset", "is_outside"), [(249, False), (250, True), (500, True)])
def test_S29_a_summit_outside_its_peak_is_kept_and_counted(
    works, inputs, call, tmp_path, offset, is_outside
):
    peaks = tmp_path / "p.narrowPeak"
    rows = summits(inputs, offset)
    peaks.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))

    said = works(*inputs.extract("bw", peaks=peaks), "-o", tmp_path / "s")
    works(*call(regions=tmp_path / "s"))

    assert starts(tmp_path / "s") == inputs.starts
    n_outside = 12 * is_outside
    told = lines_with(said, f" {n_outside} regions have their summit outside their peak")
    assert len(told) == is_outside
    assert is_outside or not lines_with(said, "summit outside their peak")
    assert warnings_of(tmp_path / "run").get("summit_outside", 0) == n_outside


@pytest.mark.parametrize("kind", ["bw", "modisco-fmt"])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: MARK + text.encode(),
        lambda text: text.replace("\t", " \t").encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("chr", "\u00a0chr").encode(),
    ],
    ids=["byte order mark", "space after names", "CRLF", "hard space"],
)
def test_S30_what_is_around_a_name_is_no_part_of_it(works, inputs, tmp_path, kind, change):
    peaks = tmp_path / "p.narrowPeak"
    peaks.write_bytes(change(inputs.peaks.read_text()))

    works(*inputs.extract(kind, peaks=peaks), "-o", tmp_path / "s")

    assert starts(tmp_path / "s") == inputs.starts


def test_S30_a_chromosome_order_with_a_mark_ranks_its_first_line(works, inputs, tmp_path):
    (tmp_path / "order").write_bytes(MARK + b"chr2\r\nchr1\r\n")

    works(*inputs.extract("bw"), "-C", tmp_path / "order", "-o", tmp_path / "s")

    assert open_store(tmp_path / "s").table(0, 1).chrom_names[:2] == ("chr2", "chr1")


def test_S30_mapping_files_lose_mark_and_spaces(works, call, tmp_path):
    (tmp_path / "names.tsv").write_bytes(MARK + f" {FIRST} \t new name \r\n".encode())

    works(*call("-N", tmp_path / "names.tsv"))

    assert "new name" in {key[1] for key in hit_keys(tmp_path / "run/hits.tsv")}


@pytest.mark.parametrize(
    ("written", "value"), [("1e+02", 100), ("250.0", 250), ("NULL", None), ("<NA>", None)]
)
def test_numbers_as_R_and_pandas_write_them_are_read(works, inputs, tmp_path, written, value):
    row = ["chr1", "6000", "7000", "p", "0", ".", "0", "-1", "-1", written]
    (tmp_path / "p").write_text("\t".join(row) + "\n")

    works(*inputs.extract("bw", peaks=tmp_path / "p"), "-o", tmp_path / "s")

    centre = 6500 if value is None else 6000 + value
    assert starts(tmp_path / "s") == [("chr1", centre - inputs.width // 2)]


@pytest.mark.parametrize("number", ["1_25", "\u0663", "0x10", "1.5", "1e400", "99999999999", ""])
def test_what_only_Python_takes_for_a_number_is_refused(refused, inputs, tmp_path, number):
    path = tmp_path / "p.bed"
    path.write_text(f"chr1\t6000\t7000\nchr1\t{number}\t99999999999\n")

    refused(*inputs.extract("bw", peaks=path), "-o", tmp_path / "s", says=(f"{path}, line 2",))


def test_json_of_an_extraction_has_the_new_counts(works, inputs, tmp_path):
    said = works(*inputs.extract("modisco-fmt"), "-o", tmp_path / "s", "--json")

    counts = json.loads(said.out)["counts"]
    assert (counts["n_summit_outside"], counts["n_zero_off_base"]) == (0, 0)
