"""Tests of edge/inputs.py: what is a picture, what a video, what nothing."""

import pytest
from PIL import Image

from edge import inputs
from tests.edge import edge_fixtures


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("clip", "video", True),
        ("clip.png", "video", True),
        ("face.mp4", "picture", False),
        ("face.avif", "avif", False),
        ("face.png", "text", False),
        ("clip.MP4", "text", True),
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
    elif content is not None:
        form = {"picture": "PNG", "avif": "AVIF"}[content]
        Image.new("L", (8, 8)).save(path, form)
    assert inputs.is_video(str(path)) == expected


def test_names_stay_in_their_order_and_folders_are_sorted(tmp_path):
    for name in ("b.png", "a.JPG", "c.mp4", "no.txt", ".d.png"):
        (tmp_path / name).touch()
    found = inputs.expand(["z.png", str(tmp_path), "-", f"{tmp_path}/[ab].*"])
    folder = [str(tmp_path / name) for name in ("a.JPG", "b.png", "c.mp4")]
    assert found == ["z.png", *folder, "-", *folder[:2]]
    # A file that is named like a pattern is itself.
    path = tmp_path / "face[1].png"
    path.touch()
    assert inputs.expand([str(path)]) == [str(path)]


@pytest.mark.parametrize("name", ["", "*.png", "**/nothing"])
def test_nothing_found_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(inputs.InputError, match="no "):
        inputs.expand([str(tmp_path / name)])
