import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer.data import preprocessing


def encode(array, kind):
    data = io.BytesIO()
    Image.fromarray(array).save(data, kind)
    return data.getvalue()


def test_a_picture_that_fits_is_kept_and_grey_weighs_its_colours():
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 1), np.uint8)
    result = preprocessing.prepare_image(image, size=48, channels=1)
    np.testing.assert_array_equal(result, image)
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    image = np.repeat(image, 3, axis=0)
    grey = preprocessing.prepare_image(image, size=3, channels=1)
    # ITU-R BT.601: 0.2989, 0.587 and 0.114 of 255.
    np.testing.assert_array_equal(grey[0, :, 0], [76, 150, 29])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("stored", [1, 2, 3, 4])
@pytest.mark.parametrize("mapped", [False, True], ids=["eager", "mapped"])
def test_shape_and_type_from_any_number_of_channels(channels, stored, mapped):
    image = np.full((31, 70, stored), 90, np.uint8)

    def prepare(x):
        return preprocessing.prepare_image(x, size=24, channels=channels)

    if mapped:
        spec = tf.TensorSpec([None, None, None], tf.uint8)
        dataset = tf.data.Dataset.from_generator(
            lambda: [image], output_signature=spec
        ).map(prepare)
        assert dataset.element_spec.shape == [24, 24, channels]
        result = next(iter(dataset))
    else:
        result = prepare(image)
    assert result.dtype == tf.uint8
    np.testing.assert_array_equal(result, np.full((24, 24, channels), 90))


def test_shrinking_averages_and_rounds():
    image = np.zeros((16, 16, 1), np.uint8)
    image[:, ::4] = 252
    result = preprocessing.prepare_image(image, size=4, channels=1).numpy()
    # A quarter of the columns is lit. Without antialiasing each sample would
    # lie between two dark ones and be 0.
    assert np.all(abs(result.astype(int) - 63) < 20)
    image = np.array([[[10], [11], [11], [11]]] * 4, np.uint8)
    result = preprocessing.prepare_image(image, size=2, channels=1).numpy()
    assert (result == 11).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_decoding_keeps_size_and_grey(kind):
    array = np.full((5, 7), 200, np.uint8)
    image = preprocessing.decode_image(encode(array, kind))
    assert image.dtype == tf.uint8
    assert image.shape[:2] == (5, 7)
    assert int(image[2, 3, 0]) == 200
