"""Answers of an earlier run as targets of a new one."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.trainer.small_runs import tiny
from trainer import checkpoints
from trainer import distillation
from trainer import run_folder
from trainer import targets
from trainer import train
from trainer.data import prepared
from trainer.settings import settings as settings_lib


@pytest.fixture(scope="module")
def teacher(prepared_data, tmp_path_factory):
    """(workdir of a finished run, settings of a new one taught by it)."""
    workdir = tmp_path_factory.mktemp("runs") / "teacher"
    values = {"rotation": 20.0, "fine_tune_epochs": 1}
    train.train_and_evaluate(tiny(prepared_data, **values), workdir)
    return workdir, tiny(prepared_data, **values, distill_from=(str(workdir),))


def answers(settings, splits=None):
    return distillation.teacher_predictions(
        settings,
        splits or prepared.load_splits(settings.data),
        tf.distribute.get_strategy(),
    )


def change(settings, **values):
    return settings_lib.from_flat({**settings.flat(), **values})


@pytest.mark.parametrize("flip", [False, True])
def test_it_answers_on_each_view_and_on_its_mirror_image(teacher, flip):
    workdir, settings = teacher
    settings = change(settings, distill_views=2, flip=flip)
    model = checkpoints.load_for_inference(workdir).model
    split = prepared.load_split(settings.data, "train")
    got = answers(settings)
    assert (got.shape, got.dtype) == ((2, 280, 7), np.float32)
    for view in range(2):
        images = distillation.make_view(split, settings, view)
        images = images.astype(np.float32)
        expected = model.predict(images, verbose=0)
        if flip:
            mirrored = model.predict(images[:, :, ::-1], verbose=0)
            expected = (expected + mirrored) / 2
        np.testing.assert_allclose(got[view], expected, atol=1e-5)
    assert np.abs(got[0] - got[1]).max() > 0.01


def test_it_does_not_see_what_cameras_spoil(teacher):
    settings = change(teacher[1], distill_views=1, crop_zoom=0.3)
    noisy = change(settings, noise=60.0, noise_probability=1.0, gamma=1.0)
    np.testing.assert_array_equal(answers(noisy), answers(settings))
    other = change(settings, crop_zoom=0.1)
    assert np.abs(answers(other) - answers(settings)).max() > 0.01


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_it_answers_in_the_precision_of_its_training(
    teacher, tmp_path, precision
):
    workdir = tmp_path / "teacher"
    shutil.copytree(teacher[0], workdir)
    trained = workdir / run_folder.SETTINGS
    values = json.loads(trained.read_text())
    values["training"]["precision"] = precision
    trained.write_text(json.dumps(values))
    settings = change(teacher[1], distill_views=0, distill_from=(str(workdir),))
    splits = prepared.load_splits(settings.data)
    images = splits["train"].images[:64].astype(np.float32)
    expected = checkpoints.load_for_inference(workdir).model(images)
    answer = distillation.load_teacher(
        settings, splits, tf.distribute.get_strategy()
    )
    got = answer(tf.constant(images))
    tolerance = 1e-5 if precision == "float32" else 0.05
    np.testing.assert_allclose(got, expected, atol=tolerance)
    assert (np.abs(got - expected).max() > 1e-5) == (precision != "float32")


def test_teachers_are_asked_before_training_or_on_every_batch(teacher):
    _, settings = teacher
    splits = prepared.load_splits(settings.data)
    nobody = change(settings, distill_from=(), distill_views=0)
    for other in (settings, nobody):
        strategy = tf.distribute.get_strategy()
        assert distillation.load_teacher(other, splits, strategy) is None


def test_teachers_are_averaged(teacher, tmp_path):
    _, settings = teacher
    other = tmp_path / "other"
    train.train_and_evaluate(change(settings, distill_from=(), seed=1), other)
    names = (settings.target.distill_from[0], str(other))
    settings = change(settings, distill_views=1)
    one, two, both = (
        answers(change(settings, distill_from=folders))
        for folders in (names[:1], names[1:], names)
    )
    assert np.abs(one - two).max() > 0.01
    np.testing.assert_allclose(both, (one + two) / 2, atol=1e-6)


def test_the_precision_policy_is_left_alone(teacher):
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        answers(change(teacher[1], distill_views=1))
        policy = keras.mixed_precision.dtype_policy().name
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    assert policy == "mixed_bfloat16"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"num_classes": 3}, "tells"),
        ({"image_size": 32}, "has image_size 48, this run 32"),
        (
            {"train_split": "test", "test_split": "train[:50%]"},
            "trained on 140",
        ),
    ],
    ids=["classes", "size", "leak"],
)
def test_a_teacher_that_does_not_fit_is_refused(teacher, values, text):
    with pytest.raises(ValueError, match=text):
        answers(change(teacher[1], **values))


def test_teachers_are_asked_once_in_all_starts(teacher, tmp_path, monkeypatch):
    settings = change(teacher[1], distill_views=2)
    untested = change(settings, test_split="none")
    train.train_and_evaluate(untested, tmp_path / "run")
    kept = np.load(tmp_path / "run" / run_folder.TARGETS)
    assert (kept.shape, kept.dtype) == ((2, 280, 7), np.float32)

    def ask(*_):
        raise AssertionError("asked again")

    monkeypatch.setattr(distillation, "teacher_predictions", ask)
    (tmp_path / "run" / run_folder.METRICS).unlink()
    train.train_and_evaluate(untested, tmp_path / "run")
    (tmp_path / "run" / run_folder.TARGETS).unlink()
    assert "test" in train.train_and_evaluate(settings, tmp_path / "run")
    with pytest.raises(AssertionError, match="asked again"):
        train.train_and_evaluate(settings, tmp_path / "run", overwrite=True)


@pytest.fixture(scope="module")
def taught(teacher, tmp_path_factory):
    """(workdir of a run that kept its targets, its settings)."""
    workdir = tmp_path_factory.mktemp("taught") / "run"
    settings = change(teacher[1], distill_views=2, test_split="none")
    train.train_and_evaluate(settings, workdir)
    return workdir, settings


def test_targets_are_taken_from_an_earlier_run(taught, tmp_path, monkeypatch):
    workdir, settings = taught

    def ask(*_):
        raise AssertionError("asked again")

    monkeypatch.setattr(distillation, "teacher_predictions", ask)
    values = {"seed": 5, "noise": 20.0, "distill_targets": str(workdir)}
    settings = change(settings, **values, test_split="test")
    train.train_and_evaluate(settings, tmp_path / "run")
    both = [
        np.load(folder / run_folder.TARGETS)
        for folder in (workdir, tmp_path / "run")
    ]
    np.testing.assert_array_equal(*both)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"distill_views": 3}, "--distill_views: 2 there, 3 here"),
        ({"rotation": 5.0}, "--rotation: 20.0 there, 5.0 here"),
        ({"label_smoothing": 0.1}, "--label_smoothing: 0.0 there, 0.1 here"),
        ({"distill_from": ("runs/a",)}, r"--distill_from: .*runs/a"),
        ({"distill_targets": "runs/absent"}, "runs/absent"),
    ],
    ids=lambda value: next(iter(value), "") if type(value) is dict else "",
)
def test_targets_for_something_else_are_refused(taught, values, text):
    workdir, settings = taught
    named = {"distill_targets": str(workdir), **values}
    settings = change(settings, **named)
    splits = prepared.load_splits(settings.data)
    strategy = tf.distribute.get_strategy()
    with pytest.raises(ValueError, match=text):
        targets.training_targets(settings, splits, strategy)


def test_targets_for_other_images_are_refused(taught):
    workdir, settings = taught
    settings = change(settings, distill_targets=str(workdir))
    splits = prepared.load_splits(settings.data)
    train_split = dataclasses.replace(
        splits["train"], images=255 - splits["train"].images
    )
    with pytest.raises(ValueError, match="other images"):
        targets.training_targets(
            settings,
            splits | {"train": train_split},
            tf.distribute.get_strategy(),
        )


def test_targets_of_a_teacher_that_knows_the_test_are_refused(taught, tmp_path):
    """The run that kept them was not tested, so nothing was wrong with it."""
    teacher, run = (tmp_path / name for name in ("teacher", "run"))
    shutil.copytree(taught[1].target.distill_from[0], teacher)
    shutil.copytree(taught[0], run)
    for folder, group, name, value in (
        (teacher, "data", "train_split", "test"),
        (run, "target", "distill_from", [str(teacher)]),
    ):
        values = json.loads((folder / run_folder.SETTINGS).read_text())
        values[group][name] = value
        (folder / run_folder.SETTINGS).write_text(json.dumps(values))
    named = {"distill_from": (str(teacher),), "distill_targets": str(run)}
    settings = change(taught[1], **named, test_split="test")
    splits = prepared.load_splits(settings.data)
    strategy = tf.distribute.get_strategy()
    with pytest.raises(ValueError, match="of this run's test examples"):
        targets.training_targets(settings, splits, strategy)
