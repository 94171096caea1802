"""Images that a split shares with the training split, and figures without them.

FER-2013 repeats images across its splits: 288 of its 3,589 test images also
stand in training. Must not import TensorFlow.
"""

import hashlib

import numpy as np

from trainer import intervals


def seen_in_training(images: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Tells which images are, pixel for pixel, among the training images.

    Args:
      images: uint8 [n, S, S, C].
      train: uint8 [m, S, S, C].

    Returns:
      bool [n].
    """
    known = set(map(_digest, train))
    return np.array([_digest(image) in known for image in images], bool)


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


def _digest(image: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image), digest_size=16).digest()
