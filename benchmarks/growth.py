"""How time and memory grow with the number of images, up to 500,000.

  python -m benchmarks.growth

Two sections: 48 pixels here, and 224 pixels in `benchmarks.streamed`. Drawn
photographs in the layout of AffectNet's full release (as many names, few
distinct pictures) go through the real commands: `tfds build`, then reading the
prepared split, one epoch of augmented training batches, and one pass of
evaluation batches. The last three run twice: with the decoded images in
memory, and streamed, as is chosen by itself for data that does not fit there.

Memory is that of all processes of a command, without pages of files: those
the system takes back when it needs room.
"""

import argparse
import os
import pathlib
import shutil
import tempfile
import time
from typing import Any

from benchmarks import drawn_data
from benchmarks import harness
from benchmarks import pictures
from benchmarks import streamed

MODULE = "benchmarks.growth"
SIZE_PX, BATCH = 48, 64
# Way -> --reading.
WAYS = {"in memory": "memory", "streamed": "stream"}
TASKS = ("reading", "training", "evaluation")
TASK_TEXT = {
    "build": "build",
    "reading": "read first",
    "training": "training epoch",
    "evaluation": "evaluation",
}
MIB = 2**20


def main(arguments: list[str] | None = None) -> None:
    """Measures and writes the tables and the pictures."""
    parser = harness.make_parser(__doc__)
    sizes = [50_000, 125_000, 250_000, 500_000]
    parser.add_argument("--num_images", type=int, nargs="*", default=sizes)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--scratch", type=pathlib.Path, default=harness.SCRATCH)
    streamed.add_options(parser)
    harness.run_program(parser, measure, measure_alone, arguments=arguments)


def measure(options: argparse.Namespace) -> dict[str, str]:
    """Returns section of the page -> text."""
    rows = [
        measure_size(count, options.processes, options.scratch)
        for count in options.num_images
    ]
    if options.pictures and rows:
        draw(options.pictures, rows)
    pages = {"growth": as_tables(rows) if rows else ""}
    pages["streamed"] = streamed.measure(options)
    return {name: text for name, text in pages.items() if text}


def measure_size(
    count: int, processes: int, scratch: pathlib.Path
) -> dict[str, Any]:
    """Builds and reads so many images.

    Returns:
      `count`; `seconds`, a dict of task -> seconds, where each task but the
      build is a pair (task, way); `mib`, a dict of build or way -> MiB.
    """
    raw = drawn_data.photographs(count, scratch)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        command = drawn_data.build_command(
            "affectnet",
            raw,
            folder,
            config=f"size_{SIZE_PX}",
            processes=processes,
        )
        built = harness.run_watched(command)
        seconds = {"build": built["seconds"]}
        mib = {"build": built["own_bytes"] / MIB}
        # What the build left to the system to write is not the readers' work.
        os.sync()
        for way in WAYS:
            found = harness.run_alone(MODULE, way=way, data_dir=folder)
            mib[way] = found["watched"]["own_bytes"] / MIB
            seconds |= {(task, way): found[task] for task in TASKS}
    shutil.rmtree(raw)
    return {"count": count, "seconds": seconds, "mib": mib}


def as_tables(rows: list[dict[str, Any]]) -> str:
    """Returns the tables of time for an image and of memory."""
    keys = list(rows[0]["seconds"])
    header = ["images", *(f"{_text(key)}, µs an image" for key in keys)]
    times = [
        [f"{row['count']:,}"]
        + [
            harness.digits(1e6 * row["seconds"][key] / row["count"])
            for key in keys
        ]
        for row in rows
    ]
    ways = list(rows[0]["mib"])
    memory = [
        [f"{row['count']:,}", *(f"{row['mib'][way]:,.0f}" for way in ways)]
        for row in rows
    ]
    tables = [
        harness.as_table(header, times),
        harness.as_table(
            ["images", *(f"{_memory_text(way)}, MiB" for way in ways)], memory
        ),
    ]
    return "\n\n".join(tables)


def draw(folder: pathlib.Path, rows: list[dict[str, Any]]) -> None:
    """Draws seconds and memory over the number of images."""
    places = [row["count"] / 1000 for row in rows]
    pictures.draw_lines(
        folder / "growth_seconds.png",
        labels=("thousand images", "µs an image"),
        places=places,
        lines={
            _text(key): [1e6 * r["seconds"][key] / r["count"] for r in rows]
            for key in rows[0]["seconds"]
        },
        is_log=True,
    )
    pictures.draw_lines(
        folder / "growth_memory.png",
        labels=("thousand images", "memory, MiB"),
        places=places,
        lines={
            _memory_text(way): [row["mib"][way] for row in rows]
            for way in rows[0]["mib"]
        },
    )


def measure_alone(way: str, data_dir: str) -> dict[str, float]:
    """Reads a split and makes its batches: task -> seconds."""
    import numpy as np

    from trainer.batches import PREDICT_BATCH_SIZE
    from trainer.data import input_pipeline
    from trainer.data import prepared
    from trainer.settings.augmentation import AugmentationSettings
    from trainer.settings.model_and_data import DataSettings

    data = DataSettings(
        dataset=f"affectnet/size_{SIZE_PX}",
        data_dir=data_dir,
        image_size=SIZE_PX,
        reading=WAYS[way],
    )
    clock = [time.perf_counter()]
    split = prepared.load_split(data, "train")
    clock.append(time.perf_counter())
    targets = np.eye(len(data.class_names), dtype=np.float32)[split.labels]
    augmentation = AugmentationSettings(
        flip=True, rotation=10, shift=0.08, zoom=0.12
    )
    batches = input_pipeline.make_for_train(
        split.images,
        targets,
        augmentation,
        batch_size=BATCH,
        seed=0,
        epochs=range(1),
    )
    for _ in batches:
        pass
    clock.append(time.perf_counter())
    for _ in input_pipeline.make_for_eval(
        split.images, batch_size=PREDICT_BATCH_SIZE
    ):
        pass
    clock.append(time.perf_counter())
    return dict(zip(TASKS, np.diff(clock).tolist(), strict=True))


def _text(key: str | tuple[str, str]) -> str:
    if key == "build":
        return TASK_TEXT[key]
    task, way = key
    return f"{TASK_TEXT[task]}, {way}"


def _memory_text(way: str) -> str:
    return "build" if way == "build" else f"reading and batches, {way}"


if __name__ == "__main__":
    harness.run_stoppable(main)
