import pathlib

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config

from trainer.data import input_pipeline
from trainer.data import storage
from trainer.settings.augmentation import AugmentationSettings

SHAPE = (50, 48, 48, 1)
AUGMENTATION = AugmentationSettings(flip=True, rotation=10, zoom=0.1)


def resident_bytes(kind):
    """What /proc/self/status says: VmRSS is now, VmHWM the most so far."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split(f"{kind}:")[1].split()[0]) * 1024


def rise_of_memory(call):
    """Calls a function: how far this process's memory rose at most."""
    # Begins the most anew: proc_pid_clear_refs(5).
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = resident_bytes("VmRSS")
    call()
    return resident_bytes("VmHWM") - before


def allocate_filled(shape=SHAPE):
    images = storage.allocate(shape)
    images[:] = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return images


def batches(images, epochs=range(1)):
    """The training batches of these epochs."""
    targets = np.zeros((len(images), 1), np.float32)
    return input_pipeline.make_for_train(
        images, targets, AUGMENTATION, batch_size=8, seed=0, epochs=epochs
    )


def test_tensors_share_memory_and_batches_are_equal():
    images = allocate_filled()
    assert (images.shape, images.dtype) == (SHAPE, np.uint8)
    tensor = storage.as_tensor(images)
    images[0] = 7
    copied = np.concatenate([images[:1], images])[1:]
    both = (batches(each, range(2)) for each in (images, copied))
    for (one, _), (other, _) in zip(*both, strict=True):
        np.testing.assert_array_equal(one, other)
    del images, both  # The tensor outlives the array.
    np.testing.assert_array_equal(tensor.numpy(), copied)


@pytest.mark.parametrize(
    "take",
    [lambda a: a[1:], lambda a: a[::2], lambda a: a[:0], lambda a: a[:, :5]],
    ids=["odd_address", "gaps", "empty", "part"],
)
def test_any_other_array_is_copied(take):
    images = take(allocate_filled())
    tensor = storage.as_tensor(images)
    before = images.copy()
    images[:1] = 7
    np.testing.assert_array_equal(tensor.numpy(), before)


def first_batch(images, purpose):
    if purpose == "evaluation":
        return next(iter(input_pipeline.make_for_eval(images, batch_size=8)))
    return next(iter(batches(images)))


@pytest.fixture(params=[True, False], ids=["deterministic", "any_order"])
def determinism(request):
    """TensorFlow rewrites what reads data where each step is to repeat."""
    before = config.is_op_determinism_enabled()
    set_determinism(request.param)
    yield
    set_determinism(before)


def set_determinism(is_on):
    if is_on:
        tf.random.set_seed(0)
        tf.config.experimental.enable_op_determinism()
    else:
        config.disable_op_determinism()


@pytest.mark.usefixtures("determinism")
@pytest.mark.parametrize("purpose", ["training", "evaluation"])
def test_batches_need_no_copy_of_the_images(purpose):
    # What TensorFlow loads only once it is used takes memory of its own.
    first_batch(allocate_filled(), purpose)
    shape = (2**27 // 2304, 48, 48, 1)
    images = storage.allocate(shape)
    rise = rise_of_memory(lambda: first_batch(images, purpose))
    assert rise < images.nbytes / 2
