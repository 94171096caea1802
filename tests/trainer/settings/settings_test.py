import dataclasses

import pytest

from trainer.settings import settings as settings_lib

LISTED = {"backbone": "layer_list"}


def test_settings_are_frozen_and_json_keeps_every_value():
    values = {"widths": (8, 16), "flip": True, "seed": 7, "stage_depth": 3}
    settings = settings_lib.from_flat(values)
    assert settings.model.stage_depth == (3,)
    assert settings_lib.from_json(settings.to_json()) == settings
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.training.seed = 1


def test_names_are_unique_over_the_groups_and_every_setting_has_help():
    fields = [field for _, field in settings_lib.fields()]
    assert len({field.name for field in fields}) == len(fields)
    for field in fields:
        assert field.metadata["help"].endswith("."), field.name


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"learning_rat": 1}, "unknown settings ['learning_rat']"),
        ({"batch_size": 0}, "`batch_size` must lie between 1 and any number"),
        ({"shift": 0.6}, "`shift` must lie between 0 and 0.5; received 0.6"),
        ({"noise": -1}, "`noise` must lie between 0 and 128; received -1"),
        ({"blur": 0.3}, "`blur` must lie between 0 and 0.25"),
        ({"low_resolution": 1.0}, "`low_resolution` must lie between 0 and"),
        ({"jpeg": 101}, "`jpeg` must lie between 0 and 100"),
        ({"gamma": 5.0}, "`gamma` must lie between 0 and 4"),
        ({"dimming": 1.0}, "`dimming` must lie between 0 and 0.95"),
        ({"gradient": 1.1}, "`gradient` must lie between 0 and 1"),
        ({"colour_cast": 1.0}, "`colour_cast` must lie between 0 and 0.9"),
        ({"crop_zoom": 3.0}, "`crop_zoom` must lie between 0 and 2"),
        ({"crop_shift": 0.6}, "`crop_shift` must lie between 0 and 0.5"),
        ({"crop_tilt": 181}, "`crop_tilt` must lie between 0 and 180"),
        ({"noise_probability": 0.0}, "`noise_probability` must lie between"),
        ({"jpeg_probability": 1.1}, "`jpeg_probability` must lie between"),
        ({"ema": float("nan")}, "`ema` must lie between"),
        ({"widths": (8, 0)}, "`widths` must lie between 1"),
        ({"backbone": "vgg"}, "`backbone` must be one of plain_cnn"),
        ({"channels": 2}, "`channels` must be 1 (grey) or 3 (colour)"),
        ({"head_units": (8,)}, "received 0 for 1"),
        ({"head_dropout": (0.5,)}, "received 1 for 0"),
        ({"widths": ()}, "`widths` needs at least one stage"),
        ({"stage_depth": (2, 2)}, "`stage_depth` needs one value, or one for"),
        ({"fine_tune_epochs": 0}, "nothing to train"),
        ({"num_classes": 8}, "`num_classes` must be from 2 to 7 for fer2013"),
        ({"dataset": "mine", "classes": ("a",)}, "`classes` must be two names"),
        ({"dataset": "mine", "classes": ("a", "a")}, "each of them once"),
        ({"classes": ("a", "b"), "num_classes": 3}, "from 2 to 2, or 0"),
        ({"train_split": "none"}, "`train_split` cannot be `none`"),
        ({"layers": ("c8",)}, "`layers` and `backbone=layer_list` belong"),
        (LISTED, "`layers` and `backbone=layer_list`"),
        ({**LISTED, "layers": ("c8", "conv")}, "received 'conv'"),
        ({"weights": "imagenet"}, "does not exist for plain_cnn"),
        ({"batch_size": "64"}, "`batch_size` must be int; received '64'"),
        ({"batch_size": True}, "`batch_size` must be int; received True"),
        ({"flip": 1}, "`flip` must be bool; received 1"),
        ({"rotation": [1]}, "`rotation` must be float; received [1]"),
        ({"dataset": None}, "`dataset` must be str; received None"),
        ({"widths": "8"}, "`widths` must be a list of int; received '8'"),
        ({"seed": 10**12}, "`seed` must be at most 2,147,483,647"),
        ({"image_size": 10**9}, "`image_size` must lie between 8 and 2048"),
        ({"widths": (8,) * 3000}, "make a network of 6,000 layers; at most"),
        ({"stage_depth": (10**9,)}, "make a network of 4,000,000,000 layers"),
        ({"widths": (10**9,)}, "000 weights; at most 1,000,000,000"),
        (
            {**LISTED, "layers": ("bn",) * 3000},
            "of 3,000 layers",
        ),
        ({**LISTED, "layers": ("c99999",) * 2}, "weights; at most"),
        ({"head_units": (10**7,), "head_dropout": (0,)}, "weights; at most"),
        (
            {"head_units": (8,) * 3000, "head_dropout": (0,) * 3000},
            "make a network of 3,008 layers",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_values_are_refused_with_their_name(values, text):
    with pytest.raises(ValueError) as caught:
        settings_lib.from_flat(values)
    assert text in str(caught.value)


def test_the_largest_networks_of_the_papers_are_no_giants():
    vgg16 = {"backbone": "vgg16", "image_size": 224, "pooling": "flatten"}
    head = {"head_units": (4096, 4096), "head_dropout": (0.5, 0.5)}
    settings_lib.from_flat(vgg16 | head)
    settings_lib.from_flat({"widths": (64, 128, 256, 512), "stage_depth": 18})


@pytest.mark.parametrize("text", ["[]", "{}", '{"other": {}}', "nonsense"])
def test_foreign_json_is_refused(text):
    with pytest.raises(ValueError):
        settings_lib.from_json(text)
