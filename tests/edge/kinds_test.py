"""Tests of edge/kinds.py: what is a picture, what a video, what no file."""

import os
import pathlib
import shutil
import socket
import subprocess

import numpy as np
import pytest
from PIL import Image

from edge import kinds
from edge import opencv
from edge import video
from tests.edge import edge_fixtures
from tests.edge.edge_fixtures import edge

# Suffix that OpenCV chooses a container by -> encoder.
CONTAINERS = {
    "mts": "mp4v",
    "m2v": "MPG2",
    "mpg": "MPG1",
    "vob": "MPG2",
    "wmv": "WMV2",
    "nut": "mp4v",
    "mxf": "MPG2",
}
# A beginning of MP4 that belongs to pictures of phones.
HEIF = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("clip", "video", True),
        ("clip.png", "video", True),
        ("face.mp4", "picture", False),
        ("face.avif", "avif", False),
        ("face.png", "text", False),
        ("clip.MP4", "text", True),
        ("photo.mp4", "heif", False),
        ("gone.mp4", None, True),
        ("gone.png", None, False),
    ],
)
def test_a_file_is_told_by_its_content(tmp_path, name, content, expected):
    path = tmp_path / name
    if content == "video":
        path.write_bytes(edge_fixtures.video_path().read_bytes())
    elif content == "text":
        path.write_text("neither")
    elif content == "heif":
        path.write_bytes(HEIF)
    elif content is not None:
        form = {"picture": "PNG", "avif": "AVIF"}[content]
        Image.new("L", (8, 8)).save(path, form)
    assert kinds.is_video(str(path)) == expected


def write_video(path, suffix):
    """A video of eight frames in the container of `suffix`."""
    whole = path.with_name(f"whole.{suffix}")
    cv2 = opencv.load("testing")
    code = cv2.VideoWriter_fourcc(*CONTAINERS[suffix])
    writer = cv2.VideoWriter(str(whole), code, 25.0, (96, 54))
    for index in range(8):
        frame = Image.fromarray(edge_fixtures.VIDEO.frame(index))
        writer.write(np.asarray(frame.resize((96, 54))))
    writer.release()
    return whole.rename(path)


@pytest.mark.parametrize("name", ["clip", "clip.weird", "clip.MTS"])
@pytest.mark.parametrize("suffix", CONTAINERS)
def test_what_ffmpeg_reads_is_a_video_whatever_its_suffix(
    tmp_path, name, suffix
):
    path = str(write_video(tmp_path / name, suffix))
    assert kinds.is_video(path) or video.can_read(path)
    frames = list(video.VideoFile(path).frames())
    assert 6 <= len(frames) <= 8


DAMAGED = {
    "text": lambda path: path.write_text("words, words\n" * 99),
    "subtitles": lambda path: path.write_text("1\n00:00:01 --> 00:00:02\nA\n"),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 9),
    "picture": lambda path: Image.new("L", (8, 8)).save(path, "PNG"),
    "cut picture": lambda path: cut(path, "PNG"),
    "cut photograph": lambda path: cut(path, "JPEG"),
    "missing": lambda path: None,
}


def cut(path, form):
    photo = Image.fromarray(edge_fixtures.VIDEO.frame(0))
    photo.save(path, form)
    path.write_bytes(path.read_bytes()[:-2000])


@pytest.mark.parametrize("damage", DAMAGED)
def test_what_is_no_video_is_not_taken_for_one(tmp_path, damage):
    path = tmp_path / "thing"
    DAMAGED[damage](path)
    assert not kinds.is_video(str(path))
    assert not video.can_read(str(path))


def test_the_command_reads_a_video_of_any_name(tmp_path):
    write_video(tmp_path / "holiday.weird", "mts")
    done = edge(tmp_path, "--csv", "--no_detect", "holiday.weird")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("holiday.weird,") >= 6


def test_names_that_are_addresses_to_ffmpeg_are_files(tmp_path):
    for name in ("concat:a.mp4", "rtsp:b.mp4", "%03d.mp4"):
        content = edge_fixtures.video_path().read_bytes()
        (tmp_path / name).write_bytes(content)
    done = edge(tmp_path, ".", "--no_detect", "--top=1")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(" 12 frames") == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pipe.png", "is a pipe; type: cat pipe.png | python -m edge -"),
        ("link.png", "is a pipe; type: cat link.png | python -m edge -"),
        ("socket.png", "is a socket, not a file"),
        ("/dev/zero", "is a device; a camera is named so: --camera=/dev/zero"),
        ("loop.png", "loop.png"),
        ("a/b.png", "no such picture: a/b.png"),
        ("light.png/b.png", "light.png/b.png"),
        ("x" * 300 + ".png", "x.png"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_no_file_is_said_in_one_line(
    tmp_path, monkeypatch, name, message
):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.png")
    os.symlink("pipe.png", "link.png")
    os.symlink("loop.png", "loop.png")
    edge_fixtures.save_picture(pathlib.Path("light.png"), 250)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket.png")
        done = edge(tmp_path, name, "light.png", timeout=60)
    assert done.returncode == 1
    assert done.stdout.startswith("light.png: light")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("is_written", [False, True])
def test_a_pipe_as_a_camera_is_not_waited_for_without_end(tmp_path, is_written):
    os.mkfifo(tmp_path / "pipe")
    clip = write_video(tmp_path / "clip", "mts")
    writer = None
    if is_written:
        writer = subprocess.Popen(["sh", "-c", f"cat {clip} > {tmp_path}/pipe"])
    done = edge(tmp_path, "--camera=pipe", "--csv", "--no_detect", timeout=60)
    assert done.returncode == 1
    if writer is None:
        assert "camera pipe is a pipe that nobody wrote to" in done.stderr
        assert done.stderr.count("\n") == 1
    else:
        writer.wait(60)
        assert done.stdout.count("camera pipe,") >= 1
        assert "stopped giving pictures" in done.stderr


# Takes root's right to read what is forbidden; others have none.
FORBIDDEN = "-dac_override,-dac_read_search"
UNPRIVILEGED = ["setpriv", f"--bounding-set={FORBIDDEN}"]


@pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None,
    reason="setpriv is not installed: apt-get install util-linux",
)
def test_what_may_not_be_read_is_said_in_one_line(tmp_path):
    (tmp_path / "closed").mkdir()
    edge_fixtures.save_picture(tmp_path / "light.png", 250)
    edge_fixtures.save_picture(tmp_path / "no.png", 250)
    shutil.copy(edge_fixtures.video_path(), tmp_path / "no.mp4")
    for name in ("closed", "no.png", "no.mp4"):
        (tmp_path / name).chmod(0)
    start = UNPRIVILEGED if os.geteuid() == 0 else []
    wrong, done = (
        subprocess.run(
            [*start, *edge_fixtures.command(".", *arguments)],
            cwd=tmp_path,
            env=edge_fixtures.environment(),
            capture_output=True,
            text=True,
        )
        for arguments in (["--crops=closed/x"], [])
    )
    (tmp_path / "closed").chmod(0o700)
    assert wrong.returncode == 1
    assert "cannot write closed/x/faces.csv: Permission" in wrong.stderr
    assert done.returncode == 1
    assert done.stdout.startswith("./light.png: light")
    assert done.stderr.splitlines() == [
        "edge: .: 1 left out (1 unreadable (Permission denied), as closed)",
        "edge: cannot read ./no.mp4: Permission denied",
        "edge: cannot read ./no.png: Permission denied",
    ]
