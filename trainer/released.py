"""Weights of the released models, out of the very files that devices run.

`edge/models/*.tflite` hold int8 weights with a scale for each channel, and
BatchNormalization folded into them. Multiplied out they are the weights of the
trainer's network, whose BatchNormalization then changes nothing: it predicts
what the released file predicts, but for the rounding of values in between.
"""

import re
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from edge import model_file
from fer_tfds import labels
from trainer.models import LOGITS

NAMES = ("edge", "pocket")
# What they were trained on, or chosen by (their cards).
TRAINED_ON = "fer2013"

# Tensors are called by the layers that they were made of.
_CONVOLUTION = re.compile(r"(\w+)_conv(?:_\d+)?/convolution")
_BATCH_NORM = re.compile(r";(?:[^/]+/)?(\w+)_bn(?:_\d+)?/b")


class ReleasedError(ValueError):
    """A released model's weights do not fit a network."""


def fill(model: Any, name: str, class_names: Sequence[str]) -> None:
    """Fills a plain CNN with the weights of a released model.

    Of the last layer those classes are filled that the released model has
    under the same name; others keep their random weights.

    Args:
      model: as `trainer.models.build_model` makes it.
      name: one of `NAMES`.
      class_names: of the model, in the order of its output.

    Raises:
      ReleasedError: the network is another one; the text has the settings.
    """
    file = model_file.read_model_file(model_file.choose_model(name))
    kernels, biases = _read(file.content)
    own = {layer.name for layer in model.layers}
    theirs = {f"{stage}_conv" for stage in kernels if stage != LOGITS}
    if theirs != {n for n in own if n.endswith("_conv")}:
        raise _misfit(name, file.metadata)
    try:
        for stage, kernel in kernels.items():
            if stage != LOGITS:
                model.get_layer(f"{stage}_conv").set_weights([kernel])
                _pass_on(model.get_layer(f"{stage}_bn"), biases[stage])
        _fill_head(
            model.get_layer(LOGITS),
            (kernels[LOGITS], biases[LOGITS]),
            theirs=file.labels,
            ours=class_names,
        )
    except ValueError as error:
        raise _misfit(name, file.metadata) from error


def _read(
    content: bytes,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Kernels in Keras's layout and biases, float32, by stage."""
    kernels, biases = {}, {}
    for name, values in _constants(content):
        convolution = _CONVOLUTION.search(name)
        batch_norm = _BATCH_NORM.search(name)
        if convolution and values.ndim == 4:
            kernels[convolution[1]] = values.transpose(1, 2, 3, 0)
        elif batch_norm and values.ndim == 1:
            biases[batch_norm[1]] = values
        elif f"/{LOGITS}" in name and values.ndim == 2:
            kernels[LOGITS] = values.T
        elif f"/{LOGITS}" in name and values.ndim == 1:
            biases[LOGITS] = values
    return kernels, biases


def _constants(content: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """Weights multiplied out: name, and float32 with the channel first."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    for tensor in interpreter.get_tensor_details():
        scales = tensor["quantization_parameters"]["scales"]
        # Constants of layers have a scale for each channel, and come with it
        # first; what flows between layers has one, and one image first.
        if len(scales) > 1 and len(scales) == tensor["shape"][0]:
            values = interpreter.get_tensor(tensor["index"])
            shape = (-1,) + (1,) * (values.ndim - 1)
            yield tensor["name"], values * scales.reshape(shape)


def _pass_on(layer: Any, bias: np.ndarray) -> None:
    """Makes a BatchNormalization add a bias and change nothing else."""
    ones = np.ones_like(bias)
    scale = np.sqrt(ones + layer.epsilon)
    layer.set_weights([scale, bias, np.zeros_like(bias), ones])


def _fill_head(
    layer: Any,
    released: tuple[np.ndarray, np.ndarray],
    *,
    theirs: Sequence[str],
    ours: Sequence[str],
) -> None:
    kernel, bias = layer.get_weights()
    known = [labels.common_name(name) for name in theirs]
    for column, name in enumerate(map(labels.common_name, ours)):
        if name in known:
            kernel[:, column] = released[0][:, known.index(name)]
            bias[column] = released[1][known.index(name)]
    layer.set_weights([kernel, bias])


def _misfit(name: str, metadata: dict) -> ReleasedError:
    model = metadata["settings"]["model"]
    data = metadata["settings"]["data"]
    return ReleasedError(
        f"--weights={name} needs the network of the released model: "
        f"--backbone={model['backbone']} "
        f"--widths={','.join(map(str, model['widths']))} "
        f"--stage_depth={','.join(map(str, model['stage_depth']))} "
        f"--stem_stride={model['stem_stride']} --pooling={model['pooling']} "
        "--head_units= "
        f"--image_size={data['image_size']} --channels={data['channels']}"
    )
