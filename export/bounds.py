"""What an artefact may differ by from the trained model, of each kind.

Apart from `export.agreement`, which judges by it, because the command derives
flags from this: they should not wait for the libraries that judge.
"""

import dataclasses
from typing import Any

from trainer.settings.field import setting

# The kind of files that were trained again, whose predictions differ for
# better and for worse.
COMPRESSED = "compressed"


def _least_agreement(default: float, what: str) -> Any:
    help_text = f"{what}: least share of equal answers."
    return setting(default, help_text, lower=0, upper=1)


def _most_lost(default: float, what: str) -> Any:
    help_text = (
        f"Most {what}, in percentage points; one image is always allowed."
    )
    return setting(default, help_text, lower=0)


@dataclasses.dataclass(frozen=True)
class Bounds:
    """What an artefact may differ by."""

    float_difference: float = setting(
        1e-4, "Float artefacts: largest difference of a probability.", lower=0
    )
    float_agreement: float = _least_agreement(0.999, "Float artefacts")
    float16_agreement: float = _least_agreement(0.995, "float16 file")
    dynamic_agreement: float = _least_agreement(0.98, "dynamic file")
    int8_agreement: float = _least_agreement(0.98, "int8 file")
    int16x8_agreement: float = _least_agreement(0.99, "int16x8 file")
    compressed_agreement: float = _least_agreement(0.8, "Files of --compress")
    accuracy_loss_points: float = _most_lost(
        0.5, "accuracy an artefact may lose"
    )
    compressed_accuracy_loss_points: float = _most_lost(
        1.0, "accuracy a file of --compress may lose"
    )
    recall_loss_points: float = _most_lost(
        4.0, "recall a class may lose in an artefact"
    )
    compressed_recall_loss_points: float = _most_lost(
        10.0, "recall a class may lose in a file of --compress"
    )

    def least_agreement(self, kind: str) -> float:
        """Least top-1 agreement of a kind of file, in [0, 1]."""
        name = "float" if kind == "float32" else kind
        return getattr(self, f"{name}_agreement")

    def most_lost(self, kind: str, metric: str) -> float:
        """Most points of `accuracy` or `recall` that a kind may lose."""
        prefix = f"{COMPRESSED}_" if kind == COMPRESSED else ""
        return getattr(self, f"{prefix}{metric}_loss_points")
