"""What goes wrong with an export, and what it leaves behind: nothing."""

import shutil

import h5py
import numpy as np
import pytest

from export import agreement
from export import exporter
from export import gate
from export import parity
from export import quantisation_debug
from tests.commands.command_line import python
from tests.export import export_fixtures
from tests.export.export_fixtures import names
from tests.export.export_fixtures import options
from trainer import files
from trainer import run_folder


def fails(kind):
    """A gate that only files of this kind fail."""
    failures = {kind: ["agreement: made to fail"]}
    return lambda measured, *_, **__: failures.get(measured["kind"], [])


def test_a_failed_int8_file_shows_the_bad_layer(workdir, monkeypatch, capsys):
    monkeypatch.setattr(agreement, "_failures", fails("int8"))
    with pytest.raises(exporter.ExportError, match=r"model_int8\.tflite"):
        exporter.export_run(options(workdir, tflite=True))
    assert "worst tensors of the int8 file" in capsys.readouterr().out
    table = (workdir / gate.DEBUG_TABLE).read_text()
    assert table.startswith(",".join(quantisation_debug.COLUMNS))
    assert "CONV_2D" in table


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("int8", "--recipes=int16x8"),
        ("compressed", "--compress_epochs"),
        ("float32", None),
    ],
)
def test_a_failed_file_is_told_what_helps(workdir, monkeypatch, kind, advice):
    # Two epochs of compression would take a minute; the name is enough.
    monkeypatch.setattr(parity, "_kind", lambda model: kind)
    monkeypatch.setattr(agreement, "_failures", fails(kind))
    with pytest.raises(exporter.ExportError, match="bounds are flags") as error:
        exporter.export_run(options(workdir, tflite=True))
    for other in ("--recipes=int16x8", "--compress_epochs"):
        assert (other in str(error.value)) == (other == advice)


C_FILES = {"microcontroller": True, "tflite": True}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipes": ("int4",)}, "`recipes` must be of"),
        ({"recipes": ()}, "`recipes` must be of"),
        ({"io": "int4"}, "`io` must be one of"),
        ({"microcontroller": True}, "needs .tflite"),
        ({**C_FILES, "io": "float32"}, "integers throughout"),
    ],
    ids=str,
)
def test_options_that_contradict_are_refused(tmp_path, changes, message):
    with pytest.raises(exporter.ExportError, match=message):
        exporter.export_run(options(tmp_path / "gone", **changes))


# The limit stands for a disk that is full: every write beyond it fails.
LIMITED = """
import resource
import sys
resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
sys.argv[0] = "export"
import runpy
runpy.run_module("export", run_name="__main__")
"""


@pytest.mark.parametrize(
    "limit", [pytest.param(2_000, marks=pytest.mark.slow), 200_000]
)
def test_a_full_disk_leaves_nothing_behind(workdir, limit):
    """In a small file, and in the middle of the weights."""
    code = LIMITED.replace("LIMIT, LIMIT", f"{limit}, -1")
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = python("-c", code, f"--workdir={workdir}", env=quiet)
    assert done.returncode == 1, done.stderr
    assert "could not write the export" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (workdir / "export").exists()
    assert not [n for n in names(workdir) if n.startswith(".")]


def test_a_folder_that_cannot_be_written_is_said_at_once(workdir):
    blocked = workdir / "file"
    blocked.write_text("in the way")
    with pytest.raises(exporter.ExportError, match="cannot write into"):
        exporter.export_run(options(workdir, out=blocked / "export"))


def test_the_export_that_is_there_can_be_measured(workdir):
    folder = workdir / "export"
    shutil.copytree(export_fixtures.export_folder(), folder)
    for path in folder.glob("*.tflite"):
        if path.name != "model_int8.tflite":
            path.unlink()
    exporter.benchmark_export(options(workdir))
    assert {"latency.json", "latency.png"} <= names(folder)
    assert "p95" in (folder / "MODEL_CARD.md").read_text()
    with pytest.raises(exporter.ExportError, match="is no export"):
        exporter.benchmark_export(options(workdir, out=workdir / "none"))


def spoil(workdir, change):
    """Changes the variance of the first batch normalisation.

    Without the checksum, as in a file of an earlier version or of another run.
    """
    with h5py.File(workdir / run_folder.BEST_WEIGHTS, "r+") as stored:
        variance = stored["layers/batch_normalization/vars/3"]
        variance[...] = change(variance[...])
        del stored.attrs["sha256"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: values * np.nan, r"best\.weights\.h5.*holds NaN"),
        (
            lambda values: values[::-1] * 9,
            r"weights\.h5 does not predict",
        ),
    ],
    ids=["NaN", "other numbers"],
)
def test_other_weights_than_the_run_was_judged_by_are_refused(
    workdir, change, message
):
    spoil(workdir, change)
    with pytest.raises(ValueError, match=message):
        exporter.export_run(options(workdir))
    assert not (workdir / "export").exists()


def test_a_run_of_an_earlier_version_is_exported_with_a_warning(
    workdir, capsys
):
    (workdir / run_folder.PREDICTIONS).unlink()
    exporter.export_run(options(workdir, parity_images=10))
    assert "predictions.npz to check" in capsys.readouterr().out


def test_damaged_figures_are_told_before_anything_is_computed(workdir):
    (workdir / run_folder.METRICS).write_text('{"validation": 3}')
    with pytest.raises(ValueError, match=r"metrics\.json is damaged"):
        exporter.export_run(options(workdir))


@pytest.mark.parametrize("damage", ["weights", "shapes", "settings"])
def test_a_damaged_run_is_refused(workdir, damage):
    if damage == "weights":
        (workdir / run_folder.BEST_WEIGHTS).write_bytes(b"no weights")
    elif damage == "shapes":
        settings = export_fixtures.make_settings(
            backbone="plain_cnn", widths=(8, 8)
        )
        files.write_text(workdir / run_folder.SETTINGS, settings.to_json())
    else:
        (workdir / run_folder.SETTINGS).write_text("{}")
    with pytest.raises(ValueError, match="damaged"):
        exporter.export_run(options(workdir))
    assert not (workdir / "export").exists()
