"""Draws one grey face that shows one of the expressions of FER-2013.

Brows, eyes and mouth follow the expression; who it is, how the head is held
and how it is lit are drawn at random, so that nothing but the expression
tells the classes apart. This module only draws: files are written by
`fer_tfds.drawing.layouts`.

Lengths are in the face units of `fer_tfds.drawing.camera`.
"""

import dataclasses

import numpy as np

from fer_tfds.drawing.camera import Canvas
from fer_tfds.drawing.camera import ellipse
from fer_tfds.drawing.camera import hold_head
from fer_tfds.drawing.camera import photograph
from fer_tfds.drawing.expressions import EXPRESSIONS
from fer_tfds.drawing.expressions import Expression

_CURVE = np.linspace(-1.0, 1.0, 15)

_AT_REST = EXPRESSIONS["neutral"]

# No two faces of a class are alike: standard deviation of each part that
# varies beyond the strength with which the expression is shown.
_JITTER: dict[str, float] = {
    "brow_raise": 0.015,
    "brow_tilt": 0.02,
    "brow_arch": 0.015,
    "brow_pinch": 0.01,
    "eye_open": 0.008,
    "eye_squint": 0.05,
    "mouth_width": 0.02,
    "mouth_curve": 0.015,
}


@dataclasses.dataclass(frozen=True)
class _Person:
    """What makes a face this person's face; tones are grey levels."""

    half_width: float
    half_height: float
    jaw: float
    eye_distance: float
    eye_width: float
    eye_height: float
    brow_width: float
    nose_length: float
    nose_width: float
    mouth_height: float
    hair_line: float
    hair_length: float
    skin: float
    hair: float
    background: float


def draw_face(name: str, rng: np.random.Generator) -> np.ndarray:
    """Draws one face.

    Args:
        name: the expression, a key of `EXPRESSIONS`.
        rng: decides on everything else.

    Returns:
        uint8 [48, 48], grey levels 0 to 255.
    """
    person = _draw_person(rng)
    expression = _vary(EXPRESSIONS[name], rng)
    canvas = hold_head(person.background, rng)
    _draw_head(canvas, person, expression)
    _draw_folds(canvas, person, expression)
    _draw_nose(canvas, person)
    for eye_side in (-1.0, 1.0):
        _draw_eye(canvas, person, expression, side=eye_side)
        _draw_brow(canvas, person, expression, side=eye_side)
    _draw_mouth(canvas, person, expression, side=rng.choice([-1.0, 1.0]))
    return photograph(canvas, rng)


def _draw_person(rng: np.random.Generator) -> _Person:
    skin = rng.uniform(95, 215)
    return _Person(
        half_width=rng.uniform(0.68, 0.84),
        half_height=rng.uniform(0.95, 1.1),
        jaw=rng.uniform(0.0, 0.25),
        eye_distance=rng.uniform(0.29, 0.37),
        eye_width=rng.uniform(0.14, 0.18),
        eye_height=rng.uniform(-0.22, -0.12),
        brow_width=rng.uniform(0.045, 0.08),
        nose_length=rng.uniform(0.3, 0.4),
        nose_width=rng.uniform(0.08, 0.14),
        mouth_height=rng.uniform(0.46, 0.56),
        hair_line=rng.uniform(-0.98, -0.72),
        hair_length=rng.uniform(-0.6, 0.9),
        skin=skin,
        hair=rng.uniform(5, 0.75 * skin),
        background=rng.uniform(10, 245),
    )


def _vary(target: Expression, rng: np.random.Generator) -> Expression:
    """Shows an expression more or less strongly, and never twice the same."""
    strength = rng.uniform(0.75, 1.15)

    def vary_part(name: str) -> float:
        at_rest = getattr(_AT_REST, name)
        moved = strength * (getattr(target, name) - at_rest)
        return at_rest + moved + _JITTER.get(name, 0) * rng.standard_normal()

    names = [field.name for field in dataclasses.fields(Expression)]
    return Expression(**{name: vary_part(name) for name in names})


def _draw_head(canvas: Canvas, person: _Person, expression: Expression) -> None:
    drop = 0.5 * max(expression.mouth_open - 0.08, 0.0)  # an open jaw hangs
    hair = ellipse(
        0,
        -0.15,
        1.16 * person.half_width,
        half_height=1.05 * person.half_height,
    )
    hair[:, 1] = np.minimum(hair[:, 1], person.hair_length)
    canvas.fill(hair, person.hair)
    neck = 0.5 * person.half_width
    canvas.fill(
        np.array([[-neck, 0.6], [neck, 0.6], [neck, 2.0], [-neck, 2.0]]),
        0.8 * person.skin,
    )
    face = ellipse(0, 0, person.half_width, half_height=person.half_height)
    below = np.maximum(face[:, 1], 0.0)
    face[:, 0] *= 1 + person.jaw * below * (1 - below)
    face[:, 1] += drop * (below > 0.3)
    face[:, 1] = np.maximum(face[:, 1], person.hair_line)
    canvas.fill(face, person.skin)


def _draw_folds(
    canvas: Canvas, person: _Person, expression: Expression
) -> None:
    def tone(strength: float) -> float:
        return person.skin * (1 - 0.4 * min(strength, 1.0))

    eye_y = person.eye_height
    for side in (-1.0, 1.0):
        if expression.frown_lines > 0.1:
            x = 0.055 * side
            fold = np.array([[x, eye_y - 0.24], [x * 0.8, eye_y - 0.06]])
            canvas.stroke(fold, 0.03, tone(expression.frown_lines))
        if expression.cheek_lines > 0.1:
            x, y = person.nose_width + 0.06, eye_y + person.nose_length
            bend = np.array([[x, y], [x + 0.16, y + 0.1], [x + 0.21, y + 0.28]])
            canvas.stroke(bend * [side, 1], 0.03, tone(expression.cheek_lines))
        if expression.nose_wrinkles > 0.1:
            for y in (eye_y + 0.02, eye_y + 0.1, eye_y + 0.18):
                fold = np.array([[0.02, y], [0.12, y - 0.06]]) * [side, 1]
                canvas.stroke(fold, 0.03, tone(expression.nose_wrinkles))


def _draw_nose(canvas: Canvas, person: _Person) -> None:
    tip = person.eye_height + person.nose_length
    shade = 0.72 * person.skin
    bridge = np.array(
        [[-0.04, person.eye_height + 0.08], [-person.nose_width, tip]]
    )
    canvas.stroke(bridge, 0.02, 0.85 * person.skin)
    base = np.stack(
        [person.nose_width * _CURVE, tip + 0.04 * (1 - _CURVE**2)], axis=1
    )
    canvas.stroke(base, 0.035, shade)


def _draw_eye(
    canvas: Canvas, person: _Person, expression: Expression, *, side: float
) -> None:
    x0, y0 = side * person.eye_distance, person.eye_height
    height = max(expression.eye_open, 0.015)
    lower_lid = 0.8 - 1.0 * expression.eye_squint

    def lid(x: np.ndarray, share: float) -> np.ndarray:
        bulge = 1 - np.minimum(np.abs(x) / person.eye_width, 1.0) ** 2
        return share * height * bulge

    x = person.eye_width * _CURVE
    upper = np.stack([x0 + x, y0 - lid(x, 1.0)], axis=1)
    lower = np.stack([x0 + x, y0 + lid(x, lower_lid)], axis=1)
    canvas.fill(
        np.concatenate([upper, lower[::-1]]), min(person.skin + 75, 250)
    )
    iris = ellipse(0, -0.01, 0.075, half_height=0.075)
    iris[:, 1] = np.clip(
        iris[:, 1], -lid(iris[:, 0], 1.0), lid(iris[:, 0], lower_lid)
    )
    canvas.fill(iris + np.array([x0, y0]), 20)
    canvas.stroke(upper, 0.03, 0.3 * person.skin)
    canvas.stroke(lower, 0.02, 0.65 * person.skin)


def _draw_brow(
    canvas: Canvas, person: _Person, expression: Expression, *, side: float
) -> None:
    inward = -side * _CURVE  # -1 at the outer end, 1 at the inner end
    x = side * (person.eye_distance - expression.brow_pinch) + 0.2 * _CURVE
    y = (
        person.eye_height
        - 0.19
        - expression.brow_raise
        - expression.brow_tilt * inward / 2
        - expression.brow_arch * (1 - _CURVE**2)
    )
    tone = min(person.hair, 0.45 * person.skin)
    canvas.stroke(np.stack([x, y], axis=1), person.brow_width, tone)


def _draw_mouth(
    canvas: Canvas, person: _Person, expression: Expression, *, side: float
) -> None:
    x = expression.mouth_width * _CURVE
    middle = person.mouth_height + expression.mouth_curve * (0.4 - _CURVE**2)
    # 0.5 is an ellipse; towards 0 the opening becomes a rectangle.
    power = 0.5 - 0.35 * min(max(expression.mouth_square, 0.0), 1.0)
    bulge = np.maximum(1 - _CURVE**2, 0.0) ** power
    sneer = expression.sneer * np.exp(-(((side * _CURVE - 0.5) / 0.4) ** 2))
    opening = max(expression.mouth_open, 0.0) * bulge
    upper = np.stack([x, middle - opening - sneer * bulge], axis=1)
    lower = np.stack([x, middle + opening], axis=1)
    lips = 0.5 * person.skin
    if expression.mouth_open > 0.01:
        canvas.fill(np.concatenate([upper, lower[::-1]]), 15)
        edge = upper + 0.7 * expression.teeth * (lower - upper)
        canvas.fill(np.concatenate([upper, edge[::-1]]), 235)
        canvas.stroke(lower, 0.05, lips)
        canvas.stroke(upper, 0.05, lips)
    else:
        canvas.stroke(upper, 0.065, 0.4 * person.skin)
