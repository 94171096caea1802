import os

import pytest

from trainer import files


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.write_aside(path) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_what_is_deleted_is_what_is_named(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    run = tmp_path / "run"
    (run / ".file.txt-killed").mkdir(parents=True)
    (run / "folder" / "below").mkdir(parents=True)
    for name in ("file.txt", "file.txt.bak", "other"):
        (run / name).touch()
    (run / "link").symlink_to(tmp_path / "elsewhere")
    files.delete(run, ["absent", "file.txt", "folder", "link"])
    assert sorted(os.listdir(run)) == ["file.txt.bak", "other"]
    assert (tmp_path / "elsewhere" / "kept").exists()
