"""Whether the decoded images of a run fit into memory, asked before any is."""

import math
import os

import psutil
import tensorflow_datasets as tfds

from trainer import json_files
from trainer.data import damage
from trainer.data.damage import DataError
from trainer.settings.model_and_data import DataSettings

GIB = 2**30

# Of the memory that is free: the rest is for the network and its work.
MEMORY_FRACTION = 0.5


def bytes_needed(
    builder: tfds.core.DatasetBuilder, data: DataSettings, *splits: str
) -> int:
    """What the decoded images of some splits take in memory.

    Raises:
      DataError: a split is absent, empty or lacks a file.
    """
    image = data.image_size**2 * data.channels
    counts = (damage.count_examples(builder, data, name) for name in splits)
    return sum(counts) * image


def settle(data: DataSettings, needed: int) -> str:
    """Says how to read: `memory` or `stream`.

    Args:
      data: `reading` asks for one of them, or leaves it to what fits.
      needed: bytes of decoded images.

    Raises:
      DataError: memory is asked for, and has no room.
    """
    own = psutil.virtual_memory().available / processes_here()
    if data.reading == "memory" and needed > own:
        raise DataError(
            f"--reading=memory: decoded, the images of `{data.dataset}` take "
            f"{needed / GIB:,.1f} GiB at {data.image_size} pixels, and this "
            f"process may take {own / GIB:,.1f} GiB. Give --reading=stream, "
            "or a smaller --image_size"
        )
    if data.reading != "auto":
        return data.reading
    most = min(data.max_memory_gib * GIB, MEMORY_FRACTION * own)
    return "memory" if needed <= most else "stream"


def processes_here() -> int:
    """How many processes of a multi-worker job share this machine's memory."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        return 1
    try:
        config = json_files.parse(text)
        cluster, task = config["cluster"], config["task"]
        own = _host(cluster[task["type"]][int(task["index"])])
        everyone = [address for job in cluster.values() for address in job]
        return max(1, sum(_host(address) == own for address in everyone))
    except (ValueError, LookupError, TypeError, AttributeError):
        return 1  # `trainer.runtime` says what is wrong with it.


def describe(needed: int) -> str:
    """Bytes in words: `4.1 GiB`, or `66 MiB`."""
    if needed >= GIB:
        return f"{needed / GIB:,.1f} GiB"
    return f"{math.ceil(needed / 2**20):,} MiB"


def _host(address: str) -> str:
    return address.rpartition(":")[0]
