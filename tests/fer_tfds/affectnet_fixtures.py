"""Raw AffectNet data on a small scale, for the tests of its builder."""

import pathlib

from fer_tfds.sources.affectnet import find as affectnet
from fer_tfds.sources.affectnet import settings as affectnet_settings

COUNTS = {"train": [3] * 8, "validation": [1] * 8, "test": [1] * 8}
SEED = 7

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,"
    "facial_landmarks,expression,valence,arousal"
)


def find(manual_dir):
    manual_dir = pathlib.Path(manual_dir)
    settings = affectnet_settings.load(manual_dir)
    return affectnet.find_source(manual_dir, settings)


def read_all(manual_dir):
    return list(find(manual_dir).annotations())


def load_all(manual_dir):
    """Annotations completed by what stands beside the pictures."""
    source = find(manual_dir)
    with source.open() as load:
        return [load(row)[1] for row in source.annotations()]


def write_release(folder, rows, header=HEADER, images=()):
    """A full release with the given lines in training.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [header, *rows] if header else rows
    (folder / "training.csv").write_text("\n".join(lines) + "\n")
    for name in images:
        path = folder / "Manually_Annotated_Images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")
