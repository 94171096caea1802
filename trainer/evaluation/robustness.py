"""How fast the accuracy falls when the images get worse.

Blur, noise, brightness, JPEG, occlusion and rotation, each in a few strengths
on uint8 pixels at the model's input size, the way a poor camera spoils them.
Everything random has a fixed seed. Must not import TensorFlow or know a model:
the predict function of the run is an argument.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from PIL import ImageFilter

from trainer.evaluation import intervals

SEED = 0

# Accuracy on 500 images is known to +-4 points. Every change costs a pass
# over them in each strength, hence fewer where the images are large:
# with 250 of 224 px, a quarter of an epoch of FER-2013 at worst.
IMAGES, IMAGES_IF_LARGE = 500, 250
LARGE_PX = 96

GREY = 128  # of the square, in the middle of [0, 255]


@dataclass(frozen=True)
class Change:
    """One way in which images get worse.

    Attributes:
      name: for people.
      unit: of the strengths.
      strengths: in the order of the curve; None is the image as it is.
      apply: (images uint8 [n, S, S, C], strength, generator) -> the same
        shape and type.
    """

    name: str
    unit: str
    strengths: tuple[float | None, ...]
    apply: Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def measure(
    predict: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    labels: np.ndarray,
) -> dict:
    """Scores a model on images that get worse and worse.

    Args:
      predict: images uint8 [n, S, S, C] -> probabilities float [n, K]. Called
        as often and with the same sizes whatever it returns, so that every
        worker of a job may take part.
      images: uint8 [n, S, S, C] in [0, 255]; of more than 500 (250 above
        96 px) a random choice.
      labels: int [n], true class ids.

    Returns:
      {"images": how many, "seed", "curves": [{name, unit, points: [{strength,
      accuracy, interval [low, high] (95%, Wilson)}, ...]}, ...]}; accuracy in
      [0, 1]; strength None is the image as it is.
    """
    rows = _choose(len(images), images.shape[1])
    images, labels = images[rows], labels[rows]
    unchanged = _score(predict(images), labels)
    curves = [
        {
            "name": change.name,
            "unit": change.unit,
            "points": _points(
                change, predict, images, labels=labels, unchanged=unchanged
            ),
        }
        for change in CHANGES
    ]
    return {"images": len(images), "seed": SEED, "curves": curves}


def _choose(count: int, side: int) -> np.ndarray:
    """Which images, in stored order; the same ones for every model."""
    most = min(count, IMAGES if side <= LARGE_PX else IMAGES_IF_LARGE)
    generator = np.random.default_rng(SEED)
    return np.sort(generator.choice(count, most, replace=False))


def _points(
    change: Change,
    predict: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    *,
    labels: np.ndarray,
    unchanged: dict,
) -> list[dict]:
    strengths = [s for s in change.strengths if s is not None]
    # One call for all strengths: a call costs more than a small batch.
    worse = [
        change.apply(images, strength, np.random.default_rng(SEED))
        for strength in strengths
    ]
    predictions = np.split(predict(np.concatenate(worse)), len(worse))
    scores = [_score(predicted, labels) for predicted in predictions]
    scored = {None: unchanged, **dict(zip(strengths, scores, strict=True))}
    return [{"strength": s, **scored[s]} for s in change.strengths]


def _score(probabilities: np.ndarray, labels: np.ndarray) -> dict:
    hits = int((probabilities.argmax(axis=1) == labels).sum())
    interval = list(intervals.wilson_interval(hits, len(labels)))
    return {"accuracy": hits / len(labels), "interval": interval}


def _each(
    images: np.ndarray, edit: Callable[[Image.Image], Image.Image]
) -> np.ndarray:
    """Edits every array as a Pillow image."""
    result = np.empty_like(images)
    for source, target in zip(images, result, strict=True):
        flat = source[..., 0] if source.shape[-1] == 1 else source
        target[...] = np.reshape(edit(Image.fromarray(flat)), source.shape)
    return result


def _blur(
    images: np.ndarray, percent: float, generator: np.random.Generator
) -> np.ndarray:
    soften = ImageFilter.GaussianBlur(percent / 100 * images.shape[1])
    return _each(images, lambda image: image.filter(soften))


def _add_noise(
    images: np.ndarray, sigma: float, generator: np.random.Generator
) -> np.ndarray:
    return _to_uint8(images + generator.normal(0, sigma, images.shape))


def _brighten(
    images: np.ndarray, levels: float, generator: np.random.Generator
) -> np.ndarray:
    return _to_uint8(images.astype(np.int16) + levels)


def _compress(
    images: np.ndarray, quality: float, generator: np.random.Generator
) -> np.ndarray:
    def edit(image: Image.Image) -> Image.Image:
        stream = io.BytesIO()
        image.save(stream, format="jpeg", quality=quality)
        return Image.open(stream)

    return _each(images, edit)


def _occlude(
    images: np.ndarray, percent: float, generator: np.random.Generator
) -> np.ndarray:
    result, side = images.copy(), images.shape[1]
    size = round(side * percent / 100)
    places = generator.random([len(images), 2]) * (side - size + 1)
    for image, (top, left) in zip(result, places.astype(int), strict=True):
        image[top : top + size, left : left + size] = GREY
    return result


def _rotate(
    images: np.ndarray, degrees: float, generator: np.random.Generator
) -> np.ndarray:
    # What turns into the image is what lies up to 0.21 sides outside it: the
    # edge's pixels are repeated there, since black corners would be a second
    # change.
    margin = images.shape[1] // 4 + 1
    inside = slice(margin, -margin)
    pads = ((0, 0), (margin, margin), (margin, margin), (0, 0))
    turns = iter(degrees * generator.choice([-1, 1], len(images)))
    turned = _each(
        np.pad(images, pads, mode="edge"),
        lambda image: image.rotate(next(turns), Image.Resampling.BILINEAR),
    )
    return turned[:, inside, inside]


def _to_uint8(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


# From what a person hardly sees to what still leaves the face recognisable.
CHANGES = (
    Change("Gaussian blur", "sigma, % of the side", (None, 1, 2, 4, 6), _blur),
    Change(
        "Gaussian noise",
        "sigma, grey levels",
        (None, 5, 10, 20, 40),
        _add_noise,
    ),
    Change("Brightness", "grey levels", (-80, -40, None, 40, 80), _brighten),
    Change("JPEG", "quality", (None, 75, 40, 20, 10, 5), _compress),
    Change(
        "Grey square", "side, % of the side", (None, 20, 30, 40, 50), _occlude
    ),
    Change("Rotation", "degrees, either way", (None, 5, 10, 20, 30), _rotate),
)
