"""Whether a model has learned too little to be of use, and what to do then.

Numbers in, sentences out, for the trainer and the export alike. Computes no
metric that a run reports. Must not import TensorFlow.
"""

from typing import Any

import numpy as np

from trainer.settings.targets_and_training import TrainingSettings

# An answer whose probability leads by less is open: int8 files differ from
# their models by as much. Of FER-2013's validation images the released models
# leave 7% open, a network after one epoch on a tenth of the data 44%.
OPEN_LEAD = 0.05
MOST_OPEN = 0.1
# Mean recall above that of one answer for everything, which a network has that
# forgot all but two classes at a rate too high.
HARDLY_BETTER = 0.05


def learned_nothing(evaluated: dict[str, Any]) -> str:
    """Says that a model does hardly better than one answer for everything.

    Args:
      evaluated: metrics of one split, of `metrics.evaluate_probabilities`.

    Returns:
      A clause, or "" for a model that does better.
    """
    columns = np.sum(evaluated["confusion_matrix"], axis=0)
    supports = [row["support"] for row in evaluated["per_class"]]
    present = np.count_nonzero(supports)
    low, high = evaluated["balanced_accuracy_interval"]
    mean = evaluated["balanced_accuracy"]
    is_better = low > 1 / present + 1e-9 and mean > 1 / present + HARDLY_BETTER
    if present < 2 or is_better:
        return ""
    only = (
        f"answers `{evaluated['class_names'][columns.argmax()]}` to every image"
        if np.count_nonzero(columns) == 1
        else "does hardly better than one answer for every image"
    )
    return (
        f"the model has learned nothing: it {only} (mean recall "
        f"{100 * mean:.1f}%, 95% interval "
        f"{100 * low:.1f}% to {100 * high:.1f}%; one answer has "
        f"{100 / present:.1f}%)"
    )


def is_undecided(probabilities: np.ndarray) -> str:
    """Says that a model leaves many answers open.

    Args:
      probabilities: float [n, K] in [0, 1], rows sum to 1.

    Returns:
      A clause, or "" for a model that is decided.
    """
    second, first = np.sort(probabilities, axis=1)[:, -2:].T
    count = int(np.count_nonzero(first - second < OPEN_LEAD))
    if count <= MOST_OPEN * len(probabilities):
        return ""
    return (
        f"the trained model itself leaves {count:,} of {len(probabilities):,} "
        f"images open (its two best answers lie within {100 * OPEN_LEAD:g} "
        "points)"
    )


def advice(training: TrainingSettings) -> str:
    """Says which settings to change, and where to see which of them."""
    phase = "fine_tune" if training.fine_tune_epochs else "head"
    epochs = getattr(training, f"{phase}_epochs")
    rate = getattr(training, f"{phase}_learning_rate")
    return (
        f"train again with --overwrite and more --{phase}_epochs (now "
        f"{epochs}) where the loss of the report still falls, a lower "
        f"--{phase}_learning_rate (now {rate:g}) where it does not"
    )
