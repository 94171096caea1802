"""Builds FER-2013 in this process."""

import tensorflow_datasets as tfds

from fer_tfds.fer2013.fer2013_dataset_builder import Builder


def build(manual_dir, data_dir):
    builder = Builder(data_dir=data_dir)
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    builder.download_and_prepare(download_config=config)
    return builder
