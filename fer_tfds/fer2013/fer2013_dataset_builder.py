"""FER-2013 for TFDS: grey 48x48 faces with one of seven expressions.

Reads and checks all of the raw data before the first record is written; how
raw data is read is the business of `fer_tfds.sources`, what is left out that
of `fer_tfds.cleaning`. The stored label is the official id. Build with
`tfds build fer_tfds/fer2013 --manual_dir=DIR`.
"""

import csv
import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

# TFDS imports this file as fer2013.fer2013_dataset_builder, so the package
# must be found by its own name: a relative import has no parent here.
from fer_tfds import cleaning
from fer_tfds import labels
from fer_tfds.builder_parts import CommonParts
from fer_tfds.builder_parts import find_manual_path
from fer_tfds.sources.fer2013 import ferplus
from fer_tfds.sources.fer2013 import find
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import SourceError

_IMAGE_SHAPE = (48, 48, 1)

# Faces per call: enough that the call itself costs next to nothing.
_BATCH_SIZE = 256

_COMPETITION = (
    "challenges-in-representation-learning-facial-expression-recognition-"
    "challenge"
)
_HOMEPAGE = f"https://www.kaggle.com/c/{_COMPETITION}"

# Beside the records of `clean`: which images were left out, and why.
REMOVED_FILE = "removed.csv"

ORIGINAL = tfds.core.BuilderConfig(
    name="original",
    description="Every image of the official splits, with its official label.",
)
CLEAN = tfds.core.BuilderConfig(
    name="clean",
    description=(
        "Without constant images and images that carry several labels; train "
        "also without repeated images and those that stand in validation or "
        "test; with a split `test_leak_free` that shares no image with the "
        "official train and validation."
    ),
)
PLUS = tfds.core.BuilderConfig(
    name="plus",
    description=(
        "FER+: the votes of ten people and the label that most of them gave. "
        "Images without a majority are in the splits `*_unclear`."
    ),
)
KAGGLE = tfds.core.BuilderConfig(
    name="kaggle",
    description="The same as `original`, fetched with Kaggle's command.",
)


@dataclasses.dataclass(frozen=True)
class _Faces:
    """What goes into the splits.

    Attributes:
        records: all faces.
        positions: split name -> int64 [k], positions in the records.
        votes: the FER+ votes on all faces; None apart from `plus`.
    """

    records: FaceRecords
    positions: dict[str, np.ndarray]
    votes: ferplus.Votes | None = None


class Builder(CommonParts, tfds.core.GeneratorBasedBuilder):
    """FER-2013, from raw data that the user has put into `manual_dir`."""

    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES = {  # noqa: RUF012, TFDS's form
        "1.0.0": "First release.",
        "1.1.0": (
            "Configurations original (what was the only one), clean, plus and "
            "kaggle."
        ),
    }

    BUILDER_CONFIGS = [ORIGINAL]  # noqa: RUF012, TFDS's form
    builder_configs = {  # noqa: RUF012, TFDS's form
        config.name: config for config in (ORIGINAL, CLEAN, PLUS, KAGGLE)
    }

    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    FER-2013 is handed out to people who accept its rules, so you have to fetch
    it yourself, once.
    1. Sign in at https://www.kaggle.com, open
       https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge/data
       and accept the rules of the competition.
    2. Download `fer2013.tar.gz` (94 MB). Do not unpack it.
    3. Put it into an empty folder DIR and run
       tfds build fer_tfds/fer2013 --manual_dir=DIR
    Instead of the archive, DIR may hold any one of
      fer2013.csv or icml_face_data.csv;
      the zip file of the whole competition;
      Kaggle's folders `train` and `test`, or `train` and `validation`, with
      a folder of JPEG or PNG files for each class;
      each of them plain, zipped or in a tar file.
    File names do not matter, contents do; --manual_dir may also name the one
    file that is meant. For --config=plus put fer2013new.csv from
    https://github.com/microsoft/FERPlus beside the CSV file.
    """

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(_features(self.config_name)),
            supervised_keys=("image", "label"),
            homepage=_HOMEPAGE,
        )

    @property
    def config_name(self) -> str:
        """Which of the configurations this builder builds."""
        return self.builder_config.name

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator]:
        faces = self._read(_find_raw_data(dl_manager, self.config_name))
        return {
            split: self._generate_examples(faces, positions)
            for split, positions in faces.positions.items()
        }

    def _read(self, manual_dir: Path) -> _Faces:
        if self.config_name == PLUS.name:
            ferplus.find_votes(manual_dir)  # before the long reading
        records = _read_faces(manual_dir)
        if self.config_name == CLEAN.name:
            splits = cleaning.clean(records)
            _keep_list_of_removed(Path(self.data_path), records, splits)
            return _Faces(records, {n: s.kept for n, s in splits.items()})
        if self.config_name == PLUS.name:
            return _read_votes(manual_dir, records)
        names = dict.fromkeys(records.splits)
        return _Faces(records, {n: records.indices_of(n) for n in names})

    def _generate_examples(
        self, faces: _Faces, positions: np.ndarray
    ) -> Iterator:
        pngs = _encode_pngs(faces.records.images[positions])
        for position, png in zip(positions, pngs, strict=True):
            yield (
                faces.records.ids[position],
                {"image": png, **_describe(faces, position)},
            )


def _features(config: str) -> dict[str, Any]:
    """The features of a configuration, by name."""
    names = list(labels.native_names(f"fer2013/{config}"))
    features = {
        "image": tfds.features.Image(shape=_IMAGE_SHAPE, encoding_format="png"),
        "label": tfds.features.ClassLabel(names=names),
        "id": tfds.features.Text(),
    }
    if config == PLUS.name:
        features["votes"] = tfds.features.Tensor(
            shape=(len(names),), dtype=np.float32
        )
        features["fer2013_label"] = tfds.features.ClassLabel(
            names=list(labels.native_names("fer2013"))
        )
    return features


def _describe(faces: _Faces, position: int) -> dict[str, Any]:
    """All features of a face but its image."""
    identity = faces.records.ids[position]
    official = int(faces.records.labels[position])
    if faces.votes is None:
        return {"label": official, "id": identity}
    return {
        "label": int(faces.votes.labels[position]),
        "id": identity,
        "votes": faces.votes.shares[position],
        "fer2013_label": official,
    }


def _find_raw_data(
    dl_manager: tfds.download.DownloadManager, config: str
) -> Path:
    """The folder, or the file, that holds the raw data."""
    if config == KAGGLE.name:
        return _download(dl_manager)
    return find_manual_path(dl_manager)


def _download(dl_manager: tfds.download.DownloadManager) -> Path:
    try:
        return Path(dl_manager.download_kaggle_data(_COMPETITION))
    # TFDS turns whatever goes wrong with the command into one of these.
    except (RuntimeError, ValueError, OSError) as error:
        raise SourceError(
            f"{str(error).splitlines()[0].strip()} failed. Install Kaggle's "
            "command with `pip install kaggle six`; put the API token of your "
            f"Kaggle account into ~/.kaggle/kaggle.json; accept the rules at "
            f"{_HOMEPAGE}/rules. Or download fer2013.tar.gz by hand from "
            f"{_HOMEPAGE}/data and build without --config=kaggle, with "
            "--manual_dir=DIR."
        ) from None


def _read_faces(manual_dir: Path) -> FaceRecords:
    """Finds, reads and counts the raw faces, and says so."""
    source = find.find_source(manual_dir)
    print(f"Reading {source.path} ({source.form}) ...", flush=True)
    records = source.read()
    if note := find.note_on(records):
        print(note, flush=True)
    expected, origin = find.load_expected_counts(
        manual_dir, records.split_names
    )
    table = find.check_counts(records, expected, origin)
    print(f"{table}\nChecked: as many faces as in {origin}.", flush=True)
    return records


def _read_votes(manual_dir: Path, records: FaceRecords) -> _Faces:
    """Joins the FER+ votes to the faces and splits off what is unclear."""
    votes = ferplus.read_votes(manual_dir, records)
    is_clear = votes.labels < ferplus.NUM_EXPRESSIONS
    positions = {}
    for split in dict.fromkeys(records.splits):
        indices = records.indices_of(split)
        clear = is_clear[indices]
        positions[split] = indices[clear]
        if not clear.all():
            positions[f"{split}_unclear"] = indices[~clear]
        print(
            f"  {split}: {clear.sum():,} faces with a majority for one "
            f"expression, {(~clear).sum():,} without",
            flush=True,
        )
    return _Faces(records, positions, votes)


def _keep_list_of_removed(
    folder: Path, records: FaceRecords, splits: dict[str, cleaning.CleanSplit]
) -> None:
    """Writes what `clean` leaves out, and prints how many by which rule."""
    with (folder / REMOVED_FILE).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["split", "id", "reason"])
        for name, split in splits.items():
            print(f"  {name}: {len(split.kept):,} images kept", flush=True)
            for rule, removed in split.removed.items():
                print(f"{len(removed):>9,}  {rule}", flush=True)
                writer.writerows([name, records.ids[i], rule] for i in removed)


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
