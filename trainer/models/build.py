"""Backbone and head joined into one flat functional model."""

from trainer.models import applications
from trainer.models import plain_cnn
from trainer.settings import Settings

# The layer that stands between backbone and head in every model.
BACKBONE_LAYER = "pooling"

# The registered test model: every command in seconds on a CPU.
TINY_WIDTHS = (16, 32, 64, 96)


def build_model(settings: Settings, num_classes: int, keras):
    """Builds the network of the settings, with random weights.

    Args:
      settings: model and data settings.
      num_classes: length of the probability vector.
      keras: the Keras module to build with (Keras 3, or tf_keras).

    Returns:
      A flat functional model: float32 [n, S, S, C] raw pixels in [0, 255] ->
      float32 [n, num_classes] probabilities. Its layer `logits` comes before
      the softmax.
    """
    size, channels = settings.data.image_size, settings.data.channels
    inputs = keras.Input([size, size, channels], name="pixels")
    x = _backbone(inputs, settings.model, keras)
    x = keras.layers.GlobalAveragePooling2D(name=BACKBONE_LAYER)(x)
    x = _hidden_layers(x, settings, keras)
    x = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    x = keras.layers.Softmax(dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, x, name=settings.model.backbone)


def head_layers(model) -> list:
    """Returns the layers after the backbone, from pooling to softmax."""
    names = [layer.name for layer in model.layers]
    return model.layers[names.index(BACKBONE_LAYER) :]


def _backbone(inputs, model, keras):
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
            stage_depth=1,
            stem_stride=2,
            keras=keras,
        )
    return applications.application(inputs, name=model.backbone, keras=keras)


def _hidden_layers(x, settings, keras):
    # Dropout's own seeds, so that a run does not depend on how many random
    # layers some other code has made before.
    model, seed = settings.model, settings.training.seed
    if model.pooling_dropout:
        x = keras.layers.Dropout(
            model.pooling_dropout, seed=seed, name="pooling_dropout"
        )(x)
    pairs = zip(model.head_units, model.head_dropout, strict=True)
    for index, (units, rate) in enumerate(pairs, start=1):
        x = keras.layers.Dense(units, "relu", name=f"head{index}")(x)
        x = keras.layers.Dropout(
            rate, seed=seed + index, name=f"head{index}_dropout"
        )(x)
    return x
