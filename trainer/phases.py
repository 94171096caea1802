"""The two phases of a run, and which layers train in each."""

import dataclasses
from typing import Any

from trainer.models import head_layers
from trainer.models.normalisation import LAYER_NAME
from trainer.settings.targets_and_training import TrainingSettings


@dataclasses.dataclass(frozen=True)
class Phase:
    """One phase: the head alone, or fine-tuning from a layer on.

    Attributes:
      name: `head` or `fine_tune`.
      epochs: at most so many.
      learning_rate: the peak.
      optimizer: its name in the settings.
      is_augmented: its images are augmented and mixed as the settings say.
      trains_batch_norm: BatchNormalization is not frozen where it stands among
        layers that train.
    """

    name: str
    epochs: int
    learning_rate: float
    optimizer: str
    is_augmented: bool = True
    trains_batch_norm: bool = True


def planned_phases(training: TrainingSettings) -> list[Phase]:
    """Returns the phases that have epochs, in order."""
    first = second = training.optimizer
    if training.fine_tune_optimizer != "same":
        second = training.fine_tune_optimizer
    phases = [
        Phase(
            "head",
            training.head_epochs,
            training.head_learning_rate,
            first,
            training.head_augmentation,
        ),
        Phase(
            "fine_tune",
            training.fine_tune_epochs,
            training.fine_tune_learning_rate,
            second,
            trains_batch_norm=training.fine_tune_batch_norm,
        ),
    ]
    return [phase for phase in phases if phase.epochs]


def set_trainable(model: Any, phase: Phase, fine_tune_from: str) -> None:
    """Freezes and unfreezes the layers of a model for a phase.

    A frozen BatchNormalization runs in inference mode: that is what Keras
    does for `trainable=False`, and it keeps the statistics of the pretrained
    weights.

    Raises:
      ValueError: `fine_tune_from` names no layer.
    """
    first = _first_trainable(model, phase, fine_tune_from)
    for index, layer in enumerate(model.layers):
        is_norm = type(layer).__name__ == "BatchNormalization"
        is_kept = layer.name == LAYER_NAME or (
            is_norm and not phase.trains_batch_norm
        )
        layer.trainable = index >= first and not is_kept


def check_fine_tune_from(model: Any, fine_tune_from: str) -> None:
    """Refuses a layer name that the model does not have.

    Raises:
      ValueError: the text lists the names that exist.
    """
    names = [layer.name for layer in model.layers]
    if fine_tune_from != "all" and fine_tune_from not in names:
        raise ValueError(
            f"`fine_tune_from` must be `all` or a layer of {model.name}; "
            f"received {fine_tune_from!r}. Layers: {', '.join(names)}"
        )


def _first_trainable(model: Any, phase: Phase, fine_tune_from: str) -> int:
    names = [layer.name for layer in model.layers]
    if phase.name == "head":
        return names.index(head_layers(model)[0].name)
    check_fine_tune_from(model, fine_tune_from)
    return 0 if fine_tune_from == "all" else names.index(fine_tune_from)
