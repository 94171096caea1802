"""From raw pixels to the range a backbone was trained on, inside the graph.

The affine map is a fixed 1x1 convolution: one plain layer that every
converter and quantiser knows, which also repeats grey into three channels and
turns RGB into BGR where a backbone wants that.
"""

from types import ModuleType
from typing import Any

import numpy as np

LAYER_NAME = "normalisation"

# Mean and deviation of ImageNet's RGB channels, in grey levels of 0..255:
# keras.applications.imagenet_utils, mode "torch".
TORCH_MEAN = (0.485 * 255, 0.456 * 255, 0.406 * 255)
TORCH_DEVIATION = (0.229 * 255, 0.224 * 255, 0.225 * 255)


# Mean of ImageNet's channels in the order blue, green, red, in grey levels:
# keras.applications.imagenet_utils, mode "caffe".
CAFFE_MEAN = (103.939, 116.779, 123.68)


def unit(channels: int) -> tuple[np.ndarray, np.ndarray]:
    """[0, 255] -> [0, 1], keeping the number of channels.

    Returns:
      kernel float32 [1, 1, channels, channels] and bias float32 [channels].
    """
    return _kernel(np.eye(channels) / 255), np.zeros(channels, np.float32)


def signed(channels: int) -> tuple[np.ndarray, np.ndarray]:
    """[0, 255] -> [-1, 1], keeping the number of channels.

    Returns:
      kernel float32 [1, 1, channels, channels] and bias float32 [channels].
    """
    return _kernel(np.eye(channels) / 127.5), np.full(channels, -1, np.float32)


def signed_rgb(channels: int) -> tuple[np.ndarray, np.ndarray]:
    """[0, 255] -> [-1, 1] in three channels (MobileNetV2).

    Returns:
      kernel float32 [1, 1, channels, 3] and bias float32 [3].
    """
    return _kernel(_to_rgb(channels) / 127.5), np.full(3, -1, np.float32)


def centred_rgb(channels: int) -> tuple[np.ndarray, np.ndarray]:
    """[0, 255] -> (x - 127) / 128 in three channels (EfficientNet-Lite).

    Returns:
      kernel float32 [1, 1, channels, 3] and bias float32 [3].
    """
    return (
        _kernel(_to_rgb(channels) / 128),
        np.full(3, -127 / 128, np.float32),
    )


def caffe_bgr(channels: int) -> tuple[np.ndarray, np.ndarray]:
    """[0, 255] -> blue, green, red with mean 0 (ResNet50, VGG16).

    Returns:
      kernel float32 [1, 1, channels, 3] and bias float32 [3].
    """
    kernel = _to_rgb(channels)[:, ::-1]
    return _kernel(kernel), -np.array(CAFFE_MEAN, np.float32)


def torch_rgb(channels: int) -> tuple[np.ndarray, np.ndarray]:
    """[0, 255] -> ImageNet mean 0, deviation 1 in three channels (DenseNet).

    Returns:
      kernel float32 [1, 1, channels, 3] and bias float32 [3].
    """
    bias = -np.array(TORCH_MEAN) / TORCH_DEVIATION
    kernel = _to_rgb(channels) / np.array(TORCH_DEVIATION)
    return _kernel(kernel), bias.astype(np.float32)


def apply(
    inputs: Any, affine: tuple[np.ndarray, np.ndarray], keras: ModuleType
) -> Any:
    """Adds the layer; its weights are set by `set_weights`.

    Args:
      inputs: symbolic float32 [n, S, S, C] in [0, 255].
      affine: (kernel, bias) of one of the functions above.
      keras: the Keras module to build with.
    """
    # float32 even under mixed precision: bfloat16 holds 8 bits of a pixel.
    layer = keras.layers.Conv2D(
        affine[0].shape[-1],
        1,
        trainable=False,
        dtype="float32",
        name=LAYER_NAME,
    )
    outputs = layer(inputs)
    layer.set_weights(list(affine))
    return outputs


def _to_rgb(channels: int) -> np.ndarray:
    return np.ones([1, 3]) if channels == 1 else np.eye(3)


def _kernel(matrix: np.ndarray) -> np.ndarray:
    return matrix[None, None].astype(np.float32)
