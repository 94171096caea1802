"""Stored predictions: the same back, and one clear error for all else."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from trainer import run_folder
from trainer.evaluation import predictions

LABELS = np.array([0, 1, 1], np.int32)
PROBABILITIES = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]], np.float32)
ANSWERS = predictions.Predictions(["a", "é.jpg", "c"], LABELS, PROBABILITIES)


@pytest.fixture(name="path")
def write(tmp_path):
    path = tmp_path / run_folder.PREDICTIONS
    predictions.write(path, {"validation": ANSWERS})
    return path


def test_what_was_written_is_read(path):
    stored = predictions.read(path, "validation")
    assert stored.ids == ANSWERS.ids
    np.testing.assert_array_equal(stored.labels, LABELS)
    np.testing.assert_array_equal(stored.probabilities, PROBABILITIES)
    assert stored.probabilities.dtype == np.float32
    assert predictions.read(path, "test") is None


def test_any_memory_order_and_precision_can_be_written(tmp_path):
    odd = np.asfortranarray(PROBABILITIES.astype(np.float64))
    path = tmp_path / "x.npz"
    predictions.write(path, {"t": predictions.Predictions("abc", LABELS, odd)})
    stored = predictions.read(path, "t")
    np.testing.assert_array_equal(stored.probabilities, PROBABILITIES)


def replace(path, name, content):
    """The same file with one array replaced by other bytes, or without it."""
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    members.pop(f"validation_{name}.npy")
    if content is not None:
        members[f"validation_{name}.npy"] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)


def as_npy(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def announce(shape):
    """An array that announces more than it holds."""
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + b"1234"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("labels", as_npy(LABELS[:2]), id="too few labels"),
        pytest.param("labels", as_npy(LABELS + 1), id="label out of range"),
        pytest.param("labels", as_npy(LABELS / 2), id="labels of floats"),
        pytest.param("ids", as_npy(np.array(["a"])), id="too few names"),
        pytest.param("ids", as_npy(LABELS), id="numbers for names"),
        pytest.param("ids", as_npy(np.array([{}] * 3)), id="pickle"),
        pytest.param("probabilities", as_npy(np.zeros(3)), id="one axis"),
        pytest.param("probabilities", as_npy(PROBABILITIES + 0j), id="complex"),
        pytest.param(
            "probabilities", as_npy(PROBABILITIES * np.nan), id="not finite"
        ),
        pytest.param("probabilities", announce((3, 2**40)), id="announced"),
        pytest.param("probabilities", announce((-3, 2)), id="negative"),
        pytest.param("probabilities", announce((3, 2**80)), id="overflow"),
        pytest.param("probabilities", announce("('"), id="no header"),
        pytest.param("probabilities", b"", id="empty"),
        pytest.param("probabilities", b"\x93NUMPY\x01", id="cut header"),
        pytest.param("probabilities", b"\x93NUMPY\x09\x00xx", id="version 9"),
        pytest.param("probabilities", b"MZ" * 99, id="something else"),
    ],
)
def test_damaged_arrays_are_refused(path, name, content):
    replace(path, name, content)
    with pytest.raises(predictions.PredictionsError, match="or damaged"):
        predictions.read(path, "validation")


def test_unpacked_bytes_are_bounded(path, monkeypatch):
    monkeypatch.setattr(predictions, "MAX_ARRAY_BYTES", 200)
    replace(path, "probabilities", b"\0" * 10**7)
    tracemalloc.start()
    with pytest.raises(predictions.PredictionsError, match="more than 200"):
        predictions.read(path, "validation")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 10**6


def test_cut_files_are_refused_and_every_flipped_byte_read_or_refused(path):
    whole = path.read_bytes()
    for kept in (0, 10, 200, -30):
        path.write_bytes(whole[:kept])
        with pytest.raises(predictions.PredictionsError, match="or damaged"):
            predictions.read(path, "validation")
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        path.write_bytes(changed)
        try:
            predictions.read(path, "validation")
        except predictions.PredictionsError:
            continue


def test_an_array_that_is_missing_and_a_file_that_is_missing(path):
    replace(path, "labels", None)
    with pytest.raises(predictions.PredictionsError, match="labels"):
        predictions.read(path, "validation")
    path.unlink()
    with pytest.raises(predictions.PredictionsError, match="there is no"):
        predictions.read(path, "validation")
