"""How large a network the settings make, told before any of it is built.

Building one of many thousand layers, or of more weights than there is memory,
ends a process without a word. Counts roughly: biases and norms are left out.
"""

from trainer.models import layer_list
from trainer.settings.model_and_data import DataSettings
from trainer.settings.model_and_data import ModelSettings

# Each part is up to four of Keras's layers, of which it joins about 900: it
# calls itself for each.
MOST_PARTS = 150

# Seven times VGG16: 4 GB, and as much again for each of an optimizer's slots.
MOST_WEIGHTS = 10**9

# The most channels, and the halvings, of a network of `keras.applications`.
_CHANNELS, _HALVINGS = 2048, 5


def check(model: ModelSettings, data: DataSettings) -> None:
    """Refuses a network that is too deep or too large to be built.

    Raises:
      ValueError: says which settings make it so.
    """
    names = "`head_units`"
    parts = len(model.head_units)
    if model.backbone == "plain_cnn":
        names = "`widths`, `stage_depth` and `head_units`"
        depth = model.stage_depth
        parts += sum(depth) * (len(model.widths) if len(depth) == 1 else 1)
    elif model.backbone == "layer_list":
        names = "`layers` and `head_units`"
        parts += len(model.layers)
    if parts > MOST_PARTS:
        raise ValueError(
            f"{names} make a network of {parts:,} layers; at most "
            f"{MOST_PARTS:,} are built"
        )
    weights = _count_weights(model, data)
    if weights > MOST_WEIGHTS:
        raise ValueError(
            f"{names} make a network of {weights:,} weights; at most "
            f"{MOST_WEIGHTS:,} are built"
        )


def _count_weights(model: ModelSettings, data: DataSettings) -> int:
    """Weights of convolutions and dense layers, the last one left out."""
    widths, halvings = _convolutions(model)
    total, channels = 0, data.channels if widths else _CHANNELS
    for width in widths:
        total += 9 * channels * width
        channels = width
    features = channels
    if model.pooling == "flatten":
        features *= max(1, data.image_size >> halvings) ** 2
    for units in model.head_units:
        total += features * units
        features = units
    return total


def _convolutions(model: ModelSettings) -> tuple[list[int], int]:
    """Channels of each 3x3 convolution, and how often the image is halved."""
    if model.backbone == "plain_cnn":
        widths, depth = model.widths, model.stage_depth
        depths = depth * len(widths) if len(depth) == 1 else depth
        stages = zip(widths, depths, strict=True)
        each = [width for width, count in stages for _ in range(count)]
        return each, len(widths) - 1 + (model.stem_stride > 1)
    if model.backbone == "layer_list":
        each = [layer_list.width_of(token) for token in model.layers]
        return [w for w in each if w], model.layers.count("mp")
    return [], _HALVINGS
