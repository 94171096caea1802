"""The label taxonomy."""

import pytest

from fer_tfds import labels
from tests.commands import command_line


@pytest.mark.parametrize(
    ("dataset", "names"),
    [
        ("fer2013", "angry disgust fear happy sad surprise neutral"),
        (
            "affectnet",
            "neutral happiness sadness surprise fear disgust anger contempt "
            "none uncertain no-face",
        ),
        (
            "fer2013/plus",
            "neutral happiness surprise sadness anger disgust fear contempt "
            "unknown nf",
        ),
    ],
)
def test_names_are_in_the_official_order(dataset, names):
    assert labels.native_names(dataset) == tuple(names.split())


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
def test_impossible_number_of_classes_and_unknown_data_set(num_classes):
    with pytest.raises(ValueError, match="from 2 to 8 for affectnet"):
        labels.class_names("affectnet", num_classes)
    known = r"affectnet, fer2013, ferplus.*'imagenet'"
    with pytest.raises(ValueError, match=known):
        labels.class_names("imagenet")


@pytest.mark.parametrize(
    ("canonical", "names"),
    [
        ("angry", ["angry", "anger", "ANGER"]),
        ("disgust", ["disgusted"]),
        ("fear", ["fearful"]),
        ("happy", ["happiness", " Happy "]),
        ("sad", ["sadness"]),
        ("surprise", ["surprised"]),
        ("neutral", ["neutral"]),
        ("contempt", ["contempt"]),
    ],
)
def test_canonical_name(canonical, names):
    for name in names:
        assert labels.canonical_name(name) == canonical


@pytest.mark.parametrize("name", ["", "bored", "uncertain", "no-face", "3"])
def test_unknown_name_lists_the_known_ones(name):
    with pytest.raises(ValueError, match="anger, angry, contempt") as caught:
        labels.canonical_name(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("dataset", ["fer2013", "affectnet"])
def test_every_expression_of_a_data_set_has_a_canonical_name(dataset):
    for name in labels.class_names(dataset):
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
    assert not command_line.loaded_after(f"import {module}", banned)
