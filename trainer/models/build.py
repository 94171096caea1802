"""Backbone, head and classes joined into one flat functional model."""

from types import ModuleType
from typing import TYPE_CHECKING
from typing import Any

from trainer.models import applications
from trainer.models import efficientnet_lite
from trainer.models import layer_list
from trainer.models import plain_cnn
from trainer.models.head import BACKBONE_LAYER
from trainer.models.head import build_head

if TYPE_CHECKING:  # The settings import this package.
    from trainer.settings.settings import Settings

# The layer before the softmax.
LOGITS = "logits"

# The registered test model: every command in seconds on a CPU.
TINY_WIDTHS = (16, 32, 64, 96)


def build_model(
    settings: "Settings", num_classes: int, keras: ModuleType
) -> Any:
    """Builds the network of the settings, with random weights.

    Args:
      settings: `trainer.settings.settings.Settings` of the run.
      num_classes: length of the probability vector.
      keras: the Keras module to build with (Keras 3, or tf_keras).

    Returns:
      A flat functional model: float32 [n, S, S, C] raw pixels in [0, 255] ->
      float32 [n, num_classes] probabilities. Its layer `logits` comes before
      the softmax.
    """
    size, channels = settings.data.image_size, settings.data.channels
    inputs = keras.Input([size, size, channels], name="pixels")
    x = _backbone(inputs, settings, keras)
    x = _classify(x, settings, num_classes, keras=keras)
    return keras.Model(inputs, x, name=settings.model.backbone)


def build_head_model(
    settings: "Settings",
    num_features: int,
    num_classes: int,
    *,
    keras: ModuleType,
) -> Any:
    """Builds the head of the settings alone, with random weights.

    Args:
      settings: `trainer.settings.settings.Settings` of the run.
      num_features: values that pooling gives for an image.
      num_classes: length of the probability vector.
      keras: the Keras module to build with.

    Returns:
      A flat functional model: float32 [n, 1, 1, num_features], which pooling
      leaves as they are -> float32 [n, num_classes] probabilities.
    """
    inputs = keras.Input([1, 1, num_features], name="features")
    x = _classify(inputs, settings, num_classes, keras=keras)
    return keras.Model(inputs, x, name="head")


def head_layers(model: Any) -> list:
    """Returns the layers after the backbone, from pooling to softmax."""
    names = [layer.name for layer in model.layers]
    return model.layers[names.index(BACKBONE_LAYER) :]


def _classify(
    x: Any, settings: "Settings", num_classes: int, *, keras: ModuleType
) -> Any:
    """From a feature map to probabilities."""
    x = build_head(x, settings, keras)
    x = keras.layers.Dense(num_classes, dtype="float32", name=LOGITS)(x)
    return keras.layers.Softmax(dtype="float32", name="probabilities")(x)


def _backbone(inputs: Any, settings: "Settings", keras: ModuleType) -> Any:
    model = settings.model
    if model.backbone == "plain_cnn":
        return plain_cnn.plain_cnn(
            inputs,
            widths=model.widths,
            stage_depth=model.stage_depth,
            stem_stride=model.stem_stride,
            keras=keras,
        )
    if model.backbone == "tiny_cnn":
        return plain_cnn.plain_cnn(
            inputs,
            widths=TINY_WIDTHS,
            stage_depth=(1,),
            stem_stride=2,
            keras=keras,
        )
    if model.backbone == "layer_list":
        return layer_list.layer_list(
            inputs,
            tokens=model.layers,
            seed=settings.training.seed,
            keras=keras,
        )
    if model.backbone == "efficientnet_lite0":
        return efficientnet_lite.efficientnet_lite0(inputs, keras=keras)
    return applications.application(inputs, name=model.backbone, keras=keras)
