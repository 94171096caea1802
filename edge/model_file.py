"""What a model file carries besides the model: labels and metadata.

They are a zip appended to the `.tflite`, which LiteRT ignores and any zip
tool reads. This module only reads and checks; export writes. It runs no
model and executes nothing from the file.
"""

import dataclasses
import hashlib
import io
import json
import os
import pathlib
import zipfile

LABELS_MEMBER = "labels.txt"
METADATA_MEMBER = "metadata.json"
# The file identifier of the TFLite schema, at byte 4 of every such file.
TFLITE_IDENTIFIER = b"TFL3"
# Real members hold a few KB; more than this is no metadata of ours.
MAX_MEMBER_BYTES = 2**20
ADVICE = "write a good one with: python -m export --tflite"


# What the runtime carries: files of this folder go by their names alone.
SHIPPED = pathlib.Path(__file__).parent / "models"
DEFAULT_NAME = "edge"
# The least probability (in steps of 0.02) from which on four answers in five
# are right, on the validation images that a model was not trained on: 75% of
# them for `edge`, 64% for `pocket` (python -m benchmarks.confidence).
MIN_CONFIDENCE = {"edge": 0.50, "pocket": 0.54}
OWN_MIN_CONFIDENCE = 0.5


class ModelFileError(ValueError):
    """A model file is missing, damaged, or lacks its labels and metadata."""


@dataclasses.dataclass(frozen=True)
class ModelFile:
    """A checked model file.

    Attributes:
      content: the bytes, as LiteRT takes them.
      labels: class names, in the order of the probabilities.
      metadata: what export recorded about the file.
    """

    content: bytes
    labels: tuple[str, ...]
    metadata: dict


def choose_model(name: str | os.PathLike | None) -> str:
    """Returns the file that is meant by a path or a shipped model's name.

    None means the default model. A file of that very name goes first.
    """
    path = DEFAULT_NAME if name is None else os.fspath(name)
    shipped = SHIPPED / f"{path}.tflite"
    is_shipped = name is None or not os.path.isfile(path)
    return str(shipped) if is_shipped and shipped.is_file() else path


def min_confidence(path: str) -> float:
    """Returns the probability from which on a model's answer is sure."""
    place = pathlib.Path(path)
    if place.parent != SHIPPED:
        return OWN_MIN_CONFIDENCE
    return MIN_CONFIDENCE[place.stem]


def read_model_file(path: str) -> ModelFile:
    """Reads and checks a model file.

    Raises:
      ModelFileError: the file is missing, damaged or lacks its members.
    """
    content = _read_model(path)
    labels, metadata = _read_members(path, content)
    _check_digest(path, content, metadata)
    return ModelFile(content, labels, metadata)


def refuse(path: str, reason: str) -> ModelFileError:
    """Returns the error for an unusable file, with what to do about it."""
    return ModelFileError(f"cannot use {path}: {reason}; {ADVICE}")


def _read_model(path):
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        shipped = " and ".join(
            sorted(file.stem for file in SHIPPED.glob("*.tflite"))
        )
        reason = f"{error.strerror or error}, and the runtime brings {shipped}"
        raise refuse(path, reason) from None
    if content[4:8] != TFLITE_IDENTIFIER:
        raise refuse(path, "it is not a TFLite file")
    return content


def _read_members(path, content):
    """Labels and metadata from the zip that is appended to the model."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            labels = _read_member(archive, LABELS_MEMBER)
            metadata = json.loads(_read_member(archive, METADATA_MEMBER))
        names = tuple(labels.decode().splitlines())
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise refuse(
            path,
            f"it is damaged, or carries no {LABELS_MEMBER} and "
            f"{METADATA_MEMBER} ({error})",
        ) from None
    if not isinstance(metadata, dict) or not names or not all(names):
        raise refuse(path, "its labels or metadata are malformed")
    return names, metadata


def _read_member(archive, name):
    if archive.getinfo(name).file_size > MAX_MEMBER_BYTES:
        raise ValueError(f"{name} is larger than {MAX_MEMBER_BYTES} bytes")
    return archive.read(name)


def _check_digest(path, content, metadata):
    """Catches damage inside the model before LiteRT's kernels meet it."""
    digest, size = metadata.get("model_sha256"), metadata.get("model_bytes")
    if not isinstance(digest, str) or not isinstance(size, int):
        raise refuse(path, "its metadata lacks `model_sha256`")
    if hashlib.sha256(content[:size]).hexdigest() != digest:
        raise refuse(path, "it is damaged: its checksum does not fit")
