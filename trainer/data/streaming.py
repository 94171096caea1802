"""The order in which stored examples are read, decoded and shuffled.

Each worker of a job reads a part of its own: as many consecutive examples as
every other, which are whole files but for the first and the last one. An epoch
reads its part in blocks, several at a time and in an order of their own, and
shuffles what they bring in a buffer. All of it is a function of the seed, the
epoch and the number of workers.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from trainer.data.stored import Numbers
from trainer.data.stored import Pictures
from trainer.data.stored import Stored

# Consecutive bytes that are read together: long enough for a disk or a network
# that is slow to seek, and so many blocks that few examples stay neighbours.
MOST_BLOCK_BYTES, LEAST_BLOCK_BYTES = 2**23, 2**18
BLOCKS = 64
# Of a block, the part that is read at a time: half as much is read in vain
# where a block ends.
BUFFERS, LEAST_BUFFER_BYTES = 32, 2**12
# Blocks that are read at a time.
CYCLE = 16
# Encoded examples that wait to be drawn from: bytes, and examples.
BUFFER_BYTES, MOST_WAITING, LEAST_WAITING = 2**27, 2**14, 2**8


@dataclasses.dataclass(frozen=True)
class Blocks:
    """Where to begin to read, and what to keep of what comes.

    Attributes:
      kind: how records are read.
      files: names of the files.
      file: int32 [blocks].
      offset: int64 [blocks], the first byte.
      first: int32 [blocks], where the block's records begin in `places`.
      span: int32 [blocks], how many records to read.
      places: int32 [records], which example of the stored ones a record is; -1
        is none of them.
      buffer: bytes to read at a time.
    """

    kind: Pictures | Numbers
    files: tuple[str, ...]
    file: np.ndarray
    offset: np.ndarray
    first: np.ndarray
    span: np.ndarray
    places: np.ndarray
    buffer: int

    def __len__(self) -> int:
        """Number of blocks."""
        return len(self.file)

    def table(self) -> tuple[tf.Tensor, ...]:
        """One row for each block, for `read`."""
        names = tf.constant(self.files)
        columns = (self.offset, self.first, self.span)
        return (tf.gather(names, self.file), *map(tf.constant, columns))

    def read(
        self, file: tf.Tensor, offset: tf.Tensor, *rest: tf.Tensor
    ) -> tf.data.Dataset:
        """(place, record) of the examples of a block, in stored order."""
        first, span = rest
        records = self.kind.read(file, offset, self.buffer)
        # A file that has become shorter since would end an epoch too early
        # without a word. An empty record is refused by who decodes it. Not
        # from_tensors, by which determinism takes all parallelism away.
        nothing = tf.data.Dataset.from_tensor_slices([""]).repeat()
        records = records.concatenate(nothing)
        places = tf.data.Dataset.from_tensor_slices(
            tf.constant(self.places)[first : first + span]
        )
        pairs = tf.data.Dataset.zip(places, records)
        if self.places.min(initial=0) >= 0:
            return pairs
        return pairs.filter(lambda place, record: place >= 0)


def part_of(
    count: int, context: tf.distribute.InputContext | None
) -> tuple[int, int]:
    """First example of a worker's part, and the one after its last."""
    if context is None:
        return 0, count
    workers, index = context.num_input_pipelines, context.input_pipeline_id
    return count * index // workers, count * (index + 1) // workers


def make_blocks(stored: Stored, part: tuple[int, int]) -> Blocks:
    """Cuts a part of stored examples into blocks of neighbours."""
    rows = np.arange(*part, dtype=np.int32)
    file, number = stored.file[rows], stored.number[rows]
    # Where another file begins, or the same one is read again from before.
    new = np.diff(file, prepend=-1) != 0
    new |= np.diff(number, prepend=-1) <= 0
    start = np.maximum.accumulate(np.where(new, np.arange(len(rows)), 0))
    size = _block_rows(stored, len(rows))
    begins = np.flatnonzero((np.arange(len(rows)) - start) % size == 0)
    lasts = np.append(begins[1:], len(rows))[: len(begins)] - 1
    span = number[lasts] - number[begins] + 1
    first = np.cumsum(span) - span
    block = np.searchsorted(begins, np.arange(len(rows)), side="right") - 1
    places = np.full(int(span.sum()), -1, np.int32)
    places[first[block] + number - number[begins[block]]] = rows
    return Blocks(
        kind=stored.kind,
        files=stored.files,
        file=file[begins],
        offset=stored.offset[rows][begins],
        first=first.astype(np.int32),
        span=span.astype(np.int32),
        places=places,
        buffer=max(LEAST_BUFFER_BYTES, size * _record_bytes(stored) // BUFFERS),
    )


def shuffled(
    stored: Stored,
    *,
    seed: int,
    epochs: range,
    keep: int,
    context: tf.distribute.InputContext | None,
) -> tf.data.Dataset:
    """Examples of a worker's part in another order in each epoch.

    Args:
      stored: all examples.
      seed: the seed of the run.
      epochs: which epochs to deliver.
      keep: examples of an epoch; the rest of the part waits for another one.
      context: which worker this is; None reads everything.

    Returns:
      A dataset of (place int32, value as decoded).
    """
    part = part_of(len(stored), context)
    blocks = make_blocks(stored, part)
    waiting = _waiting(stored)

    def epoch_of(epoch: tf.Tensor) -> tf.data.Dataset:
        pair = tf.stack([tf.cast(seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(blocks)), seed=pair
        )
        table = tuple(tf.gather(column, order) for column in blocks.table())
        examples = tf.data.Dataset.from_tensor_slices(table).interleave(
            blocks.read,
            cycle_length=CYCLE,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        return _shuffle(examples, waiting, pair).take(keep)

    numbers = tf.data.Dataset.range(epochs.start, epochs.stop)
    return _decoded(stored, numbers.flat_map(epoch_of))


def make_for_eval(
    stored: Stored,
    *,
    batch_size: int,
    context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Every example once, in order within each worker's part; padded.

    All workers give as many batches, be they of padding alone.

    Args:
      stored: the examples.
      batch_size: of the global batch, over all workers.
      context: which worker this is; None reads everything.

    Returns:
      A dataset of (place int32 [b], values [b, ...] of the stored type), b
      being this worker's share of the batch; padding has place -1.
    """
    workers = context.num_input_pipelines if context else 1
    rows = batch_size // workers
    first, stop = part_of(len(stored), context)
    blocks = make_blocks(stored, (first, stop))
    batches = -(-len(stored) // batch_size)
    missing = batches - -(-(stop - first) // rows)
    examples = tf.data.Dataset.from_tensor_slices(blocks.table())
    dataset = _decoded(stored, examples.flat_map(blocks.read)).batch(rows)
    dataset = dataset.map(lambda *batch: _pad(*batch, rows=rows))
    nothing = (
        tf.fill([rows], -1),
        tf.zeros([rows, *stored.kind.shape], stored.dtype),
    )
    empty = tf.data.Dataset.from_tensors(nothing).repeat(missing)
    dataset = dataset.concatenate(empty)
    if stored.change is None:
        return dataset
    return dataset.map(
        lambda place, values: (place, stored.change(place, values)),
        num_parallel_calls=tf.data.AUTOTUNE,
    )


def _shuffle(
    examples: tf.data.Dataset, waiting: int, pair: tf.Tensor
) -> tf.data.Dataset:
    """`Dataset.shuffle`, whose seed neither may be a tensor nor is all of it.

    It adds the seed of the process, and fails where that is 0. What it is made
    of since, moreover, determinism takes all parallelism away from.
    """
    # Both 0 would be another order each time.
    seeds = tf.random.stateless_uniform(
        [2], seed=pair, minval=1, maxval=2**31 - 1, dtype=tf.int64
    )
    spec = examples.element_spec
    shuffled_examples = tf.raw_ops.ShuffleDataset(
        input_dataset=tf.data.experimental.to_variant(examples),
        buffer_size=waiting,
        seed=seeds[0],
        seed2=seeds[1],
        reshuffle_each_iteration=False,
        output_types=[each.dtype for each in spec],
        output_shapes=[each.shape for each in spec],
    )
    return tf.data.experimental.from_variant(shuffled_examples, spec)


def _decoded(stored: Stored, examples: tf.data.Dataset) -> tf.data.Dataset:
    return examples.map(
        lambda place, record: (place, stored.kind.decode(record)),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def _pad(
    place: tf.Tensor, values: tf.Tensor, *, rows: int
) -> tuple[tf.Tensor, tf.Tensor]:
    lacking = rows - tf.shape(place)[0]
    place = tf.pad(place, [[0, lacking]], constant_values=-1)
    after = [[0, lacking]] + [[0, 0]] * (values.shape.rank - 1)
    padded = tf.pad(values, after)
    shape = values.shape[1:]
    return tf.ensure_shape(place, [rows]), tf.ensure_shape(
        padded, [rows, *shape]
    )


def _record_bytes(stored: Stored) -> int:
    """The mean size of a record."""
    return max(1, round(float(stored.length.mean()))) + stored.kind.frame


def _block_rows(stored: Stored, count: int) -> int:
    """How many examples a block has."""
    if not count:
        return 1
    size = _record_bytes(stored)
    wanted = count * size // BLOCKS
    wanted = min(max(wanted, LEAST_BLOCK_BYTES), MOST_BLOCK_BYTES)
    return max(1, min(wanted // size, -(-count // CYCLE)))


def _waiting(stored: Stored) -> int:
    """How many examples wait to be drawn from."""
    fitting = BUFFER_BYTES // _record_bytes(stored)
    return min(max(fitting, LEAST_WAITING), MOST_WAITING)
