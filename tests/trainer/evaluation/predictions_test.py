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
    odd = np.asfortranarray(PROBABILITIES.astype(np.float64))
    for probabilities in (PROBABILITIES, odd):
        answers = predictions.Predictions(ANSWERS.ids, LABELS, probabilities)
        predictions.write(path, {"validation": answers})
        stored = predictions.read(path, "validation")
        assert stored.ids == ANSWERS.ids
        np.testing.assert_array_equal(stored.labels, LABELS)
        np.testing.assert_array_equal(stored.probabilities, PROBABILITIES)
        assert stored.probabilities.dtype == np.float32
    assert predictions.read(path, "test") is None


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


DAMAGED = {
    "too few labels": ("labels", as_npy(LABELS[:2])),
    "label out of range": ("labels", as_npy(LABELS + 1)),
    "labels of floats": ("labels", as_npy(LABELS / 2)),
    "too few names": ("ids", as_npy(np.array(["a"]))),
    "numbers for names": ("ids", as_npy(LABELS)),
    "pickle": ("ids", as_npy(np.array([{}] * 3))),
    "one axis": ("probabilities", as_npy(np.zeros(3))),
    "complex": ("probabilities", as_npy(PROBABILITIES + 0j)),
    "not finite": ("probabilities", as_npy(PROBABILITIES * np.nan)),
    "announced": ("probabilities", announce((3, 2**40))),
    "negative": ("probabilities", announce((-3, 2))),
    "overflow": ("probabilities", announce((3, 2**80))),
    "no header": ("probabilities", announce("('")),
    "empty": ("probabilities", b""),
    "cut header": ("probabilities", b"\x93NUMPY\x01"),
    "version 9": ("probabilities", b"\x93NUMPY\x09\x00xx"),
    "something else": ("probabilities", b"MZ" * 99),
}


@pytest.mark.parametrize(("name", "content"), DAMAGED.values(), ids=DAMAGED)
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
