"""Tests of `--out`: never an input, never half a file, one clear error."""

import os
import resource
import shutil

import pytest

from tests.edge import edge_fixtures
from tests.edge.edge_fixtures import edge


@pytest.fixture
def folder(tmp_path):
    """A picture, a photograph and a video in `in`, and links to them."""
    (tmp_path / "in").mkdir()
    edge_fixtures.save_picture(tmp_path / "in" / "light.png", 250)
    edge_fixtures.save_photo(tmp_path / "in" / "photo.png")
    shutil.copy(edge_fixtures.video_path(), tmp_path / "in" / "clip.mp4")
    (tmp_path / "soft.png").symlink_to("in/light.png")
    (tmp_path / "soft.mp4").symlink_to("in/clip.mp4")
    (tmp_path / "hard.png").hardlink_to(tmp_path / "in" / "light.png")
    (tmp_path / "linked").symlink_to("in")
    return tmp_path


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--out=in/light.png", "in/light.png"],
        ["--out=soft.png", "in/light.png"],
        ["--out=hard.png", "in/light.png"],
        ["--out=in/light.png", "soft.png"],
        ["--out=./in/../in/light.png", "in/light.png"],
        ["--out=in/clip.mp4", "in/clip.mp4"],
        ["--out=soft.mp4", "in/clip.mp4"],
        ["--out=in/clip.mp4", "--camera=in/clip.mp4"],
        ["--out=in/", "in"],
        ["--out=linked", "in"],
        ["--out=in", "in/light.png"],
        ["--out=in", "in/photo.png", "in/clip.mp4"],
        ["--out=in", "in/*.png"],
    ],
    ids=" ".join,
)
def test_an_input_is_never_written_over(folder, arguments):
    before = contents(folder)
    done = edge(folder, "--overwrite", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "would write over" in done.stderr
    assert done.stderr.count("\n") == 1
    assert contents(folder) == before


def test_outputs_beside_inputs_are_written(folder):
    done = edge(
        folder, "--overwrite", "--out=in/drawn.png", "in/light.png", "--top=1"
    )
    assert done.returncode == 0, done.stderr
    done = edge(folder, "--overwrite", "--out=in/deep", "in/light.png")
    assert done.returncode == 1
    assert "cannot write in/deep: unknown file extension" in done.stderr


def test_two_inputs_never_share_an_output(folder):
    shutil.copy(folder / "in" / "clip.mp4", folder / "in" / "clip.avi")
    done = edge(
        folder,
        *("--no_detect", "--overwrite", "--out=out/"),
        *("in/clip.avi", "in/clip.mp4", "in/light.png"),
    )
    assert done.returncode == 1
    assert "out/clip.mp4 was written for in/clip.avi" in done.stderr
    written = sorted(path.name for path in (folder / "out").iterdir())
    assert written == ["clip.mp4", "light.png"]


@pytest.mark.parametrize("name", ["light", "light.weird", "light.heic"])
def test_names_without_a_picture_format_become_png(folder, name):
    shutil.copy(folder / "in" / "light.png", folder / name)
    done = edge(folder, "--out=out/", name)
    assert done.returncode == 0, done.stderr
    assert os.listdir(folder / "out") == [f"{name}.png"]


@pytest.mark.parametrize("name", ["photo.png", "clip.mp4"])
def test_a_full_disk_is_said_and_leaves_no_half_a_file(folder, name):
    done = edge(
        folder,
        *("--out=out/", "--no_detect", f"in/{name}"),
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (3000, 3000)
        ),
    )
    assert done.returncode == 1
    assert f"cannot write out/{name}: " in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(folder / "out") == []


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("/proc/x.png", "cannot write /proc/x.png"),
        ("in/light.png/x.png", "cannot write in/light.png/x.png"),
        ("x" * 300 + ".png", "File name too long"),
        ("o.xyz", "unknown file extension: .xyz"),
        ("", "--out is empty"),
        ("/dev/null", "is a device"),
        ("pipe.png", "is a pipe"),
    ],
    ids=lambda value: value[:20],
)
def test_what_cannot_be_written_is_said_in_one_line(folder, out, message):
    os.mkfifo(folder / "pipe.png")
    done = edge(folder, "--overwrite", f"--out={out}", "in/light.png")
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_names_of_other_bytes_than_text_are_read_and_written(folder):
    (folder / "in" / "clip.mp4").rename(folder / "in" / "cl\udcffip.mp4")
    done = edge(folder, "--no_detect", "--out=d\udcffn/", "in")
    assert done.returncode == 0, done.stderr
    written = sorted(path.name for path in (folder / "d\udcffn").iterdir())
    assert written == ["cl\udcffip.mp4", "light.png", "photo.png"]
