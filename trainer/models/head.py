"""The head: from a backbone's feature map to the last hidden layer."""

from types import ModuleType
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:  # The settings import this package.
    from trainer.settings.model_and_data import ModelSettings
    from trainer.settings.settings import Settings

# The layer that stands between backbone and head in every model.
BACKBONE_LAYER = "pooling"


def build_head(x: Any, settings: "Settings", keras: ModuleType) -> Any:
    """Adds pooling and the hidden layers.

    Args:
      x: symbolic feature map [n, H, W, channels].
      settings: of the run.
      keras: the Keras module to build with.

    Returns:
      Symbolic features [n, units].
    """
    # Dropout's own seeds, so that a run does not depend on how many random
    # layers some other code has made before.
    model, seed = settings.model, settings.training.seed
    pooling = {
        "average": keras.layers.GlobalAveragePooling2D,
        "flatten": keras.layers.Flatten,
    }
    x = pooling[model.pooling](name=BACKBONE_LAYER)(x)
    x = _dropout(
        x, model.pooling_dropout, BACKBONE_LAYER, seed=seed, keras=keras
    )
    if model.head_batch_norm:
        x = keras.layers.BatchNormalization(name=f"{BACKBONE_LAYER}_bn")(x)
    pairs = zip(model.head_units, model.head_dropout, strict=True)
    for index, (units, rate) in enumerate(pairs, start=1):
        name = f"head{index}"
        x = _dense(x, units, name, model=model, keras=keras)
        x = _dropout(x, rate, name, seed=seed + index, keras=keras)
    return x


def _dense(
    x: Any, units: int, name: str, *, model: "ModelSettings", keras: ModuleType
) -> Any:
    penalty = keras.regularizers.L2(model.head_l2) if model.head_l2 else None
    if not model.head_batch_norm:
        return keras.layers.Dense(
            units,
            model.head_activation,
            kernel_regularizer=penalty,
            name=name,
        )(x)
    x = keras.layers.Dense(
        units, use_bias=False, kernel_regularizer=penalty, name=name
    )(x)
    x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.Activation(model.head_activation, name=f"{name}_act")(x)


def _dropout(
    x: Any, rate: float, name: str, *, seed: int, keras: ModuleType
) -> Any:
    if not rate:
        return x
    return keras.layers.Dropout(rate, seed=seed, name=f"{name}_dropout")(x)
