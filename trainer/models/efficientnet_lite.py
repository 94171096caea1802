"""EfficientNet-Lite0, grown on our input, without its top.

The variant for devices of Tan, Le, EfficientNet (arXiv 1905.11946): ReLU6, no
squeeze-and-excitation, stem and head of fixed width (github.com/tensorflow/
tpu, models/official/efficientnet/lite). Layers are called as in the PyTorch
ports, whose weights can be had as arrays.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from trainer.models import normalisation

# Of each stage: blocks, kernel, stride of the first block, expansion, width.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM_WIDTH = 32
HEAD_WIDTH = 1280
EPSILON = 1e-3


def efficientnet_lite0(inputs: Any, *, keras: ModuleType) -> Any:
    """Adds the network up to its last convolution.

    Args:
      inputs: symbolic float32 [n, S, S, C] in [0, 255].
      keras: the Keras module to build with.

    Returns:
      Symbolic feature map [n, ceil(S / 32), ceil(S / 32), 1280].
    """
    affine = normalisation.centred_rgb(inputs.shape[-1])
    x = normalisation.apply(inputs, affine, keras)
    x = _conv(x, STEM_WIDTH, "conv_stem", kernel=3, stride=2, keras=keras)
    x = _normalise(x, "bn0", keras, is_active=True)
    index = 0
    for blocks, kernel, stride, expansion, width in STAGES:
        for block in range(blocks):
            x = _block(
                x,
                width,
                f"blocks_{index}",
                kernel=kernel,
                stride=stride if block == 0 else 1,
                expansion=expansion,
                keras=keras,
            )
            index += 1
    x = _conv(x, HEAD_WIDTH, "conv_head", keras=keras)
    return _normalise(x, "bn1", keras, is_active=True)


def weights_from_arrays(
    arrays: Mapping[str, np.ndarray], layer: Any
) -> list[np.ndarray]:
    """Finds a layer's weights among arrays under their PyTorch names.

    Args:
      arrays: mapping from names such as `_blocks.0._bn1.bias` to arrays;
        kernels are [out, in, height, width].
      layer: a layer of `efficientnet_lite0`.

    Returns:
      The weights as `layer.set_weights` takes them.

    Raises:
      KeyError: there are none for it.
    """
    name = f"_{layer.name}"
    if name.startswith("_blocks_"):
        _, number, rest = layer.name.split("_", 2)
        name = f"_blocks.{number}._{rest}"
    if f"{name}.running_mean" in arrays:
        parts = ("weight", "bias", "running_mean", "running_var")
        return [arrays[f"{name}.{part}"] for part in parts]
    # Depthwise kernels are [channels, 1, k, k] there, [k, k, channels, 1] here.
    axes = (2, 3, 0, 1) if "depthwise" in name else (2, 3, 1, 0)
    return [np.transpose(arrays[f"{name}.weight"], axes)]


def _block(
    x: Any,
    width: int,
    name: str,
    *,
    kernel: int,
    stride: int,
    expansion: int,
    keras: ModuleType,
) -> Any:
    """An inverted bottleneck: expand, filter each channel, project."""
    shortcut, channels = x, x.shape[-1]
    if expansion > 1:
        expanded = channels * expansion
        x = _conv(x, expanded, f"{name}_expand_conv", keras=keras)
        x = _normalise(x, f"{name}_bn0", keras, is_active=True)
    x = keras.layers.DepthwiseConv2D(
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise_conv",
    )(x)
    x = _normalise(x, f"{name}_bn1", keras, is_active=True)
    x = _conv(x, width, f"{name}_project_conv", keras=keras)
    x = _normalise(x, f"{name}_bn2", keras, is_active=False)
    if stride == 1 and channels == width:
        x = keras.layers.Add(name=f"{name}_add")([shortcut, x])
    return x


def _conv(
    x: Any,
    width: int,
    name: str,
    *,
    kernel: int = 1,
    stride: int = 1,
    keras: ModuleType,
) -> Any:
    return keras.layers.Conv2D(
        width,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        name=name,
    )(x)


def _normalise(x: Any, name: str, keras: ModuleType, *, is_active: bool) -> Any:
    x = keras.layers.BatchNormalization(epsilon=EPSILON, name=name)(x)
    if is_active:
        x = keras.layers.ReLU(max_value=6, name=f"{name}_relu6")(x)
    return x
