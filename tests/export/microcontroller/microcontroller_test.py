"""Tests of export/microcontroller/write.py: C compiles, holds the model."""

import shutil
import subprocess

import jinja2
import numpy as np
import pytest

import edge
from export import golden
from export import tflite
from export.microcontroller import c_sources
from export.microcontroller import tflm
from export.microcontroller import write
from tests.export import export_fixtures

COMPILER = shutil.which("cc")
FLAGS = ("-std=c99", "-Wall", "-Werror")
needs_compiler = pytest.mark.skipif(
    COMPILER is None, reason="no C compiler on this machine"
)


@pytest.fixture
def path(tmp_path):
    source = export_fixtures.export_folder() / "model_int8.tflite"
    return shutil.copy(source, tmp_path / "model_int8.tflite")


def compile_check(folder):
    sources = ("self_check.c", "model_data.c")
    arguments = [COMPILER, *FLAGS, "-o", "self_check", *sources]
    subprocess.run(arguments, cwd=folder, check=True)
    return folder / "self_check"


def write_int8(folder, io):
    export_fixtures.write_tflite(folder, "int8", io=io)
    return folder / "model_int8.tflite"


@needs_compiler
def test_the_array_is_the_model_byte_by_byte(path):
    found = write.write(path)
    program = compile_check(path.parent / write.FOLDER)
    done = subprocess.run(
        [program, path], capture_output=True, text=True, check=True
    )
    assert f"model: {found['model_bytes']} bytes" in done.stdout
    assert "angry disgust fear happy" in done.stdout
    # The zip of labels at the end is not carried into flash.
    assert found["model_bytes"] < path.stat().st_size


@needs_compiler
def test_a_damaged_array_is_noticed(path):
    write.write(path)
    folder = path.parent / write.FOLDER
    source = folder / "model_data.c"
    text = source.read_text()
    head, tail = text[: len(text) // 3], text[len(text) // 3 :]
    source.write_text(head + tail.replace("0x01,", "0x02,", 1))
    done = subprocess.run([compile_check(folder)], capture_output=True)
    assert done.returncode == 1
    assert b"damaged" in done.stderr


@pytest.mark.parametrize(
    "io", [pytest.param("uint8", marks=pytest.mark.slow), "int8"]
)
def test_golden_outputs_are_the_bytes_of_the_output_tensor(tmp_path, io):
    path = write_int8(tmp_path, io)
    write.write(path)
    text = (tmp_path / write.FOLDER / "model_data.c").read_text()
    block = text.split("fer_golden_outputs", 1)[1].split("{", 1)[1]
    words = block.split("}")[0].split(",")[:-1]
    stored = np.array([int(word, 16) for word in words], np.uint8).view(io)
    model = edge.Classifier(path, use_xnnpack=False)
    answers = model.probabilities(golden.draw_images(48, 1))
    zero_point = -128 if io == "int8" else 0
    meant = (stored.astype(int) - zero_point) / 256
    np.testing.assert_allclose(meant, answers.ravel(), atol=1e-6)


def test_the_example_registers_each_operator_once(path):
    found = write.write(path)
    folder = path.parent / write.FOLDER
    example = (folder / "example.cc").read_text()
    assert f"MicroMutableOpResolver<{len(found['operators'])}>" in example
    for operator in found["operators"]:
        method = write.TFLM_OPERATORS[operator]
        assert example.count(f"resolver.{method}()") == 1
    for mark in ("{{", "{%"):
        assert mark not in example


def test_what_a_template_names_must_be_given_and_bytes_are_twelve_a_row():
    with pytest.raises(jinja2.UndefinedError):
        c_sources.render({"file": "model_int8.tflite"})
    first, second = c_sources.as_rows(bytes(range(13))).splitlines()
    assert first.startswith("  0x00, 0x01, ") and first.endswith(" 0x0b,")
    assert second == "  0x0c,"


@pytest.mark.parametrize("io", ["uint8", "int8"])
def test_tflm_answers_like_litert(tmp_path, io):
    """Its own interpreter; skipped where that optional extra is missing."""
    pytest.importorskip(tflm.PACKAGE)
    path = write_int8(tmp_path, io)
    found = write.write(path)
    assert 2 * 48 * 48 < found["arena_bytes"] < 100_000
    assert "differ by at most 0.0" in found["arena_note"]
    example = (tmp_path / write.FOLDER / "example.cc").read_text()
    assert f"#define FER_ARENA_BYTES {found['arena_bytes']} " in example


def test_an_operator_that_tflm_lacks_is_refused(path, monkeypatch):
    monkeypatch.delitem(write.TFLM_OPERATORS, "MEAN")
    with pytest.raises(write.MicrocontrollerError, match="MEAN"):
        write.write(path)
    assert not (path.parent / write.FOLDER).exists()


def test_a_file_that_answers_otherwise_in_tflm_is_refused(path, monkeypatch):
    def run(content, inputs):
        return tflm.Measured(9000, np.zeros([len(inputs), 7], np.uint8))

    monkeypatch.setattr(tflm, "run", run)
    match = "otherwise than in LiteRT"
    with pytest.raises(write.MicrocontrollerError, match=match):
        write.write(path)
    assert not (path.parent / write.FOLDER).exists()


@pytest.mark.parametrize(
    ("spec", "note"),
    [(None, "is not installed"), (True, "failed (too small)")],
    ids=["absent", "failing"],
)
def test_no_arena_is_stated_without_measuring(path, monkeypatch, spec, note):
    monkeypatch.setattr(tflm.importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setattr(tflm, "_PROGRAM", "raise SystemExit('too small')")
    found = write.write(path)
    assert found["arena_bytes"] is None
    assert f"not measured: tflite_micro {note}" in found["arena_note"]
    example = (path.parent / write.FOLDER / "example.cc").read_text()
    assert "#error Measure the arena" in example


@pytest.mark.parametrize("recipe", ["float32", "dynamic", "int16x8"])
def test_what_is_not_full_integer_is_refused(recipe):
    path = export_fixtures.export_folder() / tflite.file_name(recipe)
    with pytest.raises(write.MicrocontrollerError, match="--recipes=int8"):
        write.write(path)


def test_the_checksum_is_fnv_1a():
    """Test vectors of draft-eastlake-fnv, appendix C."""
    assert write.checksum(b"") == 0x811C9DC5
    assert write.checksum(b"a") == 0xE40C292C
    assert write.checksum(b"foobar") == 0xBF9CF968
