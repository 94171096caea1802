"""Second step of building AffectNet: one shard from one bucket of rows.

Runs in Beam's workers, which import it from the installed package: it must
not refer to the builder's module, which TFDS loads under a name that workers
do not know.
"""

import dataclasses
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core import example_serializer
from tensorflow_datasets.core import writer as writer_lib

from fer_tfds import labels
from fer_tfds.affectnet import buckets
from fer_tfds.sources.affectnet import images
from fer_tfds.sources.affectnet.records import Annotation
from fer_tfds.sources.affectnet.records import Load
from fer_tfds.sources.affectnet.records import Reason
from fer_tfds.sources.affectnet.records import Reject
from fer_tfds.sources.affectnet.records import Rejected
from fer_tfds.sources.affectnet.records import Source

Example = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class ShardJob:
    """What is the same for all shards of a build.

    Attributes:
        source: the copy of AffectNet.
        size_px: side of the stored pictures.
        folder: holds the buckets; summaries of shards go there as well. All
            workers must see it, and the source, under the same path.
        templates: split name -> file names of its shards.
        file_format: of the shards.
    """

    source: Source
    size_px: int
    folder: Path
    templates: dict[str, tfds.core.ShardedFileTemplate]
    file_format: tfds.core.FileFormat


@dataclasses.dataclass(frozen=True)
class Shard:
    """Which shard to write."""

    split: str
    index: int
    num_shards: int


@dataclasses.dataclass
class Summary:
    """What became of the rows of a shard.

    Attributes:
        num_bytes: size of the examples before they are written.
        counts: number of examples of each native label id.
    """

    num_bytes: int = 0
    counts: list[int] = dataclasses.field(
        default_factory=lambda: [0] * len(labels.native_names("affectnet"))
    )


def make_features(size_px: int) -> tfds.features.FeaturesDict:
    """The features of an example.

    `image` uint8 [size_px, size_px, 3] in [0, 255], JPEG; `label` the native
    id, 0 to 10; `valence` and `arousal` float32 in [-1, 1], NaN where they are
    not annotated; `id` the picture's relative path.
    """
    return tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(
                shape=(size_px, size_px, 3), encoding_format="jpeg"
            ),
            "label": tfds.features.ClassLabel(
                names=list(labels.native_names("affectnet"))
            ),
            "valence": np.float32,
            "arousal": np.float32,
            "id": tfds.features.Text(),
        }
    )


def make_examples(
    rows: list[Annotation], load: Load, size_px: int
) -> Iterator[Example | Reject]:
    """Reads the pictures of rows; a row gives an example or a reject."""
    seen: dict[str, list[Annotation]] = {}
    for row in rows:
        try:
            before = seen.setdefault(row.id, [])
            if any(row.box == other.box for other in before):
                raise Rejected(Reason.DUPLICATE, "this face came before")
            before.append(row)
            example = _make_example(row, load, size_px)
            # Another face in the same picture needs a name of its own.
            name = f"{row.id}#{len(before)}" if len(before) > 1 else row.id
            yield {**example, "id": name}
        except Rejected as error:
            yield Reject(row.split, row.id, error.reason, error.detail)


def write_shard(shard: Shard, job: ShardJob) -> None:
    """Writes a shard and a summary of it; may be run again at any time.

    A shard without an example is written as well: `finish` removes it.
    """
    template = job.templates[shard.split]
    path = template.sharded_filepath(
        shard_index=shard.index, num_shards=shard.num_shards
    )
    rows = buckets.read_bucket(job.folder, shard.split, shard.index)
    summary, rejects = Summary(), []
    serialized = _serialize(rows, job, summary, rejects=rejects)
    # Beam may run this twice, on two machines at once: only whole files
    # appear under the names that are read later. What a killed worker leaves
    # goes with the folder, and a worker that comes too late finds none.
    aside = job.folder / f"{uuid.uuid4().hex}.{path.name}"
    # Not TFDS's ShardWriter, which keeps the examples of a whole shard until
    # it has counted them.
    writer_lib.ExampleWriter(job.file_format).write(aside, serialized)
    os.replace(aside, path)
    _write_summary(_summary_path(job.folder, shard), summary, rejects)


def finish(
    job: ShardJob, split: str, num_shards: int
) -> tuple[tfds.core.SplitInfo, list[int]]:
    """Removes empty shards once all are written, and describes the split.

    Returns:
        The split, and its number of examples of each native label id.
    """
    template = job.templates[split]
    summaries = {
        index: read_summary(job.folder, Shard(split, index, num_shards))[0]
        for index in range(num_shards)
    }
    kept = [index for index, s in summaries.items() if sum(s.counts)]
    for index in range(num_shards):
        path = template.sharded_filepath(
            shard_index=index, num_shards=num_shards
        )
        if index not in kept:
            path.unlink()
        elif len(kept) < num_shards:
            path.rename(
                template.sharded_filepath(
                    shard_index=kept.index(index), num_shards=len(kept)
                )
            )
    info = tfds.core.SplitInfo(
        name=split,
        shard_lengths=[sum(summaries[index].counts) for index in kept],
        num_bytes=sum(summary.num_bytes for summary in summaries.values()),
        filename_template=template,
    )
    counts = [summary.counts for summary in summaries.values()]
    return info, [sum(column) for column in zip(*counts, strict=True)]


def read_summary(folder: Path, shard: Shard) -> tuple[Summary, list[Reject]]:
    """What `write_shard` has left about a shard."""
    content = json.loads(_summary_path(folder, shard).read_text())
    rejects = [Reject(*cells) for cells in content.pop("rejects")]
    return Summary(**content), rejects


def count_finished(folder: Path) -> int:
    """How many shards of the job in `folder` are written."""
    return sum(name.endswith(".summary.json") for name in os.listdir(folder))


def _make_example(row: Annotation, load: Load, size_px: int) -> Example:
    data, row = load(row)
    return {
        "image": images.make_jpeg(data, row.box, size_px),
        "label": row.label,
        "valence": row.valence,
        "arousal": row.arousal,
    }


def _serialize(
    rows: list[Annotation],
    job: ShardJob,
    summary: Summary,
    *,
    rejects: list[Reject],
) -> Iterator[tuple[int, bytes]]:
    """Yields serialized examples, and fills in summary and rejects."""
    features = make_features(job.size_px)
    serializer = example_serializer.ExampleSerializer(
        features.get_serialized_info()
    )
    with job.source.open() as load:
        for example in make_examples(rows, load, job.size_px):
            if isinstance(example, Reject):
                rejects.append(example)
                continue
            data = serializer.serialize_example(
                features.encode_example(example)
            )
            summary.num_bytes += len(data)
            summary.counts[example["label"]] += 1
            yield sum(summary.counts), data


def _write_summary(path: Path, summary: Summary, rejects: list[Reject]) -> None:
    content = {**dataclasses.asdict(summary), "rejects": rejects}
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(content))
    os.replace(aside, path)


def _summary_path(folder: Path, shard: Shard) -> Path:
    return folder / f"{shard.split}-{shard.index:05d}.summary.json"
