"""Answers for labelled photographs -> how good they are, and how surely.

Numpy alone: no picture, no model.
"""

import dataclasses
import statistics
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fer_tfds.labels import CANONICAL_NAMES
from trainer.evaluation import intervals
from trainer.evaluation import metrics

# Rows and columns of a confusion matrix: the classes, then "no answer", which
# no picture is labelled with.
NUM_CELLS = len(CANONICAL_NAMES) + 1


class Answer(NamedTuple):
    """What a system says of one photograph.

    Attributes:
      num_faces: that it found, without pictures taken whole.
      label: of the largest face, a canonical name; None without one.
      is_sure: whether the label is given as an answer.
      ms: what it took.
    """

    num_faces: int
    label: str | None
    is_sure: bool
    ms: float


class Estimate(NamedTuple):
    """A fraction and its 95% interval, all in [0, 1]."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Returns it in percent: `61.5% (58.0% to 65.0%)`."""
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%})"


@dataclasses.dataclass(frozen=True)
class Figures:
    """How good the answers for some photographs are.

    Attributes:
      found: fraction of the pictures in which a face is found.
      second: fraction with more than one, where one is shown.
      accuracy: right answers, unsure ones too, of all pictures; a picture
        without an answer counts as wrong.
      macro_f1: of the same, over the classes that have a picture.
      unsure: fraction of the answers that are unsure.
      right_if_sure: right answers of those that are sure; None without any.
      ms: median time of a picture.
    """

    found: float
    second: float
    accuracy: Estimate
    macro_f1: Estimate
    unsure: float
    right_if_sure: float | None
    ms: float


def compute(
    labels: Sequence[str], answers: Sequence[Answer], people: Sequence[str]
) -> Figures:
    """Computes the figures of a system.

    Args:
      labels: of each photograph, a canonical name.
      answers: for each.
      people: whom each shows; the intervals draw people, with all of their
        pictures, not pictures.
    """
    right = np.array(
        [a.label == label for a, label in zip(answers, labels, strict=True)]
    )
    has_answer = np.array([a.label is not None for a in answers])
    sure = has_answer & np.array([a.is_sure for a in answers])
    estimates = _estimates(_matrices(labels, answers, people))
    return Figures(
        found=float(np.mean([a.num_faces > 0 for a in answers])),
        second=float(np.mean([a.num_faces > 1 for a in answers])),
        accuracy=estimates["accuracy"],
        macro_f1=estimates["macro_f1"],
        unsure=1 - float(sure.sum() / max(has_answer.sum(), 1)),
        right_if_sure=float(right[sure].mean()) if sure.any() else None,
        ms=statistics.median(a.ms for a in answers),
    )


def _matrices(
    labels: Sequence[str], answers: Sequence[Answer], people: Sequence[str]
) -> np.ndarray:
    """Int [P, K, K]: the confusion matrix of each person's pictures."""
    places = {name: place for place, name in enumerate(CANONICAL_NAMES)}
    names, rows = np.unique(people, return_inverse=True)
    matrices = np.zeros([len(names), NUM_CELLS, NUM_CELLS], int)
    true = [places[label] for label in labels]
    given = [places.get(answer.label, NUM_CELLS - 1) for answer in answers]
    np.add.at(matrices, (rows, true, given), 1)
    return matrices


def _estimates(matrices: np.ndarray) -> dict[str, Estimate]:
    """The metrics over all people, and their intervals."""
    whole = _ratios(matrices.sum(axis=0))
    bounds = intervals.grouped_intervals(matrices, _ratios)
    return {
        name: Estimate(float(whole[name]), *bounds[name]) for name in bounds
    }


def _ratios(matrices: np.ndarray) -> dict[str, np.ndarray]:
    """Int [..., K, K] -> accuracy and macro-F1, float [...] each."""
    hits = np.trace(matrices, axis1=-2, axis2=-1)
    return {
        "accuracy": hits / matrices.sum(axis=(-2, -1)),
        "macro_f1": metrics.class_means(matrices)["macro_f1"],
    }
