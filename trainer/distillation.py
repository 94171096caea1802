"""What earlier runs answer on the training images: targets for a new one.

They are asked once before training (`teacher_answers`), or on every batch
(`load_teacher`): Beyer et al., Knowledge distillation: A good teacher is
patient and consistent (arXiv 2106.05237).
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from trainer import augmentation
from trainer import earlier_runs
from trainer import fused_batch_norm
from trainer import loop
from trainer import records
from trainer.models import build_model
from trainer.settings import Settings

_BATCH_SIZE = 256


def teacher_answers(
    settings: Settings,
    splits: dict[str, records.Split],
    strategy: tf.distribute.Strategy,
) -> np.ndarray:
    """Averages the teachers' answers over several views of each image.

    The first view is the image as it is, the others are augmented as the new
    run will augment it: a teacher knows its own training images too well.

    Args:
      settings: of the new run; `target.distill_from` names the teachers.
      splits: its splits.
      strategy: where to predict.

    Returns:
      float32 [n, K]: mean probabilities for each training image.

    Raises:
      ValueError: a teacher has other classes or another input, or was trained
        on what this run is validated or tested on.
    """
    total = 0.0
    for workdir in settings.target.distill_from:
        network = _load(workdir, settings, splits, strategy)
        predict = loop.make_predict_call(network, strategy)
        for view in range(settings.target.distill_views):
            images = make_view(splits["train"], settings, view)
            total = total + predict(images)
            print(f"teacher {workdir}: view {view + 1}", flush=True)
    count = len(settings.target.distill_from) * settings.target.distill_views
    return (total / count).astype(np.float32)


def load_teacher(
    settings: Settings,
    splits: dict[str, records.Split],
    strategy: tf.distribute.Strategy,
) -> Callable | None:
    """Loads the teachers that are asked on every batch.

    Returns:
      A function images float32 [b, S, S, C] in [0, 255] -> mean probabilities
      float32 [b, K]; None where no teacher is to be asked so.

    Raises:
      ValueError: as `teacher_answers`.
    """
    workdirs = settings.target.distill_from
    if not workdirs or settings.target.distill_views:
        return None
    networks = [
        _load(folder, settings, splits, strategy) for folder in workdirs
    ]

    def answer(images):
        answers = [network(images, training=False) for network in networks]
        return tf.add_n(answers) / len(answers)

    return answer


def make_view(
    split: records.Split, settings: Settings, view: int
) -> np.ndarray:
    """Returns the images of a split, augmented unless `view` is 0.

    Returns:
      uint8 [n, S, S, C] in [0, 255]; the same for the same seed and view.
    """
    if view == 0:
        return split.images
    changed = np.empty_like(split.images)
    for step, start in enumerate(range(0, len(changed), _BATCH_SIZE)):
        rows = slice(start, start + _BATCH_SIZE)
        # Epochs count from 0, so that views never repeat what training sees.
        uniforms = augmentation.draw_uniforms(
            _BATCH_SIZE, settings.training.seed, -view, step
        )
        images = split.images[rows]
        pixels = augmentation.augment(
            images, uniforms[: len(images)], settings.augmentation
        )
        changed[rows] = np.rint(pixels)
    return changed


def _load(workdir, settings, splits, strategy):
    """The network of a run in the precision of this process."""
    with strategy.scope():
        teacher = earlier_runs.load(workdir)
        _check_teacher(teacher, settings, splits)
        network = build_model(teacher.settings, len(teacher.class_names), keras)
        network.set_weights(teacher.model.get_weights())
        fused_batch_norm.fuse(network)
    return network


def _check_teacher(teacher, settings, splits):
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
