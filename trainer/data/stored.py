"""Examples that stay on disk: where each one lies, and how it is read.

Stands where an array of images stands, for data that does not fit into memory.
In which order examples are read is the business of `trainer.data.streaming`.
"""

import dataclasses
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.batches import PREDICT_BATCH_SIZE
from trainer.data import preprocessing

# Of a record's frame: its length and a checksum come before its bytes, and
# another checksum after them.
FRAME_BEFORE, FRAME = 12, 16
# Places int32 [b] and values [b, ...] -> values of the same shape and type.
Change = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Encoded images in TFRecord files, as TFDS writes them.

    Attributes:
      size: height and width of a prepared image.
      channels: of a prepared image.
      fits: all are stored in that shape, so that nobody has to ask.
    """

    size: int
    channels: int
    fits: bool = False
    frame = FRAME
    dtype = np.uint8

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image."""
        return self.size, self.size, self.channels

    def read(
        self, file: tf.Tensor, offset: tf.Tensor, buffer: int
    ) -> tf.data.Dataset:
        """Records of a file from a byte on, so many bytes at a time."""
        # tf.data.TFRecordDataset begins at a file's beginning alone.
        records = tf.raw_ops.TFRecordDatasetV2(
            filenames=[file],
            compression_type="",
            buffer_size=buffer,
            byte_offsets=[offset],
        )
        spec = tf.TensorSpec([], tf.string)
        return tf.data.experimental.from_variant(records, spec)

    def decode(self, record: tf.Tensor) -> tf.Tensor:
        """A record -> uint8 [size, size, channels] in [0, 255]."""
        wanted = {"image": tf.io.FixedLenFeature([], tf.string)}
        encoded = tf.io.parse_single_example(record, wanted)["image"]
        image = preprocessing.decode_image(encoded)
        if self.fits:
            return tf.ensure_shape(image, self.shape)
        return preprocessing.prepare_image(
            image, size=self.size, channels=self.channels
        )


@dataclasses.dataclass(frozen=True)
class Numbers:
    """Vectors of float32, one after the other in a file.

    Attributes:
      shape: of one example.
    """

    shape: tuple[int, ...]
    frame = 0
    dtype = np.float32

    @property
    def row_bytes(self) -> int:
        """Bytes of one example."""
        return int(np.prod(self.shape)) * 4

    def read(
        self, file: tf.Tensor, offset: tf.Tensor, buffer: int
    ) -> tf.data.Dataset:
        """Rows of a file from a byte on, so many bytes at a time."""
        return tf.data.FixedLengthRecordDataset(
            [file], self.row_bytes, header_bytes=offset, buffer_size=buffer
        )

    def decode(self, record: tf.Tensor) -> tf.Tensor:
        """A row -> float32 of the shape."""
        return tf.reshape(tf.io.decode_raw(record, tf.float32), self.shape)


@dataclasses.dataclass(frozen=True)
class Stored:
    """Examples on disk, to be read as an array of [n, ...] is.

    Attributes:
      kind: how a record is read and decoded.
      files: names of the files.
      file: int32 [n], which of them holds an example.
      number: int32 [n], which record of its file it is.
      offset: int64 [n], at which byte that record begins.
      length: int32 [n], bytes of the record without its frame.
      change: what befalls decoded examples, or None.
    """

    kind: Pictures | Numbers
    files: tuple[str, ...]
    file: np.ndarray
    number: np.ndarray
    offset: np.ndarray
    length: np.ndarray
    change: Change | None = None

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.file)

    @property
    def shape(self) -> tuple[int, ...]:
        """[n, ...], as of an array."""
        return len(self), *self.kind.shape

    @property
    def dtype(self) -> type:
        """As of an array: uint8 of images, float32 of numbers."""
        return self.kind.dtype

    @property
    def nbytes(self) -> int:
        """Bytes that the array would take."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize

    def take(self, rows: Any) -> "Stored":
        """Some of the examples; none is read.

        Args:
          rows: a slice, indices or bool [n], as an array takes them.
        """
        chosen = np.arange(len(self), dtype=np.int32)[rows]
        change = self.change and _at(chosen, self.change)
        names = ("file", "number", "offset", "length")
        parts = {name: getattr(self, name)[chosen] for name in names}
        return dataclasses.replace(self, change=change, **parts)

    def changed(self, change: Change) -> "Stored":
        """The examples as a function leaves them, whenever they are read."""
        before = self.change
        if before is None:
            return dataclasses.replace(self, change=change)
        return dataclasses.replace(
            self, change=lambda rows, values: change(rows, before(rows, values))
        )

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Reads some examples one by one; meant for few of them.

        Args:
          rows: an index, a slice, indices or bool [n].

        Returns:
          What an array of all examples would give.
        """
        places = np.arange(len(self), dtype=np.int32)[rows]
        flat = places.reshape(-1)
        values = np.empty([len(flat), *self.kind.shape], self.dtype)
        for target, place in enumerate(flat):
            values[target] = self.kind.decode(self._record(place))
        if self.change and len(flat):
            values = self.change(tf.constant(flat), values)
        return np.asarray(values).reshape(*places.shape, *self.kind.shape)

    def __iter__(self) -> Iterator[np.ndarray]:
        """All examples in their order, each read and decoded once."""
        for part in self.parts():
            yield from part

    def parts(self, size: int = PREDICT_BATCH_SIZE) -> Iterator[np.ndarray]:
        """The same, up to `size` at a time: arrays [m, ...]."""
        # Late: streaming imports this module.
        from trainer.data import streaming

        for index, values in streaming.make_for_eval(self, batch_size=size):
            yield values.numpy()[index.numpy() >= 0]

    def _record(self, place: int) -> bytes:
        before = FRAME_BEFORE if self.kind.frame else 0
        with open(self.files[self.file[place]], "rb") as file:
            file.seek(self.offset[place] + before)
            return file.read(self.length[place])


def _at(places: np.ndarray, change: Change) -> Change:
    """The change of some examples, which are numbered from 0 on again."""

    def changed(rows: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        # Padding has row -1, and is nobody's.
        return change(tf.gather(places, tf.maximum(rows, 0)), values)

    return changed
