"""Representative images for quantisation: which ones, and in which form.

A fixed, class-balanced list of training images, drawn by a seed and recorded
by id, through the evaluation path. Never augmented: the ranges measured here
become the ranges of the device.
"""

import dataclasses

import numpy as np

from trainer.data.prepared import Split

DEFAULT_SEED = 0


@dataclasses.dataclass(frozen=True)
class Calibration:
    """The images a converter measures ranges with.

    Attributes:
      images: uint8 [n, S, S, C] in [0, 255]; 0 and 255 both occur.
      ids: n names of the examples.
      seed: the seed of the draw.
      per_class: how many of each label id.
      range_set: id -> pixel value that was set in one corner of that
        image, where no image reached that limit of the range.
    """

    images: np.ndarray
    ids: list[str]
    seed: int
    per_class: list[int]
    range_set: dict[str, int]

    def summary(self) -> dict:
        """Returns how the list was made, in plain JSON values."""
        return {
            "split": "train",
            "count": len(self.ids),
            "per_class": self.per_class,
            "seed": self.seed,
            "range_set": self.range_set,
        }

    def describe(self) -> dict:
        """Returns the summary and the list itself."""
        return {**self.summary(), "ids": self.ids}


def choose(
    split: Split,
    num_classes: int,
    count: int,
    *,
    seed: int = DEFAULT_SEED,
) -> Calibration:
    """Draws the calibration list from the training split.

    Each class gives the same number; what a small class cannot give, the
    larger ones do.

    Args:
      split: the training split.
      num_classes: number of label ids.
      count: images wanted; fewer when the split has fewer.
      seed: same seed, same list.

    Raises:
      ValueError: `count` is below 1 or the split is empty.
    """
    if count < 1 or len(split.labels) == 0:
        raise ValueError(
            "calibration needs at least 1 training image; received "
            f"`calibration_images` {count} and {len(split.labels)} images"
        )
    chosen = _balanced(split.labels, num_classes, count, seed=seed)
    images = split.images[chosen]
    ids = [split.ids[index] for index in chosen]
    images, range_set = _span_range(images, ids)
    per_class = np.bincount(split.labels[chosen], minlength=num_classes)
    return Calibration(images, ids, seed, per_class.tolist(), range_set)


def _balanced(
    labels: np.ndarray, num_classes: int, count: int, *, seed: int
) -> np.ndarray:
    """Indices, drawn in rounds of one image from each class that has more."""
    generator = np.random.default_rng(seed)
    queues = [
        generator.permutation(np.flatnonzero(labels == label))
        for label in range(num_classes)
    ]
    rounds = max(map(len, queues))
    in_turn = [
        queue[turn]
        for turn in range(rounds)
        for queue in queues
        if turn < len(queue)
    ]
    return np.array(in_turn[:count])


def _span_range(
    images: np.ndarray, ids: list[str]
) -> tuple[np.ndarray, dict[str, int]]:
    """Makes 0 and 255 occur, so that the input's scale becomes exactly 1.

    A client then sends raw pixels. One corner pixel of one image changes
    nothing else; real photographs reach both limits by themselves.
    """
    images, range_set = images.copy(), {}
    flat = images.reshape(len(images), -1)
    if flat.min() > 0:
        darkest = int(flat.min(axis=1).argmin())
        images[darkest, 0, 0], range_set[ids[darkest]] = 0, 0
    if flat.max() < 255:
        brightest = int(flat.max(axis=1).argmax())
        images[brightest, -1, -1], range_set[ids[brightest]] = 255, 255
    return images, range_set
