"""Drawn faces in any number, for measurements alone.

Drawing takes 3 ms a face, so that some are drawn and the others are copies,
shifted and brightened: no two are equal, and each takes as long to encode and
to decode as a drawn one. What is made lies in a scratch folder and is used
again; it may be deleted at any time.
"""

import csv
import functools
import io
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import numpy as np
from PIL import Image

from benchmarks import harness
from fer_tfds import labels
from fer_tfds import synthetic
from fer_tfds.drawing import affectnet
from fer_tfds.drawing import fer2013
from fer_tfds.sources.affectnet import settings
from fer_tfds.sources.fer2013 import find
from fer_tfds.sources.records import FaceRecords
from fer_tfds.sources.records import count_classes
from trainer import files

SEED = 0
NUM_CLASSES = len(labels.class_names("fer2013"))
# Faces and photographs that are really drawn.
DISTINCT = 700
# As in FER-2013, of which validation and test are a tenth each.
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
# A copy is shifted by up to so many pixels each way.
_SHIFTS = range(-3, 4)
_LEVELS = 12

# Rows of a CSV file that are in memory at a time.
_ROWS_AT_ONCE = 5_000


def faces(count: int) -> np.ndarray:
    """Returns uint8 [count, 48, 48], face i showing class i modulo 7."""
    drawn = _draw(min(count, DISTINCT))
    result = np.empty((count, *drawn.shape[1:]), np.uint8)
    for start in range(0, count, len(drawn)):
        part = drawn[: count - start]
        result[start : start + len(part)] = _vary(part, start // len(drawn))
    return result


def pictures(count: int, size: int, channels: int) -> np.ndarray:
    """Returns uint8 [count, size, size, channels]: faces, scaled up."""
    drawn = faces(min(count, DISTINCT))
    scaled = np.stack(
        [np.asarray(Image.fromarray(f).resize((size, size))) for f in drawn]
    )
    chosen = np.resize(np.arange(len(drawn)), count)
    return np.repeat(scaled[chosen, ..., None], channels, axis=-1)


def records(count: int) -> FaceRecords:
    """Returns faces of all three splits, in the order of a CSV file."""
    ends = np.cumsum([round(count * share) for share in SHARES.values()])
    ends[-1] = count
    sizes = np.diff(ends, prepend=0)
    names = zip(SHARES, sizes, strict=True)
    return FaceRecords(
        images=faces(count),
        labels=np.arange(count) % NUM_CLASSES,
        splits=[name for name, size in names for _ in range(size)],
        ids=[f"row_{index:05d}" for index in range(count)],
    )


def csv_folder(
    count: int, scratch: pathlib.Path = harness.SCRATCH
) -> pathlib.Path:
    """Returns a folder with `fer2013.csv`."""

    def make(folder: pathlib.Path) -> None:
        folder.mkdir()
        drawn = records(count)
        with (folder / "fer2013.csv").open("wb") as file:
            for start in range(0, count, _ROWS_AT_ONCE):
                stop = min(start + _ROWS_AT_ONCE, count)
                text = fer2013.format_csv(drawn.take(list(range(start, stop))))
                # The header stands in the first part alone.
                file.write(text if not start else text.split(b"\n", 1)[1])
        counts = count_classes(drawn, NUM_CLASSES)
        path = folder / find.EXPECTED_COUNTS_FILE
        path.write_text(json.dumps(counts))

    return _once(scratch / f"csv_{count}", make)


def data_dir(
    count: int, scratch: pathlib.Path = harness.SCRATCH
) -> pathlib.Path:
    """Returns a folder of prepared data: `fer2013/original`."""

    def make(folder: pathlib.Path) -> None:
        subprocess.run(
            build_command("fer2013", csv_folder(count, scratch), folder),
            cwd=harness.ROOT,
            check=True,
            capture_output=True,
        )

    return _once(scratch / f"data_{count}", make)


def class_folders(
    count: int, scratch: pathlib.Path = harness.SCRATCH
) -> pathlib.Path:
    """Returns a folder with a folder of JPEG files for each class."""

    def make(folder: pathlib.Path) -> None:
        names = labels.class_names("fer2013")
        for name in names:
            (folder / name).mkdir(parents=True)
        for index, face in enumerate(faces(count)):
            buffer = io.BytesIO()
            # As Kaggle's copies of FER-2013 are.
            Image.fromarray(face).save(buffer, "JPEG", quality=95)
            path = folder / names[index % NUM_CLASSES] / f"{index:06d}.jpg"
            path.write_bytes(buffer.getvalue())

    return _once(scratch / f"folders_{count}", make)


def photographs(
    count: int, scratch: pathlib.Path = harness.SCRATCH
) -> pathlib.Path:
    """Returns a folder with AffectNet's full release, training split alone.

    Names are all different; files with the same picture are one file on disk.
    """
    drawn = _drawn_photographs(min(count, DISTINCT), scratch)
    table = affectnet.TABLES["train"]
    with (drawn / table).open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)

    def make(folder: pathlib.Path) -> None:
        folder.mkdir()
        images = affectnet.IMAGES_FOLDER
        found = [0] * len(labels.native_names("affectnet"))
        with (folder / table).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            for index in range(count):
                turn, place = divmod(index, len(rows))
                row = list(rows[place])
                source = drawn / images / row[0]
                row[0] = f"{turn}/{place:06d}.jpg"
                target = folder / images / row[0]
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(source, target)
                writer.writerow(row)
                found[int(row[header.index("expression")])] += 1
        expected = {"expected_counts": {"train": found}, "note": "drawn"}
        (folder / settings.FILE_NAME).write_text(json.dumps(expected))

    return _once(scratch / f"photographs_{count}", make)


def affectnet_dir(
    count: int,
    size_px: int,
    scratch: pathlib.Path = harness.SCRATCH,
    *,
    processes: int = 1,
) -> pathlib.Path:
    """Returns a folder of prepared data: `affectnet/size_...`, train alone."""

    def make(folder: pathlib.Path) -> None:
        command = build_command(
            "affectnet",
            photographs(count, scratch),
            folder,
            config=f"size_{size_px}",
            processes=processes,
        )
        subprocess.run(
            command, cwd=harness.ROOT, check=True, capture_output=True
        )

    return _once(scratch / f"affectnet_{size_px}_{count}", make)


def build_command(
    dataset: str,
    manual_dir: pathlib.Path,
    target: pathlib.Path,
    *,
    config: str = "",
    processes: int = 1,
) -> list[str]:
    """Returns the `tfds build` command for a data set of ours."""
    tfds_command = pathlib.Path(sys.executable).with_name("tfds")
    command = [str(tfds_command), "build", f"fer_tfds/{dataset}"]
    command += [f"--manual_dir={manual_dir}", f"--data_dir={target}"]
    if config:
        command.append(f"--config={config}")
    if processes > 1:
        command.append(
            "--beam_pipeline_options=direct_running_mode=multi_processing,"
            f"direct_num_workers={processes}"
        )
    return command


@functools.cache
def _draw(count: int) -> np.ndarray:
    ids = np.arange(count) % NUM_CLASSES
    return fer2013.draw_faces(ids, SEED)


def _vary(drawn: np.ndarray, turn: int) -> np.ndarray:
    if not turn:
        return drawn
    level, place = divmod(turn, len(_SHIFTS) ** 2)
    down, right = divmod(place, len(_SHIFTS))
    shifted = np.roll(drawn, (_SHIFTS[down], _SHIFTS[right]), axis=(1, 2))
    factor = 0.98 - 0.3 * (turn % _LEVELS) / _LEVELS - 0.01 * level
    return (shifted * factor).astype(np.uint8)


def _drawn_photographs(count: int, scratch: pathlib.Path) -> pathlib.Path:
    row = np.bincount(np.arange(count) % 8, minlength=11).tolist()

    def make(folder: pathlib.Path) -> None:
        synthetic.write("full", folder, {"train": row}, seed=SEED)

    return _once(scratch / f"drawn_photographs_{count}", make)


def _once(
    folder: pathlib.Path, make: Callable[[pathlib.Path], None]
) -> pathlib.Path:
    if not folder.exists():
        print(f"drawing {folder.name}", file=sys.stderr)
        with files.write_aside(folder) as aside:
            make(aside)
    return folder
