from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finemo_dist.core.errors import UsageError
from finemo_dist.core.records import Unit
from finemo_dist.hits.layout import folder_name, part_path, sample_directory, shard_of

ODD_NAMES = ["a b", "x/y", "..", ".", "%41", "it's", "ü日", '"q"', "a=b", "\\", "*", "nul\0"]

SAMPLE_NAMES = st.text(min_size=1, max_size=20).filter(lambda s: s.isprintable())


def sample_of(directory: Path) -> str:
    """The sample whose parts a directory holds, read back from its name."""
    return unquote(directory.name.removeprefix("sample="))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_sample_name_is_one_directory_inside_the_run(name, tmp_path):
    directory = sample_directory(tmp_path, "hits", name)

    assert directory.resolve().parent == tmp_path / "hits"
    directory.mkdir(parents=True)
    assert [sample_of(d) for d in (tmp_path / "hits").iterdir()] == [name]


@given(name=SAMPLE_NAMES, other=SAMPLE_NAMES)
def test_different_samples_have_different_directories(name, other):
    directories = {sample_directory("run", "hits", n) for n in (name, other)}

    assert len(directories) == len({name, other})


@given(name=SAMPLE_NAMES, shard=st.integers(0, 10**7))
def test_a_part_path_says_its_unit(name, shard):
    path = part_path("run", "peaks_qc", Unit(name, shard))

    assert (sample_of(path.parent), shard_of(path.name)) == (name, shard)


@pytest.mark.parametrize(
    "name",
    [
        ".part-00001.parquet.0f.tmp",
        ".part-00001.parquet",
        "part-1.parquet",
        "part-000001.parquet",
        "part-00001.parquet.bak",
        "copy of part-00001.parquet",
        "part-00001.parquet\n",
        "part-0000\N{ARABIC-INDIC DIGIT ONE}.parquet",
    ],
)
def test_temporary_and_foreign_names_are_no_part(name):
    assert shard_of(name) is None


@pytest.mark.parametrize("name", ["", "x" * 249, "ü" * 42, "\udc80"])
def test_a_name_that_no_directory_can_have_is_refused(name):
    with pytest.raises(UsageError, match="Rename the sample"):
        sample_directory("run", "hits", name)


@pytest.mark.parametrize("sample", [".", "..", "a/b", "../x", "/etc", "plain", "a b", "..."])
def test_a_folder_named_after_a_sample_stays_where_it_is_put(tmp_path, sample):
    folder = (tmp_path / folder_name(sample)).resolve()

    assert folder.parent == tmp_path.resolve()
    assert unquote(folder.name) == sample
