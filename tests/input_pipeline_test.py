import numpy as np
import pytest
import tensorflow as tf

from trainer import input_pipeline
from trainer import records
from trainer.setting_groups import AugmentationSettings

AUGMENTATION = AugmentationSettings(flip=True, rotation=10, erasing=0.5)
NONE = AugmentationSettings()


def make_split(count=50):
    """Each image is filled with its own index, each label is its index."""
    images = np.zeros((count, 48, 48, 1), np.uint8)
    images += np.arange(count, dtype=np.uint8)[:, None, None, None]
    return records.Split(
        images, np.arange(count, dtype=np.int32), [str(i) for i in range(count)]
    )


def worker(index, workers, replicas):
    return tf.distribute.InputContext(
        num_input_pipelines=workers,
        input_pipeline_id=index,
        num_replicas_in_sync=replicas,
    )


def train_batches(epochs, settings=NONE, batch=8, seed=0, context=None):
    dataset = input_pipeline.make_for_train(
        make_split(),
        settings,
        batch_size=batch,
        seed=seed,
        epochs=epochs,
        context=context,
    )
    return list(dataset.as_numpy_iterator())


def test_train_batches_have_the_promised_type():
    images, labels = train_batches(range(1), AUGMENTATION)[0]
    assert images.shape == (8, 48, 48, 1)
    assert images.dtype == np.float32
    assert labels.shape == (8,)
    assert labels.dtype == np.int32
    assert images.min() >= 0
    assert images.max() <= 255


def test_an_epoch_holds_no_example_twice_and_images_match_labels():
    batches = train_batches(range(1))
    assert len(batches) == 50 // 8
    labels = np.concatenate([labels for _, labels in batches])
    assert len(set(labels)) == len(labels) == 48
    for images, chosen in batches:
        np.testing.assert_array_equal(images[:, 0, 0, 0], chosen)


def test_epochs_differ_and_a_resumed_run_sees_the_same():
    whole = train_batches(range(3), AUGMENTATION)
    resumed = train_batches(range(2, 3), AUGMENTATION)
    assert not np.array_equal(whole[0][1], whole[6][1])
    for (images, labels), (images2, labels2) in zip(
        whole[12:], resumed, strict=True
    ):
        np.testing.assert_array_equal(images, images2)
        np.testing.assert_array_equal(labels, labels2)


def test_the_seed_changes_the_order():
    first, second = train_batches(range(1)), train_batches(range(1), seed=1)
    assert not np.array_equal(first[0][1], second[0][1])


@pytest.mark.parametrize(
    ("workers", "replicas"), [(2, 2), (1, 2), (2, 4)], ids=str
)
def test_workers_and_replicas_share_the_batch_of_one_device(workers, replicas):
    alone = train_batches(range(1), AUGMENTATION)
    shares = [
        train_batches(
            range(1), AUGMENTATION, context=worker(i, workers, replicas)
        )
        for i in range(workers)
    ]
    per_worker = replicas // workers
    for step, (images, labels) in enumerate(alone):
        rows = slice(step * per_worker, (step + 1) * per_worker)
        parts = [part for share in shares for part in share[rows]]
        got = np.concatenate([part[0] for part in parts])
        np.testing.assert_allclose(got, images, atol=1e-3)
        np.testing.assert_array_equal(
            np.concatenate([part[1] for part in parts]), labels
        )


@pytest.mark.parametrize(
    ("workers", "replicas"), [(1, 1), (1, 2), (2, 2)], ids=str
)
def test_evaluation_holds_every_image_once(workers, replicas):
    split = make_split()
    index, pixels = [], []
    for i in range(workers):
        dataset = input_pipeline.make_for_eval(
            split.images, batch_size=8, context=worker(i, workers, replicas)
        )
        for part, images in dataset.as_numpy_iterator():
            assert images.shape == (8 // replicas, 48, 48, 1)
            index.extend(part[part >= 0])
            pixels.extend(images[part >= 0, 0, 0, 0])
    assert sorted(index) == list(range(50))
    assert index == pixels
