"""A folder is replaced as a whole: readers see the old one or the new one."""

from pathlib import Path

import pytest

from finemo_dist.storage.folders import merged_folder, replaced_folder


def files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def write(out: Path, text: str) -> None:
    with replaced_folder(out) as folder:
        (folder / "page").write_text(text)


def test_a_folder_appears_with_its_parents(tmp_path):
    write(tmp_path / "a" / "out", "new")

    assert files(tmp_path) == {"a/out/page": "new"}


def test_a_folder_takes_the_place_of_another(tmp_path):
    write(tmp_path / "out", "old")
    (tmp_path / "out" / "more").write_text("old")

    write(tmp_path / "out", "new")

    assert files(tmp_path) == {"out/page": "new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_folder_that_is_not_finished_leaves_the_old_one(tmp_path, error):
    write(tmp_path / "out", "old")

    def write_half():
        with replaced_folder(tmp_path / "out") as folder:
            (folder / "page").write_text("half")
            raise error

    with pytest.raises(error):
        write_half()

    assert files(tmp_path) == {"out/page": "old"}


def test_the_old_folder_comes_back_when_the_new_one_cannot_take_its_name(tmp_path, monkeypatch):
    write(tmp_path / "out", "old")
    rename = Path.rename

    def fail(self, target):
        if self.name.endswith(".tmp"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="Input/output"):
        write(tmp_path / "out", "new")

    assert files(tmp_path) == {"out/page": "old"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def merge(out: Path, *names: str) -> None:
    with merged_folder(out, last="page") as folder:
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("new")


def test_files_go_beside_those_of_others(tmp_path):
    (tmp_path / "out" / "sub").mkdir(parents=True)
    for name in ("page", "theirs", "sub/theirs"):
        (tmp_path / "out" / name).write_text("old")

    merge(tmp_path / "out", "page", "sub/ours", "more/ours")

    assert files(tmp_path / "out") == {
        "page": "new", "theirs": "old", "sub/theirs": "old", "sub/ours": "new", "more/ours": "new",
    }  # fmt: skip


def test_the_last_file_takes_its_name_after_all_others(tmp_path, monkeypatch):
    order = []
    rename = Path.replace
    monkeypatch.setattr(Path, "replace", lambda a, b: (order.append(Path(b).name), rename(a, b))[1])

    merge(tmp_path / "out", "a", "page", "z", "sub/q")

    assert order == ["a", "q", "z", "page"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_files_that_are_not_finished_leave_the_old_ones(tmp_path, error):
    merge(tmp_path / "out", "page")

    def write_half():
        with merged_folder(tmp_path / "out", last="page") as folder:
            (folder / "page").write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert files(tmp_path / "out") == {"page": "new"}
    assert len(list((tmp_path / "out").iterdir())) == 1
