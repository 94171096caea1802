"""Classes matched by name, by hand."""

import numpy as np
import pytest

from trainer.evaluation import intervals
from trainer.evaluation import matching

MODEL = ("anger", "happiness", "contempt", "winking")
DATA = ("happy", "Angry", "sad", "winking")


def test_names_of_expressions_are_matched_by_what_they_mean():
    found = matching.match(MODEL, DATA)
    assert found.model == ("angry", "happy", "contempt", "winking")
    assert found.shared == ("angry", "happy", "winking")
    assert found.only_in_model == ("contempt",)
    labels = np.array([0, 1, 2, 3, 2, -1], np.int32)
    np.testing.assert_array_equal(found.to_model(labels), [1, 0, -1, 3, -1, -1])
    assert found.left_out(labels) == {"sad": 2, matching.NO_LABEL: 1}
    assert found.left_out(labels[:1]) == {"sad": 0}


def test_names_that_would_become_one_stay_as_they_are():
    found = matching.match(("happy", "happiness", "sad"), ("sad", "happy"))
    assert found.model == ("happy", "happiness", "sad")
    assert found.shared == ("happy", "sad")


@pytest.mark.parametrize("data", [("sad", "fear"), ("sad", "happy")])
def test_fewer_than_two_shared_classes_are_refused(data):
    with pytest.raises(matching.MatchingError) as caught:
        matching.match(("angry", "happiness"), data)
    said = str(caught.value)
    assert "they share happy" in said or "they share none" in said
    assert "The model knows angry, happiness; the data has sad" in said
    assert "--dataset" in said


def test_answers_among_the_shared_classes_are_restricted_to_them():
    found = matching.match(MODEL, DATA)
    probabilities = np.array(
        [[0.1, 0.3, 0.6, 0.0], [0.4, 0.1, 0.5, 0.0], [0.1, 0.2, 0.1, 0.6]]
    )
    labels = np.array([1, 1, 3])
    assert matching.evaluate_shared(found, labels, probabilities) == {
        "names": ["angry", "happy", "winking"],
        "n": 3,
        "accuracy": pytest.approx(2 / 3),
        "accuracy_interval": list(intervals.wilson_interval(2, 3)),
    }
