"""What the network is to answer: labels, votes and teachers, mixed."""

import numpy as np
import pytest

from trainer import targets
from trainer.data import prepared
from trainer.settings.model_and_data import DataSettings
from trainer.settings.targets_and_training import TargetSettings

LABELS = np.array([0, 2, 1])
VOTES = np.array([[0.5, 0.5, 0], [0, 0, 1], [np.nan] * 3], np.float32)
TEACHER = np.array([[0.8, 0.1, 0.1]] * 3, np.float32)


def make(votes=None, teacher=None, **settings):
    return targets.make_targets(
        LABELS, 3, TargetSettings(**settings), votes=votes, teacher=teacher
    )


def test_labels_votes_teacher_and_smoothing_are_mixed():
    np.testing.assert_array_equal(make(), np.eye(3)[LABELS])
    assert make().dtype == np.float32
    mixed = make(votes=VOTES, soft_label_share=0.4)
    expected = [[0.8, 0.2, 0], [0, 0, 1], [0, 1, 0]]
    np.testing.assert_allclose(mixed, expected, atol=1e-6)
    mixed = make(teacher=TEACHER, distill_share=0.5, label_smoothing=0.3)
    expected = 0.7 * (0.5 * np.eye(3)[LABELS] + 0.5 * TEACHER) + 0.1
    np.testing.assert_allclose(mixed, expected, atol=1e-6)


def test_each_view_has_its_own_answers():
    views = np.stack([TEACHER, TEACHER[:, ::-1]])
    mixed = make(teacher=views, distill_share=0.5)
    assert mixed.shape == (2, 3, 3)
    for view, answers in zip(mixed, views, strict=True):
        alone = make(teacher=answers, distill_share=0.5)
        np.testing.assert_array_equal(view, alone)
    mean = make(teacher=views.mean(axis=0), distill_share=0.5)
    np.testing.assert_allclose(targets.mean_of_views(mixed), mean, atol=1e-6)
    np.testing.assert_array_equal(targets.mean_of_views(mean), mean)


def test_answers_may_also_be_mixed_in_later():
    settings = {"distill_share": 0.6, "distill_temperature": 2.0}
    settings |= {"label_smoothing": 0.3}
    later = targets.mix_predictions(
        make(**settings), TEACHER, TargetSettings(**settings)
    )
    expected = make(teacher=TEACHER, **settings)
    np.testing.assert_allclose(later, expected, atol=1e-6)


def test_temperature_is_that_of_divided_logits():
    logits = np.array([[2.0, 0.5, -1.0]])
    plain = np.exp(logits) / np.exp(logits).sum()
    warm = np.exp(logits / 4) / np.exp(logits / 4).sum()
    np.testing.assert_allclose(targets.soften(plain, 4.0), warm, rtol=1e-6)
    np.testing.assert_allclose(targets.soften(plain, 1.0), plain, rtol=1e-6)
    # An impossible class stays finite.
    sure = targets.soften(np.array([[1.0, 0.0]], np.float32), 2.0)
    assert np.isfinite(sure).all()


def test_votes_are_found_by_id_and_class_or_refused(prepared_votes, caplog):
    data = DataSettings(data_dir=prepared_votes)
    split = prepared.load_split(data, "train")
    votes = targets.votes_for(split, data, "fer2013/plus")
    assert votes.shape == (280, 7)
    assert "deprecated" not in caplog.text  # TFDS on its own code
    known = ~np.isnan(votes).any(axis=1)
    np.testing.assert_allclose(votes[known].sum(axis=1), 1, rtol=1e-5)
    # What is voted no face by all has no votes for an expression.
    assert 270 < known.sum() < 280
    agree = votes[known].argmax(axis=1) == split.labels[known]
    assert agree.mean() > 0.85
    other = prepared.Split(split.images, split.labels, ["a.jpg"] * 280)
    with pytest.raises(prepared.DataError, match=r"no votes on.*a\.jpg"):
        targets.votes_for(other, data, "fer2013/plus")
    with pytest.raises(prepared.DataError, match="has no votes; fer2013/plus"):
        targets.votes_for(split, data, "fer2013")
