"""Tests of export/serving.py: TensorFlow Serving's layout, served."""

import pytest

from export import serving
from tests.export import export_fixtures


def publish(root, name="fer"):
    return serving.publish(export_fixtures.export_folder(), root, name)


def test_versions_count_up_and_old_ones_stay(tmp_path):
    assert publish(tmp_path / "models") == tmp_path / "models" / "fer" / "1"
    assert publish(tmp_path / "models").name == "2"
    (tmp_path / "models" / "fer" / "10").mkdir()
    assert publish(tmp_path / "models").name == "11"
    names = {path.name for path in (tmp_path / "models" / "fer").iterdir()}
    assert names == {"1", "2", "10", "11"}


def test_a_version_holds_the_model_and_says_what_it_is(tmp_path):
    folder = publish(tmp_path)
    assert (folder / "saved_model.pb").is_file()
    assert (folder / "variables" / "variables.index").is_file()
    labels = (folder / "assets.extra" / "labels.txt").read_text()
    assert tuple(labels.splitlines()) == export_fixtures.CLASSES
    assert (folder / "assets.extra" / "metadata.json").is_file()


def test_a_fresh_process_without_keras_serves_both_signatures(tmp_path):
    version = publish(tmp_path / "models")
    # The script looks for `saved_model` in a folder.
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "saved_model").symlink_to(version)
    served = tmp_path / "served"
    export_fixtures.check_fresh_process(export_fixtures.SERVE, served, tmp_path)


@pytest.mark.parametrize("name", ["", "../up", "a b", ".hidden", "a/b"])
def test_names_that_are_no_folder_are_refused_and_of_a_file(tmp_path, name):
    with pytest.raises(serving.ServingError, match="serving_name"):
        publish(tmp_path, name)
    assert not list(tmp_path.iterdir())
    (tmp_path / "fer").write_text("mine")
    with pytest.raises(serving.ServingError, match="is a file"):
        publish(tmp_path)


def test_a_copy_that_fails_leaves_no_version(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(serving.shutil, "copy", fail)
    with pytest.raises(OSError, match="disk full"):
        publish(tmp_path)
    assert not list((tmp_path / "fer").iterdir())
