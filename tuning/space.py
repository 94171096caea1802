"""Which values a search tries, and the settings that they make.

Pure: a table of hyperparameters, and functions from values to settings. Must
not import TensorFlow or KerasTuner, nor read files.
"""

import dataclasses
import math
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from trainer.settings import settings as settings_lib
from trainer.settings.model_and_data import ACTIVATIONS
from trainer.settings.settings import Settings
from trainer.settings.targets_and_training import CLASS_WEIGHTS
from trainer.settings.targets_and_training import OPTIMIZERS

# Points of a rate in a grid: two a decade or more in every range below.
GRID_POINTS = 5

# Strength 1 of an augmentation where the settings have none: the values that
# the published FER-2013 pipelines share.
REFERENCE_AUGMENTATION = {"rotation": 10.0, "shift": 0.1, "zoom": 0.1}
STRENGTHS = ("rotation", "shift", "zoom", "brightness", "contrast", "erasing")


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One hyperparameter.

    Attributes:
      name: as in trials.csv; that of a setting, where it is one.
      values: what it can be, in order; empty for a rate.
      low: of a rate, which is searched on a logarithmic scale.
      high: of a rate.
      parent: the hyperparameter that decides whether this one matters, or "".
      parent_values: for which of its values it does.
    """

    name: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    parent: str = ""
    parent_values: tuple[Any, ...] = ()

    @property
    def grid(self) -> tuple[Any, ...]:
        """What a grid search tries."""
        if self.values:
            return self.values
        ratio = self.high / self.low
        steps = range(GRID_POINTS)
        return tuple(
            tidy(self.low * ratio ** (i / (GRID_POINTS - 1))) for i in steps
        )


def tidy(rate: float) -> float:
    """Rounds a rate to three digits: more say nothing, and read badly."""
    return float(f"{rate:.3g}")


_DEEP = {"parent": "head_depth", "parent_values": (1, 2)}
_DROPOUT = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)

PARAMETERS = {
    "head": (
        Parameter("head_depth", (0, 1, 2)),
        Parameter("head_width_1", (64, 128, 256, 512, 1024), **_DEEP),
        Parameter(
            "head_width_2",
            (64, 128, 256, 512),
            parent="head_depth",
            parent_values=(2,),
        ),
        Parameter("head_dropout", _DROPOUT, **_DEEP),
        Parameter("head_activation", ACTIVATIONS, **_DEEP),
        Parameter("head_l2", (0.0, 1e-5, 1e-4, 1e-3), **_DEEP),
        Parameter("head_batch_norm", (False, True)),
        Parameter("pooling_dropout", _DROPOUT),
        Parameter("label_smoothing", (0.0, 0.05, 0.1, 0.2)),
        Parameter("optimizer", OPTIMIZERS),
        Parameter(
            "weight_decay",
            (1e-4, 1e-3, 1e-2, 1e-1),
            parent="optimizer",
            parent_values=("adamw",),
        ),
        Parameter("head_learning_rate", low=1e-4, high=3e-2),
        Parameter("class_weights", CLASS_WEIGHTS),
    ),
    "full": (
        Parameter("unfrozen_share", (0.25, 0.5, 0.75, 1.0)),
        Parameter("fine_tune_learning_rate", low=1e-5, high=3e-3),
        Parameter("head_learning_rate", low=1e-4, high=3e-2),
        Parameter("schedule", ("constant", "cosine", "one_cycle")),
        Parameter("weight_decay", (0.0, 1e-4, 1e-3, 1e-2)),
        Parameter("augmentation_strength", (0.0, 0.5, 1.0, 1.5)),
    ),
}


def searched(
    scope: str, tune: Sequence[str], base: Settings
) -> tuple[Parameter, ...]:
    """Returns the hyperparameters of a search.

    Args:
      scope: `head` or `full`.
      tune: names to search; empty is all of them.
      base: settings; what is not searched stays as it is there.

    Returns:
      Parameters; one whose parent is fixed has none any more, or is left out
      where it would not matter.
    """
    chosen = []
    fixed = {
        "head_depth": len(base.model.head_units),
        "optimizer": base.training.optimizer,
    }
    for parameter in PARAMETERS[scope]:
        if tune and parameter.name not in tune:
            continue
        if parameter.name == "head_learning_rate" and (
            not base.training.head_epochs
        ):
            continue
        if tune and parameter.parent and parameter.parent not in tune:
            if fixed[parameter.parent] not in parameter.parent_values:
                continue
            parameter = dataclasses.replace(parameter, parent="")
        chosen.append(parameter)
    return tuple(chosen)


def to_settings(
    base: Settings,
    values: Mapping[str, Any],
    layers: Sequence[str] = (),
) -> Settings:
    """Returns the settings of a trial; the arguments are those of `changes`.

    Raises:
      ValueError: the settings contradict each other.
    """
    return settings_lib.from_flat(base.flat() | changes(base, values, layers))


def changes(
    base: Settings,
    values: Mapping[str, Any],
    layers: Sequence[str] = (),
) -> dict[str, Any]:
    """Returns what a trial sets: name of a setting -> value.

    Args:
      base: what the trial starts from.
      values: name -> value, as in `Parameter.values`.
      layers: names of the network's layers that have weights, from the input
        on; for `unfrozen_share`.
    """
    flat, changed = base.flat(), {}
    for name, value in values.items():
        if name in flat and name != "head_dropout":
            changed[name] = value
    if any(name.startswith("head_") for name in values):
        changed |= _head_shape(base, values)
    if "optimizer" in values and flat["fine_tune_optimizer"] == "same":
        # A head's trial says nothing of phase 2, which keeps its optimizer.
        changed["fine_tune_optimizer"] = flat["optimizer"]
    if "unfrozen_share" in values:
        changed["fine_tune_from"] = layer_at(layers, values["unfrozen_share"])
    if "augmentation_strength" in values:
        changed |= _augmentation(base, values["augmentation_strength"])
    return changed


def layer_at(layers: Sequence[str], unfrozen: float) -> str:
    """Returns the first layer to train so that a fraction of them trains.

    Args:
      layers: names of the layers with weights, from the input on.
      unfrozen: fraction of them, in (0, 1].
    """
    if unfrozen >= 1 or not layers:
        return "all"
    return layers[len(layers) - max(1, round(len(layers) * unfrozen))]


def count_points(parameters: Sequence[Parameter]) -> int:
    """Returns how many points the grid of these hyperparameters has."""
    return _count(tuple(parameters), {})


def grid_point(parameters: Sequence[Parameter], number: int) -> dict[str, Any]:
    """Returns the values of a grid's point.

    Consecutive numbers lie far apart, so that the first of them say something
    of all of the grid; every point has exactly one number.

    Args:
      parameters: of the search.
      number: from 0 to `count_points(parameters)` - 1.
    """
    parameters = tuple(parameters)
    size = count_points(parameters)
    # Steps of the golden section spread evenly; coprime, they meet each once.
    stride = max(1, round(size * 0.618034))
    while math.gcd(stride, size) > 1:
        stride += 1
    rest, values = number * stride % size, {}
    for index, parameter in enumerate(parameters):
        if not is_active(parameter, values):
            continue
        for value in parameter.grid:
            here = values | {parameter.name: value}
            below = _count(parameters[index + 1 :], here)
            if rest < below:
                values = here
                break
            rest -= below
    return values


def is_active(parameter: Parameter, values: Mapping[str, Any]) -> bool:
    """Whether a hyperparameter matters beside these values."""
    return (
        not parameter.parent
        or values.get(parameter.parent) in parameter.parent_values
    )


def _count(parameters: tuple[Parameter, ...], values: Mapping[str, Any]) -> int:
    """Points of the grid below values that are already chosen."""
    total = 1
    for index, parameter in enumerate(parameters):
        if not is_active(parameter, values):
            continue
        is_parent = any(p.parent == parameter.name for p in parameters)
        if is_parent:
            rest = parameters[index + 1 :]
            return total * sum(
                _count(rest, {**values, parameter.name: value})
                for value in parameter.grid
            )
        total *= len(parameter.grid)
    return total


def _head_shape(base: Settings, values: Mapping[str, Any]) -> dict[str, Any]:
    units, rates = base.model.head_units, base.model.head_dropout
    depth = values.get("head_depth", len(units))
    widths = [
        values.get(f"head_width_{i + 1}", _at(units, i, 256))
        for i in range(depth)
    ]
    dropout = [
        values.get("head_dropout", _at(rates, i, 0.0)) for i in range(depth)
    ]
    return {"head_units": tuple(widths), "head_dropout": tuple(dropout)}


def _at(given: tuple[float, ...], index: int, default: float) -> float:
    """The value of a layer, that of the last one, or a default."""
    return given[min(index, len(given) - 1)] if given else default


def _augmentation(base: Settings, strength: float) -> dict[str, float]:
    given = {name: getattr(base.augmentation, name) for name in STRENGTHS}
    if not any(given.values()):
        given |= REFERENCE_AUGMENTATION
    upper = {
        field.name: field.metadata["upper"]
        for _, field in settings_lib.fields()
    }
    return {
        name: min(tidy(value * strength), upper[name])
        for name, value in given.items()
    }
