"""Images a second into training and evaluation, against Keras's own readers.

  python -m benchmarks.input_pipeline

All read the same drawn faces and turn them in the same way: flip, rotation,
shift, zoom. Ours reads prepared records, once more with all that cameras do
to every image; the others read folders of JPEG files, as their users do:

* `ImageDataGenerator.flow_from_directory`;
* `image_dataset_from_directory`, then Keras's random layers in `map`;
* the same with `cache()` before them, which keeps decoded images in memory.

A figure is taken over many batches after the first ones, in a process of its
own; what comes before the first batch (reading, decoding) is a column of its
own. Nothing is trained meanwhile.
"""

import argparse
import dataclasses
import pathlib
import statistics
import time
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from benchmarks import drawn_data
from benchmarks import harness
from benchmarks import pictures

MODULE = "benchmarks.input_pipeline"
SIZE_PX = 48
# As in edge.flags.
ROTATION, SHIFT, ZOOM = 10.0, 0.08, 0.12
# What costs time does so whatever its strength and probability.
CAMERAS = {
    "brightness": 0.1,
    "contrast": 0.2,
    "erasing": 0.25,
    "noise": 25.0,
    "blur": 0.04,
    "low_resolution": 0.6,
    "jpeg": 5,
    "gamma": 0.7,
    "dimming": 0.4,
    "gradient": 0.4,
    "crop_zoom": 0.2,
    "crop_shift": 0.05,
    "crop_tilt": 15.0,
}

OURS, SPOILT = "ours", "spoilt"
WAYS = {
    OURS: "prepared records, this project",
    SPOILT: "the same, every augmentation on every image",
    "generator": "`ImageDataGenerator`",
    "layers": "`image_dataset_from_directory` + Keras layers",
    "cached": "the same with `cache()`",
}
HEADER = (
    "input of {}",
    "images/s",
    "first batch after, s",
    "ours is so many times faster",
)


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes the tables."""
    parser = harness.make_parser(__doc__)
    parser.add_argument("--num_images", type=int, default=28_709)
    parser.add_argument("--seconds", type=float, default=10, help="each figure")
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument(
        "--scratch", type=pathlib.Path, default=harness.SCRATCH, help="folder"
    )
    harness.run_program(parser, measure, measure_alone, arguments=arguments)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text."""
    # Ours holds `num_images` in its training split.
    total = round(options.num_images / drawn_data.SHARES["train"])
    data_dir = drawn_data.data_dir(total, options.scratch)
    folders = drawn_data.class_folders(options.num_images, options.scratch)
    pages = {}
    for task in ("training", "evaluation"):

        def way(name: str, task: str = task) -> Callable[[], dict[str, Any]]:
            return lambda: harness.run_alone(
                MODULE,
                way=name,
                task=task,
                source=str(data_dir if name in (OURS, SPOILT) else folders),
                batch_size=options.batch_size,
                seconds=options.seconds,
            )

        is_training = task == "training"
        ways = {n: way(n) for n in WAYS if is_training or n != SPOILT}
        measured = harness.in_turns(ways, options.repetitions)
        if options.pictures:
            draw(options.pictures / f"input_{task}.png", task, measured)
        pages[f"input_{task}"] = as_table(task, measured)
    return pages


def draw(
    path: pathlib.Path, task: str, measured: dict[str, list[dict[str, float]]]
) -> None:
    """Draws the images a second of each way."""
    bars = {
        WAYS[name].replace("`", ""): dataclasses.astuple(
            harness.spread(turn["images_per_second"] for turn in turns)
        )
        for name, turns in measured.items()
    }
    pictures.draw_bars(path, label=f"{task} images/s", bars=bars)


def as_table(task: str, measured: dict[str, list[dict[str, float]]]) -> str:
    """Returns the table of a task from the measurements of each way."""
    rates = {
        name: [turn["images_per_second"] for turn in turns]
        for name, turns in measured.items()
    }
    rows = [
        [
            WAYS[name],
            harness.spread(rates[name]),
            harness.digits(
                statistics.median(turn["first_batch"] for turn in turns)
            ),
            "-" if name == OURS else harness.ratios(rates[OURS], rates[name]),
        ]
        for name, turns in measured.items()
    ]
    return harness.as_table([h.format(task) for h in HEADER], rows)


def measure_alone(
    way: str, task: str, source: str, *, batch_size: int, seconds: float
) -> dict[str, Any]:
    """Measures one way in this process.

    Returns:
      `images_per_second`, and `first_batch`: seconds until it was there,
      libraries loaded.
    """
    import keras  # noqa: F401, loaded before the clock runs
    import tensorflow_datasets  # noqa: F401

    started = time.perf_counter()
    batches = make_batches(way, task, source, batch_size=batch_size)
    next(batches)
    first_batch = time.perf_counter() - started
    count_images(batches, seconds / 4)
    begin = time.perf_counter()
    count = count_images(batches, seconds)
    rate = count / (time.perf_counter() - begin)
    return {"images_per_second": rate, "first_batch": first_batch}


def count_images(batches: Iterator, seconds: float) -> int:
    """Takes batches for some time; returns how many images were in them."""
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        count += next(batches).shape[0]
    return count


def make_batches(
    way: str, task: str, source: str, *, batch_size: int
) -> Iterator[Any]:
    """Yields the images of batch after batch, epoch after epoch."""
    is_training = task == "training"
    if way in (OURS, SPOILT):
        others = CAMERAS if way == SPOILT else {}
        return _ours(source, batch_size, is_training, others=others)
    if way == "generator":
        return _generator(source, batch_size, is_training)
    return _folders(source, batch_size, is_training, is_cached=way == "cached")


def _ours(
    source: str, batch_size: int, is_training: bool, *, others: dict[str, Any]
) -> Iterator:
    import numpy as np

    from trainer.batches import PREDICT_BATCH_SIZE
    from trainer.data import input_pipeline
    from trainer.data import prepared
    from trainer.settings.augmentation import AugmentationSettings
    from trainer.settings.model_and_data import DataSettings

    split = prepared.load_split(DataSettings(data_dir=source), "train")
    if not is_training:
        while True:
            # The network's evaluation makes its batches anew each time, too.
            for index, images in input_pipeline.make_for_eval(
                split.images, batch_size=PREDICT_BATCH_SIZE
            ):
                yield images[: np.count_nonzero(index >= 0)]
    targets = np.eye(drawn_data.NUM_CLASSES, dtype=np.float32)[split.labels]
    dataset = input_pipeline.make_for_train(
        split.images,
        targets,
        AugmentationSettings(
            flip=True, rotation=ROTATION, shift=SHIFT, zoom=ZOOM, **others
        ),
        batch_size=batch_size,
        seed=0,
        epochs=range(10**6),
    )
    for images, _ in dataset:
        yield images


def _generator(source: str, batch_size: int, is_training: bool) -> Iterator:
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    options = {}
    if is_training:
        options = {
            "horizontal_flip": True,
            "rotation_range": ROTATION,
            "width_shift_range": SHIFT,
            "height_shift_range": SHIFT,
            "zoom_range": ZOOM,
        }
    iterator = ImageDataGenerator(**options).flow_from_directory(
        source,
        target_size=(SIZE_PX, SIZE_PX),
        color_mode="grayscale",
        batch_size=batch_size,
        shuffle=is_training,
    )
    while True:
        yield next(iterator)[0]


def _folders(
    source: str, batch_size: int, is_training: bool, *, is_cached: bool
) -> Iterator:
    import keras
    import tensorflow as tf

    dataset = keras.utils.image_dataset_from_directory(
        source,
        color_mode="grayscale",
        image_size=(SIZE_PX, SIZE_PX),
        batch_size=batch_size,
        shuffle=is_training,
        verbose=False,
    )
    if is_cached:
        dataset = dataset.cache()
    if is_training:
        layers = keras.Sequential(
            [
                keras.layers.RandomFlip("horizontal"),
                keras.layers.RandomRotation(
                    ROTATION / 360, fill_mode="nearest"
                ),
                keras.layers.RandomTranslation(
                    SHIFT, SHIFT, fill_mode="nearest"
                ),
                keras.layers.RandomZoom(ZOOM, ZOOM, fill_mode="nearest"),
            ]
        )
        dataset = dataset.map(
            lambda images, labels: (layers(images, training=True), labels),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    for images, _ in dataset.repeat().prefetch(tf.data.AUTOTUNE):
        yield images


if __name__ == "__main__":
    harness.run_stoppable(main)
