"""Tests of `python -m export` and export/exporter.py, on a real tiny run."""

import dataclasses
import json
import pathlib
import shutil

import pytest

from export import agreement
from export import exporter
from tests import prepared
from tests.commands.command_line import ROOT
from tests.commands.command_line import python
from tests.export import export_fixtures
from tests.export.export_fixtures import names
from tests.export.export_fixtures import options
from trainer import files
from trainer import run_folder
from trainer.data import prepared as records


def command(*arguments, folder=ROOT):
    arguments = ("-m", "export", *arguments)
    return python(*arguments, folder=folder, env={"TF_CPP_MIN_LOG_LEVEL": "3"})


PLAIN_FILES = {
    *("MODEL_CARD.md", "labels.txt", "metadata.json", "parity.json"),
    *("model.h5", "model.json", "model.keras"),
    "saved_model",
}
TFLITE_FILES = {"golden", "model_float32.tflite", "model_int8.tflite"}


def test_the_command_exports_the_last_run_and_says_where(workdir, tmp_path):
    done = command("--tflite", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "run: runs/tiny (the one that finished last)" in done.stdout
    assert names(workdir / "export") == PLAIN_FILES | TFLITE_FILES
    # Five TensorFlow ways, and each .tflite with the delegate and without.
    assert done.stdout.count(" pass") == 9
    next_line = done.stdout.splitlines()[-1]
    assert next_line.startswith("next:  python -m edge --model=runs/tiny/")
    assert names(workdir.parent) == {"tiny"}
    assert not [n for n in names(workdir) if n.startswith(".")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stray"], "are not flags"),
        (["--calibration_images=0"], "calibration_images"),
        (["--recipes=int4"], "must be of float32, float16"),
        (["--recipes="], "must be of float32, float16"),
        (["--io=int4"], "should be one of <uint8|int8|float32>"),
        (["--tflite", "--compress=distil"], "must be of qat, prune"),
        (["--compress=qat"], "give --tflite"),
        (["--microcontroller"], "give --tflite"),
        (["--tflite"], "python -m trainer --flagfile=edge.flags"),
    ],
    ids=str,
)
def test_wrong_commands_say_what_to_type(tmp_path, arguments, message):
    done = command(*arguments, folder=tmp_path)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert names(tmp_path) == set()


@pytest.fixture(scope="module")
def plain_export(tmp_path_factory):
    """A run with an export without TFLite files inside."""
    target = tmp_path_factory.mktemp("plain") / "tiny"
    shutil.copytree(export_fixtures.workdir(), target)
    exporter.export_run(options(target))
    return target


def test_without_tflite_only_tensorflow_files_are_written(plain_export):
    assert names(plain_export / "export") == PLAIN_FILES
    text = (plain_export / "export" / "metadata.json").read_text()
    assert json.loads(text)["tflite"] == {}


def test_an_existing_export_is_kept_unless_overwritten(plain_export):
    with pytest.raises(exporter.ExportError, match="exists; give --overwrite"):
        exporter.export_run(options(plain_export))
    parity_file = plain_export / "export" / "parity.json"
    before = parity_file.stat().st_mtime_ns
    exporter.export_run(options(plain_export, overwrite=True, parity_images=10))
    assert parity_file.stat().st_mtime_ns > before
    assert json.loads(parity_file.read_text())["images"] == 10
    assert not [n for n in names(plain_export) if n.startswith(".")]


def test_an_export_that_is_there_is_published_as_it_is(workdir, tmp_path):
    arguments = ["--serving=served", "--parity_images=10"]
    for version in ("1", "2"):
        done = command(*arguments, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert (
            done.stdout.splitlines()[-1] == f"published: served/fer/{version}"
        )
        # Only the first one had to be written and compared.
        assert ("parity on 10" in done.stdout) == (version == "1")
    first, second = (tmp_path / "served/fer" / v for v in ("1", "2"))
    assert names(first) == names(second) >= {"saved_model.pb", "assets.extra"}
    done = command(*arguments, "--overwrite", folder=tmp_path)
    assert "parity on 10" in done.stdout
    assert names(tmp_path / "served/fer") == {"1", "2", "3"}


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_overwrite_leaves_what_is_no_export(tmp_path, kind):
    precious = tmp_path / "precious"
    if kind == "folder":
        precious.mkdir()
        (precious / "thesis.txt").touch()
    else:
        precious.touch()
    with pytest.raises(exporter.ExportError, match="is not an export"):
        exporter.export_run(
            options(export_fixtures.workdir(), out=precious, overwrite=True)
        )
    assert precious.exists()


def test_a_failed_gate_leaves_the_report_and_nothing_else(workdir):
    # No float32 file equals the live model to the last bit.
    done = command(f"--workdir={workdir}", "--tflite", "--float_difference=0")
    report = workdir / "parity_failed.json"
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert "error: model_float32.tflite, model_float32.tflite (" in done.stderr
    assert "did not pass the gate" in done.stderr
    assert str(report) in done.stderr
    assert not (workdir / "export").exists()
    assert not json.loads(report.read_text())["passed"]
    assert not [n for n in names(workdir) if n.startswith(".")]
    exporter.export_run(options(workdir, parity_images=7))
    assert not report.exists()


def test_a_failed_gate_keeps_the_export_that_was_there(workdir, monkeypatch):
    exporter.export_run(options(workdir, parity_images=7))
    monkeypatch.setattr(
        agreement, "_failures", lambda *_, **__: ["agreement: made to fail"]
    )
    with pytest.raises(exporter.ExportError, match="did not pass the gate"):
        exporter.export_run(options(workdir, overwrite=True))
    assert (workdir / "export" / "parity.json").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data_dir": "none"}, "tfds build fer_tfds/fer2013"),
        ({"parity_images": -1}, "received -1"),
        ({"workdir": pathlib.Path("gone")}, "holds no finished run"),
    ],
    ids=str,
)
def test_wrong_options_are_named_before_writing(workdir, changes, message):
    changed = dataclasses.replace(options(workdir), **changes)
    with pytest.raises(ValueError, match=message):
        exporter.export_run(changed)
    assert not [n for n in names(workdir) if n.startswith(".")]


def test_another_data_dir_may_be_given(workdir, tmp_path, capsys):
    moved = tmp_path / "moved"
    shutil.copytree(prepared.data_dir(), moved)
    settings = export_fixtures.make_settings(data_dir=str(tmp_path / "gone"))
    files.write_text(workdir / run_folder.SETTINGS, settings.to_json())
    exporter.export_run(options(workdir, data_dir=str(moved)))
    assert "WARNING" not in capsys.readouterr().out


def test_other_data_than_the_run_had_is_reported(workdir, capsys):
    path = workdir / run_folder.MANIFEST
    manifest = json.loads(path.read_text())
    manifest["data"]["splits"]["validation"]["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))
    exporter.export_run(options(workdir, parity_images=7))
    assert "validation images are not those of the run" in (
        capsys.readouterr().out
    )


def test_a_sample_for_parity_covers_the_split():
    split = export_fixtures.validation()
    sample = exporter._spread(split, 14)
    assert len(sample.ids) == 14
    assert sample.ids[0] == split.ids[0]
    assert sample.ids[-1] == split.ids[52]
    assert isinstance(sample, records.Split)
