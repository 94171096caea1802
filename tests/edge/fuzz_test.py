"""Damaged pictures, videos and models: answered or refused.

Each finding names a seed; `make_picture`, `make_video` or
`mutated_models.make` makes that file again. Many files go through one
process, so that one which brings it down is seen by what is missing after it.
"""

import json
import random
import resource
import select
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from edge import opencv
from tests.edge import edge_fixtures
from tests.edge import mutated_models
from tests.fer_tfds.fuzz import damage as fuzz_bytes
from tests.fer_tfds.fuzz import pictures

# So many are tried by default; the slow tier goes on where they end.
NUM_PICTURES, ALL_PICTURES = 60, 2000
NUM_VIDEOS, ALL_VIDEOS = 12, 200
NUM_MODELS, ALL_MODELS = 100, 2100
# Of processor time for a model, and of memory for all: the test's own process
# takes 60 MB of it.
MODEL_SECONDS, MODEL_MEGABYTES = 3, 300
PER_PROCESS = 100
# Beyond this the machine is at risk; a 64-megapixel picture takes a quarter.
MAX_ADDRESS_SPACE = 6 << 30
PICTURES = {
    "png": ("RGB", "PNG"),
    "jpg": ("RGB", "JPEG"),
    "gif": ("P", "GIF"),
    "bmp": ("L", "BMP"),
    "tif": ("RGB", "TIFF"),
    "webp": ("RGB", "WEBP"),
    "jp2": ("RGB", "JPEG2000"),
}
VIDEOS = {"mp4": "mp4v", "avi": "MJPG", "mkv": "mp4v", "webm": "VP80"}


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    """Suffix -> the content of an undamaged file."""
    folder = tmp_path_factory.mktemp("bases")
    photo = Image.fromarray(edge_fixtures.VIDEO.frame(0)).resize((120, 67))
    for suffix, (mode, form) in PICTURES.items():
        photo.convert(mode).save(folder / f"a.{suffix}", form)
    cv2 = opencv.load("testing")
    for suffix, codec in VIDEOS.items():
        path = str(folder / f"a.{suffix}")
        code = cv2.VideoWriter_fourcc(*codec)
        writer = cv2.VideoWriter(path, code, 25.0, (96, 54))
        for index in range(8):
            frame = Image.fromarray(edge_fixtures.VIDEO.frame(index))
            writer.write(np.asarray(frame.resize((96, 54))))
        writer.release()
    return {path.suffix[1:]: path.read_bytes() for path in folder.iterdir()}


def make_picture(bases, seed):
    """Suffix and content of a damaged picture."""
    rng = random.Random(seed)
    suffix = rng.choice(list(PICTURES))
    damage = rng.choice((*fuzz_bytes.BYTES, *pictures.PICTURE))
    return suffix, damage(rng, bases[suffix])


def make_video(bases, seed):
    """Suffix and content of a damaged video."""
    rng = random.Random(seed)
    suffix = rng.choice(list(VIDEOS))
    content = bases[suffix]
    for _ in range(rng.choice((1, 1, 3))):
        content = rng.choice(fuzz_bytes.BYTES)(rng, content)
    return suffix, content


def limit():
    resource.setrlimit(
        resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE)
    )


def run(folder, make, bases, seeds):
    """Answers of one process about its files: name -> lines of JSON."""
    names = []
    for seed in seeds:
        suffix, content = make(bases, seed)
        names.append(f"{seed:05}.{suffix}")
        (folder / names[-1]).write_bytes(content)
    done = subprocess.run(
        edge_fixtures.command("--json", *names),
        cwd=folder,
        env=edge_fixtures.environment(),
        capture_output=True,
        text=True,
        timeout=1200,
        preexec_fn=limit,
    )
    answers = {name: [] for name in names}
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        answers[answer["input"]].append(answer)
    silent = [name for name, lines in answers.items() if not lines]
    assert not silent, (silent[:3], done.returncode, done.stderr[-2000:])
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    return answers


def check(folder, make, bases, seeds):
    """Runs all; every file is answered or refused with a clear message."""
    answered = refused = 0
    for start in range(0, len(seeds), PER_PROCESS):
        some = seeds[start : start + PER_PROCESS]
        for name, lines in run(folder, make, bases, some).items():
            errors = [line["error"] for line in lines if "error" in line]
            for error in errors:
                assert name in error
                assert "MemoryError" not in error
            answered += not errors
            refused += bool(errors)
    # If all were refused, or none, the files would be of no use.
    assert answered >= len(seeds) * 0.05
    assert refused >= len(seeds) * 0.05


def test_damaged_pictures_are_answered_or_refused(tmp_path, bases):
    check(tmp_path, make_picture, bases, range(NUM_PICTURES))


def test_damaged_videos_are_answered_or_refused(tmp_path, bases):
    check(tmp_path, make_video, bases, range(NUM_VIDEOS))


@pytest.mark.slow
def test_more_damaged_pictures(tmp_path, bases):
    check(tmp_path, make_picture, bases, range(NUM_PICTURES, ALL_PICTURES))


@pytest.mark.slow
def test_more_damaged_videos(tmp_path, bases):
    check(tmp_path, make_video, bases, range(NUM_VIDEOS, ALL_VIDEOS))


def test_undamaged_files_are_answered(tmp_path, bases):
    def make(bases, seed):
        suffix = sorted(bases)[seed]
        return suffix, bases[suffix]

    answers = run(tmp_path, make, bases, range(len(bases)))
    assert not [line for a in answers.values() for line in a if "error" in line]


@pytest.mark.parametrize("form", ["EPS", "PCX"])
def test_other_formats_are_refused_whatever_pillow_can_do(tmp_path, form):
    path = tmp_path / "face.png"
    Image.new("L", (20, 20)).save(path, form)
    done = edge_fixtures.edge(tmp_path, "face.png")
    assert done.returncode == 1
    assert f"cannot read face.png: {form} is not decoded" in done.stderr


def test_giants_are_refused_before_they_are_decoded(tmp_path):
    content = pictures.make_png(9000, 9000, b"")
    (tmp_path / "giant.png").write_bytes(content)
    done = edge_fixtures.edge(tmp_path, "giant.png")
    assert done.returncode == 1
    assert "9000x9000 pixels; at most 64,000,000" in done.stderr


class ModelChild:
    """A process that tries one model file after the other."""

    def __init__(self, folder):
        self._path = folder / "model.tflite"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.edge.model_child"],
            cwd=edge_fixtures.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def close(self):
        """Ends it; returns what it wrote to standard error."""
        self._process.kill()
        return self._process.communicate()[1]

    def ask(self, content):
        """What became of a model; None when the process died or hangs."""
        self._path.write_bytes(content)
        try:
            print(self._path, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            return None
        ready, _, _ = select.select([self._process.stdout], [], [], 30)
        line = self._process.stdout.readline() if ready else ""
        return json.loads(line) if line else None


def fault(result):
    """What is wrong with how a model was taken; empty if nothing is."""
    if result is None:
        return "the process died or hangs"
    said = result["said"]
    is_line = said.startswith("cannot use ") and said.isprintable()
    if said != "answered" and not (is_line and len(said) < 1000):
        return f"no clear line: {said!r}"
    if result["seconds"] > MODEL_SECONDS:
        return f"{result['seconds']} s: {said}"
    if result["megabytes"] > MODEL_MEGABYTES:
        return f"{result['megabytes']} MB: {said}"
    return ""


def check_models(folder, seeds):
    child, faults, said = ModelChild(folder), {}, []
    for seed in seeds:
        result = child.ask(mutated_models.make(seed))
        found = fault(result)
        if found:  # What comes after it starts afresh.
            faults[seed] = found, child.close()[-500:]
            child = ModelChild(folder)
        said.append(result["said"] if result else "")
    noise = child.close()
    assert not faults, (len(faults), dict(list(faults.items())[:3]))
    assert "Traceback" not in noise
    # If all were refused, or none, the files would be of no use.
    assert said.count("answered") >= len(seeds) * 0.05
    past_the_checksum = sum("LiteRT" in text for text in said)
    assert past_the_checksum >= len(seeds) * 0.1


def test_mutated_models_are_answered_or_refused(tmp_path):
    check_models(tmp_path, range(NUM_MODELS))


@pytest.mark.slow
def test_more_mutated_models(tmp_path):
    check_models(tmp_path, range(NUM_MODELS, ALL_MODELS))
