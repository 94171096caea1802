import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from fer_tfds import labels as taxonomy
from trainer import input_pipeline
from trainer.settings import AugmentationSettings
from trainer.settings import DataSettings

AUGMENTATION = AugmentationSettings(flip=True, rotation=10, erasing=0.5)
NONE = AugmentationSettings()


def make_split(count=50):
    """Each image is filled with its own index, each label is its index."""
    images = np.zeros((count, 48, 48, 1), np.uint8)
    images += np.arange(count, dtype=np.uint8)[:, None, None, None]
    return input_pipeline.Split(
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


def test_prepared_data_is_read_whole_and_in_the_same_order(prepared_data):
    data = DataSettings(data_dir=prepared_data)
    split = input_pipeline.load_split(data, "train")
    assert split.images.shape == (280, 48, 48, 1)
    assert split.images.dtype == np.uint8
    assert np.bincount(split.labels).tolist() == [40] * 7
    assert len(set(split.ids)) == 280
    again = input_pipeline.load_split(data, "train")
    assert again.ids == split.ids
    assert again.content_hash() == split.content_hash()


def test_pixels_and_labels_are_those_of_the_records(prepared_data):
    split = input_pipeline.load_split(
        DataSettings(data_dir=prepared_data), "validation"
    )
    stored = {
        example["id"].decode(): example
        for example in tfds.as_numpy(
            tfds.load("fer2013", data_dir=prepared_data, split="validation")
        )
    }
    for image, label, name in zip(
        split.images, split.labels, split.ids, strict=True
    ):
        np.testing.assert_array_equal(image, stored[name]["image"])
        assert label == stored[name]["label"]


def test_size_and_channels_are_honoured(prepared_data):
    data = DataSettings(data_dir=prepared_data, image_size=32, channels=3)
    split = input_pipeline.load_split(data, "test")
    assert split.images.shape == (42, 32, 32, 3)


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


def test_data_that_is_not_prepared_names_the_command(tmp_path):
    with pytest.raises(input_pipeline.DataError) as caught:
        input_pipeline.find_data(DataSettings(data_dir=str(tmp_path)))
    command = f"tfds build fer_tfds/fer2013 --data_dir={tmp_path}"
    assert command in str(caught.value)


def test_foreign_labels_are_refused(prepared_data, monkeypatch):
    names = {"fer2013": ("neutral", "happy")}
    monkeypatch.setattr(taxonomy, "NATIVE_NAMES", names)
    with pytest.raises(input_pipeline.DataError, match="has the classes"):
        input_pipeline.find_data(DataSettings(data_dir=prepared_data))


def test_an_unknown_split_lists_those_there_are(prepared_data):
    with pytest.raises(input_pipeline.DataError, match="'validation'"):
        input_pipeline.load_split(DataSettings(data_dir=prepared_data), "val")


def test_data_beyond_the_memory_bound_is_refused(prepared_data):
    data = DataSettings(
        data_dir=prepared_data, image_size=400, max_memory_gib=0.02
    )
    with pytest.raises(input_pipeline.DataError, match="--max_memory_gib"):
        input_pipeline.load_split(data, "train")
