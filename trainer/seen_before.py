"""Whether a model was trained on, or chosen by, what it is to be judged by.

By the examples' names where model and data are of one data set, and by pixels.
Data sets of another name share no examples, and are not looked at.
"""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from edge import model_file
from fer_tfds import labels as taxonomy
from trainer import released
from trainer.any_model import AnyModel
from trainer.any_model import recorded
from trainer.data import prepared
from trainer.evaluation import stored_runs
from trainer.evaluation import train_overlap
from trainer.settings.model_and_data import DataSettings
from trainer.settings.settings import Settings


class TrainedOnError(ValueError):
    """A model was trained on what it is to be judged by."""


@dataclasses.dataclass(frozen=True)
class SeenBefore:
    """What a model has seen of a split.

    Attributes:
      text: for people, of all data that the model was trained on.
      images: bool [n], which images stand in its training split pixel for
        pixel; None where no training split was looked at.
    """

    text: str
    images: np.ndarray | None


@dataclasses.dataclass(frozen=True)
class Source:
    """Data that a model, or one that it began with, was trained on."""

    model: str
    data: DataSettings
    manifest: dict[str, Any]


def look(
    model: AnyModel, data: DataSettings, split: prepared.Split
) -> SeenBefore:
    """Compares a split with what a model was trained on.

    Args:
      model: knows what that was, or does not.
      data: of the split.
      split: the examples that it is to be judged by.

    Raises:
      TrainedOnError: it was trained on some of them by name; the text says on
        how many.
    """
    if model.settings is None:
        reason = "unknown: the file does not say what it was trained on"
        return SeenBefore(reason, None)
    texts, images = [], None
    for source in _sources(model):
        text, seen = _look_at(source, data, split)
        texts.append(text)
        if seen is not None:
            images = seen if images is None else images | seen
    return SeenBefore("; ".join(texts), images)


def _sources(model: AnyModel) -> Iterator[Source]:
    """The model's own data, and that of what its weights began with."""
    yield Source(model.name, model.settings.data, model.trained_on)
    begun = origin(model.settings)
    if begun is not None:
        yield begun


def origin(settings: Settings) -> Source | None:
    """Returns what the weights at the start were trained on, where it is known.

    Those of a released model, or of a run that is still there.
    """
    name = settings.model.weights
    if name in released.NAMES:
        file = model_file.read_model_file(model_file.choose_model(name))
        theirs = recorded(file.metadata)
        return Source(name, theirs.data, file.metadata["data"])
    folder = pathlib.Path(name)
    try:
        data = stored_runs.read_settings(folder).data
        manifest = stored_runs.read_manifest(folder)["data"]
    except (ValueError, OSError):
        return None  # Weights of no run, or of one that is gone.
    return Source(name, data, manifest)


def _look_at(
    source: Source, data: DataSettings, split: prepared.Split
) -> tuple[str, np.ndarray | None]:
    """What to say of one source, and the images that stand in it."""
    said = f"{source.model} was trained on {_called(source)}"
    if _family(source.data) != _family(data):
        return f"{said}, another data set", None
    found = _training_split(source, data)
    if found is None:
        return f"{said}, which is not prepared here: not compared", None
    theirs, train = found
    digests = set(train_overlap.digests(train.images))
    seen = train_overlap.seen_in_training(split.images, digests)
    is_public = taxonomy.is_known(data.dataset)
    _refuse_shared(said, train, split, is_told=seen | is_public)
    said += ", and on none of these examples"
    if is_public or theirs.data_dir == data.data_dir:
        chosen = set(prepared.load_ids(theirs, theirs.validation_split))
        chosen &= set(split.ids)
        said += f"; {len(chosen):,} of them chose its best epoch"
    return said, seen


def _refuse_shared(
    said: str,
    train: prepared.Split,
    split: prepared.Split,
    *,
    is_told: np.ndarray,
) -> None:
    """Refuses examples of one name; `is_told` says whose name tells them."""
    names = set(train.ids)
    shared = [n for n, t in zip(split.ids, is_told, strict=True) if t]
    shared = [name for name in shared if name in names]
    if shared:
        raise TrainedOnError(
            f"{said}: on {len(shared):,} of these {len(split.ids):,} examples, "
            f"such as {min(shared)}. Give a --split that it has not seen"
        )


def _training_split(
    source: Source, data: DataSettings
) -> tuple[DataSettings, prepared.Split] | None:
    """Where the records of a source are, and what was trained on of them.

    Names of a public data set mean the same examples everywhere. Those of
    other data may not: there the content has to be what the run recorded.
    """
    known = source.manifest.get("splits", {}).get("train", {})
    for folder in dict.fromkeys((source.data.data_dir, data.data_dir)):
        theirs = dataclasses.replace(source.data, data_dir=folder)
        try:
            train = prepared.load_split(theirs, theirs.train_split)
        except prepared.DataError:
            continue
        is_same = bool(known) and not train.is_other_than(known)
        if taxonomy.is_known(theirs.dataset) or is_same:
            return theirs, train
    return None


def _called(source: Source) -> str:
    name = source.manifest.get("name", source.data.dataset)
    return f"{name} ({source.data.train_split})"


def _family(data: DataSettings) -> str:
    return data.dataset.partition("/")[0]
