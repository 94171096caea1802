"""The label taxonomy."""

import subprocess
import sys

import pytest

from fer_tfds import labels


def test_fer2013_names_are_in_the_official_order():
    assert labels.class_names("fer2013") == (
        "angry",
        "disgust",
        "fear",
        "happy",
        "sad",
        "surprise",
        "neutral",
    )


def test_affectnet_names_are_in_the_official_order():
    names = labels.native_names("affectnet")
    assert names[:4] == ("neutral", "happiness", "sadness", "surprise")
    assert names[4:8] == ("fear", "disgust", "anger", "contempt")
    assert names[8:] == ("none", "uncertain", "no-face")


def test_ferplus_names_are_those_of_its_columns():
    names = labels.native_names("fer2013/plus")
    assert names[:4] == ("neutral", "happiness", "surprise", "sadness")
    assert names[4:8] == ("anger", "disgust", "fear", "contempt")
    assert names[8:] == ("unknown", "nf")


@pytest.mark.parametrize(
    ("dataset", "num_classes", "count", "last"),
    [
        ("fer2013", 0, 7, "neutral"),
        ("fer2013/clean", 0, 7, "neutral"),
        ("fer2013/plus", 0, 8, "contempt"),
        ("fer2013/plus", 7, 7, "fear"),
        ("affectnet", 0, 8, "contempt"),
        ("affectnet/size_224", 7, 7, "anger"),
    ],
)
def test_classes_are_the_first_expressions(dataset, num_classes, count, last):
    names = labels.class_names(dataset, num_classes)
    assert (len(names), names[-1]) == (count, last)
    assert names == labels.native_names(dataset)[:count]


@pytest.mark.parametrize("num_classes", [-1, 1, 9])
def test_impossible_number_of_classes(num_classes):
    with pytest.raises(ValueError, match="from 2 to 8 for affectnet"):
        labels.class_names("affectnet", num_classes)


def test_unknown_data_set_lists_the_known_ones():
    known = r"affectnet, fer2013, ferplus.*'imagenet'"
    with pytest.raises(ValueError, match=known):
        labels.class_names("imagenet")


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("angry", "angry"),
        ("anger", "angry"),
        ("disgusted", "disgust"),
        ("fearful", "fear"),
        ("happiness", "happy"),
        ("sadness", "sad"),
        ("surprised", "surprise"),
        ("neutral", "neutral"),
        ("contempt", "contempt"),
        (" Happy ", "happy"),
        ("ANGER", "angry"),
    ],
)
def test_canonical_name(name, canonical):
    assert labels.canonical_name(name) == canonical


@pytest.mark.parametrize("name", ["", "bored", "uncertain", "no-face", "3"])
def test_unknown_name_lists_the_known_ones(name):
    with pytest.raises(ValueError, match="anger, angry, contempt") as caught:
        labels.canonical_name(name)
    assert repr(name) in str(caught.value)


def test_every_expression_of_each_data_set_has_a_canonical_name():
    expressions = [
        *labels.class_names("fer2013"),
        *labels.class_names("affectnet"),
    ]
    for name in expressions:
        assert labels.canonical_name(name) in labels.CANONICAL_NAMES


@pytest.mark.parametrize(
    ("module", "banned"),
    [
        ("fer_tfds.labels", "numpy"),
        ("fer_tfds.synthetic", "tensorflow"),
        ("fer_tfds.sources.fer2013.find", "tensorflow"),
    ],
)
def test_import_stays_light(module, banned):
    code = f"import sys, {module}; sys.exit({banned!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
