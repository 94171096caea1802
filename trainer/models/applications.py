"""Backbones of keras.applications, grown on our input, without their top."""

from types import ModuleType
from typing import Any

from trainer.models import normalisation

# name -> (class in keras.applications, the pixels it was trained on). Source
# of the pixel ranges: the `preprocess_input` of each.
NETWORKS = {
    "densenet121": ("DenseNet121", normalisation.torch_rgb),
    "densenet169": ("DenseNet169", normalisation.torch_rgb),
    "resnet50": ("ResNet50", normalisation.caffe_bgr),
    "resnet50v2": ("ResNet50V2", normalisation.signed_rgb),
    "vgg16": ("VGG16", normalisation.caffe_bgr),
    "mobilenetv2": ("MobileNetV2", normalisation.signed_rgb),
}

# Keras gives MobileNetV2 0.999, as for ImageNet's 10,000 steps an epoch. After
# one of FER-2013 (224 steps of 128) four fifths of the statistics would still
# be those of the start, 0.999 ** 224. This is what the other networks have.
MOST_BATCH_NORM_MOMENTUM = 0.99


def application(inputs: Any, *, name: str, keras: ModuleType) -> Any:
    """Grows a backbone with random weights.

    Args:
      inputs: symbolic float32 [n, S, S, C] in [0, 255].
      name: one of NETWORKS.
      keras: the Keras module to build with.

    Returns:
      Symbolic feature map [n, H, W, channels].
    """
    class_name, affine = NETWORKS[name]
    x = normalisation.apply(inputs, affine(inputs.shape[-1]), keras)
    network = getattr(keras.applications, class_name)(
        include_top=False, weights=None, input_tensor=x
    )
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(layer.momentum, MOST_BATCH_NORM_MOMENTUM)
    return network.output
