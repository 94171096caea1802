"""Trains on two logical CPUs: python two_replicas.py SETTINGS.json WORKDIR."""

import pathlib
import sys

import tensorflow as tf

from trainer import train
from trainer.settings import settings as settings_lib


def main(settings_path: str, workdir: str) -> None:
    """Splits the processor in two before anything else touches it."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [half, half])
    text = pathlib.Path(settings_path).read_text(encoding="utf-8")
    settings = settings_lib.from_json(text)
    train.train_and_evaluate(settings, pathlib.Path(workdir))
    assert tf.distribute.has_strategy() is False
    print("logical devices:", len(tf.config.list_logical_devices("CPU")))


if __name__ == "__main__":
    main(*sys.argv[1:])
