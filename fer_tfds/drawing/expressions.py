"""What brows, eyes and mouth do in each expression, as plain numbers.

Read by `drawn_faces`, whose face units the lengths are in. The names
are those of `fer_tfds.labels`.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Expression:
    """The moving parts of a face, in face units unless said otherwise.

    Attributes:
        brow_raise: how far the brows are lifted.
        brow_tilt: how far their inner ends are above the outer ones.
        brow_arch: how far their middle is above their ends.
        brow_pinch: how far they are drawn together.
        frown_lines: strength of the folds between them, 0 to 1.
        eye_open: half the height of the open eye.
        eye_squint: how far the lower lid is pushed up, 0 to 1.
        mouth_width: half its width.
        mouth_curve: how far the corners are above the middle.
        mouth_open: half the height of the opening.
        mouth_square: 0 for a round opening, 1 for a rectangular one.
        sneer: how far the upper lip is lifted on one side.
        teeth: share of the opening that shows teeth, 0 to 1.
        nose_wrinkles: strength of the folds across the nose, 0 to 1.
        cheek_lines: strength of the folds from nose to mouth, 0 to 1.
    """

    brow_raise: float = 0.0
    brow_tilt: float = 0.0
    brow_arch: float = 0.06
    brow_pinch: float = 0.0
    frown_lines: float = 0.0
    eye_open: float = 0.085
    eye_squint: float = 0.0
    mouth_width: float = 0.25
    mouth_curve: float = 0.0
    mouth_open: float = 0.0
    mouth_square: float = 0.0
    sneer: float = 0.0
    teeth: float = 0.0
    nose_wrinkles: float = 0.0
    cheek_lines: float = 0.0


# What moves in which emotion follows the action units that Ekman and Friesen
# describe (Facial Action Coding System, 1978); how far is ours, chosen by
# looking at the contact sheet.
EXPRESSIONS: dict[str, Expression] = {
    "angry": Expression(
        brow_raise=-0.09,
        brow_tilt=-0.22,
        brow_arch=0.0,
        brow_pinch=0.05,
        frown_lines=1.0,
        eye_open=0.07,
        eye_squint=0.3,
        mouth_width=0.24,
        mouth_curve=-0.04,
        mouth_open=0.075,
        mouth_square=1.0,
        teeth=1.0,
    ),
    "disgust": Expression(
        brow_raise=-0.07,
        brow_tilt=-0.07,
        eye_open=0.05,
        eye_squint=0.8,
        mouth_width=0.23,
        mouth_curve=-0.12,
        mouth_open=0.02,
        sneer=0.17,
        teeth=0.6,
        nose_wrinkles=1.0,
        cheek_lines=1.0,
    ),
    "fear": Expression(
        brow_raise=0.1,
        brow_tilt=0.17,
        brow_arch=0.0,
        brow_pinch=0.03,
        eye_open=0.15,
        mouth_width=0.33,
        mouth_curve=-0.1,
        mouth_open=0.085,
        mouth_square=0.6,
        teeth=0.5,
    ),
    "happy": Expression(
        brow_raise=0.03,
        brow_arch=0.1,
        eye_open=0.07,
        eye_squint=0.6,
        mouth_width=0.38,
        mouth_curve=0.24,
        mouth_open=0.075,
        teeth=0.8,
        cheek_lines=0.7,
    ),
    "sad": Expression(
        brow_raise=0.03,
        brow_tilt=0.22,
        brow_arch=0.0,
        eye_open=0.06,
        mouth_width=0.23,
        mouth_curve=-0.2,
    ),
    "surprise": Expression(
        brow_raise=0.17,
        brow_arch=0.15,
        eye_open=0.15,
        mouth_width=0.16,
        mouth_open=0.2,
    ),
    "neutral": Expression(),
    # One corner of a closed mouth is drawn up, with its fold in the cheek.
    "contempt": Expression(
        brow_raise=0.02,
        eye_open=0.06,
        eye_squint=0.35,
        mouth_width=0.25,
        mouth_curve=0.03,
        sneer=0.15,
        cheek_lines=0.5,
    ),
}
