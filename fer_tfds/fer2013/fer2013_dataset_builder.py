"""FER-2013 for TFDS: grey 48x48 faces with one of seven expressions.

Reads and checks all of the raw data before the first record is written; how
raw data is read is the business of `fer_tfds.sources`. The stored label is
the official id. Build with `tfds build fer_tfds/fer2013 --manual_dir=DIR`.
"""

import itertools
import os
import sys
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

# TFDS imports this file as fer2013.fer2013_dataset_builder, so the package
# must be found by its own name: a relative import has no parent here.
from fer_tfds import labels
from fer_tfds.sources import fer2013
from fer_tfds.sources.records import SPLITS
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError

_IMAGE_SHAPE = (48, 48, 1)

# Faces per call: enough that the call itself costs next to nothing.
_BATCH_SIZE = 256


class Builder(tfds.core.GeneratorBasedBuilder):
    """FER-2013, from raw data that the user has put into `manual_dir`."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012, TFDS's form

    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    FER-2013 is handed out to people who accept its rules, so you have to fetch
    it yourself, once.
    1. Sign in at https://www.kaggle.com, open
       https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge/data
       and accept the rules of the competition.
    2. Download `fer2013.tar.gz` (94 MB). Do not unpack it.
    3. Put it into an empty folder DIR and run
       tfds build fer_tfds/fer2013 --manual_dir=DIR
    Instead of the archive, DIR may hold `fer2013.csv`, the file inside it, or
    the folders `train` and `test` of a Kaggle copy, with a folder of JPEG
    files for each class. File names do not matter, contents do.
    """

    def _info(self) -> tfds.core.DatasetInfo:
        names = list(labels.class_names("fer2013"))
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(
                        shape=_IMAGE_SHAPE, encoding_format="png"
                    ),
                    "label": tfds.features.ClassLabel(names=names),
                    "id": tfds.features.Text(),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        try:
            records = _read_faces(dl_manager)
        except SourceError:
            _show_the_message_alone()
            raise
        return {
            split: self._generate_examples(records, split) for split in SPLITS
        }

    def _generate_examples(self, records: FaceRecords, split: str) -> Iterator:
        indices = records.indices_of(split)
        pngs = _encode_pngs(records.images[indices])
        for index, png in zip(indices, pngs, strict=True):
            yield (
                records.ids[index],
                {
                    "image": png,
                    "label": int(records.labels[index]),
                    "id": records.ids[index],
                },
            )


def _read_faces(dl_manager: tfds.download.DownloadManager) -> FaceRecords:
    """Finds, reads and counts the raw faces, and says so."""
    try:
        manual_dir = dl_manager.manual_dir
    except AssertionError as error:  # TFDS's word for absent or empty
        raise SourceError(str(error)) from None
    source = fer2013.find_source(manual_dir)
    print(f"Reading {source.path} ({source.form}) ...", flush=True)
    records = source.read()
    expected, origin = fer2013.load_expected_counts(manual_dir)
    table = fer2013.check_counts(records, expected, origin)
    print(f"{table}\nChecked: as many faces as in {origin}.", flush=True)
    return records


def _show_the_message_alone() -> None:
    """Keeps the `tfds` command from printing its own calls before an error.

    Forty lines about the inside of TFDS hide the one that names the row.
    Other programs keep their tracebacks.
    """
    if os.path.basename(sys.argv[0]) == "tfds":
        sys.tracebacklimit = 0


def _encode_pngs(images: np.ndarray) -> Iterator[bytes]:
    """Encodes faces, uint8 [n, 48, 48], without loss, in their order.

    TensorFlow's threads encode a batch while Python writes the records before
    it; on 35,887 faces this took half the time of one Pillow call each.
    """
    batches = (
        tf.data.Dataset.from_tensor_slices(images[..., np.newaxis])
        .batch(_BATCH_SIZE)
        .map(tf.io.encode_png, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )
    return itertools.chain.from_iterable(batches.as_numpy_iterator())
