"""What the tests of `edge` and `export` share: data, a run, an export.

Each is made once per test process and must not be changed by a test.
"""

import atexit
import functools
import json
import pathlib
import shutil
import tempfile

import numpy as np

from fer_tfds import labels as taxonomy

CLASSES = taxonomy.class_names("fer2013")
SIZE = 48
COUNTS = {"train": 12, "validation": 8, "test": 2}  # Images of each class.


def draw(labels: np.ndarray, seed: int, size: int = SIZE) -> np.ndarray:
    """Uint8 [n, size, size, 1]: noise, and stripes of one kind per class."""
    generator = np.random.default_rng(seed)
    shape = [len(labels), size, size, 1]
    images = generator.integers(0, 120, shape, dtype=np.uint8)
    position = np.arange(size)
    for image, label in zip(images, labels, strict=True):
        # Periods of 2, 4 and 8 pixels, across and down; class 6 is plain.
        stripes = (position // 2 ** (int(label) % 3)) % 2 == 0
        rows = stripes[:, None, None] if label < 3 else stripes[None, :, None]
        image += np.where(rows & (label < 6), 135, 0).astype(np.uint8)
    return images


def split_labels(split: str) -> np.ndarray:
    """Int64 [n]: every class `COUNTS[split]` times, in turn."""
    return np.tile(np.arange(len(CLASSES)), COUNTS[split])


@functools.cache
def scratch() -> pathlib.Path:
    """A folder that goes when the test process ends."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="export_fixtures-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def data_dir() -> pathlib.Path:
    """Prepared TFDS data named fer2013, as the builder would leave it."""
    import tensorflow_datasets as tfds

    with tfds.core.registered.skip_registration():

        class Fer2013(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                features = {
                    "image": tfds.features.Image(shape=(SIZE, SIZE, 1)),
                    "label": tfds.features.ClassLabel(names=CLASSES),
                    "id": tfds.features.Text(),
                }
                return self.dataset_info_from_configs(
                    features=tfds.features.FeaturesDict(features)
                )

            def _split_generators(self, dl_manager):
                return {
                    split: self._generate_examples(split) for split in COUNTS
                }

            def _generate_examples(self, split):
                labels = split_labels(split)
                images = draw(labels, seed=len(split))
                for index, image in enumerate(images):
                    name = f"{split}-{index:04d}"
                    yield (
                        name,
                        {
                            "image": image,
                            "label": int(labels[index]),
                            "id": name,
                        },
                    )

    folder = scratch() / "data"
    Fer2013(data_dir=folder).download_and_prepare()
    return folder


def make_settings(**changes):
    """Settings of the tiny test network on the drawn data."""
    from trainer import settings

    values = {"backbone": "tiny_cnn", "data_dir": str(data_dir()), **changes}
    return settings.from_flat(values)


@functools.cache
def trained_model():
    """The tiny network, trained until it tells the drawn classes apart."""
    import keras

    from trainer.models import build_model

    keras.utils.set_random_seed(1)
    model = build_model(make_settings(), len(CLASSES), keras)
    labels = np.tile(split_labels("train"), 4)
    images = draw(labels, seed=7).astype(np.float32)
    model.compile(
        keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy"
    )
    model.fit(images, labels, batch_size=32, epochs=3, verbose=0)
    return model


def write_run(workdir: pathlib.Path, model, settings) -> pathlib.Path:
    """Writes a finished run as the trainer leaves it."""
    from trainer import checkpoints
    from trainer import input_pipeline

    workdir.mkdir(parents=True)
    splits = {
        name: {
            "examples": len(split.labels),
            "sha256": split.content_hash(),
        }
        for name in COUNTS
        for split in [input_pipeline.load_split(settings.data, name)]
    }
    manifest = {"data": {"name": "fer2013/1.0.0", "splits": splits}}
    checkpoints.write_text(workdir / checkpoints.SETTINGS, settings.to_json())
    checkpoints.write_text(workdir / checkpoints.MANIFEST, json.dumps(manifest))
    checkpoints.save_weights(model, workdir / checkpoints.BEST_WEIGHTS)
    checkpoints.write_text(workdir / checkpoints.METRICS, "{}")
    return workdir


@functools.cache
def workdir() -> pathlib.Path:
    """A finished run of the tiny network."""
    folder = scratch() / "runs" / "tiny"
    return write_run(folder, trained_model(), make_settings())


@functools.cache
def run():
    """The finished run, loaded for inference."""
    from trainer import checkpoints

    return checkpoints.load_for_inference(workdir())


@functools.cache
def export_folder() -> pathlib.Path:
    """Everything that `python -m export --tflite` writes for the run."""
    from export import exporter

    options = exporter.ExportOptions(
        workdir=workdir(), out=scratch() / "export", tflite=True
    )
    return exporter.export_run(options)


def validation():
    """The validation split of the prepared data."""
    from trainer import input_pipeline

    return input_pipeline.load_split(make_settings().data, "validation")


def calibration():
    """A calibration list of the 56 validation images."""
    from export import calibration

    return calibration.choose(validation(), len(CLASSES))
