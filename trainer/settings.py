"""Every choice a training run is made of, as frozen dataclasses.

Each setting is defined once, here, with its default, its bounds and its help
text: command-line flags, `settings.json` and `run.flags` are derived from it.
This module reads no flags, touches no files and imports no TensorFlow.
"""

import dataclasses
import json
from typing import Any

from trainer.setting_field import check_bounds
from trainer.setting_field import element_type
from trainer.setting_field import setting

CNNS = ("plain_cnn", "tiny_cnn")
BACKBONES = (*CNNS, "densenet121", "densenet169", "mobilenetv2")
PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")
STRATEGIES = ("default", "mirrored", "multi_worker", "tpu")
OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("constant", "cosine", "one_cycle")
CLASS_WEIGHTS = ("none", "balanced")
SELECTION_METRICS = ("accuracy", "macro_f1")


@dataclasses.dataclass(frozen=True)
class DataSettings:
    """Which prepared data, and in which shape the model sees it."""

    dataset: str = setting("fer2013", "Name of the prepared TFDS data set.")
    data_dir: str | None = setting(
        None, "Folder of prepared data; default: that of TFDS."
    )
    image_size: int = setting(
        48, "Height and width of the model's input, in pixels.", lower=8
    )
    channels: int = setting(
        1, "1 for grey, 3 for colour input.", lower=1, upper=3
    )
    max_memory_gib: float = setting(
        8.0, "Refuse decoded images larger than this, in GiB.", lower=0.01
    )


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """The network: a backbone, global average pooling and a head."""

    backbone: str = setting(
        "plain_cnn", "Network before the head.", choices=BACKBONES
    )
    weights: str = setting(
        "none",
        "Backbone weights at the start: `imagenet`, `none` (random), or the "
        "path of a Keras weights file of the backbone without its top.",
    )
    widths: tuple[int, ...] = setting(
        (32, 64, 128, 256),
        "plain_cnn: channels of each stage; a stage halves the picture.",
        lower=1,
    )
    stage_depth: int = setting(
        2, "plain_cnn: 3x3 convolutions in each stage.", lower=1
    )
    stem_stride: int = setting(
        1, "plain_cnn: stride of the first convolution.", lower=1, upper=4
    )
    pooling_dropout: float = setting(
        0.0, "Dropout after global average pooling.", lower=0, upper=0.95
    )
    head_units: tuple[int, ...] = setting(
        (), "Units of each hidden layer of the head.", lower=1
    )
    head_dropout: tuple[float, ...] = setting(
        (), "Dropout after each hidden layer of the head.", lower=0, upper=0.95
    )


@dataclasses.dataclass(frozen=True)
class AugmentationSettings:
    """Random changes to training images; all off by default."""

    flip: bool = setting(False, "Mirror half of the images left to right.")
    rotation: float = setting(
        0.0, "Largest rotation, in degrees either way.", lower=0, upper=180
    )
    shift: float = setting(
        0.0, "Largest shift, as a fraction of the side.", lower=0, upper=0.5
    )
    zoom: float = setting(
        0.0, "Largest zoom, as a fraction either way.", lower=0, upper=0.9
    )
    brightness: float = setting(
        0.0,
        "Largest change of brightness; 1 is 255 grey levels.",
        lower=0,
        upper=1,
    )
    contrast: float = setting(
        0.0, "Largest change of contrast, as a fraction.", lower=0, upper=1
    )
    erasing: float = setting(
        0.0, "Probability of erasing a rectangle.", lower=0, upper=1
    )


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """How the weights are found: two phases, optimizer, selection."""

    head_epochs: int = setting(
        0, "Phase 1: epochs for the head on a frozen backbone.", lower=0
    )
    head_learning_rate: float = setting(
        1e-3, "Phase 1: peak learning rate.", lower=0
    )
    fine_tune_epochs: int = setting(
        10,
        "Phase 2: epochs for the network from --fine_tune_from on.",
        lower=0,
    )
    fine_tune_learning_rate: float = setting(
        1e-4, "Phase 2: peak learning rate.", lower=0
    )
    fine_tune_from: str = setting(
        "all",
        "Phase 2: name of the first layer that trains, or `all`. Layers "
        "before it stay frozen, their BatchNorm in inference mode.",
    )
    batch_size: int = setting(
        64, "Examples in a step, over all devices together.", lower=1
    )
    optimizer: str = setting("adam", "Update rule.", choices=OPTIMIZERS)
    momentum: float = setting(
        0.9, "sgd: Nesterov momentum.", lower=0, upper=0.999
    )
    weight_decay: float = setting(
        0.0, "Decoupled decay of convolution and dense kernels.", lower=0
    )
    schedule: str = setting(
        "constant", "Learning rate over a phase.", choices=SCHEDULES
    )
    label_smoothing: float = setting(
        0.0, "Share of the target spread over all classes.", lower=0, upper=0.9
    )
    class_weights: str = setting(
        "none",
        "`balanced` weighs a class by the inverse of its frequency.",
        choices=CLASS_WEIGHTS,
    )
    ema: float = setting(
        0.0,
        "Momentum of the averaged weights that are evaluated and "
        "kept; 0 is off.",
        lower=0,
        upper=0.99999,
    )
    early_stopping: int = setting(
        0,
        "End a phase after so many epochs without a better validation "
        "figure; 0 is never.",
        lower=0,
    )
    selection_metric: str = setting(
        "accuracy",
        "Validation figure that picks the best epoch.",
        choices=SELECTION_METRICS,
    )
    precision: str = setting(
        "auto",
        "Arithmetic; auto is mixed_bfloat16 on a TPU, mixed_float16 "
        "on a GPU, float32 on a CPU.",
        choices=PRECISIONS,
    )
    strategy: str = setting(
        "default",
        "Distribution; multi_worker reads TF_CONFIG.",
        choices=STRATEGIES,
    )
    seed: int = setting(0, "Seed of weights, order and augmentation.", lower=0)
    deterministic: bool = setting(
        True, "Bit-equal weights from run to run on the same machine."
    )
    steps_per_call: int = setting(
        32, "Training steps inside one compiled call.", lower=1
    )


@dataclasses.dataclass(frozen=True)
class Settings:
    """All settings of a run, grouped; checked when made.

    Raises:
      ValueError: a setting is out of bounds or two contradict each other.
    """

    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    training: TrainingSettings = TrainingSettings()

    def __post_init__(self):
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
            value = values[field.name]
            is_tuple = element_type(field) is not None
            groups[group][field.name] = tuple(value) if is_tuple else value
    return Settings(**{g: kind(**groups[g]) for g, kind in GROUPS.items()})


def from_json(text: str) -> Settings:
    """Builds Settings from the text that `Settings.to_json` writes.

    Raises:
      ValueError: the text is not such JSON, or a value is refused.
    """
    groups = json.loads(text)
    if not isinstance(groups, dict) or set(groups) != set(GROUPS):
        raise ValueError(
            f"settings need exactly the groups {list(GROUPS)}; "
            f"received {text[:80]!r}"
        )
    return from_flat(
        {k: v for group in groups.values() for k, v in group.items()}
    )


def _check_combinations(settings: Settings) -> None:
    model, training = settings.model, settings.training
    if settings.data.channels == 2:
        raise ValueError("`channels` must be 1 (grey) or 3 (colour), not 2")
    if len(model.head_units) != len(model.head_dropout):
        raise ValueError(
            "`head_dropout` needs one value for each of `head_units`; "
            f"received {len(model.head_dropout)} for {len(model.head_units)}"
        )
    if model.backbone == "plain_cnn" and not model.widths:
        raise ValueError("`widths` needs at least one stage for plain_cnn")
    if training.head_epochs + training.fine_tune_epochs == 0:
        raise ValueError(
            "`head_epochs` and `fine_tune_epochs` are both 0: nothing to "
            "train; give one of them at least 1"
        )
    if model.weights == "imagenet" and model.backbone in CNNS:
        raise ValueError(
            f"`weights=imagenet` does not exist for {model.backbone}; "
            "give --weights=none or a path"
        )
