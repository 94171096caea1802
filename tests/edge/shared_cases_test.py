"""Tests of edge/classifier.py and edge/model_file.py on real model files."""

import concurrent.futures
import json
import sys
import zipfile

import numpy as np
import pytest

import edge
from edge import classifier
from export import tflite
from tests.commands.command_line import python
from tests.edge.brightness import LABELS
from tests.edge.brightness import METADATA
from tests.edge.brightness import SIZE
from tests.edge.brightness import SLOPES
from tests.edge.brightness import convert
from tests.edge.brightness import expected
from tests.edge.brightness import model_path
from tests.edge.brightness import pictures

KINDS = ["float32", "dynamic_batch", "uint8", "int8", "uint8_to_float32"]


def copy_of(kind, folder, damage=lambda content: content):
    path = folder / "model.tflite"
    path.write_bytes(damage(model_path(kind).read_bytes()))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_each_input_and_output_type_answers(kind):
    model = edge.Classifier(model_path(kind))
    images = pictures(11)
    answers = model.probabilities(images)
    assert answers.dtype == np.float32
    # Two steps of an 8-bit probability, and 8 bits in the middle.
    tolerance = 1e-6 if model.input_dtype == np.float32 else 0.03
    np.testing.assert_allclose(answers, expected(images), atol=tolerance)
    assert set(answers.argmax(axis=1)) == {0, 1, 2}


def test_the_file_says_what_it_takes():
    model = edge.Classifier(model_path("uint8"))
    assert model.labels == LABELS
    assert (model.image_size, model.channels) == (SIZE, 1)
    assert model.input_dtype == np.uint8
    assert model.input_quantization == (1.0, 0)
    assert model.metadata["image_size"] == SIZE


@pytest.mark.parametrize("kind", ["float32", "dynamic_batch"])
def test_batches_of_any_length(kind):
    model = edge.Classifier(model_path(kind))
    images = pictures(5)
    whole = model.probabilities(images)
    alone = [model.probabilities(images[i : i + 1])[0] for i in range(5)]
    np.testing.assert_allclose(whole, alone, atol=1e-6)
    assert model.probabilities(images[:0]).shape == (0, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_built_in_kernels_agree_with_xnnpack(kind):
    # One step of a quantised logit is up to two of a probability here.
    images = pictures(6)
    fast = edge.Classifier(model_path(kind)).probabilities(images)
    plain = edge.Classifier(model_path(kind), use_xnnpack=False)
    np.testing.assert_allclose(
        fast, plain.probabilities(images), atol=2.01 / 256
    )


@pytest.mark.parametrize(
    ("dtype", "zero_point", "values", "steps"),
    [
        ("uint8", 0, [-1, 0, 0.4, 0.6, 255, 999], [0, 0, 0, 1, 255, 255]),
        ("int8", -128, [-1, 0, 127.6, 255, 999], [-128, -128, 0, 127, 127]),
        ("int16", 0, [-1e9, -32768, 1e9], [-32768, -32768, 32767]),
    ],
)
def test_quantise_rounds_and_clips_at_both_ends(
    dtype, zero_point, values, steps
):
    quantised = classifier.quantise(
        np.array(values), 1.0, zero_point, dtype=dtype
    )
    assert quantised.dtype == dtype
    assert quantised.tolist() == steps


def test_dequantise_undoes_quantise_and_scale_zero_means_neither():
    values = np.array([0.0, 0.5, 255 / 256], np.float32)
    steps = classifier.quantise(values, 1 / 256, -128, dtype=np.int8)
    assert steps.tolist() == [-128, 0, 127]
    back = classifier.dequantise(steps, 1 / 256, -128)
    np.testing.assert_array_equal(back, values)
    same = classifier.quantise(300 * values, 0, 0, dtype=np.float32)
    assert same.tolist() == (300 * values).tolist()
    assert classifier.dequantise(same, 0, 0).dtype == np.float32


def test_classify_ranks_labels_for_a_picture_of_any_size():
    model = edge.Classifier(model_path("float32"))
    answer = model.classify(np.full([30, 20], 250, np.uint8))
    assert next(iter(answer)) == "light"
    assert list(answer.values()) == sorted(answer.values(), reverse=True)
    assert set(answer) == set(LABELS)
    assert sum(answer.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("container", [list, np.stack], ids=["list", "array"])
def test_classify_answers_several_in_order(container):
    model = edge.Classifier(model_path("float32"))
    several = [np.full([9, 9, 3], level, np.uint8) for level in (0, 250)]
    answers = model.classify(container(several))
    assert [next(iter(answer)) for answer in answers] == ["dark", "light"]
    assert model.classify([]) == []


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros([1, 8, 8, 1], np.float32), "uint8.*float32.*normalise"),
        (np.zeros([1, 8, 8, 1], np.int64), "uint8.*int64"),
        (np.zeros([8, 8, 1], np.uint8), r"\[n, 8, 8, 1\].*\[8, 8, 1\]"),
        (np.zeros([1, 8, 8, 3], np.uint8), r"received \[1, 8, 8, 3\]"),
        (np.zeros([1, 9, 8, 1], np.uint8), "classify"),
    ],
    ids=["float", "int64", "rank", "channels", "size"],
)
def test_wrong_images_are_refused(images, message):
    model = edge.Classifier(model_path("float32"))
    with pytest.raises(ValueError, match=message):
        model.probabilities(images)


@pytest.mark.parametrize("number", [0, 100_000])
def test_threads_that_cannot_be_are_refused(number):
    with pytest.raises(ValueError, match=rf"num_threads.*received {number}"):
        edge.Classifier(model_path("float32"), num_threads=number)


def test_threads_may_share_a_classifier():
    model = edge.Classifier(model_path("dynamic_batch"))
    images = pictures(40)
    whole = model.probabilities(images)

    def work(count):
        for _ in range(200):
            answers = model.probabilities(images[:count])
            np.testing.assert_allclose(answers, whole[:count], atol=1e-6)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # Threads change over far more often.
    try:
        with concurrent.futures.ThreadPoolExecutor() as threads:
            list(threads.map(work, (1, 7, 40)))
    finally:
        sys.setswitchinterval(interval)


def flip_a_weight(content):
    middle = content.index(SLOPES.tobytes())
    return content[:middle] + b"\x00\xff" + content[middle + 2 :]


DAMAGE = {
    "text": (lambda content: b"no model at all", "not a TFLite file"),
    "empty": (lambda content: b"", "not a TFLite file"),
    "cut": (lambda content: content[:-200], "labels.txt"),
    "head only": (lambda content: content[:12], "labels.txt"),
    "flipped": (flip_a_weight, "checksum"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_refused_with_advice(tmp_path, damage):
    change, message = DAMAGE[damage]
    path = copy_of("float32", tmp_path, change)
    with pytest.raises(edge.ModelFileError, match=message) as caught:
        edge.Classifier(path)
    assert str(path) in str(caught.value)
    assert "python -m export --tflite" in str(caught.value)
    path.unlink()
    with pytest.raises(edge.ModelFileError, match="No such file"):
        edge.Classifier(path)


def test_garbage_with_good_labels_is_refused(tmp_path):
    """The checksum fits; LiteRT itself must find the damage."""
    path = tmp_path / "model.tflite"
    path.write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(range(256)) * 4)
    tflite.append_metadata(path, LABELS, METADATA)
    with pytest.raises(edge.ModelFileError, match="LiteRT does not load it"):
        edge.Classifier(path)


def test_a_plain_tflite_file_is_refused(tmp_path):
    path = tmp_path / "plain.tflite"
    content = model_path("float32").read_bytes()
    size = edge.Classifier(model_path("float32")).metadata["model_bytes"]
    path.write_bytes(content[:size])
    with pytest.raises(edge.ModelFileError, match="carries no labels"):
        edge.Classifier(path)


@pytest.mark.parametrize(
    ("labels", "metadata", "message"),
    [
        (("a", "b"), METADATA, r"\(8, 8, 1, 3\).*\(8, 8, 1, 2\)"),
        (LABELS, {**METADATA, "image_size": 9}, r"\(9, 9, 1, 3\)"),
        (("a", "", "c"), METADATA, "malformed"),
        ((), METADATA, "malformed"),
    ],
    ids=["labels", "size", "blank label", "no labels"],
)
def test_metadata_must_fit_the_model(tmp_path, labels, metadata, message):
    path = tmp_path / "model.tflite"
    path.write_bytes(convert("float32"))
    tflite.append_metadata(path, labels, metadata)
    with pytest.raises(edge.ModelFileError, match=message):
        edge.Classifier(path)


def test_metadata_without_a_checksum_is_refused(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(convert("float32"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", "a\nb\nc\n")
        archive.writestr("metadata.json", json.dumps(METADATA))
    with pytest.raises(edge.ModelFileError, match="model_sha256"):
        edge.Classifier(path)


def test_runs_without_tensorflow_and_without_noise():
    code = (
        "import sys, numpy, edge; "
        f"model = edge.Classifier({str(model_path('uint8'))!r}); "
        f"model.classify(numpy.zeros([{SIZE}, {SIZE}], numpy.uint8)); "
        "ours = {'tensorflow', 'keras', 'trainer', 'fer_tfds', 'export'}; "
        "sys.exit(bool(ours & set(sys.modules)))"
    )
    done = python("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
