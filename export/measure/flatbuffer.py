"""What a `.tflite` is made of: operators, shapes, weights; nothing is run.

Reads the file's own tables with the reader that TensorFlow generates from the
schema. Multiply-accumulates follow from shapes: one for each weight that
meets one output value.
"""

import dataclasses

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

_OPERATORS = {
    number: name
    for name, number in vars(schema.BuiltinOperator).items()
    if not name.startswith("_")
}
_NUMPY = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.INT16: np.int16,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.BOOL: np.bool_,
}
_TYPES = {
    number: name
    for name, number in vars(schema.TensorType).items()
    if not name.startswith("_")
}


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One tensor.

    Attributes:
      name: as the converter called it.
      shape: a batch of 1 first.
      type: the schema's name, such as INT8.
      values: the weights, or None for what is computed.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    values: np.ndarray | None


@dataclasses.dataclass(frozen=True)
class Operator:
    """One operator of the main graph, in the order they are computed.

    Attributes:
      name: the schema's name, such as CONV_2D.
      inputs: its tensors, weights included; optional ones left out.
      outputs: its tensors.
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def weight_bytes(self) -> int:
        """Size of its weights in the file, in bytes."""
        return sum(t.values.nbytes for t in self.inputs if t.values is not None)

    @property
    def multiply_accumulates(self) -> int:
        """For one image; 0 for what multiplies by no weights."""
        if self.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            return 0
        kernel, output = self.inputs[1].shape, self.outputs[0].shape
        # Kernels are [out, h, w, in], [1, h, w, channels] and [out, in].
        each = int(np.prod(kernel[1:]))
        if self.name == "DEPTHWISE_CONV_2D":
            each = int(np.prod(kernel[1:3]))
        return each * int(np.prod(output))


def read_operators(content: bytes) -> list[Operator]:
    """Reads the operators of a `.tflite`.

    Args:
      content: the file; what is appended to the model is not looked at.
    """
    model = schema.Model.GetRootAs(content)
    graph = model.Subgraphs(0)
    tensors = [
        _tensor(model, graph.Tensors(index))
        for index in range(graph.TensorsLength())
    ]
    return [
        _operator(model, graph.Operators(index), tensors)
        for index in range(graph.OperatorsLength())
    ]


def kernels(content: bytes) -> dict[str, np.ndarray]:
    """Returns the kernels of convolutions and dense layers by output name."""
    multiplying = ("CONV_2D", "FULLY_CONNECTED")
    return {
        operator.outputs[0].name: operator.inputs[1].values
        for operator in read_operators(content)
        if operator.name in multiplying
        and operator.inputs[1].values is not None
    }


def _operator(
    model: schema.Model, operator: schema.Operator, tensors: list[Tensor]
) -> Operator:
    code = model.OperatorCodes(operator.OpcodeIndex())
    # Old files hold small numbers in the deprecated field.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())

    def pick(indices: np.ndarray) -> tuple[Tensor, ...]:
        return tuple(tensors[i] for i in indices if i >= 0)

    return Operator(
        _OPERATORS.get(number, f"CUSTOM_{number}"),
        pick(operator.InputsAsNumpy()),
        pick(operator.OutputsAsNumpy()),
    )


def _tensor(model: schema.Model, tensor: schema.Tensor) -> Tensor:
    shape = (
        tuple(map(int, tensor.ShapeAsNumpy())) if tensor.ShapeLength() else ()
    )
    kind = _NUMPY.get(tensor.Type())
    buffer = model.Buffers(tensor.Buffer())
    values = None
    if kind is not None and buffer.DataLength():
        values = np.frombuffer(buffer.DataAsNumpy().tobytes(), kind)
        values = values.reshape(shape)
    return Tensor(tensor.Name().decode(), shape, _TYPES[tensor.Type()], values)
