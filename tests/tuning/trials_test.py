"""A trial is what the trainer would do."""

import subprocess

import numpy as np
import pytest

from tests.tuning import tuning_fixtures
from trainer import checkpoints
from trainer import exit_codes
from trainer import files
from trainer import loop
from trainer import phases
from trainer import train
from trainer.data import prepared as records
from trainer.data import stored
from trainer.settings import settings as settings_lib
from tuning import features as features_lib
from tuning import search
from tuning import trials


def make_settings(**values):
    return tuning_fixtures.make_options("unused", values=values).settings


def test_a_trial_is_phase_1_of_the_trainer(tmp_path, monkeypatch):
    """From the same first weights both write the same history."""
    head = {"head_units": (16,), "head_dropout": (0.3,), "pooling_dropout": 0.2}
    others = {"label_smoothing": 0.1, "ema": 0.5, "test_split": "none"}
    phase_1 = {"head_augmentation": False, "fine_tune_epochs": 0}
    cache = {"feature_cache": str(tmp_path / "cache")}
    settings = make_settings(**phase_1, **head, **others, **cache)
    first = {}
    real = train.build_model

    def remember(*arguments):
        model = real(*arguments)
        for layer in map(model.get_layer, ("head1", "logits")):
            first.setdefault(layer.name, layer.get_weights())
        return model

    monkeypatch.setattr(train, "build_model", remember)
    train.train_and_evaluate(settings, tmp_path / "plain")
    build = trials.build_head_model

    def begin_there(*arguments, **named):
        model = build(*arguments, **named)
        for layer in map(model.get_layer, ("head1", "logits")):
            layer.set_weights(first[layer.name])
        return model

    monkeypatch.setattr(trials, "build_head_model", begin_there)
    strategy = search.runtime.configure(settings.training)
    splits = records.load_splits(settings.data)
    features = search.features_lib.get_features(
        settings, splits, strategy, num_passes=0
    )
    train_call = trials.make_head_training(features, splits, strategy)
    quick = train_call(settings, tmp_path / "quick")
    plain = checkpoints.read_progress(tmp_path / "plain").history
    for one, other in zip(quick, plain, strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert one[name] == pytest.approx(other[name], abs=1e-4)


def test_a_trial_streams_features_of_images_that_are_streamed(tmp_path):
    """To the figures of memory; nothing is learned, in another order."""
    histories = []
    for reading in ("stream", "memory"):
        settings = make_settings(
            reading=reading,
            head_learning_rate=0.0,
            head_augmentation=False,
            feature_cache=str(tmp_path / "cache"),
        )
        strategy = search.runtime.configure(settings.training)
        splits = records.load_splits(settings.data)
        features = search.features_lib.get_features(
            settings, splits, strategy, num_passes=2
        )
        is_stored = isinstance(features.passes[0], stored.Stored)
        assert is_stored == (reading == "stream")
        train_call = trials.make_head_training(features, splits, strategy)
        histories.append(train_call(settings, tmp_path / reading))
    assert len(histories[0]) == 2
    for one, other in zip(*histories, strict=True):
        # 280 images are ten whole batches.
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert one[name] == pytest.approx(other[name], abs=1e-4)
    losses = [row["loss"] for row in histories[0]]
    assert losses[0] != pytest.approx(losses[1], abs=1e-6)  # Passes differ.


def test_a_heads_trial_asks_teachers_of_every_batch_too(tmp_path, monkeypatch):
    """Once, on the images as they are: the loop cannot, on features."""
    values = {"distill_from": ("teacher",), "distill_views": 0}
    settings = make_settings(**values, distill_share=1.0)
    splits = records.load_splits(settings.data)
    count, classes = len(splits["train"].labels), 7
    taught = np.full([count, classes], 1 / classes, np.float32)
    monkeypatch.setattr(
        trials.targets.distillation, "plain_predictions", lambda *_: taught
    )
    trained_to = []
    monkeypatch.setattr(
        trials._HeadRun, "train", lambda run: trained_to.append(run.targets)
    )
    features = features_lib.Features(
        [np.zeros([count, 3], np.float32)],
        np.zeros([len(splits["validation"].labels), 3], np.float32),
        {},
    )
    strategy = search.runtime.configure(settings.training)
    trials.make_head_training(features, splits, strategy)(settings, tmp_path)
    np.testing.assert_allclose(trained_to[0], taught, atol=1e-6)


def test_augmented_passes_take_turns():
    run = object.__new__(trials._HeadRun)
    run.passes = [np.full([4, 1, 1, 3], i, np.float32) for i in range(2)]
    run.settings = settings_lib.from_flat({"head_epochs": 4})
    run.progress = checkpoints.Progress(epoch=1, phase_epoch=1)
    run.targets, run.batch = np.eye(4, dtype=np.float32), 2
    run.strategy = search.runtime.make_strategy("default")
    phase = phases.planned_phases(run.settings.training)[0]
    batches = [x.numpy().mean() for x, _ in run.training_data(phase, None)]
    assert batches == [1, 1, 0, 0, 1, 1]


MISLEADING = "error: the training loss is high, make room for others"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (exit_codes.DIVERGED, loop.DivergenceError),
        (exit_codes.DISK_FULL, files.NoSpaceError),
        (exit_codes.FAILED, trials.TrialError),
        (-9, trials.TrialError),
    ],
)
@pytest.mark.parametrize("said", ["", "error: something", MISLEADING])
def test_a_failed_run_is_told_by_its_exit_code_not_its_words(
    code, error, said, tmp_path, monkeypatch
):
    done = subprocess.CompletedProcess([], code, "", said)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(error) as caught:
        trials.train_whole(settings_lib.from_flat({}), tmp_path)
    assert type(caught.value) is error
    assert str(caught.value) == (said or f"exit code {code}")
