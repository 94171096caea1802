"""Networks written as a list of layers, for the recipes of old notebooks.

The list is one setting, for example `c32,c64,bn,mp,d0.25,c128l0.01v`:

  cN        3x3 convolution with N channels, ReLU; `v` behind it: without
            padding; `lX` behind it: L2 penalty X on the kernel
  bn        batch normalisation
  mp        2x2 max pooling
  dX        dropout at rate X
"""

import re
from types import ModuleType
from typing import Any

from trainer.models import normalisation

_TOKEN = re.compile(
    r"c(?P<width>[1-9]\d{0,4})(l(?P<l2>\d*\.?\d+))?(?P<valid>v)?"
    r"|(?P<norm>bn)|(?P<pool>mp)|d(?P<rate>0?\.\d+)"
)


def check(tokens: tuple[str, ...]) -> None:
    """Refuses a list that cannot be built.

    Raises:
      ValueError: names the first part that is not understood.
    """
    for token in tokens:
        if not _TOKEN.fullmatch(token):
            raise ValueError(
                "`layers` is a list of c<channels>, bn, mp and d<rate>, such "
                f"as c32,c64,bn,mp,d0.25; received {token!r}"
            )


def width_of(token: str) -> int:
    """Returns the channels of a convolution, 0 of any other part."""
    return int(_TOKEN.fullmatch(token)["width"] or 0)


def layer_list(
    inputs: Any, *, tokens: tuple[str, ...], seed: int, keras: ModuleType
) -> Any:
    """Adds the layers one after the other.

    Args:
      inputs: symbolic float32 [n, S, S, C] in [0, 255].
      tokens: the list, as above.
      seed: of the dropout layers.
      keras: the Keras module to build with.

    Returns:
      Symbolic feature map [n, H, W, channels].
    """
    affine = normalisation.unit(inputs.shape[-1])
    x = normalisation.apply(inputs, affine, keras)
    for index, token in enumerate(tokens, start=1):
        parts = _TOKEN.fullmatch(token).groupdict()
        name, layer_seed = f"layer{index}", seed + 100 + index
        x = _layer(parts, name, seed=layer_seed, keras=keras)(x)
    return x


def _layer(
    parts: dict[str, str | None], name: str, *, seed: int, keras: ModuleType
) -> Any:
    if parts["norm"]:
        return keras.layers.BatchNormalization(name=f"{name}_bn")
    if parts["pool"]:
        return keras.layers.MaxPooling2D(2, name=f"{name}_pool")
    if parts["rate"]:
        rate = float(parts["rate"])
        return keras.layers.Dropout(rate, seed=seed, name=f"{name}_dropout")
    penalty = float(parts["l2"] or 0)
    return keras.layers.Conv2D(
        int(parts["width"]),
        3,
        padding="valid" if parts["valid"] else "same",
        activation="relu",
        kernel_regularizer=keras.regularizers.L2(penalty) if penalty else None,
        name=f"{name}_conv",
    )
