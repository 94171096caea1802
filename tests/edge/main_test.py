"""Tests of `python -m edge`, run as a user runs it, and of its wheel."""

import csv
import io
import json
import pathlib
import resource
import shutil
import signal
import zipfile

import numpy as np
import pytest
from PIL import Image

from edge import boxes
from edge import model_file
from edge import options
from edge import video
from tests.commands import command_line
from tests.edge import edge_fixtures
from tests.edge.edge_fixtures import LABELS
from tests.edge.edge_fixtures import edge

ROOT = pathlib.Path(__file__).parents[2]
# A detector's box ends at the face, the square of a drawn one at its hair.
FACE_IN_SQUARE = 0.25


@pytest.fixture
def files(tmp_path):
    """A dark and a light crop, a text called .png, and a photograph."""
    edge_fixtures.save_picture(tmp_path / "dark.png", 5, (16, 12))
    edge_fixtures.save_picture(tmp_path / "light.png", 250, (16, 16))
    edge_fixtures.save_photo(tmp_path / "photo.png")
    (tmp_path / "bad.png").write_text("no picture")
    return tmp_path


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def overlaps(box, face, index=0):
    known = edge_fixtures.VIDEO.box(face, index)
    return boxes.overlap(known, boxes.Box(*map(int, box)))


def test_a_crop_gets_a_line_that_says_it_was_taken_whole(files):
    done = edge(files, "light.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("light.png: light 0.")
    assert done.stdout.endswith(" (16x16 pixels, no face found: taken whole)\n")
    assert done.stdout.count("\n") == 1


def test_a_photograph_gets_a_line_for_each_face(files):
    done = edge(files, "photo.png")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    for number, line in enumerate(lines, start=1):
        assert line.startswith(f"photo.png: face {number} at ")
        assert line.count(" 0.") == 3  # Three labels, as --top says.


def test_a_photograph_without_a_face_says_so(files):
    edge_fixtures.save_picture(files / "wall.png", 200, (300, 200))
    done = edge(files, "wall.png")
    assert done.returncode == 0
    assert done.stdout == (
        "wall.png: no face found (looked down to 8 pixels; --no_detect takes "
        "the whole picture as one face, --min_face=PX looks for smaller ones)\n"
    )
    done = edge(files, "--json", "wall.png")
    assert json.loads(done.stdout)["faces"] == []
    done = edge(files, "--no_detect", "--top=1", "wall.png")
    assert done.stdout.startswith("wall.png: light 0.")
    assert done.stdout.count("0.") == 1


def test_one_bad_picture_does_not_stop_the_others(files):
    done = edge(files, "dark.png", "bad.png", "gone.png", "light.png")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["dark.png:", "dark"],
        ["light.png:", "light"],
    ]
    first, second = done.stderr.splitlines()
    assert "cannot read bad.png" in first
    assert "no such picture: gone.png" in second


def test_json_gives_one_object_for_each_picture(files):
    done = edge(files, "--json", "dark.png", "bad.png", "photo.png")
    dark, bad, photo = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert (dark["input"], dark["detector"]) == ("dark.png", None)
    (face,) = dark["faces"]
    assert (face["box"], face["label"]) == ([0, 0, 16, 12], "dark")
    assert set(face["probabilities"]) == set(LABELS)
    assert bad["input"] == "bad.png"
    assert "cannot read" in bad["error"]
    assert photo["detector"] == "blazeface"
    assert (photo["width"], photo["height"]) == (480, 270)
    assert [f["face"] for f in photo["faces"]] == [1, 2, 3]
    for index, found in enumerate(photo["faces"]):
        assert overlaps(found["box"], index) > FACE_IN_SQUARE


def test_csv_gives_a_row_for_each_face_with_all_probabilities(files):
    done = edge(files, "--csv", "dark.png", "photo.png")
    found = rows(done.stdout)
    assert [row["input"] for row in found] == ["dark.png"] + ["photo.png"] * 3
    for row in found:
        values = {name: float(row[name]) for name in LABELS}
        assert sum(values.values()) == pytest.approx(1, abs=0.02)
        assert row["label"] == max(values, key=values.get)
        assert (row["frame"], row["seconds"]) == ("", "")


def test_a_video_gives_a_row_for_each_face_and_frame(files):
    done = edge(files, "--csv", edge_fixtures.video_path())
    assert done.returncode == 0
    frames = edge_fixtures.VIDEO.num_frames
    assert f"{frames} frames, {frames} with a face, " in done.stderr
    found = rows(done.stdout)
    assert len(found) >= 0.8 * 3 * frames
    for row in found:
        index, number = int(row["frame"]), int(row["face"])
        assert float(row["seconds"]) == pytest.approx(index / 25, abs=2e-3)
        # A number stays with the face that it was given to.
        place = [row[n] for n in ("left", "top", "width", "height")]
        assert overlaps(place, number - 1, index) > FACE_IN_SQUARE


def test_folders_and_patterns_are_opened_up(files):
    (files / "more" / ".hidden").mkdir(parents=True)
    edge_fixtures.save_picture(files / "more" / "b.png", 250, (8, 8))
    edge_fixtures.save_picture(files / "more" / "a.jpg", 5, (8, 8))
    edge_fixtures.save_picture(files / "more" / ".hidden" / "c.png", 5)
    (files / "more" / "notes.txt").touch()
    done = edge(files, "more", "*ght.png")
    assert done.returncode == 0, done.stderr
    names = [line.split(":")[0] for line in done.stdout.splitlines()]
    assert names == ["more/a.jpg", "more/b.png", "light.png"]


@pytest.mark.parametrize("kind", ["picture", "video", "nothing"])
def test_standard_input_is_read(files, kind):
    content = {
        "picture": (files / "light.png").read_bytes(),
        "video": edge_fixtures.video_path().read_bytes(),
        "nothing": b"",
    }[kind]
    done = edge(files, "-", input=content)
    if kind == "nothing":
        assert done.returncode == 1
        assert b"edge: cannot read - as a picture" in done.stderr
    else:
        assert done.returncode == 0
        assert done.stdout.startswith(
            b"-: light" if kind == "picture" else b"- "
        )


@pytest.mark.parametrize("name", ["drawn.png", "drawn.jpg", "new/drawn.png"])
def test_out_is_the_picture_with_boxes(files, name):
    done = edge(files, f"--out={name}", "photo.png")
    assert (done.returncode, done.stderr) == (0, "")
    drawn = np.asarray(Image.open(files / name)).astype(int)
    given = np.asarray(Image.open(files / "photo.png")).astype(int)
    assert drawn.shape == given.shape
    changed = np.abs(drawn - given).max(axis=2) > 100
    assert 0.005 < changed.mean() < 0.2
    done = edge(files, f"--out={name}", "photo.png")
    assert done.returncode == 2
    assert "--overwrite" in done.stderr


def test_out_is_a_folder_for_several_inputs(files):
    (files / "a").mkdir()
    shutil.copy(files / "dark.png", files / "a" / "light.png")
    shutil.copy(edge_fixtures.video_path(), files / "a" / "clip.mp4")
    done = edge(files, "--out=drawn/", "a", "light.png")
    assert done.returncode == 0, done.stderr
    written = [p for p in (files / "drawn").rglob("*") if p.is_file()]
    names = {str(p.relative_to(files / "drawn")) for p in written}
    assert names == {"a/light.png", "a/clip.mp4", "light.png"}
    clip = video.VideoFile(files / "drawn" / "a" / "clip.mp4")
    assert len(list(clip.frames())) == edge_fixtures.VIDEO.num_frames
    done = edge(files, "--out=drawn/", "a/light.png", "light.png")
    assert done.returncode == 1
    assert done.stderr.count("--overwrite") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "what to look at"),
        (["light.png", "--thread=1"], "did you mean --threads?"),
        (["light.png", "--no-window"], "did you mean --no_window"),
        (["light.png", "--zzz"], "unknown option --zzz; see --help\n"),
        (["--threads=0", "light.png"], "at least 1"),
        (["--threads=100000", "light.png"], "at most 256; received 100000"),
        (["--json", "--csv", "light.png"], "not allowed with"),
        (["--camera=0", "light.png"], "--camera takes no INPUT"),
        (["--margin=-1", "light.png"], "0 to 60"),
        (["--smoothing=nan", "light.png"], "0 to 60"),
        (["--no_detect", "--face_model=a", "light.png"], "drop one"),
        (["--face_model=gone.onnx", "light.png"], "no such face model"),
        (["--delegate=gone.so", "light.png"], "cannot load the delegate"),
        (["--out=a.png", "light.png", "dark.png"], "--out=a.png/"),
        (["--window", "light.png"], "--no_window"),
        (["empty"], "no picture and no video in the folder empty"),
        (["*.nothing"], "no file matches"),
        (["-", "-"], "only once"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_commands_exit_with_2(files, arguments, message):
    (files / "empty").mkdir()
    done = edge(files, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_model_says_how_to_get_one(files):
    done = edge(files, "--model=gone.tflite", "light.png", model=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the runtime brings edge and pocket" in done.stderr
    assert "python -m export --tflite" in done.stderr


def test_shipped_models_go_by_their_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = model_file.SHIPPED
    assert model_file.choose_model(None) == str(shipped / "edge.tflite")
    assert model_file.choose_model("pocket") == str(shipped / "pocket.tflite")
    assert model_file.choose_model("mine.tflite") == "mine.tflite"
    assert model_file.choose_model("pokcet") == "pokcet"
    (tmp_path / "edge").mkdir()
    assert model_file.choose_model("edge") == str(shipped / "edge.tflite")
    (tmp_path / "edge").rmdir()
    (tmp_path / "edge").touch()
    assert model_file.choose_model("edge") == "edge"


WITHOUT_OPENCV = (
    "import runpy, sys; sys.modules['cv2'] = None; "
    "sys.argv[0] = 'edge'; runpy.run_module('edge', run_name='__main__')"
)


def test_without_opencv_only_videos_say_why(files):
    video_path = edge_fixtures.video_path()
    names = ["light.png", "photo.png", str(video_path)]
    model = f"--model={edge_fixtures.model_path()}"
    done = command_line.python(
        "-c", WITHOUT_OPENCV, model, *names, folder=files
    )
    assert done.returncode == 1
    assert done.stdout.startswith("light.png: light")
    assert done.stdout.count("photo.png: face") == 3
    assert "pip install './edge[video]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_a_detector_the_error_says_what_to_type(files):
    model = f"--model={edge_fixtures.model_path()}"
    done = command_line.python(
        *("-c", WITHOUT_OPENCV, model, "photo.png"),
        folder=files,
        env={"XDG_CACHE_HOME": str(files / "empty")},
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "photo.png: looking for faces needs a detector" in done.stderr
    assert "python -m edge.fetch_detector" in done.stderr
    assert "--no_detect" in done.stderr
    assert done.stderr.count("\n") == 1


def test_pictures_without_a_face_have_a_row(files):
    edge_fixtures.save_picture(files / "wall.png", 200, (300, 200))
    done = edge(files, "--csv", "wall.png", "dark.png")
    wall, dark = rows(done.stdout)
    assert (wall["input"], wall["face"], wall["label"]) == ("wall.png", "", "")
    assert (dark["label"], dark["unsure"]) == ("dark", "0")


def test_the_line_says_how_deep_values_were_read(files):
    light = np.asarray(Image.open(files / "light.png")).astype(np.uint16)
    Image.fromarray(light << 4).save(files / "deep.png")
    done = edge(files, "light.png", "deep.png")
    plain, deep = done.stdout.splitlines()
    assert (
        deep.split(": ")[1].split(" (")[0]
        == plain.split(": ")[1].split(" (")[0]
    )
    assert "(grey values up to 4080: read as 12 bits; 16x16 pixels" in deep


def test_one_grey_level_is_no_face_to_judge(files):
    Image.new("L", (48, 48), 7).save(files / "black.png")
    for flags in ([], ["--no_detect"]):
        done = edge(files, *flags, "black.png")
        assert "one grey level: no face to judge" in done.stdout
        assert "dark" not in done.stdout


def test_a_face_below_the_threshold_is_unsure(files):
    done = edge(files, "--min_confidence=1", "dark.png")
    assert done.stdout.startswith("dark.png: unsure (dark 0.")
    done = edge(files, "--json", "--min_confidence=1", "dark.png")
    (face,) = json.loads(done.stdout)["faces"]
    assert (face["unsure"], face["label"]) == (True, "dark")
    done = edge(files, "--min_confidence=0", "dark.png")
    assert "unsure" not in done.stdout


def test_small_faces_are_found_as_far_down_as_is_asked(files):
    large = Image.new("L", (2400, 1600), 128)
    face = Image.open(files / "photo.png").convert("L").resize((480, 270))
    large.paste(face.crop((0, 0, 160, 150)), (1500, 900))
    large.save(files / "large.png")
    assert ": face 1 at " in edge(files, "large.png").stdout
    done = edge(files, "--min_face=400", "large.png")
    assert "no face found (looked down to 400 pixels" in done.stdout


def test_a_camera_that_vanishes_is_reported(files):
    done = edge(files, f"--camera={edge_fixtures.video_path()}", "--json")
    assert done.returncode == 1
    *frames, error = map(json.loads, done.stdout.splitlines())
    assert error["input"] == "camera"
    assert "stopped giving pictures after 12" in error["error"]
    assert frames and set(frames[0]) >= {"frame", "seconds", "faces"}
    assert " dropped" in done.stderr


@pytest.mark.parametrize("how", ["INT", "TERM"])
def test_ctrl_c_closes_the_video(files, how):
    """A video that takes a while, stopped while it is written."""
    long = edge_fixtures.long_video_path()
    # A shell's background jobs ignore ctrl-C, and so would this child.
    process = edge_fixtures.start(
        files,
        *(long, "--out=out.mp4"),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(8):  # Lines of three frames at least.
        process.stdout.readline()
    process.send_signal(getattr(signal, f"SIG{how}"))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "frames/s" in said
    assert list(video.VideoFile(files / "out.mp4").frames())
    assert not [p for p in files.iterdir() if p.name.startswith(".")]


def test_a_reader_that_goes_away_ends_it_quietly(files):
    path = edge_fixtures.video_path()
    process = edge_fixtures.start(files, path, path, path)
    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(60) == 1
    assert "Traceback" not in said


def test_the_first_answer_takes_less_than_half_a_second(files):
    """Of CPU time from start to end: the clock also counts other work."""
    taken = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert edge(files, "light.png").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        )
        if taken[-1] < 0.5:
            return
    pytest.fail(f"the best of {taken} s is half a second or more")


def test_help_needs_no_library():
    statement = "from edge import options; options.make_parser()"
    assert not command_line.loaded_after(statement, "numpy")


@pytest.mark.parametrize(
    "line", [line for line in options.EPILOG.splitlines() if "edge" in line]
)
def test_the_examples_of_the_help_are_commands(line, monkeypatch):
    monkeypatch.setattr(options.os.path, "isfile", lambda path: False)
    words = line.split("python -m edge ")[1].split(" > ")[0]
    parsed = options.parse(words.replace("'", "").split())
    assert parsed.model in (None, "pocket", "M.tflite")


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path):
    """Builds what `pip install ./edge` installs, from a littered folder."""
    source = tmp_path / "edge"
    ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT / "edge", source, ignore=ignored)
    (source / "tests").mkdir()
    (source / "tests" / "stray_test.py").touch()
    (source / "model.tflite").touch()
    (source / "models" / "stray.npy").touch()
    code = f"build_meta.build_wheel({str(tmp_path)!r})"
    done = command_line.python(
        "-c", f"from setuptools import build_meta; {code}", folder=source
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("fer_edge-0.1.0-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    modules = {f"edge/{path.name}" for path in (ROOT / "edge").glob("*.py")}
    models = {
        f"edge/models/{path.name}" for path in model_file.SHIPPED.iterdir()
    }
    assert {name for name in names if ".dist-info/" not in name} == {
        *modules,
        *models,
    }
