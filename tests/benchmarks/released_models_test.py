"""Tests of benchmarks/released_models.py."""

import types

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import released_models
from tests.export import export_fixtures
from trainer.data.prepared import Split


@pytest.fixture
def baseline(tmp_path):
    """A file that answers with what it sees: corners, mean and size."""

    @tf.function(input_signature=[tf.TensorSpec([1, 64, 64, 1])])
    def look(face):
        return tf.stack(
            [
                face[:, 0, 0, 0],
                face[:, 0, -1, 0],
                face[:, -1, 0, 0],
                tf.reduce_mean(face, [1, 2, 3]),
            ],
            axis=1,
        )

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [look.get_concrete_function()]
    )
    path = tmp_path / "baseline.tflite"
    path.write_bytes(converter.convert())
    return path


def test_the_baseline_sees_larger_faces_between_minus_1_and_1(baseline):
    images = np.zeros([2, 48, 48, 1], np.uint8)
    images[0, :, 24:] = 255
    images[1] = 51
    split = Split(images, np.array([0, 0]), ["a", "b"])
    answers = released_models.baseline_predictions(baseline, split)
    wanted = [[-1, 1, -1, 0], [-0.6, -0.6, -0.6, -0.6]]
    np.testing.assert_allclose(answers, wanted, atol=0.01)


def test_right_answers_are_counted_with_and_without_seen_images():
    images = np.zeros([4, 1, 1, 1], np.uint8)
    validation = Split(images[:2], np.array([0, 1]), ["a", "b"])
    test = Split(images, np.array([0, 1, 1, 0]), ["c", "d", "e", "f"])
    seen = np.array([True, False, False, True])
    found = released_models.accuracies(
        validation,
        test,
        seen,
        answer=lambda split: np.eye(2)[[0, 0, 1, 0][: len(split.labels)]],
    )
    assert found == [(1, 2), (3, 4), (1, 2)]


def test_nothing_to_measure_is_said_before_any_work(tmp_path):
    with pytest.raises(SystemExit):
        released_models.main(["--model", "--rival=x"])
    with pytest.raises(ValueError, match=r"none\.tflite is no file"):
        released_models.main([f"--model={tmp_path}/none.tflite", "--rival=x"])


def test_our_answers_are_those_of_the_device_runtime():
    path = export_fixtures.export_folder() / "model_int8.tflite"
    images = np.full([2, 48, 48, 1], 90, np.uint8)
    split = Split(images, np.array([0, 0]), ["a", "b"])
    answers = released_models.our_predictions(path, split)
    assert answers.shape == (2, 7)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=0.03)


def test_what_was_held_out_is_read_from_the_file(monkeypatch):
    path = export_fixtures.export_folder() / "model_int8.tflite"
    assert released_models.held_out(path) == "validation"
    metadata = released_models.read_model_file(str(path)).metadata
    metadata["settings"]["data"]["validation_split"] = "validation[80%:]"
    monkeypatch.setattr(
        released_models,
        "read_model_file",
        lambda _: types.SimpleNamespace(metadata=metadata),
    )
    assert released_models.held_out(path) == "validation[80%:]"


def test_a_row_holds_size_work_accuracy_and_times():
    path = export_fixtures.export_folder() / "model_int8.tflite"
    figures = [(1, 4), (50, 100), (30, 50)]
    row = released_models.table_row(
        path, figures, [2, 4], baseline_times=[1, 8]
    )
    assert row[0] == "`model_int8.tflite`"
    assert row[1] == f"{path.stat().st_size / 1000:,.1f}"
    assert float(row[2]) > 0
    assert row[3:] == [
        "25.00% of 4",
        "50.00% (40.38% to 59.62%)",
        "60.00% (46.18% to 72.39%)",
        "3.00 (2.00 to 4.00)",
        "1.25 (0.500 to 2.00)",
    ]
