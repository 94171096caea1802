import keras
import numpy as np
import pytest

from trainer import phases
from trainer.models import build_model
from trainer.settings.settings import from_flat


@pytest.fixture
def model():
    settings = from_flat(
        {"backbone": "tiny_cnn", "head_units": (8,), "head_dropout": (0.5,)}
    )
    return build_model(settings, 7, keras)


def trainable_layers(model):
    return {v.path.split("/")[0] for v in model.trainable_variables}


def test_phases_without_epochs_are_left_out():
    training = from_flat({"head_epochs": 2, "fine_tune_epochs": 3}).training
    planned = phases.planned_phases(training)
    assert [(p.name, p.epochs) for p in planned] == [
        ("head", 2),
        ("fine_tune", 3),
    ]
    training = from_flat({"fine_tune_epochs": 1}).training
    assert [p.name for p in phases.planned_phases(training)] == ["fine_tune"]


def test_each_phase_has_its_own_rate():
    training = from_flat(
        {
            "head_epochs": 1,
            "head_learning_rate": 0.5,
            "fine_tune_learning_rate": 0.25,
        }
    ).training
    rates = [p.learning_rate for p in phases.planned_phases(training)]
    assert rates == [0.5, 0.25]


def test_phase_one_trains_the_head_alone(model):
    phases.set_trainable(model, phases.Phase("head", 1, 0.1, "adam"), "all")
    assert trainable_layers(model) == {"head1", "logits"}


def test_phase_two_trains_from_the_named_layer_on(model):
    phase = phases.Phase("fine_tune", 1, 0.1, "adam")
    phases.set_trainable(model, phase, "stage4_1_conv")
    assert trainable_layers(model) == {
        "stage4_1_conv",
        "stage4_1_bn",
        "head1",
        "logits",
    }


def test_normalisation_never_trains(model):
    phases.set_trainable(
        model, phases.Phase("fine_tune", 1, 0.1, "adam"), "all"
    )
    assert "stage1_1_conv" in trainable_layers(model)
    assert "normalisation" not in trainable_layers(model)


def test_frozen_batch_norm_keeps_its_statistics_even_in_training(model):
    phases.set_trainable(model, phases.Phase("head", 1, 0.1, "adam"), "all")
    before = model.get_layer("stage1_1_bn").get_weights()
    pixels = np.random.default_rng(0).uniform(0, 255, (4, 48, 48, 1))
    model(pixels.astype(np.float32), training=True)
    after = model.get_layer("stage1_1_bn").get_weights()
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    phases.set_trainable(
        model, phases.Phase("fine_tune", 1, 0.1, "adam"), "all"
    )
    model(pixels.astype(np.float32), training=True)
    moved = model.get_layer("stage1_1_bn").get_weights()
    assert not np.array_equal(moved[2], after[2])


def test_an_unknown_layer_lists_those_there_are(model):
    with pytest.raises(ValueError, match="stage1_1_conv"):
        phases.check_fine_tune_from(model, "conv5_block1")


def test_phase_two_may_have_its_own_update_rule():
    settings = from_flat({"head_epochs": 1, "fine_tune_optimizer": "rmsprop"})
    planned = phases.planned_phases(settings.training)
    assert [phase.optimizer for phase in planned] == ["adam", "rmsprop"]
    same = from_flat({"head_epochs": 1, "optimizer": "sgd"})
    planned = phases.planned_phases(same.training)
    assert [phase.optimizer for phase in planned] == ["sgd", "sgd"]


@pytest.mark.parametrize("value", [True, False])
def test_phase_one_may_go_without_augmentation(value):
    settings = from_flat({"head_epochs": 1, "head_augmentation": value})
    planned = phases.planned_phases(settings.training)
    assert [phase.is_augmented for phase in planned] == [value, True]
