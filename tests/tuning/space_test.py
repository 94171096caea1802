"""From hyperparameters to settings, and the points of a grid."""

import pytest

from trainer.settings import cli_flags
from trainer.settings import settings as settings_lib
from trainer.settings.field import check_bounds
from tuning import space

BASE = settings_lib.from_flat(
    {
        **{"head_epochs": 3, "head_units": (32,), "head_dropout": (0.25,)},
        **{"rotation": 10.0, "shift": 0.3, "flip": True},
    }
)
DEEP = {"head_depth": 2, "head_width_1": 512, "head_width_2": 128}
DEEP |= {"head_dropout": 0.4, "head_activation": "gelu", "head_l2": 1e-4}


def searched(scope, *tune, base=BASE):
    return space.searched(scope, tune, base)


@pytest.mark.parametrize("scope", ["head", "full"])
def test_every_value_of_the_table_is_a_setting_that_is_allowed(scope):
    bounds = {field.name: field for _, field in settings_lib.fields()}
    for parameter in space.PARAMETERS[scope]:
        for value in parameter.grid:
            changed = space.changes(BASE, {parameter.name: value}, ["a", "b"])
            assert changed or parameter.name.startswith("head_")
            for name, setting in changed.items():
                check_bounds(bounds[name], setting)


def test_depth_and_widths_make_the_layers_and_the_rest_stays():
    model = space.to_settings(BASE, DEEP).model
    assert model.head_units == (512, 128)
    assert model.head_dropout == (0.4, 0.4)
    assert (model.head_activation, model.head_l2) == ("gelu", 1e-4)
    model = space.to_settings(BASE, {"head_depth": 0}).model
    assert model.head_units == model.head_dropout == ()
    settings = space.to_settings(BASE, {"optimizer": "sgd"})
    assert settings.training.optimizer == "sgd"
    assert settings.model == BASE.model
    assert settings.augmentation == BASE.augmentation


@pytest.mark.parametrize(
    ("given", "kept"), [("same", "adam"), ("rmsprop", "rmsprop")]
)
def test_phase_2_keeps_its_update_rule(given, kept):
    flat = BASE.flat() | {"fine_tune_optimizer": given}
    base = settings_lib.from_flat(flat)
    found = space.to_settings(base, {"optimizer": "sgd"}).training
    assert (found.optimizer, found.fine_tune_optimizer) == ("sgd", kept)


@pytest.mark.parametrize(
    ("share", "name"),
    [(0.25, "d"), (0.5, "c"), (0.75, "b"), (1.0, "all"), (0.01, "d")],
)
def test_a_share_of_the_layers_is_unfrozen(share, name):
    assert space.layer_at(["a", "b", "c", "d"], share) == name


def test_strength_scales_the_augmentation_within_its_bounds():
    changed = space.to_settings(BASE, {"augmentation_strength": 2.0})
    expected = {"rotation": 20, "shift": 0.5, "zoom": 0, "flip": True}
    assert changed.flat() | expected == changed.flat()
    # Where there is none it has a reference.
    plain = settings_lib.Settings()
    changed = space.to_settings(plain, {"augmentation_strength": 0.5})
    assert changed.augmentation.rotation == 5
    off = space.to_settings(plain, {"augmentation_strength": 0.0})
    assert off.augmentation == plain.augmentation


@pytest.mark.parametrize(
    ("tune", "names"),
    [
        (("optimizer",), ["optimizer"]),
        (("head_width_1", "head_width_2"), ["head_width_1"]),
        (("head_depth", "head_l2"), ["head_depth", "head_l2"]),
        (("weight_decay",), []),
    ],
    ids=["one", "the layer that is there", "with its parent", "not adamw"],
)
def test_a_search_may_be_of_a_few(tune, names):
    assert [each.name for each in searched("head", *tune)] == names


def test_a_grid_meets_every_point_once_and_spreads():
    parameters = searched("head", "head_depth", "head_width_1", "head_l2")
    size = space.count_points(parameters)
    assert size == 1 + 2 * 5 * 4
    points = [space.grid_point(parameters, n) for n in range(size)]
    assert len({tuple(sorted(p.items())) for p in points}) == size
    assert {p["head_depth"] for p in points[:6]} == {0, 1, 2}
    assert all(("head_width_1" in p) == (p["head_depth"] > 0) for p in points)
    # The whole grid is counted without being walked.
    assert space.count_points(searched("head")) > 10**6
    space.to_settings(BASE, space.grid_point(searched("head"), 12345))


def test_rates_are_short_in_flags_and_searched_where_a_phase_has_epochs():
    settings = space.to_settings(
        BASE, {"head_learning_rate": space.tidy(0.00123456)}
    )
    assert "--head_learning_rate=0.00123" in cli_flags.to_flags(settings)
    names = [p.name for p in searched("full", base=settings_lib.Settings())]
    assert "head_learning_rate" not in names
    assert "fine_tune_learning_rate" in names
