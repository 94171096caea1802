import json
import os

import pytest

from trainer import workdirs
from trainer.settings.settings import Settings
from trainer.settings.settings import from_flat

UNTESTED = from_flat({"test_split": "none"})


def open_workdir(folder, settings, overwrite=False):
    workdirs.open_workdir(folder, settings, overwrite=overwrite)


def manifest(**splits):
    """What is said of a run's data: split -> what stands for its content."""
    described = {name: {"sha256": value} for name, value in splits.items()}
    return {"started": "now", "data": {"name": "a/1", "splits": described}}


def test_overwrite_begins_a_run_again_and_leaves_other_folders(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    for overwrite in (False, True):
        with pytest.raises(workdirs.WorkdirError, match="holds no run"):
            open_workdir(tmp_path, Settings(), overwrite=overwrite)
    assert os.listdir(tmp_path) == ["letter.txt"]
    workdir = tmp_path / "run"
    open_workdir(workdir, Settings())
    (workdir / "metrics.json").write_text("{}")
    other = from_flat({"seed": 1})
    open_workdir(workdir, other, overwrite=True)
    assert os.listdir(workdir) == ["settings.json"]
    assert (workdir / "settings.json").read_text() == other.to_json()


def test_only_free_settings_may_change_on_resuming(tmp_path):
    workdir = tmp_path / "run"
    open_workdir(workdir, Settings())
    moved = from_flat({"data_dir": "elsewhere"})
    open_workdir(workdir, moved)
    for changed in (from_flat({"flip": True}), UNTESTED):
        with pytest.raises(workdirs.WorkdirError, match="there, "):
            open_workdir(workdir, changed)
    kept = (workdir / "settings.json").read_text()
    assert kept == Settings().to_json()


def test_a_finished_run_is_not_trained_again_but_may_be_tested(tmp_path):
    open_workdir(tmp_path, UNTESTED)
    (tmp_path / "metrics.json").write_text("{}")
    match = r"(?s)a finished run.*export"
    with pytest.raises(workdirs.WorkdirError, match=match):
        open_workdir(tmp_path, UNTESTED)
    assert (tmp_path / "metrics.json").exists()
    open_workdir(tmp_path, Settings())
    assert os.listdir(tmp_path) == ["settings.json"]
    kept = (tmp_path / "settings.json").read_text()
    assert kept == Settings().to_json()


def test_resuming_on_other_data_is_refused_and_a_new_split_is_added(tmp_path):
    workdirs.keep_manifest(tmp_path, manifest(train="a"))
    later = {**manifest(train="a", test="b"), "started": "later"}
    for _ in range(2):
        workdirs.keep_manifest(tmp_path, later)
    kept = json.loads((tmp_path / "manifest.json").read_text())
    assert kept == {**later, "started": "now"}
    for other in (manifest(train="x", test="b"), manifest(train="a")):
        with pytest.raises(workdirs.WorkdirError, match="began with other"):
            workdirs.keep_manifest(tmp_path, other)


def test_settings_of_another_program_are_no_run(tmp_path):
    (tmp_path / "settings.json").write_text('{"editor.tabSize": 4}')
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(workdirs.WorkdirError, match="holds no run"):
        workdirs.open_workdir(tmp_path, Settings(), overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["letter.txt", "settings.json"]


def test_overwrite_deletes_what_a_run_wrote_and_keeps_the_rest(
    tmp_path, capsys
):
    workdir, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    workdirs.open_workdir(workdir, Settings(), overwrite=False)
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (workdir / "tensorboard").symlink_to(elsewhere)
    (workdir / "letter.txt").write_text("dear")
    for name in ("checkpoints", "export", ".report.html-abc"):
        (workdir / name).mkdir()
        (workdir / name / "parity.json").touch()
    workdirs.open_workdir(workdir, Settings(), overwrite=True)
    assert sorted(os.listdir(workdir)) == ["letter.txt", "settings.json"]
    assert (elsewhere / "precious").exists()
    assert "letter.txt" in capsys.readouterr().out


def test_damaged_settings_beside_a_flagfile_may_be_overwritten(tmp_path):
    (tmp_path / "settings.json").write_text('{"cut')
    (tmp_path / "run.flags").touch()
    with pytest.raises(ValueError, match=r"settings\.json is damaged.*--over"):
        workdirs.open_workdir(tmp_path, Settings(), overwrite=False)
    workdirs.open_workdir(tmp_path, Settings(), overwrite=True)
    assert os.listdir(tmp_path) == ["settings.json"]


@pytest.mark.parametrize(
    "text", ['{"cut', "[]", '{"data": 3}', '{"data": {"name": 3}}', "{}"]
)
def test_a_damaged_manifest_of_a_resumed_run_is_told(tmp_path, text):
    open_workdir(tmp_path, Settings())
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError) as caught:
        workdirs.check_workdir(tmp_path, Settings(), overwrite=False)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'manifest.json'} is damaged")
    assert said.endswith("or --overwrite to begin again")
