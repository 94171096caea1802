"""What a user says of their pictures, in `image_folder.json`."""

import json

import pytest

from fer_tfds.sources.image_folder import settings
from fer_tfds.sources.image_folder.settings import FolderSettings
from fer_tfds.sources.records import SourceError


def write(folder, content):
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "image_folder.json").write_text(text, encoding="utf-8")


def test_what_is_said_is_read_and_may_be_nothing(tmp_path):
    assert settings.load(tmp_path) == FolderSettings()
    said = {
        "class_names": {"1": "surprise", "hapy": "happy"},
        "group_pattern": r"^(S\d+)_",
        "max_rejected_fraction": 0.1,
        "note": "mine",
    }
    write(tmp_path, said)
    assert settings.load(tmp_path) == FolderSettings(**said)
    # An archive has its settings beside it.
    assert settings.load(tmp_path / "mine.zip") == FolderSettings(**said)


@pytest.mark.parametrize(
    "said",
    [
        "{",
        "[" * 100_000,
        "[]",
        {"classes": {}},
        {"class_names": ["happy"]},
        {"class_names": {"1": 1}},
        {"class_names": {"1": " "}},
        {"class_names": {"1": "a,b"}},
        {"class_names": {"1": "a\nb"}},
        {"class_names": {"1": "a" * 61}},
        {"group_pattern": "("},
        {"group_pattern": 1},
        {"max_rejected_fraction": 1.1},
        {"max_rejected_fraction": True},
        {"note": 1},
    ],
    ids=lambda said: str(said)[:40],
)
def test_what_is_not_right_is_an_error_with_the_form(tmp_path, said):
    write(tmp_path, said)
    with pytest.raises(SourceError, match=r"image_folder.json.*Correct or re"):
        settings.load(tmp_path)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Happiness", "happy"),
        (" surprised ", "surprise"),
        ("ANGER", "angry"),
        ("1", "fear"),
        ("party", "party"),
        (" My Cat ", "My Cat"),
    ],
)
def test_expressions_take_their_standard_name(label, name):
    said = FolderSettings(class_names={"1": "Fearful"})
    assert said.class_of(label) == name


@pytest.mark.parametrize(
    ("pattern", "group"),
    [
        ("", ""),
        (r"^(S\d+)_", "S01"),
        (r"S\d+", "S01"),
        (r"^(T\d+)_", ""),
        (r"(T\d+)?_", ""),
    ],
)
def test_a_pattern_names_the_group(pattern, group):
    said = FolderSettings(group_pattern=pattern)
    assert said.group_of("S01_007.png") == group
