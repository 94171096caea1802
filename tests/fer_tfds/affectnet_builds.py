"""Builds AffectNet in this process, and reads what came out."""

import csv
import hashlib

import tensorflow_datasets as tfds

from fer_tfds.affectnet.affectnet_dataset_builder import Builder


def build(manual_dir, data_dir, config=None, file_format=None, **options):
    builder = Builder(data_dir=data_dir, config=config, file_format=file_format)
    download_config = tfds.download.DownloadConfig(
        manual_dir=manual_dir, **options
    )
    builder.download_and_prepare(download_config=download_config)
    return builder


def read_content(builder):
    """Id -> split, label, scores and a hash of the stored picture."""
    decoders = {"image": tfds.decode.SkipDecoding()}
    return {
        example["id"].decode(): (
            split,
            int(example["label"]),
            str(example["valence"]),
            str(example["arousal"]),
            hashlib.sha256(example["image"]).hexdigest(),
        )
        for split in builder.info.splits
        for example in tfds.as_numpy(
            builder.as_dataset(split, decoders=decoders)
        )
    }


def read_rejects(builder):
    with (builder.data_path / "rejects.csv").open() as file:
        return [tuple(row) for row in csv.reader(file)]
