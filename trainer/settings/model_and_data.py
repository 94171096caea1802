"""The settings of data and network; each is defined here alone.

A setting has a default, a help text and bounds or choices. This module reads no
flags, touches no files and imports no TensorFlow; how settings are checked
together, stored and read back is the business of `trainer.settings.settings`;
those of augmentation, targets and training are in modules of their own.
"""

import dataclasses

from fer_tfds import labels as taxonomy
from trainer.settings.field import setting

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
READINGS = ("auto", "memory", "stream")
POOLINGS = ("average", "flatten")
ACTIVATIONS = ("relu", "elu", "gelu", "silu", "tanh")


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
        "test", "TFDS split to test on at the end; `none` for no test."
    )
    num_classes: int = setting(
        0,
        "Number of classes: the first expressions of the data (7 or 8 in "
        "AffectNet and FER+); other images are left out. 0 is all.",
        lower=0,
    )
    classes: tuple[str, ...] = setting(
        (),
        "Names of the classes, in the order of their ids, for a data set of "
        "your own; empty: those of its records.",
    )
    image_size: int = setting(
        48,
        "Height and width of the model's input, in pixels.",
        lower=8,
        upper=2048,
    )
    channels: int = setting(
        1, "1 for grey, 3 for colour input.", lower=1, upper=3
    )
    reading: str = setting(
        "auto",
        "Where training reads images: `memory` decodes all of them once, "
        "before the first step; `stream` reads the records anew in every "
        "epoch, in memory that does not grow with their number; auto is "
        "memory where that fits. A run that resumes reads as it began.",
        choices=READINGS,
    )
    max_memory_gib: float = setting(
        8.0,
        "--reading=auto: stream what takes more than this decoded, in GiB, or "
        "more than half of the memory that is free, in each process of a job.",
        lower=0.01,
    )

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes to tell apart, in the order of their ids.

        Raises:
          ValueError: the data set has not so many classes, or nothing is
            known of them yet.
        """
        if not self.classes:
            return taxonomy.class_names(self.dataset, self.num_classes)
        if self.num_classes == 1 or self.num_classes > len(self.classes):
            raise ValueError(
                f"`num_classes` must be from 2 to {len(self.classes)}, or 0; "
                f"received {self.num_classes}"
            )
        return self.classes[: self.num_classes or None]

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
    """The network: a backbone, pooling of its feature map and a head."""

    backbone: str = setting(
        "plain_cnn", "Network before the head.", choices=BACKBONES
    )
    weights: str = setting(
        "none",
        "Weights at the start: `none` (random), `edge` or `pocket` (the "
        "released model's, of its head those of classes of the same name), "
        "or for the backbone alone `imagenet`, the workdir of a finished run "
        "with the same backbone, the path of a Keras weights file of the "
        "backbone without its top, or of EfficientNet-Lite0's arrays (.npz).",
    )
    widths: tuple[int, ...] = setting(
        (32, 64, 128, 256),
        "plain_cnn: channels of each stage; a stage halves the image.",
        lower=1,
    )
    stage_depth: tuple[int, ...] = setting(
        (2,),
        "plain_cnn: 3x3 convolutions in each stage; one number for all of "
        "them, or one each.",
        lower=1,
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
