"""Model files with something wrong in them, each from a seed.

A file's checksum is made to fit where the model itself was changed: what is
looked for is what gets past it.
"""

import functools
import hashlib
import io
import json
import random
import struct
import zipfile
from typing import Any

import flatbuffers
import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

from edge import model_file
from export import tflite
from tests import prepared
from tests.edge import brightness
from tests.edge import json_damage
from tests.fer_tfds.fuzz import damage

INTS = (-1, 0, 1, 2, 3, 7, 100, 128, -128, 256, 65536, 1000003, 2**30)
INTS += (2**31 - 1, -(2**31), 40000)
FLOATS = (0.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e-45, 3.4e38)
WORDS = (b"\xff" * 4, b"\xff\xff\xff\x7f", bytes(4), b"\1\0\0\0", b"\0\0\0\x80")
WORDS += (b"\0\0\xc0\x7f", b"\x40\x9c\0\0")
KINDS = ("uint8", "float32", "dynamic_batch", "uint8_to_float32")
NUM_OPERATORS, NUM_TYPES = 210, 24


class Base:
    """A good file, taken apart: model, labels and metadata."""

    def __init__(self, content: bytes):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self.labels = archive.read(model_file.LABELS_MEMBER)
            metadata = json.loads(archive.read(model_file.METADATA_MEMBER))
        self.whole = content
        self.model = content[: metadata.pop("model_bytes")]
        del metadata["model_sha256"]
        self.metadata = metadata

    def join(self, model: bytes) -> bytes:
        """A file with another model, whose checksum fits."""
        digest = hashlib.sha256(model).hexdigest()
        sizes = {"model_bytes": len(model), "model_sha256": digest}
        metadata = json.dumps({**self.metadata, **sizes}).encode()
        return add_zip(model, self.labels, metadata)


def add_zip(model: bytes, labels: bytes, metadata: bytes, **options) -> bytes:
    """The file of a model, its labels and its metadata."""
    file = io.BytesIO()
    file.write(model)
    with zipfile.ZipFile(file, "a", **options) as archive:
        archive.writestr(model_file.LABELS_MEMBER, labels)
        archive.writestr(model_file.METADATA_MEMBER, metadata)
    return file.getvalue()


@functools.cache
def bases() -> list[Base]:
    """Good files; together they have most operators of the trainer's."""
    contents = [brightness.model_path(kind).read_bytes() for kind in KINDS]
    contents.append((model_file.SHIPPED / "pocket.tflite").read_bytes())
    return [Base(content) for content in contents] + [_many_operators()]


def make(seed: int) -> bytes:
    """The file of a seed."""
    rng = random.Random(seed)
    base = rng.choice(bases())
    return rng.choice(MUTATIONS)(rng, base)


def change_graph(rng: random.Random, base: Base) -> bytes:
    """Changes what the model says, and leaves it well built."""
    while True:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(base.model))
        try:
            for _ in range(rng.choice((1, 1, 2, 3))):
                _change(rng, model)
            return base.join(pack(model, len(base.model)))
        except _NOT_WRITTEN:
            continue


def change_bytes(rng: random.Random, base: Base) -> bytes:
    """Overwrites numbers of the model, wherever they stand."""
    model = bytearray(base.model)
    for _ in range(rng.choice((1, 1, 1, 4, 16))):
        place = _place(rng, model)
        old = int.from_bytes(model[place : place + 4], "little")
        near = (old + rng.choice((-4, -1, 1, 4, 16))) % 2**32
        model[place : place + 4] = rng.choice(
            (rng.choice(WORDS), rng.randbytes(4), near.to_bytes(4, "little"))
        )
    return base.join(bytes(model))


def splice(rng: random.Random, base: Base) -> bytes:
    """Puts the head of one model before the tail of another, or repeats."""
    other = rng.choice(bases()).model
    head = base.model[: _place(rng, base.model)]
    return base.join(head + other[_place(rng, other) :])


def cut(rng: random.Random, base: Base) -> bytes:
    model = base.model
    return base.join(damage.cut(rng, model))


def damage_zip(rng: random.Random, base: Base) -> bytes:
    tail = base.whole[len(base.model) :]
    for _ in range(rng.choice((1, 1, 3))):
        tail = rng.choice(damage.BYTES)(rng, tail)
    return base.model + tail


def damage_all(rng: random.Random, base: Base) -> bytes:
    return rng.choice(damage.BYTES)(rng, base.whole)


def change_metadata(rng: random.Random, base: Base) -> bytes:
    digest = hashlib.sha256(base.model).hexdigest()
    sizes = {"model_bytes": len(base.model), "model_sha256": digest}
    metadata = json.dumps({**base.metadata, **sizes}).encode()
    labels = base.labels
    if rng.random() < 0.3:
        labels = rng.choice((*damage.BYTES, damage.recode))(rng, labels)
    else:
        metadata = rng.choice(json_damage.JSON)(rng, metadata)
    return add_zip(base.model, labels, metadata)


# Most go past the checksum and into LiteRT.
MUTATIONS = (
    *(change_graph,) * 8,
    *(change_bytes, change_bytes, splice, cut),
    *(damage_zip, damage_zip, damage_all, change_metadata),
)

# Some changes leave nothing to change further, or cannot be written.
_NOT_WRITTEN = (TypeError, ValueError, AttributeError, IndexError, struct.error)


class _Builder(flatbuffers.Builder):
    """Aligns weights as TFLite's schema asks for."""

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        if x.dtype == np.uint8:
            self.Prep(16, x.nbytes)
        return super().CreateNumpyVector(x)


def pack(model: schema.ModelT, size: int) -> bytes:
    """A model as a file holds it."""
    builder = _Builder(size)
    builder.Finish(model.Pack(builder), model_file.TFLITE_IDENTIFIER)
    return bytes(builder.Output())


def _place(rng: random.Random, content: bytes) -> int:
    """A multiple of 4; mostly where the structure is, behind the weights."""
    lowest = rng.choice((0, 0, max(len(content) - 8000, 0)))
    highest = rng.choice((64, len(content), len(content)))
    return rng.randrange(lowest, max(highest, lowest + 5) - 4) & ~3


def _change(rng: random.Random, model: schema.ModelT) -> None:
    if rng.random() < 0.15:
        _change_order(rng, model.subgraphs[0])
        return
    kinds = {}
    for holder, key in _parts(model):
        name = key if isinstance(key, str) else "item"
        kinds.setdefault((type(holder).__name__, name), []).append(
            (holder, key)
        )
    holder, key = rng.choice(kinds[rng.choice(sorted(kinds))])
    if isinstance(holder, list):
        _change_list(rng, holder, key)
    else:
        setattr(holder, key, _other(rng, getattr(holder, key), key))


def _change_order(rng: random.Random, graph: schema.SubGraphT) -> None:
    first, second = rng.choice(graph.operators), rng.choice(graph.operators)
    change = rng.randrange(4)
    if change == 0:
        graph.operators.remove(first)
    elif change == 1:
        rng.shuffle(graph.operators)
    elif change == 2:
        graph.operators.append(first)
    else:
        first.inputs = second.inputs


def _parts(part: Any) -> list[tuple[Any, str | int]]:
    """(holder, key) of everything below an object of the schema."""
    if isinstance(part, list):
        found = [(part, index) for index in range(len(part))]
        below = part
    elif hasattr(part, "__dict__"):
        found = [(part, key) for key, v in vars(part).items() if v is not None]
        below = vars(part).values()
    else:
        return []
    return found + [pair for value in below for pair in _parts(value)]


def _change_list(rng: random.Random, values: list, index: int) -> None:
    change = rng.randrange(3)
    if change == 0:
        del values[index]
    elif change == 1:
        values.insert(index, rng.choice(values))
    else:
        values[index] = rng.choice(values)


def _other(rng: random.Random, value: Any, key: str) -> Any:
    """Another value in place of one of the schema."""
    if isinstance(value, bool):
        return not value
    if key in ("builtinCode", "type"):
        return rng.randrange(NUM_OPERATORS if key != "type" else NUM_TYPES)
    if isinstance(value, float):
        return rng.choice(FLOATS)
    if isinstance(value, int):
        return rng.choice((*INTS, value + 1, value - 1, rng.randrange(40)))
    if isinstance(value, np.ndarray) and len(value):
        return _other_array(rng, value.copy())
    return value if rng.random() < 0.5 else None


def _other_array(rng: random.Random, values: np.ndarray) -> np.ndarray:
    index = rng.randrange(len(values))
    change = rng.randrange(4)
    if change == 0:
        return values[:index]
    if change == 1:
        return np.concatenate([values, values[: rng.randrange(1, 9)]])
    where = index if change == 2 else slice(None)
    if values.dtype.kind == "f":
        values[where] = rng.choice(FLOATS)
    else:
        limits = np.iinfo(values.dtype)
        number = rng.choice((*INTS, int(values[index]) + 1, rng.randrange(40)))
        values[where] = min(max(number, limits.min), limits.max)
    return values


def _many_operators() -> Base:
    """Most operators of the trainer's networks, in 16x16 pixels."""
    random_numbers = np.random.default_rng(0)

    def weights(*shape):
        return tf.constant(random_numbers.normal(0, 0.3, shape), tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([1, 16, 16, 3])])
    def answer(pixels):
        x = tf.nn.conv2d(pixels / 255, weights(3, 3, 3, 8), 2, "SAME")
        x = tf.pad(tf.nn.gelu(x), [[0, 0], [1, 1], [1, 1], [0, 0]])
        y = tf.nn.depthwise_conv2d(x, weights(3, 3, 8, 1), [1] * 4, "SAME")
        x = tf.concat([x, tf.nn.silu(y)], axis=-1)
        x = x + tf.nn.elu(tf.nn.conv2d(x, weights(1, 1, 16, 16), 1, "SAME"))
        x = tf.nn.avg_pool2d(x, 2, 2, "VALID")
        x = tf.nn.relu6(tf.nn.conv2d(x, weights(2, 2, 16, 8), 1, "VALID"))
        x = tf.tanh(tf.nn.max_pool2d(x, 2, 2, "VALID"))
        x = tf.reshape(x, [1, 32]) @ weights(32, 9)
        return tf.nn.softmax(tf.nn.gelu(x) @ weights(9, 5))

    folder = prepared.scratch() / "many_operators"
    module = tf.Module()
    tf.saved_model.save(module, str(folder), signatures=answer)
    content = tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert()
    path = prepared.scratch() / "many_operators.tflite"
    path.write_bytes(content)
    tflite.append_metadata(path, "abcde", {"image_size": 16, "channels": 3})
    return Base(path.read_bytes())
