"""Classes of a model and of a data set, matched by name.

Numpy alone. Must not import TensorFlow, read files or know a data set.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from fer_tfds import labels as taxonomy
from trainer.evaluation import intervals

# What an example without a label is counted under.
NO_LABEL = "(no label)"


class MatchingError(ValueError):
    """A model and a data set have too little in common."""


@dataclasses.dataclass(frozen=True)
class Matching:
    """Which class of a model is which class of a data set.

    Attributes:
      model: K names, in the order of the model's output.
      data: M names, in the order of the data's label ids.
    """

    model: tuple[str, ...]
    data: tuple[str, ...]

    @property
    def shared(self) -> tuple[str, ...]:
        """Names in both, in the order of the model."""
        return tuple(name for name in self.model if name in self.data)

    @property
    def only_in_model(self) -> tuple[str, ...]:
        """Names that no example can have; the model may answer them."""
        return tuple(name for name in self.model if name not in self.data)

    def to_model(self, labels: np.ndarray) -> np.ndarray:
        """Turns the data's label ids into the model's.

        Args:
          labels: int [n] in [0, M); -1, as in TFDS, is no label.

        Returns:
          int32 [n] in [0, K); -1 for what the model does not know.
        """
        ids = {name: place for place, name in enumerate(self.model)}
        places = [ids.get(name, -1) for name in self.data]
        # The last place is that of -1.
        return np.array([*places, -1], np.int32)[labels]

    def left_out(self, labels: np.ndarray) -> dict[str, int]:
        """Counts the examples of each class that the model does not know.

        Args:
          labels: int [n] in [0, M); -1, as in TFDS, is no label.

        Returns:
          Name -> count for every class in the data alone, 0 included.
        """
        counts = {
            name: int(np.count_nonzero(labels == label))
            for label, name in enumerate(self.data)
            if name not in self.model
        }
        without = int(np.count_nonzero(labels < 0))
        return counts | ({NO_LABEL: without} if without else {})


def match(model: Sequence[str], data: Sequence[str]) -> Matching:
    """Matches class names, those of expressions by their canonical names.

    Raises:
      MatchingError: fewer than two are in both; the text lists all.
    """
    matching = Matching(_common_names(model), _common_names(data))
    if len(matching.shared) < 2:
        raise MatchingError(
            "model and data must share at least two classes; they share "
            f"{', '.join(matching.shared) or 'none'}. The model knows "
            f"{', '.join(model)}; the data has {', '.join(data)}. Give another "
            "--model or --dataset"
        )
    return matching


def evaluate_shared(
    matching: Matching, labels: np.ndarray, probabilities: np.ndarray
) -> dict:
    """Computes the accuracy of the most probable of the shared classes.

    Args:
      matching: which classes those are.
      labels: int [n], ids of the model, each of a shared class.
      probabilities: float [n, K] in [0, 1].

    Returns:
      {"names", "n", "accuracy", "accuracy_interval" (95%, Wilson)}.
    """
    shared = matching.shared
    columns = np.array([matching.model.index(name) for name in shared])
    answers = columns[probabilities[:, columns].argmax(axis=1)]
    hits, n = int(np.count_nonzero(answers == labels)), len(labels)
    return {
        "names": list(shared),
        "n": n,
        "accuracy": hits / n,
        "accuracy_interval": list(intervals.wilson_interval(hits, n)),
    }


def _common_names(names: Sequence[str]) -> tuple[str, ...]:
    """Common names; the names themselves where two would become one."""
    common = tuple(map(taxonomy.common_name, names))
    return common if len(set(common)) == len(common) else tuple(names)
