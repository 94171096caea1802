"""Backbone features of a data set, computed once and kept on disk in shards.

    CACHE/HASH/key.json                  all that its numbers depend on
    CACHE/HASH/train_0-00003-of-00071    float32, some thousand rows each
    CACHE/HASH/validation-...

An entry is named by a hash of its key. A shard is written whole or not at all,
so that a killed process resumes after its last shard. Entries may be deleted at
any time that nobody reads them.
"""

import contextlib
import dataclasses
import hashlib
import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from fer_tfds import locks
from trainer import distillation
from trainer import features
from trainer import files
from trainer import json_files
from trainer import runtime
from trainer.data.splits import Split
from trainer.data.stored import Numbers
from trainer.data.stored import Stored
from trainer.models import BACKBONE_LAYER
from trainer.models import head_layers
from trainer.settings.settings import Settings

# Entries that are kept; the least recently used goes first.
KEPT_ENTRIES = 4
KEY = "key.json"
# As many as a shard of records has; whole batches of prediction.
SHARD_ROWS = 2048

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
class KeptFeatures:
    """Where features are.

    Attributes:
      passes: float32 [n, F] of the training images: as they are, or one for
        each augmented pass.
      validation: float32 [m, F].
      key: all that they depend on, in plain JSON values.
    """

    passes: list[Stored]
    validation: Stored
    key: dict[str, Any]


def get(
    model: keras.Model,
    settings: Settings,
    splits: dict[str, Split],
    *,
    strategy: tf.distribute.Strategy,
    num_passes: int = 0,
) -> KeptFeatures:
    """Computes the features that are not kept yet.

    Args:
      model: the network with its weights, its backbone frozen.
      settings: of the network and the augmentation; names the cache.
      splits: train and validation, uint8 pixels in [0, 255].
      strategy: where to compute; all workers of a job must ask.
      num_passes: augmented passes over the training images; 0 is one pass
        over the images as they are.

    Raises:
      trainer.files.NoSpaceError: the disk has no room for them.
    """
    key = make_key(model, settings, splits, num_passes=num_passes)
    text = json.dumps(key, sort_keys=True)
    cache = pathlib.Path(settings.training.feature_cache)
    entry = cache / hashlib.sha256(text.encode()).hexdigest()[:16]
    writer = _Writer(entry, model, strategy)
    with _alone(entry, strategy):
        _open_entry(entry, key)
        images = {
            f"train_{number}": distillation.make_view(
                splits["train"], settings, number
            )
            for number in range(num_passes)
        } or {"train_0": splits["train"].images}
        images["validation"] = splits["validation"].images
        writer.check_space(images)
        kept = [writer.write(name, each) for name, each in images.items()]
    _drop_old(cache)
    return KeptFeatures(kept[:-1], kept[-1], key)


def head_alone(
    inputs: features.PhaseInputs,
    settings: Settings,
    splits: dict[str, Split],
    *,
    strategy: tf.distribute.Strategy,
) -> features.PhaseInputs:
    """The quick way of a phase whose images stay on disk.

    Args:
      inputs: the plain way.
      settings: of the run.
      splits: its splits.
      strategy: of the run.
    """
    kept = get(inputs.model, settings, splits, strategy=strategy)
    return features.head_on(
        kept.passes[0], kept.validation, inputs=inputs, strategy=strategy
    )


def as_array(stored: Stored) -> np.ndarray:
    """Reads kept features, float32 [n, F], into memory."""
    parts = [np.fromfile(name, np.float32) for name in stored.files]
    return np.concatenate(parts).reshape(stored.shape)


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
        "data": {
            part: splits[part].stored_hash() or splits[part].content_hash()
            for part in ("train", "validation")
        },
        "image_size": settings.data.image_size,
        "channels": settings.data.channels,
        "precision": keras.mixed_precision.dtype_policy().name,
        "augmentation": augmented,
    }


@dataclasses.dataclass(frozen=True)
class _Writer:
    """Computes and writes the shards of an entry."""

    entry: pathlib.Path
    model: keras.Model
    strategy: tf.distribute.Strategy

    @property
    def size(self) -> int:
        """Features of an image."""
        return self.model.get_layer(BACKBONE_LAYER).output.shape[-1]

    def check_space(self, images: dict[str, np.ndarray | Stored]) -> None:
        """Refuses a disk without room for what is not there yet."""
        needed = sum(map(len, images.values())) * self.size * 4
        for path in self.entry.glob("*-of-*"):
            needed -= path.stat().st_size
        files.check_space(self.entry.parent, max(0, needed))

    def write(self, name: str, images: np.ndarray | Stored) -> Stored:
        """Writes the shards of some images that are not there yet."""
        extract = None
        shards = self._shards(name, len(images))
        for number, (path, rows) in enumerate(shards):
            is_there = path.is_file() and (
                path.stat().st_size == (rows.stop - rows.start) * self.size * 4
            )
            # Predicting takes all workers.
            if runtime.is_so_for_all(self.strategy, is_there):
                continue
            if extract is None:
                extract = self._begin(name, len(images), number, len(shards))
            is_stored = isinstance(images, Stored)
            found = extract(images.take(rows) if is_stored else images[rows])
            with files.write_aside(path) as aside:
                found.tofile(aside)
        return self._stored(shards)

    def _begin(self, name: str, *counts: int) -> Callable:
        images, done, shards = counts
        print(
            f"computing {self.size} features of {images:,} images ({name}) "
            f"with {self.model.name}, kept in {self.entry}; {done} of {shards} "
            "shards are there",
            flush=True,
        )
        return features.make_extractor(self.model, self.strategy)

    def _shards(
        self, name: str, count: int
    ) -> list[tuple[pathlib.Path, slice]]:
        starts = range(0, count, SHARD_ROWS)
        return [
            (
                self.entry / f"{name}-{index:05d}-of-{len(starts):05d}",
                slice(start, min(start + SHARD_ROWS, count)),
            )
            for index, start in enumerate(starts)
        ]

    def _stored(self, shards: list[tuple[pathlib.Path, slice]]) -> Stored:
        lengths = [rows.stop - rows.start for _, rows in shards]
        number = np.concatenate([np.arange(n, dtype=np.int32) for n in lengths])
        row_bytes = self.size * 4
        return Stored(
            kind=Numbers((self.size,)),
            files=tuple(str(path) for path, _ in shards),
            file=np.repeat(np.arange(len(shards), dtype=np.int32), lengths),
            number=number,
            offset=number.astype(np.int64) * row_bytes,
            length=np.full(len(number), row_bytes, np.int32),
        )


def _alone(
    entry: pathlib.Path, strategy: tf.distribute.Strategy
) -> contextlib.AbstractContextManager[None]:
    """Keeps other processes out; workers of one job go in together."""
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return contextlib.nullcontext()
    return locks.only_one(entry.parent / f"{entry.name}.lock")


def _open_entry(entry: pathlib.Path, key: dict[str, Any]) -> None:
    """Makes the folder of an entry; empties one that says nothing sensible."""
    try:
        stored = json_files.read(
            entry / KEY, json_files.as_object, advice="it is computed anew"
        )
    except (OSError, ValueError):
        stored = None
    if stored != key:
        shutil.rmtree(entry, ignore_errors=True)
        files.write_text(entry / KEY, json.dumps(key, indent=2))
    (entry / KEY).touch()
    # What a killed process left; nobody else writes while we hold the lock.
    for stale in entry.glob(".*-of-*"):
        shutil.rmtree(stale, ignore_errors=True)


def _drop_old(cache: pathlib.Path) -> None:
    entries = sorted(
        cache.glob(f"*/{KEY}"), key=lambda path: path.stat().st_mtime_ns
    )
    for path in entries[:-KEPT_ENTRIES]:
        shutil.rmtree(path.parent, ignore_errors=True)
