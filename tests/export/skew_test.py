"""Every way from one picture to an answer gives the same answer."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import edge
from export import artifacts
from export import parity
from export import tflite
from fer_tfds import synthetic
from tests.export import export_fixtures
from trainer.data import preprocessing


def noise(height, width, channels, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, [height, width, channels], np.uint8)


def distance(one, other):
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "rgb"])
@pytest.mark.parametrize("source_channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        *((48, 48, 48), (200, 131, 48), (49, 47, 48), (20, 33, 48)),
        *((1, 5, 48), (300, 10, 224), (97, 64, 24)),
    ],
)
def test_numpy_prepares_as_training(
    height, width, size, source_channels, channels
):
    picture = noise(height, width, source_channels)
    trained = preprocessing.prepare_image(
        tf.constant(picture), size=size, channels=channels
    )
    ours = edge.prepare_picture(picture, size, channels)
    assert distance(ours, trained.numpy()) <= 1
    # One level is for halves that round the other way, not the rule.
    assert np.mean(ours != trained.numpy()) < 0.02


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16"])
def test_png_files_are_read_as_training_reads_them(tmp_path, mode):
    path = tmp_path / "face.png"
    if mode == "I;16":
        values = np.random.default_rng(1).integers(0, 65536, [30, 40])
        Image.fromarray(values.astype(np.uint16)).save(path)
    else:
        Image.fromarray(noise(30, 40, 3)).convert(mode).save(path)
    decoded = preprocessing.decode_image(path.read_bytes())
    trained = preprocessing.prepare_image(decoded, size=48, channels=1)
    ours = edge.prepare_picture(edge.read_picture(path), 48, 1)
    assert distance(ours, trained.numpy()) <= 1


@pytest.fixture(scope="module")
def predictors():
    folder = export_fixtures.export_folder()
    artefacts = parity.load_artefacts(folder, export_fixtures.run())
    return {artefact.name: artefact.predict for artefact in artefacts}


TENSORFLOW = (artifacts.KERAS, artifacts.H5, artifacts.ARCHITECTURE)
TOLERANCES = {
    f"{artifacts.SAVED_MODEL} (pixels)": 1e-5,
    f"{artifacts.SAVED_MODEL} (image bytes)": 1e-5,
    **dict.fromkeys(TENSORFLOW, 1e-5),
    tflite.file_name("float32"): 1e-5,
    tflite.file_name("float16"): 1e-2,
    tflite.file_name("int16x8"): 5e-2,
    tflite.file_name("dynamic"): 0.1,
    tflite.file_name("int8"): 0.1,
}


@pytest.mark.parametrize(("artefact", "tolerance"), TOLERANCES.items())
def test_artefacts_answer_as_the_live_model(predictors, artefact, tolerance):
    images = export_fixtures.validation().images
    live = parity.live_model(export_fixtures.run())(images)
    answered = predictors[artefact](images)
    difference = np.abs(answered - live)
    assert difference.max() <= tolerance
    # One probability may be far off where weights have 8 bits, not all.
    assert difference.mean() <= tolerance / 10
    # Answers that are the same for every picture would prove nothing.
    assert len(np.unique(live.argmax(axis=1))) == len(export_fixtures.CLASSES)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_picture_of_any_size_gets_the_same_answer_on_a_device(tmp_path, mode):
    """Bytes through the SavedModel, the file through the device runtime."""
    folder = export_fixtures.export_folder()
    path = tmp_path / "face.png"
    face = synthetic.draw_faces(np.array([2]), seed=3)[0]
    Image.fromarray(face).resize((131, 131)).convert(mode).save(path)
    served = tf.saved_model.load(str(folder / artifacts.SAVED_MODEL))
    by_bytes = served.signatures[artifacts.BYTES_SIGNATURE]
    expected = by_bytes(encoded=tf.constant([path.read_bytes()]))
    device = edge.Classifier(folder / tflite.file_name("float32"), views=1)
    answer = device.classify(edge.read_picture(path))
    values = expected["probabilities"].numpy()[0]
    expected = dict(zip(export_fixtures.CLASSES, values, strict=True))
    # One grey level here and there, as the resizes round differently.
    assert answer == pytest.approx(expected, abs=0.01)
