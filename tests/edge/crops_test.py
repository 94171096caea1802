"""Tests of `--crops`: faces of pictures, cut out, and a table of them."""

import csv
import resource
import signal

import numpy as np
import pytest
from PIL import Image

from edge.analyser import CROP_UP_TO_PX
from tests.edge import edge_fixtures
from tests.edge.edge_fixtures import edge


@pytest.fixture
def folder(tmp_path):
    """Photographs in `in`: three faces, a crop, no face, no picture."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    edge_fixtures.save_photo(tmp_path / "in" / "deep" / "photo.jpg")
    edge_fixtures.save_picture(tmp_path / "in" / "light.png", 250)
    wall = (CROP_UP_TO_PX + 9, 200)
    edge_fixtures.save_picture(tmp_path / "in" / "wall.png", 200, wall)
    (tmp_path / "in" / "bad.png").write_text("no picture")
    return tmp_path


def table(path):
    with open(path / "faces.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files_in(path):
    found = [p for p in path.rglob("*") if p.is_file()]
    return sorted(p.relative_to(path).as_posix() for p in found)


def test_each_face_is_a_file_and_a_row(folder):
    done = edge(folder, "--crops=new/out", "in")
    assert done.returncode == 1  # bad.png
    rows = table(folder / "new" / "out")
    photo = [f"deep/photo.jpg-{number}.png" for number in (1, 2, 3)]
    assert [row["crop"] for row in rows] == ["light.png-1.png", *photo]
    assert files_in(folder / "new") == sorted(
        f"out/{name}" for name in (*photo, "faces.csv", "light.png-1.png")
    )
    whole = rows[0]
    assert whole["picture"] == "in/light.png"
    place = [whole[name] for name in ("left", "top", "width", "height")]
    assert place == ["0", "0", "30", "20"]
    assert (whole["label"], whole["unsure"]) == ("light", "0")
    assert 0.5 < float(whole["probability"]) <= 1


def test_a_crop_is_the_very_pixels_that_are_judged(folder):
    edge(folder, "--crops=out", "--margin=0", "in/deep/photo.jpg", "in")
    photo = np.asarray(Image.open(folder / "in" / "deep" / "photo.jpg"))
    for row in table(folder / "out")[:3]:
        crop = np.asarray(Image.open(folder / "out" / row["crop"]))
        side = max(int(row["width"]), int(row["height"]))
        assert crop.shape == (side, side, 3)
        left = int(row["left"])
        column = photo[:, left : left + side].reshape(-1, side * 3)
        assert (column == crop[0].reshape(-1)).all(axis=1).any()
    whole = np.asarray(Image.open(folder / "out" / "light.png-1.png"))
    given = np.asarray(Image.open(folder / "in" / "light.png"))
    np.testing.assert_array_equal(whole, given)


def test_what_is_there_is_kept_unless_it_may_be_replaced(folder):
    edge(folder, "--crops=out", "in/light.png")
    before = table(folder / "out")
    done = edge(folder, "--crops=out", "in/deep")
    assert (done.returncode, done.stdout) == (2, "")
    assert "out/faces.csv is there already; add --overwrite" in done.stderr
    (folder / "out" / "faces.csv").unlink()
    done = edge(folder, "--crops=out", "in/light.png")
    assert done.returncode == 1
    assert "out/light.png-1.png is there already" in done.stderr
    assert table(folder / "out") == []
    done = edge(folder, "--crops=out", "--overwrite", "in/light.png")
    assert done.returncode == 0, done.stderr
    assert table(folder / "out") == before


@pytest.mark.parametrize("link", ["same", "hard link", "soft link"])
def test_an_input_is_never_a_crop(folder, link):
    out = folder / "out"
    out.mkdir()
    edge_fixtures.save_picture(out / "light.png", 250)
    given = edge_fixtures.save_picture(out / "light.png-1.png", 5)
    name = "out/light.png-1.png" if link == "same" else "out/other.png"
    if link == "hard link":
        (folder / name).hardlink_to(given)
    elif link == "soft link":
        (folder / name).symlink_to(given)
    before = given.read_bytes()
    done = edge(folder, "--crops=out", "--overwrite", "out/light.png", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert "would write over out/light.png-1.png" in done.stderr
    assert given.read_bytes() == before
    assert "faces.csv" not in files_in(out)


def test_names_that_a_table_cannot_hold_are_changed(tmp_path):
    for name in ("=1+1.png", "two\nlines.png"):
        edge_fixtures.save_picture(tmp_path / name, 250)
    done = edge(tmp_path, "--crops=out", ".")
    assert done.returncode == 0, done.stderr
    crops = {row["crop"] for row in table(tmp_path / "out")}
    assert crops == {"_=1+1.png-1.png", "two_lines.png-1.png"}
    assert {*crops, "faces.csv"} == set(files_in(tmp_path / "out"))


def test_standard_input_has_crops_and_a_video_has_none(tmp_path):
    content = edge_fixtures.save_photo(tmp_path / "photo.png").read_bytes()
    clip = edge_fixtures.video_path()
    done = edge(tmp_path, "--crops=out", "-", clip, input=content)
    assert done.returncode == 0
    assert b"a video; --crops takes pictures" in done.stderr
    rows = table(tmp_path / "out")
    assert [row["crop"] for row in rows] == [
        f"stdin-{n}.png" for n in (1, 2, 3)
    ]


def test_ctrl_c_keeps_the_table(tmp_path):
    photo = edge_fixtures.save_photo(tmp_path / "photo.png")
    names = [f"{number:03}.png" for number in range(300)]
    for name in names:
        (tmp_path / name).hardlink_to(photo)
    process = edge_fixtures.start(
        tmp_path,
        *("--crops=out", *names),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(7):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "")
    crops = [row["crop"] for row in table(tmp_path / "out")]
    assert len(crops) >= 6
    # A crop may have been on its way when its row was not yet written.
    assert set(files_in(tmp_path / "out")) >= {*crops, "faces.csv"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--crops=", "in"], 2, "--crops is empty"),
        (["--crops=out", "--camera=0"], 2, "takes pictures, not a camera"),
        (["--crops=in/light.png", "in"], 2, "is a file, not a folder"),
        (["--crops=/proc/x", "in"], 1, "cannot write /proc/x/faces.csv"),
        (["--crops=in/light.png/x", "in"], 1, "cannot write in/light.png/x"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_folders_that_cannot_be_used(folder, arguments, code, message):
    done = edge(folder, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_said_and_leaves_no_half_a_file(folder):
    done = edge(
        folder,
        *("--crops=out", "in/deep/photo.jpg", "in/light.png"),
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (999, 999)
        ),
    )
    assert done.returncode == 1
    assert (
        "cannot write out/deep/photo.jpg-1.png: File too large" in done.stderr
    )
    assert done.stderr.count("\n") == 1
    assert files_in(folder / "out") == ["faces.csv", "light.png-1.png"]
    assert [row["label"] for row in table(folder / "out")] == ["light"]
