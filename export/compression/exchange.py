"""What the exporter and its compression process hand each other, as files.

Arrays as .npy, the rest as JSON; nothing that could execute code is read or
written. Imports no TensorFlow, since both generations of Keras use it.
"""

import dataclasses
import json
import pathlib
from typing import Any

import numpy as np

from trainer import json_files

DATA = (
    "train_images",
    "train_targets",
    "validation_images",
    "validation_labels",
    "calibration_images",
)
_REQUEST, _RESULT = "request.json", "result.json"
_WEIGHTS, _MODEL = "weights.npz", "model.tflite"


@dataclasses.dataclass(frozen=True)
class CompressionFiles:
    """The folder of one request.

    Attributes:
      folder: belongs to this request alone.
    """

    folder: pathlib.Path

    def write_request(self, request: dict[str, Any]) -> None:
        """Writes what is to be done, in plain JSON values."""
        self._write_json(_REQUEST, request)

    def read_request(self) -> dict[str, Any]:
        """Reads what `write_request` wrote."""
        return self._read_json(_REQUEST)

    def write_data(self, arrays: dict[str, np.ndarray]) -> None:
        """Writes the arrays of DATA."""
        for name in DATA:
            np.save(self.folder / f"{name}.npy", arrays[name])

    def read_data(self) -> dict[str, np.ndarray]:
        """Reads what `write_data` wrote."""
        return {name: self._load(name) for name in DATA}

    def write_weights(self, weights: list[np.ndarray]) -> None:
        """Writes a model's weights, in their order."""
        arrays = {f"{index:06d}": array for index, array in enumerate(weights)}
        np.savez(self.folder / _WEIGHTS, **arrays)

    def read_weights(self) -> list[np.ndarray]:
        """Reads what `write_weights` wrote last."""
        with np.load(self.folder / _WEIGHTS, allow_pickle=False) as stored:
            return [stored[name] for name in sorted(stored.files)]

    def write_predictions(self, name: str, predictions: np.ndarray) -> None:
        """Writes probabilities, float32 [n, K], under a name."""
        np.save(self.folder / f"{name}.npy", predictions.astype(np.float32))

    def read_predictions(self, name: str) -> np.ndarray:
        """Reads what `write_predictions` wrote."""
        return self._load(name)

    def write_model(self, content: bytes) -> None:
        """Writes a converted model."""
        (self.folder / _MODEL).write_bytes(content)

    def read_model(self) -> bytes:
        """Reads what `write_model` wrote."""
        return (self.folder / _MODEL).read_bytes()

    def write_result(self, result: dict[str, Any]) -> None:
        """Writes how it went; last, so its presence means success."""
        self._write_json(_RESULT, result)

    def read_result(self) -> dict[str, Any]:
        """Reads what `write_result` wrote."""
        return self._read_json(_RESULT)

    def _load(self, name: str) -> np.ndarray:
        return np.load(self.folder / f"{name}.npy", allow_pickle=False)

    def _write_json(self, name: str, values: dict[str, Any]) -> None:
        text = json.dumps(values, indent=2) + "\n"
        (self.folder / name).write_text(text, encoding="utf-8")

    def _read_json(self, name: str) -> dict[str, Any]:
        return json_files.read(
            self.folder / name,
            json_files.as_object,
            advice="type the same command again",
        )
