"""What earlier runs predict on the training images: targets for a new one.

They predict on the very images that are trained on, which is what makes them
teach well: Beyer et al., Knowledge distillation: A good teacher is patient and
consistent (arXiv 2106.05237). Either there are a few views of each image, and
they predict once before training (`teacher_predictions`), or they predict on
every batch (`load_teacher`).
"""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from trainer import checkpoints
from trainer import earlier_runs
from trainer import loop
from trainer import runtime
from trainer.batches import PREDICT_BATCH_SIZE
from trainer.data import augmentation
from trainer.data import prepared
from trainer.data.stored import Stored
from trainer.models import build_model
from trainer.models import fused_batch_norm
from trainer.settings.settings import Settings


def teacher_predictions(
    settings: Settings,
    splits: dict[str, prepared.Split],
    strategy: tf.distribute.Strategy,
) -> np.ndarray:
    """Averages the teachers' predictions on each view of each image.

    Where images are flipped at random, an image and its mirror image show
    the same face, and teachers predict the mean of both. They see what no
    camera has spoilt: a noisy face is to be called what a clean one is.

    Args:
      settings: of the new run; `target.distill_from` names the teachers.
      splits: its splits.
      strategy: where to predict.

    Returns:
      float32 [views, n, K]: mean probabilities for each training image.

    Raises:
      ValueError: a teacher has other classes or another input, or was trained
        on what this run is validated or tested on.
    """
    views = settings.target.distill_views
    predict = _make_predict(settings, splits, strategy)
    settings = dataclasses.replace(
        settings, augmentation=settings.augmentation.unspoilt
    )
    predictions = []
    for view in range(views):
        predictions.append(predict(make_view(splits["train"], settings, view)))
        print(f"teachers: view {view + 1} of {views}", flush=True)
    return np.asarray(predictions, np.float32)


def plain_predictions(
    settings: Settings,
    splits: dict[str, prepared.Split],
    strategy: tf.distribute.Strategy,
) -> np.ndarray:
    """Averages the teachers' predictions on each image as it is stored.

    Mirror images as in `teacher_predictions`.

    Args:
      settings: of the run; `target.distill_from` names the teachers.
      splits: its splits.
      strategy: where to predict.

    Returns:
      float32 [n, K]: mean probabilities for each training image.

    Raises:
      ValueError: as `teacher_predictions`.
    """
    predict = _make_predict(settings, splits, strategy)
    return predict(splits["train"].images).astype(np.float32)


def load_teacher(
    settings: Settings,
    splits: dict[str, prepared.Split],
    strategy: tf.distribute.Strategy,
) -> Callable | None:
    """Loads the teachers that predict on every batch.

    Returns:
      A function images float32 [b, S, S, C] in [0, 255] -> mean probabilities
      float32 [b, K]; None where no teacher does so.

    Raises:
      ValueError: as `teacher_predictions`.
    """
    if not settings.target.distill_from or settings.target.distill_views:
        return None
    networks = _load_all(settings, splits, strategy)

    def predict(images: tf.Tensor) -> tf.Tensor:
        each = [network(images, training=False) for network in networks]
        return tf.add_n(each) / len(each)

    return predict


def make_view(
    split: prepared.Split, settings: Settings, view: int
) -> np.ndarray | Stored:
    """Augments the images of a split as epochs that show this view do.

    Returns:
      uint8 [n, S, S, C] in [0, 255]; the same for the same view. Images on
      disk stay there, and are augmented whenever they are read.
    """
    uniforms = augmentation.draw_view(len(split.images), view)
    if isinstance(split.images, Stored):

        def change(rows: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
            own = tf.gather(uniforms, tf.maximum(rows, 0))
            pixels = augmentation.augment(images, own, settings.augmentation)
            return tf.cast(tf.round(pixels), tf.uint8)

        return split.images.changed(change)
    changed = np.empty_like(split.images)
    for start in range(0, len(changed), PREDICT_BATCH_SIZE):
        rows = slice(start, start + PREDICT_BATCH_SIZE)
        pixels = augmentation.augment(
            split.images[rows], uniforms[rows], settings.augmentation
        )
        changed[rows] = np.rint(pixels)
    return changed


def _make_predict(
    settings: Settings,
    splits: dict[str, prepared.Split],
    strategy: tf.distribute.Strategy,
) -> Callable[[np.ndarray | Stored], np.ndarray]:
    """A function images uint8 [n, S, S, C] -> mean probabilities [n, K]."""
    calls = [
        loop.make_predict_call(network, strategy)
        for network in _load_all(settings, splits, strategy)
    ]

    def predict(images: np.ndarray | Stored) -> np.ndarray:
        shown = [images]
        if settings.augmentation.flip:
            shown.append(_mirror(images))
        return np.mean([call(each) for call in calls for each in shown], axis=0)

    return predict


def _mirror(images: np.ndarray | Stored) -> np.ndarray | Stored:
    if isinstance(images, Stored):
        return images.changed(lambda rows, pixels: pixels[:, :, ::-1])
    return images[:, :, ::-1]


def _load_all(
    settings: Settings,
    splits: dict[str, prepared.Split],
    strategy: tf.distribute.Strategy,
) -> list[keras.Model]:
    return [
        _load(folder, settings, splits, strategy=strategy)
        for folder in settings.target.distill_from
    ]


def _load(
    workdir: str,
    settings: Settings,
    splits: dict[str, prepared.Split],
    *,
    strategy: tf.distribute.Strategy,
) -> keras.Model:
    """The network of a run in the precision that it was trained in."""
    with strategy.scope():
        teacher = earlier_runs.load(workdir)
        _check_teacher(teacher, settings, splits)
        precision = runtime.resolve_precision(teacher.settings.training)
        with runtime.keep_precision(precision):
            network = build_model(
                teacher.settings, len(teacher.class_names), keras
            )
        network.set_weights(teacher.model.get_weights())
        fused_batch_norm.fuse(network)
    return network


def _check_teacher(
    teacher: checkpoints.FinishedRun,
    settings: Settings,
    splits: dict[str, prepared.Split],
) -> None:
    data, theirs = settings.data, teacher.settings.data
    if teacher.class_names != data.class_names:
        raise ValueError(
            f"the teacher {teacher.workdir} tells {teacher.class_names} "
            f"apart, this run {data.class_names}"
        )
    for name in ("image_size", "channels"):
        if getattr(theirs, name) != getattr(data, name):
            raise ValueError(
                f"the teacher {teacher.workdir} has {name} "
                f"{getattr(theirs, name)}, this run {getattr(data, name)}"
            )
    earlier_runs.check_apart(teacher.workdir, data, splits)
