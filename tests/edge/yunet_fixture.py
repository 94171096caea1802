"""A network with YuNet's inputs and outputs that finds bright squares.

OpenCV's FaceDetectorYN loads it as it loads the real one, which may not be
shipped here. A cell of 32x32 pixels, on a grid of that step, is a face, and
its score is its mean brightness. The ONNX file is put together by hand, from
the field numbers of onnx.proto3.
"""

import numpy as np

STRIDES = (8, 16, 32)
CELL_PX = 32
# Output -> how many numbers it has for each cell, and what they always are.
HEADS = {"cls": (1, 0.0), "obj": (1, 0.0), "bbox": (4, 0.0), "kps": (10, 0.0)}
FLOAT, INT64 = 1, 7
INT_KIND, INTS_KIND = 2, 7


def make_onnx():
    """The bytes of the ONNX file."""
    nodes, tensors, outputs = [], [], []
    for head, (channels, _) in HEADS.items():
        for stride in STRIDES:
            name = f"{head}_{stride}"
            weights, bias = make_weights(head, channels, stride)
            tensors += [tensor(f"{name}_w", weights), tensor(f"{name}_b", bias)]
            shape = np.array([1, -1, channels], np.int64)
            tensors.append(tensor(f"{name}_s", shape))
            nodes += make_nodes(name, stride)
            outputs.append(field(12, value_info(name, [1, 1, channels])))
    graph = b"".join(field(1, node) for node in nodes)
    graph += field(2, b"squares")
    graph += b"".join(field(5, one) for one in tensors)
    graph += field(11, value_info("input", [1, 3, 320, 320]))
    graph += b"".join(outputs)
    opset = field(8, number(2, 13))
    return number(1, 8) + field(7, graph) + opset


def make_weights(head, channels, stride):
    """Only the coarsest grid sees anything; boxes are the cells."""
    weights = np.zeros([channels, 3, stride, stride], np.float32)
    bias = np.zeros([channels], np.float32)
    if head in ("cls", "obj") and stride == CELL_PX:
        weights += 1 / (255 * weights[0].size)
    if head == "bbox":
        bias[:2] = 0.5
    return weights, bias


def make_nodes(name, stride):
    """Convolution, channels last, one row for each cell."""
    conv = [attribute("kernel_shape", [stride] * 2)]
    conv.append(attribute("strides", [stride] * 2))
    turned = [attribute("perm", [0, 2, 3, 1])]
    ends = ["input", f"{name}_w", f"{name}_b"]
    return [
        node("Conv", ends, f"{name}_0", conv),
        node("Transpose", [f"{name}_0"], f"{name}_1", turned),
        node("Reshape", [f"{name}_1", f"{name}_s"], name, []),
    ]


def node(kind, inputs, output, attributes):
    parts = [field(1, name.encode()) for name in inputs]
    parts += [field(2, output.encode()), field(3, output.encode())]
    parts += [field(4, kind.encode())]
    return b"".join(parts + [field(5, one) for one in attributes])


def attribute(name, values):
    parts = [field(1, name.encode()), number(20, INTS_KIND)]
    return b"".join(parts + [number(8, value) for value in values])


def tensor(name, values):
    kind = INT64 if values.dtype == np.int64 else FLOAT
    parts = [number(1, size) for size in values.shape] + [number(2, kind)]
    return b"".join([*parts, field(8, name.encode()), field(9, bytes(values))])


def value_info(name, shape):
    dims = b"".join(field(1, number(1, size)) for size in shape)
    kind = field(1, number(1, FLOAT) + field(2, dims))
    return field(1, name.encode()) + field(2, kind)


def field(tag, content):
    return varint(tag << 3 | 2) + varint(len(content)) + content


def number(tag, value):
    return varint(tag << 3) + varint(value % 2**64)


def varint(value):
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
