import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import optimizers
from trainer.phases import Phase
from trainer.settings.settings import from_flat


@pytest.fixture
def model():
    return keras.Sequential([keras.Input([3]), keras.layers.Dense(2)])


def rates(name, steps=100):
    schedule = optimizers.make_schedule(name, 0.1, steps, keras=keras)
    if isinstance(schedule, float):
        return np.full(steps, schedule)
    return np.array([float(schedule(step)) for step in range(steps)])


def test_schedules_have_their_shapes():
    np.testing.assert_allclose(rates("constant"), 0.1)
    cosine = rates("cosine")
    assert cosine[0] == pytest.approx(0.1)
    assert cosine[50] == pytest.approx(0.05, abs=1e-3)
    assert np.all(np.diff(cosine) < 0)
    cycle = rates("one_cycle")
    assert cycle[0] == pytest.approx(0.1 / 25)
    assert cycle.argmax() == 30
    assert cycle.max() == pytest.approx(0.1)
    assert cycle[-1] < 0.001


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
def test_only_kernels_decay_and_sgd_has_its_momentum(name, model):
    values = {"optimizer": name, "weight_decay": 0.5, "momentum": 0.5}
    of = from_flat(values).training, Phase("fine_tune", 1, 0.1, name), model
    optimizer = optimizers.make_optimizer(*of, total_steps=10, keras=keras)
    model.set_weights([np.ones([3, 2]), np.ones([2])])
    zeros = [tf.zeros([3, 2]), tf.zeros([2])]
    optimizer.apply(zeros, model.trainable_variables)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel, 0.95, atol=1e-6)
    np.testing.assert_allclose(bias, 1.0)
    if name == "sgd":
        assert (optimizer.momentum, optimizer.nesterov) == (0.5, True)


def test_balanced_weights_are_one_on_average():
    labels = np.array([0] * 6 + [1] * 3 + [2])
    weights = optimizers.class_weights("balanced", labels, 3)
    assert weights[labels].mean() == pytest.approx(1)
    assert weights[2] == pytest.approx(6 * weights[0])
    assert optimizers.class_weights("none", labels, 3).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match=r"counts are \[1, 0\]"):
        optimizers.class_weights("balanced", np.array([0]), 2)


def test_effective_numbers_lie_between_none_and_balanced():
    labels = np.repeat([0, 1], [3000, 300])
    weights = {
        kind: optimizers.class_weights(kind, labels, 2)
        for kind in ("none", "effective_number", "balanced")
    }
    ratio = {kind: pair[1] / pair[0] for kind, pair in weights.items()}
    assert 1 == ratio["none"] < ratio["effective_number"] < ratio["balanced"]
    expected = (1 - 0.999**3000) / (1 - 0.999**300)
    assert ratio["effective_number"] == pytest.approx(expected, rel=1e-5)
    assert weights["effective_number"][labels].mean() == pytest.approx(1)


TARGETS = np.eye(3, dtype=np.float32)[:2]
LOGITS = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], np.float32))


def test_loss_is_cross_entropy_of_any_target_weighed_or_focal():
    plain = optimizers.make_loss(np.ones(3))(TARGETS, LOGITS)
    np.testing.assert_allclose(plain, -np.log([0.7, 0.1]), rtol=1e-5)
    weighed = optimizers.make_loss([2, 3, 1])(TARGETS, LOGITS)
    np.testing.assert_allclose(weighed, plain * [2.0, 3.0], rtol=1e-5)
    soft = np.array([[0.8, 0.1, 0.1]], np.float32)
    loss = optimizers.make_loss(np.ones(3))(soft, LOGITS[:1])
    np.testing.assert_allclose(loss, -soft @ LOGITS[0], rtol=1e-5)
    focal = optimizers.make_loss(np.ones(3), focal_gamma=2.0)(TARGETS, LOGITS)
    expected = [-(0.3**2) * np.log(0.7), -(0.9**2) * np.log(0.1)]
    np.testing.assert_allclose(focal, expected, rtol=1e-5)
