"""The runs of `benchmarks.adapt`: who is trained on, and trained how.

The trainer's own loop on pictures that are chosen here, so that people can be
split in several ways without building their records anew.
"""

import csv
import dataclasses
import hashlib
import pathlib
import tempfile
import zlib
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import keras
import numpy as np

from edge.classifier import Classifier
from trainer import loop
from trainer import runtime
from trainer import targets
from trainer import train as train_lib
from trainer.data import prepared
from trainer.settings import cli_flags
from trainer.settings import settings as settings_lib
from trainer.settings.settings import Settings
from trainer.training_run import TrainingRun

DATASET = "image_folder"
PEOPLE_FILE = "people.csv"
# A fifth of the people is tested on; of the others a sixth validates.
TEST_PARTS, VALIDATION_PARTS = 5, 6


class Pictures(NamedTuple):
    """Prepared pictures.

    Attributes:
      images: uint8 [n, S, S, C] in [0, 255].
      labels: int32 [n].
      people: n names; who is in each picture.
      ids: n names of the pictures.
    """

    images: np.ndarray
    labels: np.ndarray
    people: np.ndarray
    ids: list[str]

    def split(self, part: np.ndarray) -> prepared.Split:
        """Returns the pictures at some positions."""
        ids = [self.ids[position] for position in part]
        return prepared.Split(self.images[part], self.labels[part], ids)


class Parts(NamedTuple):
    """Positions of pictures: int [.] each."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def read_recipe(recipe: str, data_dir: str) -> Settings:
    """Returns the settings of a flagfile, for the pictures in `data_dir`.

    Raises:
      ValueError: it is no such file, or nothing is prepared there.
    """
    settings = cli_flags.read_flagfile(recipe)
    changed = change(settings, {"dataset": DATASET, "data_dir": data_dir})
    return prepared.with_classes(changed)


def change(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Returns settings with other values, whatever group they are in."""
    return settings_lib.from_flat({**settings.flat(), **values})


def read_pictures(settings: Settings, folder: pathlib.Path) -> Pictures:
    """Reads all prepared pictures, and who is in them.

    Raises:
      ValueError: there is no table of people.
    """
    table = folder / PEOPLE_FILE
    if not table.is_file():
        raise ValueError(f"no {table}; it has a row FILE,PERSON for a picture")
    with table.open(newline="", encoding="utf-8") as file:
        person_of = dict(row for row in csv.reader(file) if row)
    splits = prepared.load_splits(settings.data).values()
    ids = [name for split in splits for name in split.ids]
    return Pictures(
        np.concatenate([split.images for split in splits]),
        np.concatenate([split.labels for split in splits]),
        np.array([person_of.get(name, name) for name in ids]),
        ids,
    )


def split_people(people: np.ndarray, number: int) -> Parts:
    """Splits people by a hash of their names.

    Args:
      people: n names.
      number: which of the `TEST_PARTS` parts is tested on.
    """
    places = np.array([zlib.crc32(name.encode()) for name in people.tolist()])
    is_test = places % TEST_PARTS == number
    is_validation = ~is_test & (places // TEST_PARTS % VALIDATION_PARTS == 0)
    masks = (~is_test & ~is_validation, is_validation, is_test)
    return Parts(*map(np.flatnonzero, masks))


def take(pictures: Pictures, parts: Parts, size: int, *, seed: int) -> Parts:
    """Leaves `size` pictures of each class to train on and validate by.

    Args:
      pictures: all of them.
      parts: positions among them.
      size: in both parts together; 0 leaves all, as do classes with fewer.
      seed: of who is taken.
    """
    if not size:
        return parts
    share = max(1, round(size / VALIDATION_PARTS))
    return Parts(
        _first_of_each(pictures.labels, parts.train, size - share, seed=seed),
        _first_of_each(pictures.labels, parts.validation, share, seed=seed),
        parts.test,
    )


def key_of(settings: Settings, pictures: Pictures, parts: Parts) -> str:
    """Returns what tells a training from others: of settings and pictures."""
    data = dataclasses.replace(settings.data, data_dir=None)
    digest = hashlib.sha256(
        dataclasses.replace(settings, data=data).to_json().encode()
    )
    for part in parts:
        digest.update(repr(sorted(pictures.ids[n] for n in part)).encode())
    return digest.hexdigest()


def train(
    settings: Settings, pictures: Pictures, parts: Parts
) -> Callable[[np.ndarray], np.ndarray]:
    """Trains as `python -m trainer` does.

    Returns:
      A function images -> probabilities float32 [n, K] of the kept epoch.
    """
    keras.utils.clear_session()
    strategy = runtime.configure(settings.training)
    splits = {
        "train": pictures.split(parts.train),
        "validation": pictures.split(parts.validation),
    }
    model, average = train_lib.make_models(settings, strategy)
    with tempfile.TemporaryDirectory() as workdir:
        run = TrainingRun(
            settings,
            pathlib.Path(workdir),
            strategy,
            splits=splits,
            targets=targets.training_targets(settings, splits, strategy),
            model=model,
            average=average,
        )
        run.train()
        return loop.make_predict_call(run.best_model(), strategy)


def score(
    predict: Callable[[np.ndarray], np.ndarray],
    pictures: Pictures,
    part: np.ndarray,
) -> float:
    """Returns accuracy in [0, 1] on the pictures at some positions."""
    answers = predict(pictures.images[part]).argmax(1)
    return float(np.mean(answers == pictures.labels[part]))


def score_released(
    pictures: Pictures, part: np.ndarray, names: Sequence[str]
) -> float:
    """Returns accuracy of the file that devices run.

    Args:
      pictures: all of them.
      part: positions among them.
      names: of the classes, in the order of the pictures' labels.

    Raises:
      ValueError: a class is none of the released model's.
    """
    model = Classifier(views=1)
    strange = set(names) - set(model.labels)
    if strange:
        raise ValueError(
            f"the released model does not know {', '.join(sorted(strange))}"
        )
    order = [model.labels.index(name) for name in names]
    return score(
        lambda images: model.probabilities(images)[:, order], pictures, part
    )


def _first_of_each(
    labels: np.ndarray, part: np.ndarray, count: int, *, seed: int
) -> np.ndarray:
    order = np.random.default_rng(seed).permutation(part)
    classes = np.unique(labels)
    return np.concatenate(
        [order[labels[order] == label][:count] for label in classes]
    )
