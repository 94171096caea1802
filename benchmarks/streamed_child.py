"""One measurement of `benchmarks.streamed`, in a process of its own."""

import contextlib
import pathlib
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import harness

SIZE_PX, BATCH = 224, 64
DATASET = f"affectnet/size_{SIZE_PX}"
# Held out for validation; the rest is trained on.
TRAIN, VALIDATION = "train[1%:]", "train[:1%]"
# Decoded images that the plain way shuffles among.
PLAIN_BUFFER = 1024
OURS, AUGMENTED, MEMORY = "ours", "augmented", "memory"
PLAIN, FLOAT = "plain", "plain, float"


def main() -> None:
    """Does what `--alone` says."""
    harness.run_program(harness.make_parser(__doc__), dict, measure_alone)


def measure_alone(task: str, **arguments: Any) -> dict[str, Any]:
    """Does one of the tasks in this process."""
    tasks = {"start": _start, "rate": _rate, "read": _read, "wait": _wait}
    return tasks[task](**arguments)


def _settings(data_dir: str, **values: Any) -> Any:
    from trainer.settings import settings as settings_lib

    return settings_lib.from_flat(
        {
            "dataset": DATASET,
            "data_dir": data_dir,
            "train_split": TRAIN,
            "validation_split": VALIDATION,
            "test_split": "none",
            "image_size": SIZE_PX,
            "channels": 3,
            "batch_size": BATCH,
            "reading": "stream",
            **values,
        }
    )


def _start(data_dir: str, backbone: str) -> dict[str, Any]:
    """Seconds from the start of this process to a run's first step."""
    import psutil

    from trainer import train
    from trainer import training_run

    class FirstStep(training_run.TrainingRun):
        """A run that ends where its first step would begin."""

        def _run_steps(self, train_call: Any, iterator: Iterator) -> None:
            next(iterator)
            raise InterruptedError

    train.TrainingRun = FirstStep
    settings = _settings(data_dir, backbone=backbone)
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        workdir = pathlib.Path(folder) / "run"
        with contextlib.suppress(InterruptedError):
            train.train_and_evaluate(settings, workdir)
        seconds = time.time() - process.create_time()
        written = process.io_counters().write_chars
        kept = sum(f.stat().st_size for f in workdir.rglob("*") if f.is_file())
    return {"seconds": seconds, "written": max(0, written - kept)}


def _rate(data_dir: str, way: str, seconds: float) -> dict[str, Any]:
    """Images a second, from the second epoch on where one takes not longer."""
    is_plain = way in (PLAIN, FLOAT)
    batches = _plain(data_dir, way) if is_plain else _ours(data_dir, way)
    end = time.perf_counter() + seconds / 2
    while time.perf_counter() < end:
        next(batches)
    count, begin = 0, time.perf_counter()
    while time.perf_counter() < begin + seconds:
        count += next(batches)
    return {"rate": count / (time.perf_counter() - begin)}


def _ours(data_dir: str, way: str) -> Iterator[int]:
    import numpy as np
    import tensorflow as tf

    from trainer.data import input_pipeline
    from trainer.data import prepared
    from trainer.settings.augmentation import AugmentationSettings

    # As in a run.
    tf.random.set_seed(0)
    tf.config.experimental.enable_op_determinism()
    reading = "memory" if MEMORY in way else "stream"
    data = _settings(data_dir, reading=reading).data
    split = prepared.load_split(data, TRAIN)
    targets = np.eye(len(data.class_names), dtype=np.float32)[split.labels]
    augmentation = AugmentationSettings()
    if AUGMENTED in way:
        augmentation = AugmentationSettings(
            flip=True, rotation=10, shift=0.08, zoom=0.12
        )
    for images, _ in input_pipeline.make_for_train(
        split.images,
        targets,
        augmentation,
        batch_size=BATCH,
        seed=0,
        epochs=range(10**6),
    ):
        yield len(images)


def _plain(data_dir: str, way: str) -> Iterator[int]:
    import tensorflow as tf
    import tensorflow_datasets as tfds

    dataset = tfds.load(
        DATASET, split=TRAIN, data_dir=data_dir, shuffle_files=True
    )
    dataset = dataset.map(
        lambda example: (example["image"], example["label"]),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    dataset = dataset.shuffle(PLAIN_BUFFER).batch(BATCH).repeat()
    if way == FLOAT:
        dataset = dataset.map(
            lambda images, labels: (tf.cast(images, tf.float32), labels),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    for images, _ in dataset.prefetch(tf.data.AUTOTUNE):
        yield len(images)


def _read(data_dir: str, worker: int) -> dict[str, Any]:
    """What part of the records' bytes one of two workers reads in an epoch."""
    import psutil
    import tensorflow as tf

    from trainer.data import prepared
    from trainer.data import streaming

    data = _settings(data_dir).data
    images = prepared.load_split(data, TRAIN).images
    dataset = streaming.shuffled(
        images,
        seed=0,
        epochs=range(1),
        keep=len(images) // 2,
        context=tf.distribute.InputContext(2, worker, 2),
    )
    process = psutil.Process()
    before = process.io_counters().read_chars
    count = sum(1 for _ in dataset)
    read = process.io_counters().read_chars - before
    whole = int(images.length.sum()) + images.kind.frame * len(images)
    assert count == len(images) // 2
    return {"read": read / whole}


def _wait(data_dir: str, steps: int, backbone: str) -> dict[str, Any]:
    """What part of a training step is waiting for its images."""
    from benchmarks import timed_run
    from trainer.data import prepared

    settings = _settings(
        data_dir, backbone=backbone, batch_size=16, flip=True, rotation=10
    )
    images = prepared.load_split(settings.data, TRAIN).images
    with tempfile.TemporaryDirectory() as folder:
        run = timed_run.make_run(
            settings, images, pathlib.Path(folder), is_ours=True
        )
        take_steps = run.waiting_steps()
        take_steps(1)  # Compiles.
        begin = time.perf_counter()
        take_steps(steps)
        seconds = time.perf_counter() - begin
    return {
        "wait_fraction": run.waited_seconds / seconds,
        "step_seconds": seconds / steps,
    }


if __name__ == "__main__":
    harness.run_stoppable(main)
