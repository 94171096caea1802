"""How a drawn head is held, put on paper and photographed.

Turns shapes given in face units into a picture; what a face looks like is the
business of `fer_tfds.drawing.faces`.

Face units: the origin lies between nose and eyes, x grows to the right, y
downwards, and the head is about 2 high and 1.5 wide.
"""

import dataclasses

import numpy as np
from PIL import Image
from PIL import ImageDraw

IMAGE_SIZE_PX = 48

# Drawn this many times larger, then averaged: smooth edges at low cost.
_OVERSAMPLING = 4
_CANVAS_PX = IMAGE_SIZE_PX * _OVERSAMPLING

_CIRCLE = np.linspace(0.0, 2 * np.pi, 28, endpoint=False)


@dataclasses.dataclass(frozen=True)
class Canvas:
    """A picture in the making, on which shapes are given in face units.

    Attributes:
        image: mode L, larger than the final picture.
        to_pixels: float64 [2, 2], turns and scales face units into pixels.
        centre: float64 [2], where the origin lies, in pixels.
    """

    image: Image.Image
    to_pixels: np.ndarray
    centre: np.ndarray

    def fill(self, points: np.ndarray, tone: float) -> None:
        """Fills a polygon, float [n, 2], with a grey level."""
        pen = ImageDraw.Draw(self.image)
        pen.polygon(self._place(points), fill=_grey(tone))

    def stroke(self, points: np.ndarray, width: float, tone: float) -> None:
        """Draws a line through points, float [n, 2], with a grey level."""
        unit_px = np.hypot(*self.to_pixels[:, 0])
        ImageDraw.Draw(self.image).line(
            self._place(points),
            fill=_grey(tone),
            width=max(1, round(width * unit_px)),
            joint="curve",
        )

    def _place(self, points: np.ndarray) -> list[tuple[float, float]]:
        placed = points @ self.to_pixels.T + self.centre
        return [(x, y) for x, y in placed.tolist()]


def hold_head(background: float, rng: np.random.Generator) -> Canvas:
    """Begins a picture of a head that is turned, moved and scaled at random.

    Args:
        background: grey level of everything behind the head.
        rng: decides how the head is held; a turn to the side narrows it.
    """
    angle = np.deg2rad(rng.normal(0, 7))
    scale = _CANVAS_PX / 2 * rng.uniform(0.82, 1.04)
    narrow = rng.uniform(0.9, 1.0)
    shear = rng.normal(0, 0.04)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    return Canvas(
        image=Image.new("L", (_CANVAS_PX, _CANVAS_PX), _grey(background)),
        to_pixels=scale * turn @ np.array([[narrow, shear], [0.0, 1.0]]),
        centre=_CANVAS_PX * (0.5 + rng.uniform(-0.05, 0.05, size=2)),
    )


def photograph(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """Lights the scene from one side, sets the exposure and adds noise.

    Returns:
        uint8 [48, 48], grey levels 0 to 255.
    """
    pixels = np.asarray(canvas.image.reduce(_OVERSAMPLING), np.float32)
    grid = np.linspace(-1.0, 1.0, IMAGE_SIZE_PX, dtype=np.float32)
    slope_x, slope_y = rng.uniform(-0.28, 0.28, size=2)
    light = 1 + slope_x * grid[None, :] + slope_y * grid[:, None]
    contrast = rng.uniform(0.7, 1.15)
    brightness = rng.uniform(-25, 25)
    noise = rng.uniform(1, 9) * rng.standard_normal(
        pixels.shape, dtype=np.float32
    )
    lit = (pixels * light - 128) * contrast + 128 + brightness + noise
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)


def ellipse(
    x: float, y: float, half_width: float, *, half_height: float
) -> np.ndarray:
    """Points of an ellipse around (x, y): float64 [28, 2]."""
    return np.stack(
        [
            x + half_width * np.cos(_CIRCLE),
            y + half_height * np.sin(_CIRCLE),
        ],
        axis=1,
    )


def _grey(tone: float) -> int:
    return int(min(max(tone, 0.0), 255.0))
