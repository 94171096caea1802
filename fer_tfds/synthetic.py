"""Synthetic faces, written in every raw layout that a builder reads.

The project's only fake data: tests and the quickstart run on it, so that both
go through the same readers and builders as real data. Never mix it into real
data; the counts that it writes keep a builder from taking it for real.

Command: python -m fer_tfds.synthetic --out=DIR --layout=archive
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from fer_tfds import labels
from fer_tfds.drawing import affectnet
from fer_tfds.drawing import fer2013
from fer_tfds.drawing.fer2013 import draw_faces
from fer_tfds.drawing.fer2013 import draw_records
from fer_tfds.drawing.layouts import Counts
from fer_tfds.drawing.layouts import Layout
from fer_tfds.drawing.layouts import write_aside
from fer_tfds.sources.records import SPLITS

__all__ = [
    "DATASETS",
    "LAYOUTS",
    "draw_faces",
    "draw_records",
    "main",
    "write",
    "write_contact_sheet",
]

# Data set -> its layouts by name; no two data sets share one.
DATASETS: dict[str, dict[str, Layout]] = {
    "fer2013": fer2013.LAYOUTS,
    "affectnet": affectnet.LAYOUTS,
}
LAYOUTS = fer2013.LAYOUTS | affectnet.LAYOUTS

_SHEET_COLUMNS = 14


def write(
    layout: str,
    directory: Path,
    counts: Counts,
    *,
    seed: int,
    overwrite: bool = False,
) -> None:
    """Writes synthetic faces as a data set's copies come, marked as such.

    Args:
        layout: a key of `LAYOUTS`.
        directory: the folder to write to; made when it is absent.
        counts: split name -> how many faces of each class, by label id. For
            AffectNet 11 counts, or 8, to which the full release adds one in
            twenty of each label that is no expression; splits that a layout
            does not have are left out.
        seed: decides on all faces; FER-2013's layouts hold the same faces.
        overwrite: replace what this layout wrote before.

    Raises:
        ValueError: `counts` has not the right form, or something exists that
            may not be replaced: `overwrite` is false, or it may be real data.
    """
    LAYOUTS[layout].write(directory, counts, seed, overwrite=overwrite)


def write_contact_sheet(path: Path, seed: int) -> None:
    """Writes a PNG with a row of faces for each class, in label order."""
    num_classes = len(labels.class_names("fer2013"))
    label_ids = np.repeat(np.arange(num_classes), _SHEET_COLUMNS)
    faces = draw_faces(label_ids, seed)
    size = faces.shape[-1]
    sheet = faces.reshape(num_classes, _SHEET_COLUMNS, size, size)
    sheet = sheet.transpose(0, 2, 1, 3).reshape(num_classes * size, -1)
    write_aside(Path(path), fer2013.encode(sheet, "PNG"))


def _parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m fer_tfds.synthetic",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, help="folder to write to")
    parser.add_argument("--dataset", choices=DATASETS, default="fer2013")
    parser.add_argument("--layout", help=_describe_layouts())
    for split, count in (("train", 40), ("validation", 10), ("test", 10)):
        parser.add_argument(
            f"--{split}", type=int, default=count, help="faces of each class"
        )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument(
        "--contact_sheet", type=Path, help="PNG file: a row for each class"
    )
    options = parser.parse_args(arguments)
    if options.out is None and options.contact_sheet is None:
        parser.error("give --out=DIR, --contact_sheet=FILE.png or both")
    layouts = DATASETS[options.dataset]
    options.layout = options.layout or next(iter(layouts))
    if options.layout not in layouts:
        parser.error(
            f"--layout of {options.dataset} must be one of "
            f"{', '.join(layouts)}. Received: {options.layout!r}"
        )
    return options


def _describe_layouts() -> str:
    return "; ".join(
        f"{dataset}: {', '.join(layouts)}"
        for dataset, layouts in DATASETS.items()
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = _parse_arguments(arguments)
    num_classes = len(labels.class_names(options.dataset))
    counts = {s: [getattr(options, s)] * num_classes for s in SPLITS}
    try:
        if options.out is not None:
            write(
                options.layout,
                options.out,
                counts,
                seed=options.seed,
                overwrite=options.overwrite,
            )
            print(
                f"Wrote layout {options.layout} of {options.dataset} into "
                f"{options.out}"
            )
        if options.contact_sheet is not None:
            write_contact_sheet(options.contact_sheet, options.seed)
            print(f"Wrote {options.contact_sheet}")
    except (OSError, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "stopped by SIGINT: --overwrite begins again",
            file=sys.stderr,
        )
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
