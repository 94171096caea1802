"""Drawn faces in the folders and tables in which people have pictures."""

import io
import zipfile

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from fer_tfds.drawing import faces
from fer_tfds.image_folder.image_folder_dataset_builder import Builder
from fer_tfds.sources.image_folder import find
from fer_tfds.sources.records import SourceError

# An invented class -> the drawn expression that stands for it.
CLASSES = {"party": "happy", "monday": "sad", "spider": "surprise"}
# What nobody decodes, where it lies is all that matters.
P = b"a picture"
TWO = {"a/1.png": P, "b/2.png": P}
_RANDOM = np.random.default_rng(5)


def face(expression="happy", size=48):
    """A drawn face as a picture; each is another one."""
    pixels = faces.draw_face(expression, _RANDOM)
    return Image.fromarray(pixels).resize((size, size))


def encode(picture, kind="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def put(folder, files):
    """Writes files: name -> content, or a picture."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Image.Image):
            content.save(path)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            path.write_bytes(content)
    return folder


def class_folders(count=12, classes=CLASSES):
    """Name -> picture, `count` of each class."""
    return {
        f"{name}/{number:03}.png": face(expression)
        for name, expression in classes.items()
        for number in range(count)
    }


def pack(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return path


def labels_of(folder):
    """Name -> label, split and group, as the reader finds them."""
    source = find.find_source(folder)
    return {p.name: (p.label, p.split, p.group) for p in source.pictures}


def refusal(folder):
    """What the search for pictures ends with."""
    with pytest.raises(SourceError) as caught:
        find.find_source(folder)
    return str(caught.value)


def build(folder, data_dir, config="grey_48"):
    builder = Builder(data_dir=data_dir, config=config)
    manual = tfds.download.DownloadConfig(manual_dir=folder)
    builder.download_and_prepare(download_config=manual)
    return tfds.builder_from_directory(builder.data_path)


def examples(builder):
    """Split -> id -> example, as numpy."""
    return {
        split: {
            example["id"].decode(): example
            for example in tfds.as_numpy(builder.as_dataset(split=split))
        }
        for split in builder.info.splits
    }


def names_of(builder):
    return builder.info.features["label"].names


def build_refusal(folder, tmp_path):
    """What a build ends with, which keeps nothing."""
    with pytest.raises(SourceError) as caught:
        build(folder, tmp_path / "data")
    assert not list((tmp_path / "data").rglob("*.tfrecord*"))
    return str(caught.value)
