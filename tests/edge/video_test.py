"""Tests of edge/video.py: files, cameras that are slow, gone or mute."""

import sys
import threading
import time

import numpy as np
import pytest

from edge import opencv
from edge import out_files
from edge import video
from tests.edge import edge_fixtures

NUM_FRAMES = edge_fixtures.VIDEO.num_frames


class FakeCamera:
    """Gives numbered grey frames at a rate; then False, or nothing at all."""

    def __init__(self, num_frames, fps=200.0, end="gone"):
        self._num_frames, self._fps, self._end = num_frames, fps, end
        self.read_so_far = 0
        self.is_released = False
        self.unblock = threading.Event()

    def get(self, _):
        return self._fps

    def release(self):
        self.is_released = True

    def read(self):
        time.sleep(1 / self._fps)
        index = self.read_so_far
        self.read_so_far += 1
        if index < self._num_frames:
            return True, np.full([2, 2, 3], index % 256, np.uint8)
        if self._end == "mute":
            self.unblock.wait(10)
        if self._end == "error":
            raise RuntimeError("unplugged")
        return False, None


def drain(source, wait_s=0.0):
    frames = []
    for frame in source.frames():
        frames.append(frame)
        time.sleep(wait_s)
    return frames


def test_a_file_gives_every_frame_in_order():
    source = video.VideoFile(edge_fixtures.video_path())
    frames = drain(source)
    source.close()
    assert source.fps == 25
    assert [frame.index for frame in frames] == list(range(NUM_FRAMES))
    np.testing.assert_allclose(
        [frame.seconds for frame in frames],
        np.arange(NUM_FRAMES) / 25,
        atol=2e-3,
    )
    for frame in frames:
        drawn = edge_fixtures.VIDEO.frame(frame.index)
        assert frame.pixels.shape == drawn.shape
        # Red stays red: the encoder is off by less than the colours differ.
        difference = frame.pixels.astype(int) - drawn
        assert np.abs(difference.mean(axis=(0, 1))).max() < 3


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("missing", "no such video"),
        ("text", "cannot read .* as a video"),
        ("empty", "cannot read .* as a video"),
        ("cut", "broke off after frame|cannot read|no frame"),
    ],
)
def test_a_broken_file_says_so(tmp_path, damage, message):
    path = tmp_path / "clip.avi"
    edge_fixtures.break_file(path, damage)
    if damage == "cut":
        write_avi(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(video.VideoError, match=message) as caught:
        drain(video.VideoFile(path))
    assert "clip.avi" in str(caught.value)


def write_avi(path, size=(64, 48), num_frames=20):
    cv2 = opencv.load("testing")
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, size
    )
    rng = np.random.default_rng(0)
    for _ in range(num_frames):
        writer.write(rng.integers(0, 256, [*size[::-1], 3], np.uint8))
    writer.release()


def test_a_file_that_breaks_off_still_gives_what_it_has(tmp_path):
    path, frames = tmp_path / "clip.avi", []
    write_avi(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    source = video.VideoFile(path)
    with pytest.raises(video.VideoError, match=r"broke off after frame \d+ of"):
        for frame in source.frames():
            frames.append(frame)
    assert 5 < len(frames) < 20


def test_frames_beyond_the_bound_are_refused(monkeypatch):
    monkeypatch.setattr(video, "MAX_PIXELS", 1000)
    with pytest.raises(video.VideoError, match="at most 1,000 pixels"):
        drain(video.VideoFile(edge_fixtures.video_path()))


def test_empty_frames_are_skipped_and_counted(monkeypatch):
    source = video.VideoFile(edge_fixtures.video_path())
    retrieve, calls = source._retrieve, []

    def sometimes():
        calls.append(0)
        return None if len(calls) in (1, 4) else retrieve()

    monkeypatch.setattr(source, "_retrieve", sometimes)
    frames = drain(source)
    assert (source.empty, len(frames)) == (2, NUM_FRAMES - 2)
    assert [frame.index for frame in frames][:3] == [1, 2, 4]


def test_a_slow_reader_misses_frames_and_does_not_lag():
    fake = FakeCamera(60)
    camera, seen = video.Camera(fake, "camera 7"), []
    start = time.monotonic()
    with pytest.raises(video.VideoError, match=r"camera 7 stopped .* after 60"):
        for frame in camera.frames():
            # What is given was taken just now, whatever came before.
            lags = time.monotonic() - start - frame.seconds
            seen.append((frame.index, lags))
            time.sleep(0.05)
    camera.close()
    indices = [index for index, _ in seen]
    assert indices == sorted(set(indices))
    assert 2 <= len(seen) < 30
    assert camera.dropped == 60 - len(seen)
    assert np.median([lag for _, lag in seen]) < 0.1


def test_a_reader_that_keeps_up_gets_every_frame_once():
    camera, indices = video.Camera(FakeCamera(20, fps=20), "camera 0"), []
    with pytest.raises(video.VideoError, match="after 20"):
        for frame in camera.frames():
            indices.append(frame.index)
    # On a machine that is busy with other things one may be missed.
    assert camera.dropped + len(indices) == 20
    assert len(indices) >= 15
    assert indices == sorted(set(indices))


@pytest.mark.parametrize("end", ["mute", "error"])
def test_a_camera_that_ends_otherwise_says_so(monkeypatch, end):
    monkeypatch.setattr(video, "STALL_S", 0.3)
    fake = FakeCamera(3, end=end)
    camera = video.Camera(fake, "camera 0")
    message = "gave no picture" if end == "mute" else "unplugged"
    with pytest.raises(video.VideoError, match=message):
        drain(camera)
    camera.close()
    # A driver that hangs is left alone; releasing it would hang as well.
    assert fake.is_released == (end == "error")
    fake.unblock.set()


def test_closing_a_camera_ends_its_thread():
    fake = FakeCamera(10_000)
    camera = video.Camera(fake, "camera 0")
    next(camera.frames())
    camera.close()
    assert fake.is_released
    read_so_far = fake.read_so_far
    time.sleep(0.1)
    assert fake.read_so_far == read_so_far


def test_a_file_plays_as_a_camera_at_its_own_speed():
    camera = video.open_camera(str(edge_fixtures.video_path()))
    start = time.monotonic()
    with pytest.raises(video.VideoError, match=f"after {NUM_FRAMES}"):
        drain(camera)
    camera.close()
    assert time.monotonic() - start >= (NUM_FRAMES - 1) / 25


@pytest.mark.parametrize("source", ["97", "/dev/no_such_camera"])
def test_a_camera_that_is_not_there_says_so(source, capfd):
    with pytest.raises(video.VideoError, match=f"cannot open camera {source}"):
        video.open_camera(source)


@pytest.mark.parametrize(
    ("stated", "believed"),
    [(30, 30), (0, 25), (90_000, 25), (float("nan"), 25), (-1, 25)],
)
def test_a_frame_rate_that_is_nonsense_is_not_believed(stated, believed):
    assert video.frame_rate(FakeCamera(0, fps=stated)) == believed


def test_without_opencv_a_video_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    for make in (video.VideoFile, video.open_camera):
        with pytest.raises(opencv.OpenCVError, match=r"\./edge\[video\]"):
            make(str(edge_fixtures.video_path()))


def write(path, times_s, *, is_live, fps=10.0):
    writer = out_files.VideoWriter(path, fps, is_live=is_live)
    with writer.open():
        for index, seconds in enumerate(times_s):
            pixels = np.full([48, 64, 3], [200, 10 * index, 0], np.uint8)
            writer.write(video.Frame(pixels, index, seconds), pixels)


def test_a_written_video_holds_each_frame_once(tmp_path):
    path = tmp_path / "out.mp4"
    write(path, [0.0, 0.9, 0.91], is_live=False)
    frames = drain(video.VideoFile(path))
    assert len(frames) == 3
    assert frames[0].pixels[..., 0].mean() > 190  # Red is red.
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_a_video_of_a_camera_keeps_its_times(tmp_path):
    path = tmp_path / "out.mp4"
    write(path, [0.0, 0.02, 0.5, 1.0], is_live=True)
    greens = [f.pixels[..., 1].mean() for f in drain(video.VideoFile(path))]
    assert len(greens) == 11
    assert greens[1] - greens[0] > 10  # Written late, five times over.
    assert abs(greens[5] - greens[1]) < 5


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), video.VideoError("gone")], ids=type
)
def test_an_interrupted_video_is_closed_and_kept(tmp_path, error):
    path = tmp_path / "out.mp4"
    writer = out_files.VideoWriter(path, 10.0, is_live=False)
    pixels = np.zeros([48, 64, 3], np.uint8)
    with pytest.raises(type(error)), writer.open():
        for index in range(4):
            writer.write(video.Frame(pixels, index, index / 10), pixels)
        raise error
    assert len(drain(video.VideoFile(path))) == 4


def test_a_failure_of_the_program_or_no_frame_leaves_nothing(tmp_path):
    writer = out_files.VideoWriter(tmp_path / "a.mp4", 10.0, is_live=False)
    pixels = np.zeros([48, 64, 3], np.uint8)
    with pytest.raises(ZeroDivisionError), writer.open():
        writer.write(video.Frame(pixels, 0, 0.0), pixels)
        raise ZeroDivisionError
    with out_files.VideoWriter(tmp_path / "b.mp4", 10.0, is_live=False).open():
        pass
    assert list(tmp_path.iterdir()) == []
