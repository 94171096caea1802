"""Tests of edge/inputs.py: folders, patterns, addresses, standard input."""

import importlib.util
import os
import subprocess

import pytest
from PIL import Image

from edge import inputs
from tests.edge import edge_fixtures
from tests.edge.edge_fixtures import edge

HAS_HEIF = importlib.util.find_spec("pillow_heif") is not None


def test_names_stay_in_their_order_and_folders_are_sorted(tmp_path):
    for name in ("b.png", "a.JPG", "c.mp4", ".d.png", "e.jfif", "f.M2TS"):
        (tmp_path / name).touch()
    named = ["z.png", str(tmp_path), "-", f"{tmp_path}/[ab].*"]
    found = inputs.expand(named)
    names = ("a.JPG", "b.png", "c.mp4", "e.jfif", "f.M2TS")
    folder = [str(tmp_path / name) for name in names]
    assert found.files == ["z.png", *folder, "-", *folder[:2]]
    assert found[1:] == ([], 0)
    # A file that is named like a pattern is itself.
    path = tmp_path / "face[1].png"
    path.touch()
    assert inputs.expand([str(path)]).files == [str(path)]


@pytest.mark.parametrize("name", ["", "*.png", "**/nothing"])
def test_nothing_found_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(inputs.InputError, match="no "):
        inputs.expand([str(tmp_path / name)])


def test_what_is_left_out_of_a_folder_is_counted_and_named(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.txt", "in/b.txt", "in/c.CR2", "README", ".hidden"):
        (tmp_path / name).touch()
    edge_fixtures.save_picture(tmp_path / "in" / "light.png", 250)
    os.mkfifo(tmp_path / "in" / "pipe.png")
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    done = edge(tmp_path, ".", timeout=60)
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert done.stderr == (
        "edge: .: 6 left out (2 .txt, as a.txt; 1 without a suffix, as README; "
        "1 linked folder, as in/up; 1 .cr2, as in/c.CR2; ...)\n"
    )


def test_a_folder_of_nothing_else_says_what_is_in_it(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(inputs.InputError, match=r"1 left out \(1 \.txt, as a"):
        inputs.expand([str(tmp_path)])


@pytest.mark.skipif(HAS_HEIF, reason="pillow-heif is installed")
@pytest.mark.parametrize("named", ["folder", "file"])
def test_heic_says_what_it_needs(tmp_path, named):
    content = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40)
    (tmp_path / "IMG_1.HEIC").write_bytes(content)
    edge_fixtures.save_picture(tmp_path / "light.png", 250)
    names = ["."] if named == "folder" else ["IMG_1.HEIC", "light.png"]
    done = edge(tmp_path, *names)
    assert done.returncode == 1
    assert "light.png: light" in done.stdout
    assert "IMG_1.HEIC" in done.stderr
    assert "pip install pillow-heif" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not HAS_HEIF, reason="pillow-heif is not installed")
def test_heic_is_read(tmp_path):
    import pillow_heif

    pillow_heif.register_heif_opener()
    Image.new("RGB", (64, 64), "white").save(tmp_path / "a.heic")
    done = edge(tmp_path, "--json", ".")
    assert (done.returncode, done.stderr) == (0, "")
    assert '"width": 64' in done.stdout


def test_patterns_of_any_depth_end_in_folders_that_are_linked_in_loops(
    tmp_path,
):
    (tmp_path / "in" / ".hidden").mkdir(parents=True)
    for name in ("a.png", "in/b.png", "in/.hidden/c.png", "in/.d.png"):
        (tmp_path / name).touch()
    for name in ("one", "two", "in/three"):
        (tmp_path / name).symlink_to(tmp_path)
    expected = [str(tmp_path / "a.png"), str(tmp_path / "in" / "b.png")]
    for pattern in ("**/*.png", "**", "**/*"):
        assert inputs.expand([f"{tmp_path}/{pattern}"]).files == expected
    assert inputs.expand([f"{tmp_path}/a**g"]).files == expected[:1]
    hidden = inputs.expand([f"{tmp_path}/**/.d*"]).files
    assert hidden == [str(tmp_path / "in" / ".d.png")]
    with pytest.raises(inputs.InputError, match="matches folders"):
        inputs.expand([f"{tmp_path}/i*"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("https://host/a.jpg", "curl -LO https://host/a.jpg"),
        ("HTTP://host/a.mjpg", "--camera=HTTP://host/a.mjpg"),
        ("rtsp://host/a", "--camera=rtsp://host/a"),
        ("file:///a.png", "without file://"),
    ],
)
def test_addresses_say_what_to_do(tmp_path, name, message):
    done = edge(tmp_path, name)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("start", ["<&-", "0>out"])
def test_standard_input_that_cannot_be_read(tmp_path, start):
    done = subprocess.run(
        ["sh", "-c", f'"$@" {start}', "sh", *edge_fixtures.command("-")],
        cwd=tmp_path,
        env=edge_fixtures.environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot read standard input: " in done.stderr
    assert done.stderr.count("\n") == 1
