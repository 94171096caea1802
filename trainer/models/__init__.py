"""Networks: `build_model(settings, num_classes, keras)` and its head alone.

Each gives one flat functional model with random weights. The Keras module is
an argument, so that compression can rebuild the same network with another
generation of Keras. Nothing here loads a file or imports TensorFlow.
"""

from trainer.models.build import LOGITS
from trainer.models.build import build_head_model
from trainer.models.build import build_model
from trainer.models.build import head_layers
from trainer.models.head import BACKBONE_LAYER

__all__ = [
    "BACKBONE_LAYER",
    "LOGITS",
    "build_head_model",
    "build_model",
    "head_layers",
]
