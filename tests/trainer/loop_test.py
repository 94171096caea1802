import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import loop
from trainer import optimizers


def make_learner(model, optimizer, average=None, ema=0.0, batch=4):
    optimizer.build(model.trainable_variables)
    logits = model.get_layer("logits").output
    return loop.Learner(
        **{"model": model, "average": average, "optimizer": optimizer},
        logits_model=keras.Model(model.inputs, logits),
        loss=optimizers.make_loss(np.ones(2)),
        **{"ema": ema, "global_batch": batch},
        strategy=tf.distribute.get_strategy(),
    )


def two_class_model():
    inputs = keras.Input([1, 1, 1])
    x = keras.layers.Flatten()(inputs)
    x = keras.layers.Dense(2, name="logits")(x)
    return keras.Model(inputs, keras.layers.Softmax()(x))


@pytest.fixture
def data():
    images = tf.constant([-1.0, 1.0, -1.0, 1.0])[:, None, None, None]
    targets = tf.one_hot([0, 1, 0, 1], 2)
    return tf.data.Dataset.from_tensors((images, targets)).repeat()


def epoch(learner, data, steps=4, steps_per_execution=3):
    seen = []
    totals = loop.run_epoch(
        loop.make_train_call(learner),
        iter(data),
        first_step=0,
        steps=steps,
        steps_per_execution=steps_per_execution,
        on_progress=lambda done, *_: seen.append(done),
    )
    return totals, seen


@pytest.mark.parametrize("xla", [False, True], ids=["plain", "xla"])
def test_one_step_is_that_of_the_textbook(data, xla):
    model = two_class_model()
    kernel = np.array([[0.3, -0.2]], np.float32)
    model.set_weights([kernel, np.zeros(2, np.float32)])
    learner = make_learner(model, keras.optimizers.SGD(0.5))
    epoch(dataclasses.replace(learner, xla=xla), data, steps=1)
    # Mean cross-entropy: d/dW of x * (softmax - onehot), averaged over 4.
    x = np.array([[-1.0], [1.0], [-1.0], [1.0]])
    logits = x @ kernel
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    gradient = x.T @ (p - np.eye(2)[[0, 1, 0, 1]]) / 4
    expected = kernel - 0.5 * gradient
    np.testing.assert_allclose(model.get_weights()[0], expected, atol=1e-6)


def test_xla_is_used_when_asked_for(data):
    """A loss in Python, which XLA refuses and TensorFlow does not."""
    learner = dataclasses.replace(
        make_learner(two_class_model(), keras.optimizers.SGD(0.5)),
        loss=lambda targets, logits: (
            tf.reduce_sum(logits, axis=-1)
            * tf.py_function(lambda: 1.0, [], tf.float32)
        ),
    )
    epoch(learner, data, steps=1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="PyFunc"):
        epoch(dataclasses.replace(learner, xla=True), data, steps=1)


def test_a_teacher_answers_on_the_images_of_the_step(data):
    def teach(images, targets):
        turned = tf.one_hot(tf.cast(images[:, 0, 0, 0] < 0, tf.int32), 2)
        return 0.25 * targets + 0.75 * turned

    model = two_class_model()
    learner = make_learner(model, keras.optimizers.SGD(1.0))
    epoch(dataclasses.replace(learner, teach=teach), data, steps=40)
    images = np.array([-1.0, 1.0])[:, None, None, None]
    # The shares of both, at which cross-entropy is least.
    answers = model.predict(images, verbose=0)
    expected = [[0.25, 0.75], [0.75, 0.25]]
    np.testing.assert_allclose(answers, expected, atol=0.01)


def test_an_epoch_reports_every_call_and_learns_or_stops(data):
    learner = make_learner(two_class_model(), keras.optimizers.SGD(1.0))
    first, seen = epoch(learner, data, steps=7)
    assert seen == [3, 6, 7]
    second, _ = epoch(learner, data, steps=7)
    assert second[0] < first[0]
    assert second[1] == 28
    learner = make_learner(two_class_model(), keras.optimizers.SGD(1.0))
    learner.model.set_weights([np.full([1, 2], np.nan), np.zeros(2)])
    with pytest.raises(loop.DivergenceError, match="by step 3 of 4"):
        epoch(learner, data)


def test_the_average_lags_behind_the_weights(data):
    model, average = two_class_model(), two_class_model()
    start = [np.ones([1, 2], np.float32), np.zeros(2, np.float32)]
    model.set_weights(start)
    average.set_weights(start)
    learner = make_learner(model, keras.optimizers.SGD(1.0), average, ema=0.9)
    epoch(learner, data, steps=1)
    new, kept = model.get_weights()[0], average.get_weights()[0]
    # The first step's momentum is (1 + 0) / (10 + 0).
    np.testing.assert_allclose(kept, 0.1 * start[0] + 0.9 * new, atol=1e-6)
    assert learner.evaluated_model is average


@pytest.mark.parametrize("count", [1, 256, 300], ids=str)
def test_every_image_is_predicted_in_order(count, monkeypatch):
    inputs = keras.Input([1, 1, 1])
    model = keras.Model(inputs, keras.layers.Flatten()(inputs))
    images = np.arange(count).astype(np.uint8).reshape(count, 1, 1, 1)
    predict = loop.make_predict_call(model, tf.distribute.get_strategy())
    got = predict(images)
    np.testing.assert_array_equal(got[:, 0], images[:, 0, 0, 0])


def test_predictions_that_are_no_numbers_are_a_divergence():
    """After the last step of an epoch, whose loss was still finite."""
    model = two_class_model()
    model.set_weights([np.full([1, 2], np.nan), np.zeros(2)])
    predict = loop.make_predict_call(model, tf.distribute.get_strategy())
    with pytest.raises(loop.DivergenceError, match="Lower the learning rate"):
        predict(np.zeros([3, 1, 1, 1], np.uint8))
