"""Examples that stay on disk, against the same ones in memory."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config

from tests.trainer import sharded
from trainer import distillation
from trainer.data import augmentation
from trainer.data import input_pipeline
from trainer.data import prepared
from trainer.data import stored
from trainer.data import streaming
from trainer.settings import settings as settings_lib
from trainer.settings.augmentation import AugmentationSettings
from trainer.settings.model_and_data import DataSettings

NONE = AugmentationSettings()
# Six classes of seven: every seventh record or so is left out.
SIX = {"num_classes": 6}


@pytest.fixture(scope="module")
def data(request, prepared_data, tmp_path_factory):
    """In seven files, or as many as a test asks for."""
    folder = tmp_path_factory.mktemp("sharded") / "data"
    count = getattr(request, "param", 7)
    sharded.copy(prepared_data, folder, train=count)
    return DataSettings(data_dir=str(folder), reading="stream")


in_one_file_and_in_seven = pytest.mark.parametrize(
    "data", [1, 7], indirect=True
)


def load(data, **changes):
    """A split on disk, and the same one in memory."""
    data = dataclasses.replace(data, **changes)
    memory = dataclasses.replace(data, reading="memory")
    return [prepared.load_split(d, d.train_split) for d in (data, memory)]


def one_hot(split):
    """Targets that name the example."""
    return np.eye(len(split.labels), dtype=np.float32)


def batches(split, epochs=range(1), settings=NONE, targets=None, **more):
    more = {"batch_size": 16, "seed": 0, **more}
    targets = one_hot(split) if targets is None else targets
    dataset = input_pipeline.make_for_train(
        split.images, targets, settings, epochs=epochs, **more
    )
    return list(dataset.as_numpy_iterator())


def order(shown):
    """Which examples batches show, one after the other."""
    return np.concatenate([targets.argmax(axis=1) for _, targets in shown])


def worker(index, workers, replicas=None):
    return tf.distribute.InputContext(workers, index, replicas or workers)


@in_one_file_and_in_seven
@pytest.mark.parametrize(
    "changes",
    [{}, SIX, {"train_split": "train[15%:60%]"}, {"image_size": 20}],
    ids=str,
)
def test_what_stays_on_disk_is_what_memory_would_hold(data, changes):
    ours, theirs = load(data, **changes)
    assert ours.ids == theirs.ids
    assert ours.images.shape == theirs.images.shape
    np.testing.assert_array_equal(ours.labels, theirs.labels)
    np.testing.assert_array_equal(list(ours.images), theirs.images)
    for rows in (3, slice(5, 1, -2), [[7, 0], [0, 9]], ours.labels == 2):
        np.testing.assert_array_equal(ours.images[rows], theirs.images[rows])
    some = ours.take(ours.labels == 2)
    assert some.ids == theirs.take(theirs.labels == 2).ids
    np.testing.assert_array_equal(
        list(some.images), theirs.images[theirs.labels == 2]
    )
    assert ours.content_hash() == theirs.content_hash()
    assert ours.stored_hash() == theirs.stored_hash() != some.stored_hash()


def test_no_image_is_decoded_for_labels_and_names(data, monkeypatch):
    monkeypatch.setattr(stored.preprocessing, "decode_image", None)
    ours = prepared.load_split(data, "train")
    assert np.bincount(ours.labels).tolist() == [40] * 7
    with pytest.raises(TypeError):
        ours.images[0]


@in_one_file_and_in_seven
@pytest.mark.parametrize("changes", [{}, SIX], ids=str)
def test_an_epoch_shows_the_images_of_memory_in_another_order(data, changes):
    ours, theirs = load(data, **changes)
    count = len(ours.labels)
    shown = batches(ours, range(3), batch_size=count // 8)
    epochs = np.split(order(shown), 3)
    for epoch in epochs:
        assert sorted(epoch) == list(range(count))
        # Neighbours in the file are seldom neighbours in an epoch.
        assert np.mean(np.abs(np.diff(epoch)) == 1) < 0.1
    assert not (epochs[0] == epochs[1]).all()
    assert not (epochs[1] == epochs[2]).all()
    for images, targets in shown:
        np.testing.assert_array_equal(
            images, theirs.images[targets.argmax(axis=1)]
        )


def test_the_order_is_that_of_seed_and_epoch(data):
    ours = prepared.load_split(data, "train")
    whole = batches(ours, range(3))
    steps = len(whole) // 3
    tf.random.set_seed(7)  # No matter.
    for one, other in zip(
        whole[2 * steps :], batches(ours, range(2, 3)), strict=True
    ):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])
    assert not (order(batches(ours, seed=1)) == order(whole[:steps])).all()


@pytest.fixture
def determinism():
    tf.random.set_seed(0)
    tf.config.experimental.enable_op_determinism()
    yield
    config.disable_op_determinism()


def test_determinism_and_the_seed_of_the_process_change_nothing(
    data, determinism
):
    ours = prepared.load_split(data, "train")
    orders = [order(batches(ours))]
    config.disable_op_determinism()
    orders.append(order(batches(ours)))
    np.testing.assert_array_equal(*orders)


@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_batches_are_augmented_and_mixed_as_in_memory(data, mixup):
    """On one worker, given the same order."""
    ours, theirs = load(data)
    settings = AugmentationSettings(flip=True, rotation=10, noise=20.0)
    plain = order(batches(ours))
    shown = batches(ours, settings=settings, mixup=mixup)
    images = theirs.images
    for step, (pixels, targets) in enumerate(shown):
        chosen = plain[step * 16 : (step + 1) * 16]
        seeds = {"seed": 0, "epoch": tf.constant(0, tf.int64), "step": step}
        draw = augmentation
        uniforms = draw.draw_uniforms(16, **seeds)
        expected = draw.augment(images[chosen], uniforms, settings)
        names = tf.constant(one_hot(ours)[chosen])
        if mixup:
            fraction = draw.draw_fractions(16, mixup, **seeds)
            partner = expected[::-1], names[::-1]
            expected, names = draw.mix((expected, names), partner, fraction)
        np.testing.assert_allclose(pixels, expected, atol=1e-3)
        np.testing.assert_allclose(targets, names, atol=1e-6)


def test_epochs_show_views_with_their_targets(data):
    ours, theirs = load(data)
    settings = settings_lib.from_flat({"flip": True, "rotation": 10.0})
    views = [distillation.make_view(theirs, settings, view) for view in (0, 1)]
    for view, images in enumerate(views):
        lazy = distillation.make_view(ours, settings, view)
        np.testing.assert_array_equal(list(lazy), images)
        np.testing.assert_array_equal(lazy[[5, 3]], images[[5, 3]])
        np.testing.assert_array_equal(
            list(lazy.take(slice(90, 99))), images[90:99]
        )
    targets = np.stack([one_hot(ours), one_hot(ours)])
    shown = batches(ours, range(2, 4), settings.augmentation, targets)
    for step, (images, names) in enumerate(shown):
        view = views[step // (len(shown) // 2)][names.argmax(axis=1)]
        near = [
            np.abs(images - v).max((1, 2, 3)) < 0.51
            for v in (view, view[:, :, ::-1])
        ]
        assert (near[0] | near[1]).all()
        assert near[0].any() and near[1].any()


@pytest.mark.parametrize(
    ("data", "workers"), [(7, 2), (7, 3), (1, 4)], indirect=["data"]
)
def test_workers_share_an_epoch(data, workers):
    ours, theirs = load(data, **SIX)
    batch = 5 * workers
    parts = [
        batches(ours, range(2), batch_size=batch, context=worker(i, workers))
        for i in range(workers)
    ]
    steps = 240 // batch
    assert {len(part) for part in parts} == {2 * steps}
    for epoch in range(2):
        rows = slice(epoch * steps, (epoch + 1) * steps)
        seen = np.concatenate([order(part[rows]) for part in parts])
        assert len(set(seen)) == len(seen) == steps * batch
        # In every epoch a worker reads what is its own.
        for index, part in enumerate(parts):
            first, stop = streaming.part_of(240, worker(index, workers))
            own = order(part[rows])
            assert first <= own.min() and own.max() < stop
    for images, targets in parts[1]:
        assert images.shape == (5, 48, 48, 1)
        np.testing.assert_array_equal(
            images, theirs.images[targets.argmax(axis=1)]
        )


def test_replicas_cut_a_workers_batch(data):
    ours = prepared.load_split(data, "train")
    whole = batches(ours, context=worker(1, 2))
    cut = batches(ours, context=worker(1, 2, 4))
    assert len(cut) == 2 * len(whole)
    np.testing.assert_array_equal(order(cut), order(whole))


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("rows", [slice(None), slice(3), [11]], ids=str)
def test_evaluation_gives_every_image_once(data, workers, rows):
    ours, theirs = (split.take(rows) for split in load(data))
    found, steps = {}, set()
    for index in range(workers):
        dataset = input_pipeline.make_for_eval(
            ours.images, batch_size=16, context=worker(index, workers)
        )
        shown = list(dataset.as_numpy_iterator())
        steps.add(len(shown))
        for places, images in shown:
            assert images.shape == (16 // workers, 48, 48, 1)
            assert images.dtype == np.float32
            for place, image in zip(places, images, strict=True):
                if place >= 0:
                    assert place not in found
                    found[place] = image
    # A worker without any examples left gives padding.
    assert steps == {-(-len(ours.labels) // 16)}
    assert sorted(found) == list(range(len(ours.labels)))
    for place, image in found.items():
        np.testing.assert_array_equal(image, theirs.images[place])


@in_one_file_and_in_seven
def test_a_part_is_read_from_its_first_byte_to_its_last(data):
    """Blocks begin at records, hold all of them once, and nothing else."""
    ours = prepared.load_split(data, "train")
    for part in ((0, 280), (0, 93), (93, 186), (186, 280), (5, 6), (7, 7)):
        blocks = streaming.make_blocks(ours.images, part)
        kept = blocks.places[blocks.places >= 0]
        np.testing.assert_array_equal(kept, np.arange(*part))
        assert blocks.span.sum() == part[1] - part[0]
    some = ours.images.take(slice(0, 280, 4))
    blocks = streaming.make_blocks(some, (0, 70))
    np.testing.assert_array_equal(
        blocks.places[blocks.places >= 0], np.arange(70)
    )


def test_numbers_are_streamed_as_images_are(tmp_path):
    values = np.arange(60, dtype=np.float32).reshape(20, 3)
    paths = tmp_path / "a", tmp_path / "b"
    for path, part in zip(paths, (values[:12], values[12:]), strict=True):
        part.tofile(path)
    number = np.array([*range(12), *range(8)], np.int32)
    numbers = stored.Stored(
        kind=stored.Numbers((3,)),
        files=tuple(map(str, paths)),
        file=np.array([0] * 12 + [1] * 8, np.int32),
        number=number,
        offset=number.astype(np.int64) * 12,
        length=np.full(20, 12, np.int32),
    )
    assert (numbers.shape, numbers.nbytes) == ((20, 3), values.nbytes)
    np.testing.assert_array_equal(list(numbers), values)
    np.testing.assert_array_equal(numbers[[13, 2]], values[[13, 2]])
    split = prepared.Split(numbers, np.zeros(20, np.int32), [])
    for vectors, targets in batches(split, batch_size=4):
        np.testing.assert_array_equal(vectors, values[targets.argmax(axis=1)])


@pytest.mark.parametrize("how", ["vanishes", "cut", "cut between records"])
def test_a_shard_that_goes_bad_ends_an_epoch(how, prepared_data, tmp_path):
    """Never are there fewer examples without a word."""
    root = sharded.copy(prepared_data, tmp_path / "data", train=7)
    data = DataSettings(data_dir=root, reading="stream")
    split = prepared.load_split(data, "train")
    shard = sharded.files(root, "train")[4]
    if how == "vanishes":
        shard.unlink()
    else:
        last = split.images.offset[split.images.file == 4][-1]
        size = last if "between" in how else last + 20
        shard.write_bytes(shard.read_bytes()[:size])
    with pytest.raises(tf.errors.OpError):
        batches(split, batch_size=280)
    with pytest.raises(tf.errors.OpError):
        list(split.images)
