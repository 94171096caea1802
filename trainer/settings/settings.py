"""Every choice a training run is made of, as frozen dataclasses.

The settings themselves are in `trainer.settings.model_and_data` and
`trainer.settings.targets_and_training`; command-line flags, `settings.json` and
`run.flags` are derived from them. What contradicts itself is refused here; what
merely has no effect is found by `trainer.settings.idle_settings`. This module
reads no flags, touches no files and imports no TensorFlow.
"""

import dataclasses
import json
from typing import Any

from fer_tfds import labels as taxonomy
from trainer import json_files
from trainer.models import layer_list
from trainer.settings import network_size
from trainer.settings.augmentation import AugmentationSettings
from trainer.settings.field import check_bounds
from trainer.settings.field import check_type
from trainer.settings.field import element_type
from trainer.settings.model_and_data import CNNS
from trainer.settings.model_and_data import DataSettings
from trainer.settings.model_and_data import ModelSettings
from trainer.settings.targets_and_training import TargetSettings
from trainer.settings.targets_and_training import TrainingSettings


@dataclasses.dataclass(frozen=True)
class Settings:
    """All settings of a run, grouped; checked when made.

    Raises:
      ValueError: a setting is out of bounds or two contradict each other.
    """

    data: DataSettings = dataclasses.field(default_factory=DataSettings)
    model: ModelSettings = dataclasses.field(default_factory=ModelSettings)
    augmentation: AugmentationSettings = dataclasses.field(
        default_factory=AugmentationSettings
    )
    target: TargetSettings = dataclasses.field(default_factory=TargetSettings)
    training: TrainingSettings = dataclasses.field(
        default_factory=TrainingSettings
    )

    def __post_init__(self) -> None:
        """Refuses values outside their bounds and contradictions."""
        for group, field in fields():
            value = getattr(getattr(self, group), field.name)
            check_bounds(field, value)
        _check_combinations(self)

    def flat(self) -> dict[str, Any]:
        """Returns every setting by name, without the groups."""
        return {
            field.name: getattr(getattr(self, group), field.name)
            for group, field in fields()
        }

    def to_json(self) -> str:
        """Returns the settings as JSON text, grouped as in the class."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


GROUPS = {
    "data": DataSettings,
    "model": ModelSettings,
    "augmentation": AugmentationSettings,
    "target": TargetSettings,
    "training": TrainingSettings,
}


def fields() -> list[tuple[str, dataclasses.Field]]:
    """Returns (group name, field) of every setting, in order."""
    return [
        (group, field)
        for group, kind in GROUPS.items()
        for field in dataclasses.fields(kind)
    ]


def from_flat(values: dict[str, Any]) -> Settings:
    """Builds Settings from `{setting name: value}`; the rest are defaults.

    Raises:
      ValueError: a name is unknown or a value is refused.
    """
    known = {field.name for _, field in fields()}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(
            f"unknown settings {unknown}; known are {sorted(known)}"
        )
    groups = {group: {} for group in GROUPS}
    for group, field in fields():
        if field.name in values:
            groups[group][field.name] = _of_its_type(field, values[field.name])
    return Settings(**{g: kind(**groups[g]) for g, kind in GROUPS.items()})


def _of_its_type(field: dataclasses.Field, value: Any) -> Any:
    """JSON has no tuples, and one number may stand for a tuple of one."""
    if element_type(field) is not None:
        if isinstance(value, int | float):
            value = (value,)
        elif isinstance(value, list):
            value = tuple(value)
    check_type(field, value)
    return value


def from_json(text: str) -> Settings:
    """Builds Settings from the text that `Settings.to_json` writes.

    Raises:
      ValueError: the text is not such JSON, or a value is refused.
    """
    return from_groups(json_files.parse(text))


def from_groups(groups: Any) -> Settings:
    """Builds Settings from the value of such a text.

    Raises:
      ValueError: it is something else, or a value is refused.
    """
    if not isinstance(groups, dict) or not groups or set(groups) - set(GROUPS):
        raise ValueError(
            f"settings have the groups {list(GROUPS)}; received {groups!r:.80}"
        )
    flat = {}
    for group in groups.values():
        flat |= json_files.as_object(group)
    return from_flat(flat)


def _check_data(data: DataSettings) -> None:
    if data.classes or taxonomy.is_known(data.dataset):
        data.class_names  # noqa: B018, raises where there are not so many
    if len(data.classes) == 1 or len(set(data.classes)) < len(data.classes):
        raise ValueError(
            "`classes` must be two names or more, each of them once; received "
            f"{data.classes}"
        )
    for part in ("train", "validation"):
        if part not in data.splits:
            raise ValueError(
                f"`{part}_split` cannot be `none`: give a split, such as "
                "`train[:90%]` to train on and `train[90%:]` to validate on"
            )


def _check_combinations(settings: Settings) -> None:
    model, training = settings.model, settings.training
    _check_data(settings.data)
    if settings.data.channels == 2:
        raise ValueError("`channels` must be 1 (grey) or 3 (colour), not 2")
    if len(model.head_units) != len(model.head_dropout):
        raise ValueError(
            "`head_dropout` needs one value for each of `head_units`; "
            f"received {len(model.head_dropout)} for {len(model.head_units)}"
        )
    if model.backbone == "plain_cnn" and not model.widths:
        raise ValueError("`widths` needs at least one stage for plain_cnn")
    if len(model.stage_depth) not in (1, len(model.widths)):
        raise ValueError(
            "`stage_depth` needs one value, or one for each of `widths`; "
            f"received {len(model.stage_depth)} for {len(model.widths)}"
        )
    if training.head_epochs + training.fine_tune_epochs == 0:
        raise ValueError(
            "`head_epochs` and `fine_tune_epochs` are both 0: nothing to "
            "train; give one of them at least 1"
        )
    if (model.backbone == "layer_list") != bool(model.layers):
        raise ValueError(
            "`layers` and `backbone=layer_list` belong together: give both or "
            "neither"
        )
    layer_list.check(model.layers)
    network_size.check(model, settings.data)
    if model.weights == "imagenet" and model.backbone in CNNS:
        raise ValueError(
            f"`weights=imagenet` does not exist for {model.backbone}; "
            "give --weights=none or a path"
        )
