import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer import distillation
from trainer.data import input_pipeline
from trainer.data import prepared
from trainer.settings import settings as settings_lib
from trainer.settings.augmentation import AugmentationSettings

AUGMENTATION = AugmentationSettings(flip=True, rotation=10, erasing=0.5)
NONE = AugmentationSettings()
CROPS = {"crop_zoom": 0.3, "crop_shift": 0.1, "crop_tilt": 20.0}
CAMERAS = {
    **CROPS,
    "noise": 20.0,
    "blur": 0.04,
    "low_resolution": 0.7,
    "gamma": 1.0,
    "gradient": 0.5,
}


def make_images(count=50):
    """Each image is filled with its own index."""
    images = np.zeros((count, 48, 48, 1), np.uint8)
    return images + np.arange(count, dtype=np.uint8)[:, None, None, None]


def worker(index, workers, replicas):
    return tf.distribute.InputContext(workers, index, replicas)


def train_batches(epochs, settings=NONE, mixup=0.0, seed=0, context=None):
    """(images, targets) of every batch; the target is the image's index."""
    dataset = input_pipeline.make_for_train(
        *(make_images(), np.eye(50, dtype=np.float32), settings),
        **{"mixup": mixup, "batch_size": 8, "seed": seed},
        **{"epochs": epochs, "context": context},
    )
    return list(dataset.as_numpy_iterator())


def test_train_batches_have_the_promised_type():
    images, targets = train_batches(range(1), AUGMENTATION)[0]
    assert (images.shape, images.dtype) == ((8, 48, 48, 1), np.float32)
    assert (targets.shape, targets.dtype) == ((8, 50), np.float32)
    assert 0 <= images.min() <= images.max() <= 255


def test_an_epoch_holds_no_example_twice_and_images_match_targets():
    batches = train_batches(range(1))
    assert len(batches) == 50 // 8
    chosen = np.concatenate([targets.argmax(axis=1) for _, targets in batches])
    assert len(set(chosen)) == len(chosen) == 48
    for images, targets in batches:
        assert targets.sum() == 8
        shown = images[:, 0, 0, 0]
        np.testing.assert_array_equal(shown, targets.argmax(axis=1))


def test_mixup_mixes_images_and_targets_alike():
    index = np.arange(50)
    both = (train_batches(range(1), mixup=mixup) for mixup in (0.4, 0.0))
    for (images, targets), (_, alone) in zip(*both, strict=True):
        np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-5)
        shown = images[:, 0, 0, 0]
        np.testing.assert_allclose(shown, targets @ index, atol=1e-3)
        own = alone.argmax(axis=1)
        assert np.all(targets[range(8), own] >= 0.5)
        assert np.all(targets[range(8), own[::-1]] > 0)
    mixed = train_batches(range(9), mixup=0.4)
    shares = np.concatenate([targets.max(axis=1) for _, targets in mixed])
    # The larger share of a Beta(0.4, 0.4) pair: mean 0.840 (numerically).
    assert shares.mean() == pytest.approx(0.84, abs=0.03)


def test_epochs_and_seeds_differ_and_a_resumed_run_sees_the_same():
    whole = train_batches(range(3), AUGMENTATION)
    other_seed = train_batches(range(1), AUGMENTATION, seed=1)
    resumed = train_batches(range(2, 3), AUGMENTATION)
    assert not np.array_equal(whole[0][1], whole[6][1])
    assert not np.array_equal(whole[0][1], other_seed[0][1])
    for one, other in zip(whole[12:], resumed, strict=True):
        for first, second in zip(one, other, strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("others", [{}, CROPS], ids=["plain", "crops"])
@pytest.mark.parametrize("flip", [False, True])
def test_epochs_show_the_views_in_turn_each_with_its_targets(flip, others):
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, [50, 48, 48, 1], dtype=np.uint8)
    split = prepared.Split(pictures, np.zeros(50, np.int32), None)
    values = {"flip": flip, "rotation": 10.0, "zoom": 0.1, "shift": 0.1}
    values |= {"brightness": 0.1, "erasing": 0.5, **others}
    settings = settings_lib.from_flat(values)
    views = [distillation.make_view(split, settings, i) for i in range(3)]
    assert len({view.tobytes() for view in views}) == 3
    targets = np.zeros([3, 50, 53], np.float32)
    for view in range(3):
        targets[view, :, :50] = np.eye(50)
        targets[view, :, 50 + view] = 1
    order = {"batch_size": 8, "seed": 3, "epochs": range(2, 6)}
    dataset = input_pipeline.make_for_train(
        split.images, targets, settings.augmentation, **order
    )
    shown = list(dataset.as_numpy_iterator())
    assert len(shown) == 4 * 6
    mirrored = []
    for step, (images, answers) in enumerate(shown):
        view = (2 + step // 6) % 3
        assert (answers[:, 50:].argmax(axis=1) == view).all()
        expected = views[view][answers[:, :50].argmax(axis=1)]
        # Views are kept in whole grey levels.
        as_it_is = np.abs(images - expected).max(axis=(1, 2, 3)) < 0.51
        mirrored += [*~as_it_is]
        expected[~as_it_is] = expected[~as_it_is, :, ::-1]
        np.testing.assert_allclose(images, expected, atol=0.51)
    share = np.mean(mirrored)
    assert share == 0 if not flip else 0.3 < share < 0.7


def test_views_are_spoilt_anew_in_every_epoch():
    grey = np.full([16, 48, 48, 1], 128, np.uint8)
    settings = settings_lib.from_flat({"noise": 20.0, "noise_probability": 1.0})
    dataset = input_pipeline.make_for_train(
        grey,
        np.eye(16, dtype=np.float32)[None],
        settings.augmentation,
        batch_size=16,
        seed=0,
        epochs=range(2),
    )
    first, second = (
        images[targets.argmax(axis=0)]
        for images, targets in dataset.as_numpy_iterator()
    )
    # Were the noise the same, strong and weak would fall on the same images.
    levels = [images.std(axis=(1, 2, 3)) for images in (first, second)]
    assert min(levels[0].max(), levels[1].max()) > 10
    assert np.abs(levels[0] - levels[1]).max() > 5


@pytest.mark.parametrize(
    ("workers", "replicas", "mixup", "others"),
    [
        (2, 2, 0, {}),
        (1, 2, 0, {}),
        (2, 4, 0, {}),
        (2, 2, 0.4, {}),
        (2, 4, 0.4, {}),
        (2, 4, 0.4, {**CAMERAS, "jpeg": 10}),
    ],
    ids=str,
)
def test_workers_and_replicas_share_the_batch_of_one_device(
    workers, replicas, mixup, others
):
    settings = dataclasses.replace(AUGMENTATION, **others)
    alone = train_batches(range(1), settings, mixup)
    contexts = [worker(i, workers, replicas) for i in range(workers)]
    shares = [
        train_batches(range(1), settings, mixup, context=each)
        for each in contexts
    ]
    per_worker = replicas // workers
    for step, (images, labels) in enumerate(alone):
        rows = slice(step * per_worker, (step + 1) * per_worker)
        parts = [part for share in shares for part in share[rows]]
        got = np.concatenate([part[0] for part in parts])
        np.testing.assert_allclose(got, images, atol=1e-3)
        got = np.concatenate([part[1] for part in parts])
        np.testing.assert_array_equal(got, labels)


@pytest.mark.parametrize(
    ("workers", "replicas"), [(1, 1), (1, 2), (2, 2)], ids=str
)
def test_evaluation_holds_every_image_once(workers, replicas):
    index, pixels = [], []
    for i in range(workers):
        dataset = input_pipeline.make_for_eval(
            make_images(), batch_size=8, context=worker(i, workers, replicas)
        )
        for part, images in dataset.as_numpy_iterator():
            assert images.shape == (8 // replicas, 48, 48, 1)
            index.extend(part[part >= 0])
            pixels.extend(images[part >= 0, 0, 0, 0])
    assert sorted(index) == list(range(50))
    assert index == pixels
