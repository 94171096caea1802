"""Groups: counts by hand, honest gaps, and the way from prepared records."""

import json

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from fer_tfds import labels as taxonomy
from trainer.data import prepared
from trainer.evaluation import intervals
from trainer.evaluation import subgroups
from trainer.settings.model_and_data import DataSettings


def answers(**groups):
    """Group -> (right, wrong): labels, probabilities and groups."""
    names, labels = [], []
    for name, (right, wrong) in groups.items():
        names += [name] * (right + wrong)
        labels += [0] * right + [1] * wrong
    probabilities = np.tile([0.9, 0.1], (len(labels), 1))
    return np.array(labels), probabilities, names


def test_figures_of_each_group_match_hand_computation():
    found = subgroups.evaluate_subgroups(*answers(old=(30, 20), new=(45, 5)))
    assert [row["name"] for row in found["groups"]] == ["new", "old"]
    assert [row["n"] for row in found["groups"]] == [50, 50]
    assert [row["accuracy"] for row in found["groups"]] == [0.9, 0.6]
    interval = list(intervals.wilson_interval(30, 50))
    assert found["groups"][1]["accuracy_interval"] == interval
    gap = found["largest_gap"]
    assert (gap["best"], gap["worst"]) == ("new", "old")
    assert gap["difference"] == pytest.approx(0.3)
    expected = intervals.difference_interval((45, 50), (30, 50))
    assert gap["interval"] == pytest.approx(expected)
    assert found["groups_reason"] is None
    assert json.loads(json.dumps(found)) == found


def test_without_gaps_the_interval_holds_zero_as_often_as_it_says():
    rng = np.random.default_rng(0)
    clear = 0
    for _ in range(400):
        hits = rng.binomial(200, 0.7, 6)
        groups = {f"g{i}": (h, 200 - h) for i, h in enumerate(hits)}
        found = subgroups.evaluate_subgroups(*answers(**groups))
        clear += found["largest_gap"]["interval"][0] > 0
    assert clear <= 0.05 * 400 + 10


def test_a_tiny_group_makes_no_gap_and_names_of_people_are_no_groups():
    found = subgroups.evaluate_subgroups(*answers(a=(40, 10), b=(0, 2)))
    assert [row["n"] for row in found["groups"]] == [50, 2]
    assert found["largest_gap"] is None
    assert "fewer than two subgroups of 30" in found["groups_reason"]
    groups = {f"person {i}": (1, 0) for i in range(41)}
    found = subgroups.evaluate_subgroups(*answers(**groups))
    assert found["groups"] == []
    assert "41 values" in found["groups_reason"]


# A feature, its values, and the groups they make.
FEATURES = {
    "class": (
        tfds.features.ClassLabel(names=["x", "y"]),
        [0, 1, -1, 0],
        ["x", "y", "unknown", "x"],
    ),
    "text": (tfds.features.Text(), ["x", "y", "é", "x"], ["x", "y", "é", "x"]),
    "number": (tfds.features.Scalar(tf.int64), [0, 1, 2, 0], None),
    "none": (None, None, None),
}


def prepare(folder, feature, values):
    """Four prepared pictures, with a feature `group` or without."""
    picture = tf.io.encode_png(np.zeros((48, 48, 1), np.uint8)).numpy()
    names = taxonomy.native_names("fer2013")
    features = {
        "image": tfds.features.Image(shape=(48, 48, 1)),
        "label": tfds.features.ClassLabel(names=names),
        "id": tfds.features.Text(),
    }
    rows = {"image": [picture] * 4, "label": [0, 1, 6, 2], "id": list("abcd")}
    if feature is not None:
        features["group"], rows["group"] = feature, values

    examples = [{key: rows[key][i] for key in rows} for i in range(4)]

    # A class of that name is registered once in a process.
    with tfds.core.registered.skip_registration():

        class Builder(tfds.core.GeneratorBasedBuilder):
            """The data set by its name, as somebody else may write it."""

            name = "fer2013"
            VERSION = tfds.core.Version("1.0.0")
            BUILDER_CONFIGS = (tfds.core.BuilderConfig(name="original"),)

            def _info(self):
                return self.dataset_info_from_configs(
                    features=tfds.features.FeaturesDict(features)
                )

            def _split_generators(self, dl_manager):
                return {"test": enumerate(examples)}

            def _generate_examples(self):
                raise NotImplementedError

    Builder(data_dir=folder).download_and_prepare()
    return DataSettings(data_dir=str(folder))


@pytest.mark.parametrize("kind", FEATURES)
def test_groups_are_read_with_the_split(kind, tmp_path):
    feature, values, groups = FEATURES[kind]
    split = prepared.load_split(prepare(tmp_path, feature, values), "test")
    if groups is None:
        assert split.subgroups is None
    else:
        found = dict(zip(split.ids, split.subgroups, strict=True))
        assert found == dict(zip("abcd", groups, strict=True))
