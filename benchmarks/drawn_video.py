"""A drawn video: faces that show known expressions, at known places.

  python -m benchmarks.drawn_video --out=drawn.mp4 --width=640 --frames=150

For benchmarks and tests alone. The faces move, keep their expressions, and
every frame has noise of its own, as from a cheap camera.
"""

import argparse
import dataclasses
import functools
import os

import numpy as np
from PIL import Image

from benchmarks import harness
from edge.boxes import Box
from edge.out_files import VideoWriter
from edge.video import Frame
from fer_tfds.drawing import faces as drawn_faces

SIZE = (480, 270)
FACE_PX = 120
FPS = 25.0
BICUBIC = Image.Resampling.BICUBIC


@dataclasses.dataclass(frozen=True)
class DrawnVideo:
    """What a drawn video shows.

    Attributes:
      expressions: canonical names, one for each face, from left to right.
      num_frames: how long it is.
      noise: standard deviation of the noise, in grey levels.
      seed: decides on faces, background and noise.
    """

    expressions: tuple[str, ...] = ("happy", "sad", "neutral")
    num_frames: int = 50
    noise: float = 5.0
    seed: int = 0

    def box(self, face: int, index: int) -> Box:
        """Returns where a face is in a frame."""
        column = SIZE[0] // len(self.expressions)
        swing = np.sin(2 * np.pi * index / 50 + face)
        left = face * column + (column - FACE_PX) * (1 + swing) / 2
        top = (SIZE[1] - FACE_PX) * (1 - swing) / 2
        return Box(round(left), round(top), FACE_PX, FACE_PX)

    def frame(self, index: int) -> np.ndarray:
        """Draws a frame: uint8 [270, 480, 3], RGB."""
        picture = _draw_background(self.seed).copy()
        faces = _draw_faces(self.expressions, self.seed)
        for face, drawn in enumerate(faces):
            picture.paste(drawn.convert("RGB"), self.box(face, index)[:2])
        rng = np.random.default_rng((self.seed, 2, index))
        shape = (SIZE[1], SIZE[0], 3)
        noisy = np.asarray(picture) + rng.normal(0, self.noise, shape)
        return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)

    def write(self, path: str | os.PathLike, width: int = SIZE[0]) -> None:
        """Writes the video as MP4, enlarged to a width in pixels."""
        writer = VideoWriter(path, FPS, is_live=False)
        size = (width, round(width * SIZE[1] / SIZE[0]))
        with writer.open():
            for index in range(self.num_frames):
                drawn = Image.fromarray(self.frame(index))
                frame = np.asarray(drawn.resize(size, BICUBIC))
                writer.write(Frame(frame, index, index / FPS), frame)


@functools.cache
def _draw_background(seed: int) -> Image.Image:
    rng = np.random.default_rng((seed, 1))
    patches = Image.fromarray(rng.integers(60, 180, (4, 5, 3), np.uint8))
    return patches.resize(SIZE, BICUBIC)


@functools.cache
def _draw_faces(expressions: tuple[str, ...], seed: int) -> list[Image.Image]:
    faces = []
    for face, name in enumerate(expressions):
        rng = np.random.default_rng((seed, 3, face))
        drawn = Image.fromarray(drawn_faces.draw_face(name, rng))
        faces.append(drawn.resize((FACE_PX, FACE_PX), BICUBIC))
    return faces


def main(arguments: list[str] | None = None) -> None:
    """Writes the video that the arguments ask for; default: the command's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drawn_video")
    parser.add_argument("--out", required=True, help="the MP4 file to write")
    parser.add_argument("--width", type=int, default=SIZE[0], help="in pixels")
    parser.add_argument("--frames", type=int, default=50)
    given = parser.parse_args(arguments)
    DrawnVideo(num_frames=given.frames).write(given.out, given.width)


if __name__ == "__main__":
    harness.run_stoppable(main)
