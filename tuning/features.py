"""Backbone features of a data set, computed once and kept on disk.

A cached entry is named by a hash of all that its numbers depend on, and
written as a whole or not at all. Entries may be deleted at any time.
"""

import dataclasses
import hashlib
import json
import pathlib
import shutil
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from fer_tfds import locks
from trainer import distillation
from trainer import features as features_lib
from trainer import files
from trainer import json_files
from trainer import phases
from trainer import weights
from trainer.data.prepared import Split
from trainer.models import BACKBONE_LAYER
from trainer.models import build_model
from trainer.models import head_layers
from trainer.settings.settings import Settings

# Entries that are kept; the least recently used goes first.
KEPT_ENTRIES = 4
KEY = "key.json"

# Settings of the network that features depend on; those of the head do not.
BACKBONE_SETTINGS = (
    "backbone",
    "widths",
    "stage_depth",
    "stem_stride",
    "layers",
    "pooling",
)


@dataclasses.dataclass(frozen=True)
class Features:
    """What heads are trained and validated on.

    Attributes:
      passes: float32 [n, F] of the training images: as they are, or one array
        for each augmented pass.
      validation: float32 [m, F].
      key: all that they depend on, in plain JSON values.
    """

    passes: list[np.ndarray]
    validation: np.ndarray
    key: dict[str, Any]


def get_features(
    settings: Settings,
    splits: dict[str, Split],
    strategy: tf.distribute.Strategy,
    *,
    num_passes: int,
    cache: pathlib.Path,
) -> Features:
    """Reads features from the cache, or computes and keeps them.

    Args:
      settings: of the network, its weights and the augmentation.
      splits: train and validation, uint8 pixels in [0, 255].
      strategy: where to compute.
      num_passes: augmented passes over the training images; 0 is one pass
        over the images as they are.
      cache: folder of all entries; made when absent.

    Raises:
      ValueError: the backbone's features are not the same in every epoch, or
        take more memory than allowed.
      trainer.weights.WeightsError: the weights cannot be had.
    """
    model = build_model(settings, len(settings.data.class_names), keras)
    weights.load_backbone_weights(model, settings, keras)
    weights.check_source(settings, splits)
    _check(model, settings, splits, num_passes=num_passes)
    key = make_key(model, settings, splits, num_passes=num_passes)
    text = json.dumps(key, sort_keys=True)
    entry = cache / hashlib.sha256(text.encode()).hexdigest()[:16]
    with locks.only_one(cache / f"{entry.name}.lock"):
        found = _read(entry, key, splits)
        if found is None:
            _compute(
                entry,
                key,
                model,
                settings=settings,
                splits=splits,
                strategy=strategy,
            )
            found = _read(entry, key, splits)
    _drop_old(cache)
    if found is None:
        raise ValueError(f"{entry} cannot be read back; give --feature_cache")
    return found


def make_key(
    model: keras.Model,
    settings: Settings,
    splits: dict[str, Split],
    *,
    num_passes: int,
) -> dict[str, Any]:
    """Returns all that features depend on.

    The weights count by their values, so it does not matter which file they
    came from.
    """
    digest = hashlib.sha256()
    own = {layer.name for layer in head_layers(model)}
    for layer in model.layers:
        if layer.name not in own:
            for array in layer.get_weights():
                digest.update(f"{array.shape}{array.dtype}".encode())
                digest.update(np.ascontiguousarray(array))
    flat = settings.flat()
    augmented = {"passes": num_passes}
    if num_passes:
        augmented |= dataclasses.asdict(settings.augmentation)
        augmented["seed"] = settings.training.seed
    return {
        "backbone": {
            name: list(flat[name]) if type(flat[name]) is tuple else flat[name]
            for name in BACKBONE_SETTINGS
        },
        "weights": digest.hexdigest(),
        "data": {part: split.content_hash() for part, split in splits.items()},
        "image_size": settings.data.image_size,
        "channels": settings.data.channels,
        "precision": keras.mixed_precision.dtype_policy().name,
        "augmentation": augmented,
    }


def _check(
    model: keras.Model,
    settings: Settings,
    splits: dict[str, Split],
    *,
    num_passes: int,
) -> None:
    phase = dataclasses.replace(
        phases.planned_phases(settings.training)[0], is_augmented=False
    )
    phases.set_trainable(model, phase, settings.training.fine_tune_from)
    count = len(splits["train"].labels) * max(1, num_passes)
    count += len(splits["validation"].labels)
    reason = features_lib.why_not(model, settings, phase, num_images=count)
    if reason:
        raise ValueError(
            f"features of this backbone cannot be computed once: {reason}. "
            "Change that, or search with --scope=full"
        )


def _compute(
    entry: pathlib.Path,
    key: dict[str, Any],
    model: keras.Model,
    *,
    settings: Settings,
    splits: dict[str, Split],
    strategy: tf.distribute.Strategy,
) -> None:
    num_passes = key["augmentation"]["passes"]
    count = len(splits["train"].labels) * max(1, num_passes)
    count += len(splits["validation"].labels)
    size = model.get_layer(BACKBONE_LAYER).output.shape[-1]
    files.check_space(entry.parent, 4 * count * size)
    print(
        f"computing {size} features of {count:,} images with {model.name}, "
        f"kept in {entry}",
        flush=True,
    )
    extract = features_lib.make_extractor(model, strategy)
    # What a killed process left; nobody else writes while we hold the lock.
    for stale in entry.parent.glob(f".{entry.name}-*"):
        shutil.rmtree(stale, ignore_errors=True)
    train = splits["train"]
    with files.write_aside(entry) as aside:
        aside.mkdir()
        for number in range(max(1, num_passes)):
            images = train.images
            if num_passes:
                images = distillation.make_view(train, settings, number)
            np.save(aside / f"train_{number}.npy", extract(images))
        np.save(aside / "validation.npy", extract(splits["validation"].images))
        (aside / KEY).write_text(json.dumps(key, indent=2), "utf-8")


def _read(
    entry: pathlib.Path, key: dict[str, Any], splits: dict[str, Split]
) -> Features | None:
    """The features of an entry; None where there are none, or damaged ones."""
    try:
        stored = json_files.read(
            entry / KEY, json_files.as_object, advice="it is computed anew"
        )
        if stored != key:
            raise ValueError("another key")
        numbers = range(max(1, key["augmentation"]["passes"]))
        passes = [np.load(entry / f"train_{i}.npy") for i in numbers]
        validation = np.load(entry / "validation.npy")
        for array, part in [(a, "train") for a in passes] + [
            (validation, "validation")
        ]:
            if len(array) != len(splits[part].labels):
                raise ValueError("another number of images")
    except (OSError, ValueError, KeyError, EOFError):
        shutil.rmtree(entry, ignore_errors=True)
        return None
    (entry / KEY).touch()
    return Features(passes, validation, key)


def _drop_old(cache: pathlib.Path) -> None:
    entries = sorted(
        cache.glob(f"*/{KEY}"), key=lambda path: path.stat().st_mtime_ns
    )
    for path in entries[:-KEPT_ENTRIES]:
        shutil.rmtree(path.parent, ignore_errors=True)
