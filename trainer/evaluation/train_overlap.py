"""Train/test overlap: images also in training, and metrics without them.

FER-2013 repeats images across its splits: 288 of its 3,589 test images also
stand in training. Must not import TensorFlow.
"""

import hashlib
from collections.abc import Collection

import numpy as np

from trainer.evaluation import intervals


def digests(images: np.ndarray) -> list[bytes]:
    """Returns what stands for the pixels of each image, uint8 [n, S, S, C]."""
    return [
        hashlib.blake2b(np.ascontiguousarray(image), digest_size=16).digest()
        for image in images
    ]


def seen_in_training(
    images: np.ndarray, train: Collection[bytes]
) -> np.ndarray:
    """Tells which images are, pixel for pixel, among the training images.

    Args:
      images: uint8 [n, S, S, C].
      train: the `digests` of the training images, best as a set.

    Returns:
      bool [n].
    """
    return np.array([digest in train for digest in digests(images)], bool)


def evaluate_unseen(
    labels: np.ndarray, probabilities: np.ndarray, is_seen: np.ndarray
) -> dict:
    """Computes the accuracy on the images that were not trained on.

    Args:
      labels: int [n], true class ids.
      probabilities: float [n, K] in [0, 1].
      is_seen: bool [n], from `seen_in_training`.

    Returns:
      {"seen_in_training": number of images left out, "unseen": {n, accuracy,
      accuracy_interval (95%, Wilson)}, or None where none is left}.
    """
    right = (probabilities.argmax(axis=1) == labels)[~is_seen]
    seen = {"seen_in_training": int(is_seen.sum()), "unseen": None}
    if not len(right):
        return seen
    hits = int(right.sum())
    unseen = {
        "n": len(right),
        "accuracy": hits / len(right),
        "accuracy_interval": list(intervals.wilson_interval(hits, len(right))),
    }
    return seen | {"unseen": unseen}
