import keras
import numpy as np
import pytest

from trainer import phases
from trainer.models import build_model
from trainer.settings.settings import from_flat


@pytest.fixture
def model():
    values = {"backbone": "tiny_cnn", "head_units": (8,)}
    return build_model(from_flat({**values, "head_dropout": (0.5,)}), 7, keras)


def trainable_layers(model):
    return {v.path.split("/")[0] for v in model.trainable_variables}


HEAD = {"head_epochs": 2, "fine_tune_epochs": 3}
RATES = {"head_learning_rate": 0.5, "fine_tune_learning_rate": 0.25}


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [
        (HEAD, "name", ["head", "fine_tune"]),
        (HEAD, "epochs", [2, 3]),
        ({"fine_tune_epochs": 1}, "name", ["fine_tune"]),
        ({**HEAD, **RATES}, "learning_rate", [0.5, 0.25]),
        ({**HEAD, "optimizer": "sgd"}, "optimizer", ["sgd", "sgd"]),
        ({**HEAD, "fine_tune_optimizer": "sgd"}, "optimizer", ["adam", "sgd"]),
        ({**HEAD, "head_augmentation": True}, "is_augmented", [True, True]),
        ({**HEAD, "head_augmentation": False}, "is_augmented", [False, True]),
    ],
    ids=str,
)
def test_phases_are_planned_by_the_settings(values, part, expected):
    planned = phases.planned_phases(from_flat(values).training)
    assert [getattr(phase, part) for phase in planned] == expected


def set_trainable(model, name, first="all"):
    phases.set_trainable(model, phases.Phase(name, 1, 0.1, "adam"), first)


def test_a_phase_trains_the_head_or_from_the_named_layer_on(model):
    head = {"head1", "logits"}
    set_trainable(model, "head")
    assert trainable_layers(model) == head
    set_trainable(model, "fine_tune", "stage4_1_conv")
    assert trainable_layers(model) == head | {"stage4_1_conv", "stage4_1_bn"}
    set_trainable(model, "fine_tune")
    assert "stage1_1_conv" in trainable_layers(model)
    assert "normalisation" not in trainable_layers(model)
    with pytest.raises(ValueError, match="stage1_1_conv"):
        phases.check_fine_tune_from(model, "conv5_block1")


def test_batch_norm_can_stay_frozen_among_layers_that_train(model):
    values = {**HEAD, "fine_tune_batch_norm": False}
    phase = phases.planned_phases(from_flat(values).training)[1]
    phases.set_trainable(model, phase, "all")
    assert "stage1_1_conv" in trainable_layers(model)
    assert not [n for n in trainable_layers(model) if n.endswith("_bn")]


def test_frozen_batch_norm_keeps_its_statistics_even_in_training(model):
    set_trainable(model, "head")
    before = model.get_layer("stage1_1_bn").get_weights()
    pixels = np.random.default_rng(0).uniform(0, 255, (4, 48, 48, 1))
    model(pixels.astype(np.float32), training=True)
    after = model.get_layer("stage1_1_bn").get_weights()
    assert all(map(np.array_equal, before, after))
    set_trainable(model, "fine_tune")
    model(pixels.astype(np.float32), training=True)
    moved = model.get_layer("stage1_1_bn").get_weights()
    assert not np.array_equal(moved[2], after[2])
