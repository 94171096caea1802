"""Plain 3x3 convolution networks for devices, grey and small.

Dense 3x3 convolutions with BatchNorm and ReLU fold into single int8
operators, and global average pooling keeps the head small.
"""

from types import ModuleType
from typing import Any

from trainer.models import normalisation


def plain_cnn(
    inputs: Any,
    *,
    widths: tuple[int, ...],
    stage_depth: tuple[int, ...],
    stem_stride: int,
    keras: ModuleType,
) -> Any:
    """Stages of conv-BN-ReLU, halved by max pooling between them.

    Args:
      inputs: symbolic float32 [n, S, S, C] in [0, 255].
      widths: channels of each stage.
      stage_depth: convolutions in each stage; one number is for all of them.
      stem_stride: stride of the very first convolution.
      keras: the Keras module to build with.

    Returns:
      Symbolic feature map [n, H, W, widths[-1]].
    """
    channels = inputs.shape[-1]
    x = normalisation.apply(inputs, normalisation.signed(channels), keras)
    depths = stage_depth * len(widths) if len(stage_depth) == 1 else stage_depth
    stages = zip(widths, depths, strict=True)
    for stage, (width, depth) in enumerate(stages, start=1):
        for index in range(1, depth + 1):
            stride = stem_stride if (stage, index) == (1, 1) else 1
            name = f"stage{stage}_{index}"
            x = _conv_bn_relu(x, width, name, stride=stride, keras=keras)
        if stage < len(widths):
            x = keras.layers.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
    return x


def _conv_bn_relu(
    x: Any, width: int, name: str, *, stride: int, keras: ModuleType
) -> Any:
    x = keras.layers.Conv2D(
        width,
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    # Momentum 0.9: the default of 0.99 needs several hundred steps before
    # evaluation sees the statistics that training has.
    x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
