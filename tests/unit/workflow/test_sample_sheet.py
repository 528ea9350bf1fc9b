"""Sample sheets: the same samples as spelt out in YAML, and refusals by line and column."""

import csv
import io
import string
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.errors import UsageError
from finemo_dist.workflow.running import load_config
from finemo_dist.workflow.sample_sheet import read_sample_sheet

_words = st.text(string.ascii_letters + string.digits + "_- .é\"'/", min_size=1, max_size=8).filter(
    lambda text: text == text.strip() and text not in {".", ".."}
)
_files = st.lists(_words, min_size=1, max_size=3)
_width = st.integers(2, 5000)


def _optional(**columns):
    return st.fixed_dictionaries({}, optional=columns)


_inputs = st.one_of(
    st.tuples(st.just("regions"), _words),
    *(
        st.tuples(st.just(kind), st.builds(dict.__or__, st.fixed_dictionaries(needed), more))
        for kind, needed, more in (
            (
                "bigwig",
                {"peaks": _words, "fasta": _words, "bigwigs": _files},
                _optional(region_width=_width, chrom_order=_words),
            ),
            ("chrombpnet_h5", {"h5s": _files}, _optional(peaks=_words, region_width=_width)),
            ("bpnet_h5", {"h5s": _files}, _optional(peaks=_words, fasta=_words)),
            (
                "modisco_arrays",
                {"sequences": _words, "attributions": _files},
                _optional(peaks=_words),
            ),
        )
    ),
)


@st.composite
def _samples(draw):
    """Samples as a configuration lists them."""
    names = draw(st.lists(_words, min_size=1, max_size=6, unique=True))
    found = []
    for name in names:
        kind, value = draw(_inputs)
        found.append({"name": name, kind: value})
    return found


def _as_row(sample, *, says_kind, separator):
    """Return a sample of a configuration as column to text."""
    row = {"name": sample["name"]}
    (kind,) = sample.keys() - {"name"}
    if says_kind or kind in {"chrombpnet_h5", "bpnet_h5"}:
        row["kind"] = kind
    given_ = {"regions": sample[kind]} if kind == "regions" else sample[kind]
    for column, value in given_.items():
        row[column] = separator.join(value) if isinstance(value, list) else str(value)
    return row


def _write_sheet(path, rows, *, columns=None):
    columns = columns or list(dict.fromkeys(c for row in rows for c in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", dialect="excel-tab", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


@pytest.mark.slow
@given(
    samples=_samples(),
    says_kind=st.booleans(),
    separator=st.sampled_from([";", ",", "; ", ", "]),
    breaks=st.sampled_from(["\n", "\r\n", "\n\n", "\n# a remark\n", "\n\t\t\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    data=st.data(),
)
def test_a_sheet_says_the_same_as_a_configuration(
    tmp_path_factory, samples, says_kind, separator, breaks, mark, data
):
    folder = tmp_path_factory.mktemp("sheet")
    rows = [_as_row(s, says_kind=says_kind, separator=separator) for s in samples]
    columns = data.draw(st.permutations(list(dict.fromkeys(c for row in rows for c in row))))
    common = {"output": "run", "modisco_h5": "m.h5"}
    _write_sheet(folder / "samples.tsv", rows, columns=columns)
    text = (folder / "samples.tsv").read_text(encoding="utf-8")
    (folder / "samples.tsv").write_text(mark + text.replace("\n", breaks), encoding="utf-8")
    (folder / "sheet.yaml").write_text(yaml.safe_dump(common | {"sample_sheet": "samples.tsv"}))
    (folder / "plain.yaml").write_text(yaml.safe_dump(common | {"samples": samples}))

    assert load_config(folder / "sheet.yaml") == load_config(folder / "plain.yaml")


def test_paths_count_from_the_folder_of_the_sheet(tmp_path):
    (tmp_path / "sheets").mkdir()
    _write_sheet(
        tmp_path / "sheets/samples.tsv",
        [{"name": "a", "regions": "a.zarr"}, {"name": "b", "regions": "/data/b.zarr"}],
    )
    (tmp_path / "run.yaml").write_text(
        "output: run\nmodisco_h5: m.h5\nsample_sheet: sheets/samples.tsv\n"
        "samples: [{name: c, regions: c.zarr}]\n"
    )

    config = load_config(tmp_path / "run.yaml")

    assert {s.name: s.regions for s in config.samples} == {
        "c": tmp_path / "c.zarr",
        "a": tmp_path / "sheets/a.zarr",
        "b": Path("/data/b.zarr"),
    }
    assert config.sample_sheet is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("name\tregion\na\tx\n", 1, "Did you mean 'regions'"),
        ("name\tname\na\tb\n", 1, "'name' appears twice"),
        ("sample\tregions\na\tx\n", 1, "no column 'name'"),
        ("name\tregions\n\n# b\na\tx\tmore\n", 4, "has 3 cells and the header has 2"),
        ("name\tregions\n\tx\n", 2, "'name' is empty"),
        ("name\tregions\na\tx\na\ty\n", 3, "there is already a sample 'a' in this sheet"),
        ("name\tregions\nc\tx\n", 2, "there is already a sample 'c' in the configuration"),
        ("name\tregions\tbigwigs\na\tx\ty\n", 2, "column 'bigwigs': a sample of kind 'regions'"),
        ("name\tpeaks\na\tx\n", 2, "no input"),
        ("name\th5s\na\tx\n", 2, "say which in column 'kind'"),
        ("name\tkind\th5s\na\tbpnet\tx\n", 2, "Did you mean 'bpnet_h5'"),
        ("name\tkind\th5s\na\tregions\t\n", 2, "'regions' is empty"),
        ("name\tbigwigs\tfasta\na\tx\ty\n", 2, "column 'peaks' is empty, and kind 'bigwig'"),
        ("name\tbigwigs\tfasta\tpeaks\na\t;\ty\tz\n", 2, "column 'bigwigs': Tuple should have"),
        (
            "name\tbigwigs\tfasta\tpeaks\tregion_width\na\tx\ty\tz\twide\n",
            2,
            "column 'region_width': Input should be a valid integer",
        ),
        (f"name\tregions\n{'s' * 300}\tx\n", 2, "characters in a file name"),
        ('name\tregions\na\t"x\n', 2, "not a line of a tab-separated table"),
        ("name\t\na\tx\n", 2, "'x' is in a column without a name"),
        ("name\tregions\n", None, "lists no sample"),
        ("", None, "lists no sample"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line(tmp_path, text, line, said):
    path = tmp_path / "samples.tsv"
    path.write_text(text)

    with pytest.raises(UsageError) as caught:
        read_sample_sheet(path, taken={"c"})

    assert str(caught.value).startswith(str(path) if line is None else f"{path}, line {line}")
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [None, b"name\tregions\na\t\xff\n"])
def test_a_sheet_that_is_no_text_is_refused(tmp_path, content):
    path = tmp_path / "samples.tsv"
    if content is not None:
        path.write_bytes(content)

    said = "cannot be read: no such file" if content is None else "line 2: not a text file"
    with pytest.raises(UsageError, match=rf"samples\.tsv.*{said}"):
        read_sample_sheet(path)


def test_a_configuration_without_samples_and_sheet_is_refused(tmp_path):
    (tmp_path / "run.yaml").write_text("output: run\nmodisco_h5: m.h5\n")

    with pytest.raises(UsageError, match="no samples"):
        load_config(tmp_path / "run.yaml")


def test_an_atlas_of_rows_keeps_their_order(tmp_path):
    names = [f"cell {i}" for i in range(1500)]
    _write_sheet(
        tmp_path / "samples.tsv", [{"name": name, "regions": f"{name}.zarr"} for name in names]
    )

    assert [sample.name for sample in read_sample_sheet(tmp_path / "samples.tsv")] == names


def test_columns_of_meta_are_taken_and_settings_of_a_motif_belong_to_it(tmp_path):
    path = tmp_path / "samples.tsv"
    rows = [{
        "name": "a", "regions": "a.zarr", "meta.age": "9", "meta.x.y": "z",
        "motifs.trim_threshold": "0.2", "motifs.trim_thresholds.pos_patterns.pattern_0": "0.5",
    }]  # fmt: skip
    _write_sheet(path, rows)

    (sample,) = read_sample_sheet(path)

    assert sample.motifs.trim_threshold == 0.2
    assert sample.motifs.trim_thresholds == {"pos_patterns.pattern_0": 0.5}


@pytest.mark.parametrize("column", ["meta.", "motifs.trim_thresholds.", "motif.trim_threshold"])
def test_a_column_that_is_none_is_refused(tmp_path, column):
    path = tmp_path / "samples.tsv"
    _write_sheet(path, [{"name": "a", "regions": "a.zarr", column: "1"}])

    with pytest.raises(UsageError, match=f"line 1: there is no column {column!r}"):
        read_sample_sheet(path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("sample_sheet: samples.tsv", "samples.tsv, line 3: column 'modisco_h5' is empty, and the "
         "configuration gives none for all samples."),
        ("samples: [{name: a, regions: a.zarr}]", "sample 'a' has no modisco_h5; give it one, or "
         "give one for all samples"),
        ("samples: []", "there are no samples; list some under samples, or name a sample_sheet"),
        ("modisco_h5: m.h5\nsamples: [{name: a, regions: x}, {name: a, regions: y}]",
         "two samples have the name 'a'"),
    ],
)  # fmt: skip
def test_a_configuration_that_lacks_something_is_refused(tmp_path, more, said):
    rows = [{"name": "a", "regions": "a.zarr", "modisco_h5": "m.h5"}, {"name": "b", "regions": "b"}]
    _write_sheet(tmp_path / "samples.tsv", rows)
    (tmp_path / "run.yaml").write_text(f"output: run\n{more}\n")

    with pytest.raises(UsageError) as caught:
        load_config(tmp_path / "run.yaml")

    assert str(caught.value).startswith(str(tmp_path))
    assert said in str(caught.value)
