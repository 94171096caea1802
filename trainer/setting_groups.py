"""The settings of a run in groups; each one is defined here and only here.

A setting has a default, a help text and bounds or choices. This module reads
no flags, touches no files and imports no TensorFlow; how settings are
checked together, stored and read back is the business of `trainer.settings`.
"""

import dataclasses

from fer_tfds import labels as taxonomy
from trainer.setting_field import setting

CNNS = ("plain_cnn", "tiny_cnn", "layer_list")
BACKBONES = (
    *CNNS,
    "densenet121",
    "densenet169",
    "resnet50",
    "resnet50v2",
    "vgg16",
    "mobilenetv2",
    "efficientnet_lite0",
)
POOLINGS = ("average", "flatten")
ACTIVATIONS = ("relu", "elu", "gelu", "silu", "tanh")
PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")
STRATEGIES = ("default", "mirrored", "multi_worker", "tpu")
OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")
SCHEDULES = ("constant", "cosine", "one_cycle", "plateau")
CLASS_WEIGHTS = ("none", "balanced", "effective_number")
SELECTION_METRICS = ("accuracy", "macro_f1")


@dataclasses.dataclass(frozen=True)
class DataSettings:
    """Which prepared data, and in which shape the model sees it."""

    dataset: str = setting("fer2013", "Name of the prepared TFDS data set.")
    data_dir: str | None = setting(
        None, "Folder of prepared data; default: that of TFDS."
    )
    train_split: str = setting(
        "train", "TFDS split to train on, such as `train[:90%]`."
    )
    validation_split: str = setting(
        "validation",
        "TFDS split that chooses the best epoch, such as `train[90%:]`.",
    )
    test_split: str = setting(
        "test", "TFDS split that is scored at the end; `none` where none is."
    )
    num_classes: int = setting(
        0,
        "Classes to tell apart, the data's first so many expressions (7 or 8 "
        "in AffectNet and FER+); other images are left out. 0 is all.",
        lower=0,
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

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes to tell apart, in the order of their ids.

        Raises:
          ValueError: the data set is unknown or has not so many classes.
        """
        return taxonomy.class_names(self.dataset, self.num_classes)

    @property
    def splits(self) -> dict[str, str]:
        """Part in the run (train, validation, test) -> TFDS split."""
        parts = {
            "train": self.train_split,
            "validation": self.validation_split,
            "test": self.test_split,
        }
        return {part: split for part, split in parts.items() if split != "none"}


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """The network: a backbone, global average pooling and a head."""

    backbone: str = setting(
        "plain_cnn", "Network before the head.", choices=BACKBONES
    )
    weights: str = setting(
        "none",
        "Backbone weights at the start: `imagenet`, `none` (random), or the "
        "path of a Keras weights file of the backbone without its top, or of "
        "EfficientNet-Lite0's arrays (.npz).",
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
    layers: tuple[str, ...] = setting(
        (),
        "layer_list: the network as c<channels>, bn, mp and d<rate>, such as "
        "c32,c64,bn,mp,d0.25 (see trainer/models/layer_list.py).",
    )
    pooling: str = setting(
        "average",
        "From the feature map to features: its average, or all of it.",
        choices=POOLINGS,
    )
    pooling_dropout: float = setting(
        0.0, "Dropout after pooling.", lower=0, upper=0.95
    )
    head_units: tuple[int, ...] = setting(
        (), "Units of each hidden layer of the head.", lower=1
    )
    head_dropout: tuple[float, ...] = setting(
        (), "Dropout after each hidden layer of the head.", lower=0, upper=0.95
    )
    head_activation: str = setting(
        "relu", "Activation of the head's hidden layers.", choices=ACTIVATIONS
    )
    head_batch_norm: bool = setting(
        False, "Batch normalisation after pooling and in each hidden layer."
    )
    head_l2: float = setting(
        0.0, "L2 penalty on the kernels of the hidden layers.", lower=0
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
class TargetSettings:
    """What the network is to answer, and how wrong answers are counted."""

    label_smoothing: float = setting(
        0.0, "Share of the target spread over all classes.", lower=0, upper=0.9
    )
    soft_labels: str = setting(
        "none",
        "Prepared data with votes on the same faces, such as `fer2013/plus`; "
        "mixed into the targets. `none` is off.",
    )
    soft_label_share: float = setting(
        0.5, "Share of the votes in the target.", lower=0, upper=1
    )
    distill_from: tuple[str, ...] = setting(
        (), "Workdirs of finished runs whose answers are mixed into targets."
    )
    distill_share: float = setting(
        0.5, "Share of those answers in the target.", lower=0, upper=1
    )
    distill_temperature: float = setting(
        1.0, "Evens those answers out; 1 leaves them as they are.", lower=0.1
    )
    distill_views: int = setting(
        4,
        "Views of each image that those runs answer on; all but the first "
        "are augmented.",
        lower=1,
    )
    mixup: float = setting(
        0.0,
        "Mix pairs of images and their targets, with shares from "
        "Beta(mixup, mixup); 0 is off.",
        lower=0,
    )
    class_weights: str = setting(
        "none",
        "`balanced` weighs a class by the inverse of its frequency, "
        "`effective_number` by that of its effective number of examples.",
        choices=CLASS_WEIGHTS,
    )
    focal_gamma: float = setting(
        0.0,
        "Focal loss: how much less well-answered examples count; 0 is off.",
        lower=0,
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
    plateau_patience: int = setting(
        2,
        "plateau: epochs without a better validation figure before the "
        "learning rate is lowered.",
        lower=1,
    )
    plateau_factor: float = setting(
        0.1, "plateau: what it is multiplied with.", lower=0, upper=1
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
