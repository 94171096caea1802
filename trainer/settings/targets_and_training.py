"""The settings of targets and training; each one is defined here alone.

Like `trainer.settings.model_and_data`, this reads no flags and imports no
TensorFlow.
"""

import dataclasses

from trainer.settings.field import setting

PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")
STRATEGIES = ("default", "mirrored", "multi_worker", "tpu")
OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")
SCHEDULES = ("constant", "cosine", "one_cycle", "plateau")
CLASS_WEIGHTS = ("none", "balanced", "effective_number")
SELECTION_METRICS = ("accuracy", "macro_f1", "loss")


@dataclasses.dataclass(frozen=True)
class TargetSettings:
    """Targets of the network, and how each example counts in the loss."""

    label_smoothing: float = setting(
        0.0,
        "Fraction of the target spread evenly over all classes.",
        lower=0,
        upper=0.9,
    )
    soft_labels: str = setting(
        "none",
        "Prepared data with votes on the same faces, such as `fer2013/plus`; "
        "mixed into the targets. `none` is off.",
    )
    soft_label_share: float = setting(
        0.5, "Weight of the votes in the target.", lower=0, upper=1
    )
    distill_from: tuple[str, ...] = setting(
        (),
        "Teachers: workdirs of finished runs whose predictions are mixed into "
        "the targets.",
    )
    distill_share: float = setting(
        0.5,
        "Weight of the teachers' predictions in the target.",
        lower=0,
        upper=1,
    )
    distill_temperature: float = setting(
        1.0,
        "Temperature that softens the teachers' predictions; 1 leaves them as "
        "they are.",
        lower=0.1,
    )
    distill_views: int = setting(
        8,
        "Teachers predict once, before training, on this many augmented views "
        "of each image; epochs then show the views in turn, flipped or not, "
        "and spoilt by noise, blur and the like, which teachers do not see. 0: "
        "images are augmented anew in every epoch and teachers predict on "
        "every batch, which is slower.",
        lower=0,
    )
    distill_targets: str = setting(
        "none",
        "Workdir of a run with the same teachers, votes, data and views, whose "
        "targets are used as they are; `none` has the teachers predict.",
    )
    mixup: float = setting(
        0.0,
        "Mix pairs of images and their targets, with weights drawn from "
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
        "Focal loss: how much less examples that are predicted well count; 0 "
        "is off.",
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
    head_augmentation: bool = setting(
        True,
        "Phase 1: augment and mix its images like those of phase 2. Without, "
        "the backbone runs once for the whole phase.",
    )
    fine_tune_epochs: int = setting(
        10,
        "Phase 2: epochs for the network from --fine_tune_from on.",
        lower=0,
    )
    fine_tune_learning_rate: float = setting(
        1e-4, "Phase 2: peak learning rate.", lower=0
    )
    fine_tune_batch_norm: bool = setting(
        True,
        "Phase 2: train BatchNormalization too. Without, it keeps the "
        "statistics that its weights came with, as suits few images.",
    )
    fine_tune_from: str = setting(
        "all",
        "Phase 2: name of the first layer that trains, or `all`. Layers "
        "before it stay frozen, their BatchNorm in inference mode.",
    )
    batch_size: int = setting(
        64, "Examples in a step, over all devices together.", lower=1
    )
    optimizer: str = setting(
        "adam",
        "Optimizer of both phases, unless --fine_tune_optimizer names another.",
        choices=OPTIMIZERS,
    )
    fine_tune_optimizer: str = setting(
        "same",
        "Phase 2: its optimizer; `same` is that of --optimizer.",
        choices=("same", *OPTIMIZERS),
    )
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
        "plateau: epochs without a better validation metric before the "
        "learning rate is lowered.",
        lower=1,
    )
    plateau_factor: float = setting(
        0.1, "plateau: factor that lowers the learning rate.", lower=0, upper=1
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
        "End a phase after this many epochs without a better validation "
        "metric; 0 is never.",
        lower=0,
    )
    selection_metric: str = setting(
        "accuracy",
        "Validation metric that picks the best epoch; `loss`, the smallest, is "
        "steadier where there are few images.",
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
    reuse_features: bool = setting(
        True,
        "Phase 1: run the backbone once instead of once per epoch, where "
        "nothing random stands before the head.",
    )
    feature_cache: str = setting(
        "runs/feature_cache",
        "Folder that keeps such features where images are streamed, and those "
        "of every search; may be deleted at any time.",
    )
    seed: int = setting(0, "Seed of weights, order and augmentation.", lower=0)
    deterministic: bool = setting(
        True, "Bit-equal weights from run to run on the same machine."
    )
    xla: bool = setting(
        False,
        "Compile training steps with XLA: fewer and larger kernels on a GPU; "
        "--strategy=default only.",
    )
    steps_per_execution: int = setting(
        32, "Training steps inside one compiled call.", lower=1
    )
