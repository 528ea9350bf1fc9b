"""What a demo replaces, and how it compares the files of two runs."""

import pytest

from finemo_dist.core.errors import RunError
from finemo_dist.workflow.demo import _clear, _same_files


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_an_earlier_demo_is_removed_and_nothing_beside_it(tmp_path):
    _clear(tmp_path / "demo")
    write(tmp_path / "demo", {"run/run.json": "{}", "inputs/a": "a", "mine/a": "mine"})

    _clear(tmp_path / "demo")

    assert {p.name for p in (tmp_path / "demo").iterdir()} == {".finemo-dist-demo", "mine"}
    assert (tmp_path / "demo/mine/a").read_text() == "mine"


FILES = {
    "hits/a/part-00000.parquet": "1",
    "peaks_qc/a/part-00000.parquet": "2",
    "motifs/cwms.npy": "3",
    "samples/a/hits.tsv": "4",
}


def test_files_of_two_runs_are_the_same_to_the_byte(tmp_path):
    write(tmp_path / "one", FILES | {"run.json": "{}", "logs/a": "1"})
    write(tmp_path / "two", FILES | {"run.json": "other"})

    assert _same_files(tmp_path / "one", tmp_path / "two") == 4


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", ["other bytes", "lacking here", "lacking there"])
def test_a_file_that_differs_is_named(tmp_path, name, harm):
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, FILES)
    write(two, FILES | ({name: "5"} if harm == "other bytes" else {}))
    if harm.startswith("lacking"):
        ((one if harm.endswith("here") else two) / name).unlink()

    with pytest.raises(RunError) as caught:
        _same_files(one, two)

    assert str(caught.value) == (
        f"{two / name}: differs from {one / name}. Report this as a fault of the package."
    )
