"""Tests of trainer/evaluation/undertrained.py, on made-up predictions."""

import numpy as np
import pytest

from trainer.evaluation import metrics
from trainer.evaluation import undertrained
from trainer.settings.settings import from_flat

LABELS = np.arange(700) % 7
NAMES = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu")


def evaluated(answers, labels=LABELS):
    return metrics.evaluate_probabilities(
        labels, np.eye(7, dtype=np.float32)[answers], NAMES
    )


def partly_right(share):
    """Right for a share of the images, and for others one class too far."""
    is_right = np.arange(700) % 100 < 100 * share
    return np.where(is_right, LABELS, (LABELS + 1) % 7)


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (np.full(700, 3), "learned nothing: it answers `dog` to every image"),
        (np.arange(700) // 7 % 2, "does hardly better than one answer"),
        (partly_right(0.14), "does hardly better than one answer"),
        (partly_right(0.18), "one answer has 14.3%"),
    ],
    ids=["one class", "two classes", "at chance", "hardly"],
)
def test_a_model_that_learned_nothing_is_called_that(answers, text):
    assert text in undertrained.learned_nothing(evaluated(answers))


def test_a_model_that_learned_something_is_not():
    assert not undertrained.learned_nothing(evaluated(partly_right(0.25)))
    assert not undertrained.learned_nothing(evaluated(LABELS))


def test_of_a_single_class_nothing_can_be_said():
    labels = np.zeros(20, int)
    assert not undertrained.learned_nothing(evaluated(labels, labels))


def test_answers_within_a_hair_of_each_other_are_open():
    answers = np.tile([0.6, 0.3, 0.1], [1100, 1]).astype(np.float32)
    answers[:110] = [0.41, 0.39, 0.2]
    assert undertrained.is_undecided(answers) == ""
    answers[110] = answers[0]
    found = undertrained.is_undecided(answers)
    assert "leaves 111 of 1,100 images open" in found


def test_advice_names_the_flags_of_the_last_phase():
    tuned = from_flat({"fine_tune_epochs": 3, "fine_tune_learning_rate": 9.0})
    text = undertrained.advice(tuned.training)
    assert "--fine_tune_epochs (now 3)" in text
    assert "--fine_tune_learning_rate (now 9)" in text
    head = from_flat({"fine_tune_epochs": 0, "head_epochs": 2})
    assert "--head_epochs (now 2)" in undertrained.advice(head.training)
