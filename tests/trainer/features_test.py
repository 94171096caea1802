"""Features of a frozen backbone, computed once."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import checkpoints
from trainer import features
from trainer import phases
from trainer import train
from trainer.models import build_model
from trainer.settings import settings as settings_lib

HEAD = {
    **{"backbone": "tiny_cnn", "batch_size": 56, "ema": 0.9, "head_l2": 0.01},
    **{"head_epochs": 3, "head_learning_rate": 0.01, "pooling_dropout": 0.2},
    **{"fine_tune_epochs": 1, "fine_tune_learning_rate": 0.001},
    **{"head_units": (16,), "head_dropout": (0.3,)},
}
TAUGHT = {"distill_from": ("runs/a",)}
# Kernels are summed in another order on features than inside the network.
TOLERANCE = 2e-5


@pytest.fixture(scope="module")
def runs(prepared_data, tmp_path_factory):
    """Workdirs of the same run, the quick way and the plain way."""
    folders, values = {}, {**HEAD, "flip": True, "head_augmentation": False}
    for quick in (True, False):
        workdir = tmp_path_factory.mktemp("runs") / f"quick_{quick}"
        values |= {"data_dir": prepared_data, "reuse_features": quick}
        train.train_and_evaluate(settings_lib.from_flat(values), workdir)
        folders[quick] = workdir
    return folders


def test_both_ways_write_the_same_history_and_end_with_the_same_weights(runs):
    quick, plain = (
        checkpoints.load_for_inference(folder).model.get_weights()
        for folder in runs.values()
    )
    for one, other in zip(quick, plain, strict=True):
        np.testing.assert_allclose(one, other, atol=TOLERANCE)
    quick, plain = (
        checkpoints.read_progress(folder).history for folder in runs.values()
    )
    assert len(quick) == len(plain) == 4
    for one, other in zip(quick, plain, strict=True):
        for name in ("loss", "val_loss", "val_accuracy", "accuracy"):
            assert one[name] == pytest.approx(other[name], abs=1e-3)


def frozen(**values):
    settings = settings_lib.from_flat({**HEAD, **values})
    model = build_model(settings, 7, keras)
    phase = phases.planned_phases(settings.training)[0]
    phases.set_trainable(model, phase, "all")
    return model, settings, phase


DROPOUT = {"backbone": "layer_list", "layers": ("c8", "d0.2")}
LATER = {"flip": True, "mixup": 0.1, "head_augmentation": False}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, ""),
        ({"flip": True}, "augmented"),
        ({"mixup": 0.1}, "mixed"),
        (LATER, ""),
        (DROPOUT, "the backbone has dropout"),
        ({"max_memory_gib": 0.01}, "features take 0.0 GiB"),
        ({**TAUGHT, "distill_views": 0}, "every batch"),
        (TAUGHT, ""),
    ],
    ids=str,
)
def test_what_is_random_or_too_large_takes_the_plain_way(values, reason):
    model, settings, phase = frozen(**values)
    found = features.why_not(model, settings, phase, num_images=40_000)
    assert bool(found) == bool(reason)
    assert reason in found


def test_a_backbone_that_trains_takes_the_plain_way():
    model, settings, phase = frozen()
    model.get_layer("stage1_1_conv").trainable = True
    assert "trained" in features.why_not(model, settings, phase, num_images=100)


def test_the_head_shares_its_weights_with_the_network():
    model, _, _ = frozen()
    images = np.random.default_rng(0).integers(0, 256, (9, 48, 48, 1), np.uint8)
    work = features.PhaseInputs(model, None, None, images, images[:4])
    head = features.head_alone(work, tf.distribute.get_strategy())
    assert head.train.shape == (9, 96)
    assert head.validation.shape == (4, 96)
    np.testing.assert_allclose(
        head.model(head.train), model(images.astype(np.float32)), atol=1e-5
    )
    names = [v.path for v in model.trainable_variables]
    assert [v.path for v in head.model.trainable_variables] == names
    changed = dataclasses.replace(head).model.get_layer("logits")
    changed.set_weights([w * 0 for w in changed.get_weights()])
    np.testing.assert_allclose(model(images.astype(np.float32)), 1 / 7)
