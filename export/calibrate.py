"""Folds a temperature into a trained model, so that it means what it says.

Of the faces that a calibrated model calls happy at 80%, 80 in 100 are. The
logits are divided by one number, fitted on validation: the last layer does it,
so every file has it and none becomes slower, and no class changes. C. Guo et
al., On calibration of modern neural networks, ICML 2017.
"""

from typing import Any

import numpy as np

from export import parity
from trainer.checkpoints import FinishedRun
from trainer.data.prepared import Split
from trainer.evaluation import calibration
from trainer.evaluation import metrics
from trainer.models import LOGITS

# What lies outside is no fault of the confidence: such a network has learned
# too little, or its validation images are too easy to tell.
COLDEST, HOTTEST = 0.5, 2.0


def fold(run: FinishedRun, validation: Split) -> dict[str, Any] | None:
    """Divides the weights of the last layer by a temperature, where it helps.

    Args:
      run: its model's weights are changed.
      validation: images uint8 [n, S, S, C] in [0, 255] with their labels.

    Returns:
      `temperature`, `images` that it was fitted on, and the expected
      calibration error on them in [0, 1] `ece_before` and `ece_after`; None
      where one half of the images does not gain from the other's temperature.
    """
    labels = validation.labels
    probabilities = parity.live_model(run)(validation.images)
    if not _helps(labels, probabilities):
        print("temperature: none, too few images or nothing to gain")
        return None
    temperature = _fit(labels, probabilities)
    layer = run.model.get_layer(LOGITS)
    layer.set_weights([each / temperature for each in layer.get_weights()])
    after = calibration.apply_temperature(probabilities, temperature)
    found = {
        "temperature": temperature,
        "images": len(labels),
        "ece_before": calibration.reliability(labels, probabilities)["ece"],
        "ece_after": calibration.reliability(labels, after)["ece"],
    }
    print(
        f"temperature {temperature:.3f}, calibration error "
        f"{found['ece_before']:.1%} -> {found['ece_after']:.1%} on "
        f"{len(labels):,} validation images",
        flush=True,
    )
    return found


def _helps(labels: np.ndarray, probabilities: np.ndarray) -> bool:
    """Whether the temperature of each half lowers the other's mean log loss."""
    halves = [slice(start, None, 2) for start in (0, 1)]
    if len(labels) < len(halves):
        return False
    before = metrics.log_losses(labels, probabilities).mean()
    after = []
    for mine, others in (halves, halves[::-1]):
        temperature = _fit(labels[others], probabilities[others])
        scaled = calibration.apply_temperature(probabilities[mine], temperature)
        after.append(metrics.log_losses(labels[mine], scaled))
    return bool(np.concatenate(after).mean() < before)


def _fit(labels: np.ndarray, probabilities: np.ndarray) -> float:
    fitted = calibration.fit_temperature(labels, probabilities)
    return float(np.clip(fitted, COLDEST, HOTTEST))
