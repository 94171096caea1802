"""Hostile model files through the command: one line, little memory and time."""

import io
import json
import os
import resource
import struct
import subprocess
import zipfile

import numpy as np
import pytest

import edge
from edge import model_file
from edge.quantisation import fault_of_quantisation
from tests.edge import brightness
from tests.edge import edge_fixtures
from tests.edge import mutated_models

MEGABYTE = 2**20
LABELS = b"dark\ngrey\nlight\n"


@pytest.fixture(scope="module")
def base():
    content = brightness.model_path("uint8").read_bytes()
    return mutated_models.Base(content)


def with_members(base, labels=LABELS, metadata=None, **options):
    """The good model with other labels, or with some metadata changed."""
    whole = json.loads(zip_of(base).read(model_file.METADATA_MEMBER))
    text = metadata
    if not isinstance(metadata, bytes):
        text = json.dumps({**whole, **(metadata or {})}).encode()
    return mutated_models.add_zip(base.model, labels, text, **options)


def zip_of(base):
    return zipfile.ZipFile(io.BytesIO(base.whole))


def bomb(base, method=zipfile.ZIP_DEFLATED):
    """Labels of 400 MB that say they are 45 bytes."""
    content = with_members(
        base, b"a" * (400 * MEGABYTE), compression=method, compresslevel=9
    )
    return content.replace(
        struct.pack("<L", 400 * MEGABYTE), struct.pack("<L", 45)
    )


def patched(base, name, offset, value):
    """The zip's directory with two bytes changed at one of its entries."""
    content = bytearray(base.whole)
    place = content.rfind(b"PK\1\2", 0, content.rfind(name))
    content[place + offset : place + offset + 2] = struct.pack("<H", value)
    return bytes(content)


def many_entries(base):
    """A directory of a million entries, as the end says."""
    entry = base.whole[base.whole.find(b"PK\1\2") :]
    return base.whole + entry[:46] * 1_000_000 + base.whole[-22:]


def nested(base):
    return with_members(base, metadata=b"[" * 500_000 + b"]" * 500_000)


def changed(base, change):
    """Another graph, with its checksum."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(base.model))
    change(model.subgraphs[0])
    return base.join(mutated_models.pack(model, len(base.model)))


def scale(value):
    def change(graph):
        taken = graph.tensors[graph.inputs[0]]
        taken.quantization.scale = np.array([value], np.float32)

    return lambda base: changed(base, change)


def shape(*sizes):
    def change(graph):
        taken = graph.tensors[graph.inputs[0]]
        taken.shape = np.array(sizes, np.int32)
        taken.shapeSignature = None

    return lambda base: changed(base, change)


def astray(graph):
    graph.operators[0].inputs = np.array([99], np.int32)


def size(value):
    return lambda base: with_members(base, metadata={"image_size": value})


# what it is -> (the content, words of the message).
FILES = {
    "deflated bomb": (bomb, "larger than 1048576 bytes|Bad CRC-32"),
    "lzma": (
        lambda b: with_members(b, compression=zipfile.ZIP_LZMA),
        "packed by method 14",
    ),
    "unknown method": (
        lambda b: patched(b, b"labels.txt", 10, 77),
        "packed by method 77",
    ),
    "encrypted": (lambda b: patched(b, b"labels.txt", 8, 1), "encrypted"),
    "newer zip": (lambda b: patched(b, b"labels.txt", 6, 99), "zip file ver"),
    "many entries": (many_entries, "damaged, or carries no labels"),
    "deep JSON": (nested, "recursion|larger than"),
    "deep, small": (
        lambda b: with_members(b, metadata=b"[" * 200_000),
        "recursion",
    ),
    "huge JSON": (
        lambda b: with_members(
            b,
            metadata={"x": "y" * 3 * MEGABYTE},
            compression=zipfile.ZIP_DEFLATED,
        ),
        "metadata.json is larger",
    ),
    "long number": (
        lambda b: with_members(b, metadata=b'{"a": ' + b"9" * 9999 + b"}"),
        "Exceeds the limit",
    ),
    "no object": (lambda b: with_members(b, metadata=b"[1]"), "malformed"),
    "giant picture": (size(40000), "image_size 40000; it must be from 1"),
    "no size": (size(None), "image_size None"),
    "size in words": (size("8\n" * 999), "image_size '8"),
    "true as a size": (size(True), "image_size True"),
    "giant tensor": (shape(1, 40000, 40000, 1), "40000, 40000, 1, 3"),
    "giant batch": (shape(2**30, 8, 8, 1), "LiteRT"),
    "overflow": (shape(2**31 - 1, 8, 8, 1), "LiteRT"),
    "negative": (shape(-5, 8, 8, 1), "LiteRT|in the model"),
    "equal labels": (
        lambda b: with_members(b, b"a\n" * 3),
        "a label stands twice",
    ),
    "blank label": (lambda b: with_members(b, b"a\n \nc\n"), "malformed"),
    "long label": (
        lambda b: with_members(b, b"a\nb\n" + b"c" * 65 + b"\n"),
        "longer than 64",
    ),
    "control": (
        lambda b: with_members(b, b"a\nb\n\x1b[2Jc\n"),
        "cannot be shown",
    ),
    "right to left": (
        lambda b: with_members(b, "a\nb\n\u202ec\n".encode()),
        "cannot be shown",
    ),
    "no text": (lambda b: with_members(b, b"\xff\xfe\n"), "utf-8"),
    "two labels": (lambda b: with_members(b, b"a\nb\n"), "in its metadata"),
    "labels disagree": (
        lambda b: with_members(b, metadata={"labels": [1, 2, 3]}),
        "name other labels",
    ),
    "scale 0": (scale(0.0), "a scale of 0"),
    "scale nan": (scale(float("nan")), "scale|LiteRT"),
    "scale inf": (scale(float("inf")), "scale|LiteRT"),
    "scale -1": (scale(-1.0), "scale|LiteRT"),
    "astray": (lambda b: changed(b, astray), "LiteRT does not load it"),
}


def run(folder, model, arguments=("face.png",)):
    """Exit code and standard error of the command."""
    edge_fixtures.save_picture(folder / "face.png", 90)
    command = edge_fixtures.command(f"--model={model}", *arguments, model=False)
    with open(folder / "errors", "w+") as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=edge_fixtures.environment(),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            preexec_fn=bound,
        )
        code = process.wait(60)
        errors.seek(0)
        return code, errors.read()


def bound():
    """300 MB for data that is written to; 3 seconds of processor time."""
    most = 300 * MEGABYTE
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (3, 3))


def check_refusal(code, said, name, words):
    assert code == 2, said
    assert said.count("\n") == 1, said
    assert name in said
    assert "python -m export --tflite" in said
    assert any(word in said for word in words.split("|")), said


@pytest.mark.parametrize("name", FILES)
def test_hostile_files_are_refused_in_a_line(tmp_path, base, name):
    make, words = FILES[name]
    (tmp_path / "m.tflite").write_bytes(make(base))
    check_refusal(*run(tmp_path, "m.tflite"), "m.tflite", words)


def make_sparse(path, head):
    with open(path, "wb") as file:
        file.write(head)
        file.truncate(8 << 30)


# what it is -> (how it is made, words of the message).
PLACES = {
    "sparse": (
        lambda path: make_sparse(path, b"\x1c\0\0\0TFL3"),
        "at most 209,715,200",
    ),
    "sparse, empty": (lambda path: make_sparse(path, b""), "not a TFLite file"),
    "pipe": (os.mkfifo, "no file"),
    "folder": (os.mkdir, "Is a directory"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "no file"),
    "circle": (lambda path: path.symlink_to(path), "Too many levels"),
}


@pytest.mark.parametrize("name", PLACES)
def test_what_is_no_model_is_refused_in_a_line(tmp_path, name):
    make, words = PLACES[name]
    make(tmp_path / "m")
    check_refusal(*run(tmp_path, "m"), "m", words)


def test_a_name_that_no_file_can_have():
    with pytest.raises(edge.ModelFileError, match="null byte"):
        edge.Classifier("a\0b")


def test_an_lzma_bomb_is_not_unpacked(tmp_path, base):
    (tmp_path / "m").write_bytes(bomb(base, zipfile.ZIP_LZMA))
    check_refusal(*run(tmp_path, "m"), "m", "packed by method 14")


@pytest.mark.parametrize(
    ("quantization", "dtype", "words"),
    [
        ((0.0, 0), "float32", ""),
        ((1.0, 0), "float32", "quantised"),
        ((1.0, 0), "uint8", ""),
        ((1.0, -128), "int8", ""),
        ((1.0, -1), "uint8", "zero point"),
        ((1.0, 128), "int8", "zero point"),
        ((0.0, 0), "uint8", "scale"),
        ((float("nan"), 0), "int8", "scale"),
        ((float("inf"), 0), "int16", "scale"),
        ((-1.0, 0), "uint8", "scale"),
    ],
)
def test_faults_of_quantisation(quantization, dtype, words):
    found = fault_of_quantisation(*quantization, dtype=dtype)
    assert (words in found) and bool(found) == bool(words)
