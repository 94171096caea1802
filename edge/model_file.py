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
import stat
import struct
import zipfile
import zlib
from typing import BinaryIO

LABELS_MEMBER = "labels.txt"
METADATA_MEMBER = "metadata.json"
# The file identifier of the TFLite schema, at byte 4 of every such file.
TFLITE_IDENTIFIER = b"TFL3"
# Real members hold a few KB; more than this is no metadata of ours.
MAX_MEMBER_BYTES = 2**20
# The zip stands at the end of a file, within so many bytes.
MAX_ARCHIVE_BYTES = 2**20
# Twice the largest network that the trainer builds, in float32.
MAX_MODEL_BYTES = 200 * 2**20
MAX_IMAGE_SIZE = 2048
# More than any model here keeps busy; LiteRT fails at some thousands.
MAX_THREADS = 256
MAX_LABEL = 64
MAX_REASON = 300
ADVICE = "write a good one with: python -m export --tflite"

# Whatever Python's readers of zip, deflate, text and JSON raise: a
# NotImplementedError is a RuntimeError, as is the one for a password.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError),
    *(RuntimeError, RecursionError, OverflowError, struct.error, OSError),
)
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


# What the runtime carries: files of this folder go by their names alone.
SHIPPED = pathlib.Path(__file__).parent / "models"
DEFAULT_NAME = "edge"
# The least probability (in steps of 0.02) from which on four answers in five
# are right, on the validation images that a model was not trained on: 70% of
# them for `edge`, 64% for `pocket` (python -m benchmarks.confidence).
MIN_CONFIDENCE = {"edge": 0.52, "pocket": 0.54}
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
    if not is_shipped(path):
        return OWN_MIN_CONFIDENCE
    return MIN_CONFIDENCE[pathlib.Path(path).stem]


def read_model_file(path: str) -> ModelFile:
    """Reads and checks a model file.

    Raises:
      ModelFileError: the file is missing, damaged or lacks its members.
    """
    content = _read_model(path)
    names, metadata = _read_members(path, content)
    _check_labels(path, names, metadata)
    _check_digest(path, content, metadata)
    _check_picture(path, metadata)
    return ModelFile(content, names, metadata)


def is_shipped(path: str) -> bool:
    """Returns whether a file is the package's own, trusted as its code is."""
    return pathlib.Path(path).parent == SHIPPED


def refuse(path: str, reason: object) -> ModelFileError:
    """Returns the error for an unusable file, with what to do about it.

    The reason may come from the file or from LiteRT: it becomes one line.
    """
    line = " ".join(str(reason).split())
    line = "".join(sign if sign.isprintable() else "?" for sign in line)
    if len(line) > MAX_REASON:
        line = f"{line[:MAX_REASON]}..."
    return ModelFileError(f"cannot use {path}: {line}; {ADVICE}")


def _read_model(path: str) -> bytes:
    try:
        with _open(path) as file:
            is_model = file.read(8)[4:] == TFLITE_IDENTIFIER
            size = os.fstat(file.fileno()).st_size
            if is_model and size <= MAX_MODEL_BYTES:
                file.seek(0)
                return file.read(MAX_MODEL_BYTES)
    except OSError as error:
        shipped = " and ".join(
            sorted(file.stem for file in SHIPPED.glob("*.tflite"))
        )
        reason = f"{error.strerror or error}, and the runtime brings {shipped}"
        raise refuse(path, reason) from None
    if not is_model:
        raise refuse(path, "it is not a TFLite file")
    reason = f"it has {size:,} bytes, and a model at most {MAX_MODEL_BYTES:,}"
    raise refuse(path, reason)


def _open(path: str) -> BinaryIO:
    """Opens a file and nothing else; a pipe is not waited for."""
    try:
        place = os.open(path, os.O_RDONLY | _WITHOUT_WAITING)
    except ValueError as error:  # A name that no file can have.
        raise OSError(str(error)) from None
    kind = os.fstat(place).st_mode
    if stat.S_ISREG(kind):
        return open(place, "rb", buffering=0)
    os.close(place)
    raise OSError("Is a directory" if stat.S_ISDIR(kind) else "It is no file")


def _read_members(path: str, content: bytes) -> tuple[tuple[str, ...], dict]:
    """Labels and metadata from the zip that is appended to the model.

    Only the end is looked at, so that no directory of the zip is large.
    """
    end = io.BytesIO(content[-MAX_ARCHIVE_BYTES:])
    try:
        with zipfile.ZipFile(end) as archive:
            labels = _read_member(archive, LABELS_MEMBER)
            metadata = json.loads(_read_member(archive, METADATA_MEMBER))
    except _DAMAGE as error:
        raise refuse(
            path,
            f"it is damaged, or carries no {LABELS_MEMBER} and "
            f"{METADATA_MEMBER} ({error})",
        ) from None
    if not isinstance(metadata, dict):
        raise refuse(path, "its labels or metadata are malformed")
    return tuple(labels.splitlines()), metadata


def _read_member(archive: zipfile.ZipFile, name: str) -> str:
    """A member's text; what its size says of it is not believed."""
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Other methods unpack everything at once, whatever was asked for.
        raise ValueError(f"{name} is packed by method {info.compress_type}")
    with archive.open(info) as member:
        content = member.read(MAX_MEMBER_BYTES + 1)
    if len(content) > MAX_MEMBER_BYTES:
        raise ValueError(f"{name} is larger than {MAX_MEMBER_BYTES} bytes")
    return content.decode()


def _check_labels(path: str, names: tuple[str, ...], metadata: dict) -> None:
    """Labels are shown on screens and in tables: short, plain, different."""
    if not names or not all(name.strip() for name in names):
        raise refuse(path, "its labels or metadata are malformed: one is blank")
    for name in names:
        if len(name) > MAX_LABEL or not name.isprintable():
            raise refuse(
                path,
                f"its label {name[:MAX_LABEL]!r} is longer than {MAX_LABEL} "
                "characters or holds some that cannot be shown",
            )
    if len(set(names)) < len(names):
        raise refuse(path, f"a label stands twice in its {LABELS_MEMBER}")
    if metadata.get("labels", list(names)) != list(names):
        raise refuse(
            path, f"its {LABELS_MEMBER} and {METADATA_MEMBER} name other labels"
        )


def _check_digest(path: str, content: bytes, metadata: dict) -> None:
    """Catches damage inside the model before LiteRT's kernels meet it."""
    digest, size = metadata.get("model_sha256"), metadata.get("model_bytes")
    if not isinstance(digest, str) or not isinstance(size, int):
        raise refuse(path, "its metadata lacks `model_sha256`")
    if hashlib.sha256(memoryview(content)[:size]).hexdigest() != digest:
        raise refuse(path, "it is damaged: its checksum does not fit")


def _check_picture(path: str, metadata: dict) -> None:
    for name, highest in (("image_size", MAX_IMAGE_SIZE), ("channels", 3)):
        value = metadata.get(name)
        # JSON's true is an int of Python, and no size.
        if type(value) is not int or not 1 <= value <= highest:
            raise refuse(
                path,
                f"its metadata says {name} {value!r}; it must be from 1 to "
                f"{highest}",
            )
