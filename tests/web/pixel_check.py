"""Holds pixels that the page prepared to those that edge prepares.

Equal, but where the value before rounding lies so near to a half that numpy's
own result depends on the processor, whose sums run in an order of their own.
"""

import numpy as np

from edge.pictures import _planes
from edge.pictures import _resize_weights
from edge.pictures import prepare_picture

SIZE = 48
# Single precision, sums of a hundred terms.
NEAR_A_HALF = 1e-4


def check(prepared, picture, *, levels):
    """Fails where prepared pixels are others than edge's.

    Args:
      prepared: the page's, in rows.
      picture: uint8 [H, W, C], what was prepared.
      levels: by how much any pixel may differ.
    """
    seen = np.reshape(prepared, [SIZE, SIZE]).astype(int)
    wanted = prepare_picture(picture, SIZE, 1)[..., 0]
    difference = np.abs(seen - wanted)
    assert difference.max() <= max(levels, 1)
    if levels == 0:
        assert not (difference[~is_near_a_half(picture)]).any()


def is_near_a_half(picture):
    """Which values rounding may take either way: bool [SIZE, SIZE]."""
    (plane,) = _planes(picture, 1)
    rows = _resize_weights(picture.shape[0], SIZE).astype(float)
    columns = _resize_weights(picture.shape[1], SIZE).T.astype(float)
    values = rows @ plane.astype(float) @ columns
    return np.abs(values - np.floor(values) - 0.5) < NEAR_A_HALF
