"""Reads a FER-2013 CSV file and writes its faces as PNG: no framework.

  python -m benchmarks.png_writer fer2013.csv OUT

What `benchmarks.fer2013_build` compares the builder with: the bytes of all PNG
files, one after the other in one file; no check, no label, no index.
"""

import csv
import io
import sys

import numpy as np
from PIL import Image

SIZE_PX = 48


def write(source: str, target: str) -> None:
    """Writes the faces of a CSV file, one after the other."""
    with open(source, newline="") as file, open(target, "wb") as out:
        for row in csv.DictReader(file):
            values = np.array(row["pixels"].split(), np.uint8)
            buffer = io.BytesIO()
            face = Image.fromarray(values.reshape(SIZE_PX, SIZE_PX))
            face.save(buffer, "PNG")
            out.write(buffer.getvalue())


if __name__ == "__main__":
    write(*sys.argv[1:])
