"""Output shapes and multiply-accumulates of Keras layers, from their configuration alone.

Counted: the convolutions (plain, depthwise, separable, transposed), Dense, LSTM, GRU, SimpleRNN,
Bidirectional and TimeDistributed of these, and MultiHeadAttention. A layer that is not in the tables has an
unknown shape and is reported as not counted; nothing is guessed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Shape = tuple[int | None, ...] | None

#: Same shape out as in, and no multiplication worth counting.
_SAME = frozenset(
    """
    Activation ActivityRegularization AlphaDropout BatchNormalization Dropout ELU GaussianDropout
    GaussianNoise GroupNormalization Identity LayerNormalization LeakyReLU Masking Normalization PReLU
    RMSNormalization RandomBrightness RandomContrast RandomFlip RandomRotation RandomTranslation RandomZoom
    ReLU Rescaling Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D SyncBatchNormalization
    ThresholdedReLU UnitNormalization
    """.split()  # noqa: SIM905
)
_MERGES = frozenset({"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"})
_ALIASES = {
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D",
    "Convolution1DTranspose": "Conv1DTranspose", "Convolution2DTranspose": "Conv2DTranspose",
    "SeparableConvolution1D": "SeparableConv1D", "SeparableConvolution2D": "SeparableConv2D",
}  # fmt: skip
_GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1, "CuDNNLSTM": 4, "CuDNNGRU": 3}

#: Output shapes, and MACs of one call (None: it may multiply, but that was not counted).
Answer = tuple[list[Shape], int | None]


def infer(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    """Return what one call of a layer gives and costs.

    Args:
        kind: Class name.
        config: The layer's configuration.
        inputs: Shapes of its inputs.
    """
    kind = _ALIASES.get(kind, kind)
    shape = inputs[0] if inputs else None
    if kind in _SAME:
        return [shape], 0
    if kind in _MERGES:
        return [_broadcast(inputs)], 0
    rule = _RULES.get(kind)
    if rule is None:
        return [None], None
    if shape is None:
        return [None], None if rule in _COUNTED else 0
    try:
        return rule(kind, config, inputs)
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError, AttributeError):
        # A configuration of another Keras version, or a broken one: not known is the right answer.
        return [None], None


def product(shape: tuple[int | None, ...]) -> int:
    """Return the number of elements, a free size counted as 1."""
    return math.prod(1 if size is None else size for size in shape)


def _shape(inputs: list[Shape]) -> tuple[int | None, ...]:
    if inputs[0] is None:
        raise ValueError
    return inputs[0]


def _spatial(kind: str) -> int:
    return next(int(letter) for letter in kind if letter.isdigit())


def _tuple(value: Any, rank: int) -> tuple[int, ...]:
    values = tuple(int(item) for item in value) if isinstance(value, (list, tuple)) else (int(value),) * rank
    if len(values) != rank:
        raise ValueError
    return values


def _split(config: Mapping[str, Any], shape: tuple[int | None, ...], rank: int) -> tuple[Any, list[Any], int]:
    """Return (batch, spatial sizes, channels)."""
    if len(shape) != rank + 2:
        raise ValueError
    first = config.get("data_format") == "channels_first"
    channels = shape[1] if first else shape[-1]
    if channels is None:
        raise ValueError
    return shape[0], list(shape[2:] if first else shape[1:-1]), channels


def _join(config: Mapping[str, Any], batch: Any, spatial: list[Any], channels: int) -> tuple[int | None, ...]:
    if config.get("data_format") == "channels_first":
        return (batch, channels, *spatial)
    return (batch, *spatial, channels)


def _windows(
    sizes: list[Any],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    dilation: tuple[int, ...],
) -> list[Any]:
    found: list[Any] = []
    for size, width, stride, spread in zip(sizes, kernel, strides, dilation, strict=True):
        if size is None:
            found.append(None)
        elif padding in ("same", "causal"):
            found.append(-(-size // stride))
        else:
            found.append(max(0, -(-(size - (width - 1) * spread) // stride)))
    return found


def _convolution(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    rank = _spatial(kind)
    batch, sizes, channels = _split(config, _shape(inputs), rank)
    kernel = _tuple(config["kernel_size"], rank)
    dilation = _tuple(config.get("dilation_rate", 1), rank)
    spatial = _windows(
        sizes, kernel, _tuple(config.get("strides", 1), rank), str(config.get("padding", "valid")), dilation
    )
    area, places = math.prod(kernel), product((batch, *spatial))
    multiplier = int(config.get("depth_multiplier", 1))
    if kind.startswith("Depthwise"):
        out = channels * multiplier
        macs = places * out * area
    elif kind.startswith("Separable"):
        out = int(config["filters"])
        macs = places * channels * multiplier * (area + out)
    else:
        out = int(config["filters"])
        macs = places * out * area * (channels // int(config.get("groups", 1)))
    return [_join(config, batch, spatial, out)], macs


def _transposed(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    rank = _spatial(kind)
    batch, sizes, channels = _split(config, _shape(inputs), rank)
    kernel, strides = _tuple(config["kernel_size"], rank), _tuple(config.get("strides", 1), rank)
    if config.get("output_padding") is not None:
        return [None], None
    same = config.get("padding") == "same"
    spatial = [
        None if size is None else size * stride + (0 if same else max(width - stride, 0))
        for size, width, stride in zip(sizes, kernel, strides, strict=True)
    ]
    out = int(config["filters"])
    macs = product((batch, *sizes)) * math.prod(kernel) * channels * out
    return [_join(config, batch, spatial, out)], macs


def _pooling(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    rank = _spatial(kind)
    batch, sizes, channels = _split(config, _shape(inputs), rank)
    pool = _tuple(config["pool_size"], rank)
    strides = _tuple(config.get("strides") or pool, rank)
    spatial = _windows(sizes, pool, strides, str(config.get("padding", "valid")), (1,) * rank)
    return [_join(config, batch, spatial, channels)], 0


def _global_pooling(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    batch, sizes, channels = _split(config, _shape(inputs), _spatial(kind))
    kept = [1] * len(sizes) if config.get("keepdims") else []
    return [_join(config, batch, kept, channels) if kept else (batch, channels)], 0


def _dense(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    shape = _shape(inputs)
    units = int(config["units"])
    return [(*shape[:-1], units)], product(shape) * units


def _flatten(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    batch, *rest = _shape(inputs)
    return [(batch, None if None in rest else math.prod(size for size in rest if size is not None))], 0


def _reshape(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    batch, *rest = _shape(inputs)
    target = [int(size) for size in config["target_shape"]]
    if -1 in target:
        known = math.prod(size for size in target if size != -1)
        free = None if None in rest else product(tuple(rest)) // known
        return [(batch, *(free if size == -1 else size for size in target))], 0
    return [(batch, *target)], 0


def _permute(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    shape = _shape(inputs)
    return [(shape[0], *(shape[int(axis)] for axis in config["dims"]))], 0


def _repeat(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    batch, size = _shape(inputs)
    return [(batch, int(config["n"]), size)], 0


def _embedding(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    return [(*_shape(inputs), int(config["output_dim"]))], 0


def _edges(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    rank = _spatial(kind)
    batch, sizes, channels = _split(config, _shape(inputs), rank)
    sign, key = (1, "padding") if kind.startswith("ZeroPadding") else (-1, "cropping")
    value = config[key]
    pairs = (
        [value]
        if rank == 1 and not isinstance(value[0] if isinstance(value, list) else value, list)
        else value
    )
    pairs = [pair if isinstance(pair, (list, tuple)) else (pair, pair) for pair in pairs]
    spatial = [
        None if size is None else size + sign * (int(low) + int(high))
        for size, (low, high) in zip(sizes, pairs, strict=True)
    ]
    return [_join(config, batch, spatial, channels)], 0


def _upsampling(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    rank = _spatial(kind)
    batch, sizes, channels = _split(config, _shape(inputs), rank)
    factors = _tuple(config["size"], rank)
    spatial = [None if size is None else size * factor for size, factor in zip(sizes, factors, strict=True)]
    return [_join(config, batch, spatial, channels)], 0


def _resizing(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    batch, _, channels = _split(config, _shape(inputs), 2)
    return [_join(config, batch, [int(config["height"]), int(config["width"])], channels)], 0


def _concatenate(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    shape = list(_shape(inputs))
    axis = int(config.get("axis", -1)) % len(shape)
    along = [None if other is None else other[axis] for other in inputs]
    shape[axis] = None if None in along else sum(size for size in along if size is not None)
    return [tuple(shape)], 0


def _recurrent(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    batch, steps, features = _shape(inputs)
    units = int(config["units"])
    if features is None:
        raise ValueError
    macs = product((batch, steps)) * _GATES[kind] * units * (features + units)
    out: Shape = (batch, steps, units) if config.get("return_sequences") else (batch, units)
    states: list[Shape] = (
        [(batch, units)] * (2 if "LSTM" in kind else 1) if config.get("return_state") else []
    )
    return [out, *states], macs


def _bidirectional(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    layer = config["layer"]
    [out, *_], macs = infer(layer["class_name"], layer["config"], inputs)
    if out is None or macs is None:
        return [None], None
    if config.get("merge_mode", "concat") == "concat":
        last = out[-1]
        out = (*out[:-1], None if last is None else 2 * last)
    return [out], 2 * macs


def _time_distributed(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    batch, steps, *rest = _shape(inputs)
    layer = config["layer"]
    [out, *_], macs = infer(layer["class_name"], layer["config"], [(batch, *rest)])
    if out is None or macs is None:
        return [None], None
    return [(batch, steps, *out[1:])], macs * product((steps,))


def _attention(kind: str, config: Mapping[str, Any], inputs: list[Shape]) -> Answer:
    query, value = _shape(inputs), inputs[1] if len(inputs) > 1 else _shape(inputs)
    if value is None or len(query) != 3 or len(value) != 3 or config.get("attention_axes") not in (None, [1]):
        raise ValueError
    heads, width = int(config["num_heads"]), int(config["key_dim"])
    value_width = int(config.get("value_dim") or width)
    target = config.get("output_shape")
    last = query[-1] if target is None else int(target[0] if isinstance(target, list) else target)
    places, others = product(query[:-1]), product(value[:-1])
    steps = product(value[1:-1])
    macs = places * product(query[-1:]) * heads * width + others * product(value[-1:]) * heads * (
        width + value_width
    )
    macs += places * steps * heads * (width + value_width) + places * heads * value_width * product((last,))
    return [(*query[:-1], last)], macs


def _broadcast(inputs: list[Shape]) -> Shape:
    known = [shape for shape in inputs if shape is not None]
    if not known or len(known) < len(inputs) or len({len(shape) for shape in known}) != 1:
        return None
    merged: list[int | None] = []
    for sizes in zip(*known, strict=True):
        large = {size for size in sizes if size != 1}
        merged.append(large.pop() if len(large) == 1 else (None if large else 1))
    return tuple(merged)


_Rule = Callable[[str, Mapping[str, Any], list[Shape]], Answer]
_RULES: dict[str, _Rule] = {
    "Dense": _dense,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeat,
    "Embedding": _embedding,
    "Resizing": _resizing,
    "Concatenate": _concatenate,
    "Bidirectional": _bidirectional,
    "TimeDistributed": _time_distributed,
    "MultiHeadAttention": _attention,
    "DepthwiseConv1D": _convolution,
    "DepthwiseConv2D": _convolution,
    "SeparableConv1D": _convolution,
    "SeparableConv2D": _convolution,
    **dict.fromkeys(_GATES, _recurrent),
}
for _rank in ("1D", "2D", "3D"):
    _RULES[f"Conv{_rank}"] = _convolution
    _RULES[f"Conv{_rank}Transpose"] = _transposed
    _RULES[f"ZeroPadding{_rank}"] = _RULES[f"Cropping{_rank}"] = _edges
    _RULES[f"UpSampling{_rank}"] = _upsampling
    for _name in ("MaxPooling", "AveragePooling", "MaxPool", "AvgPool"):
        _RULES[f"{_name}{_rank}"] = _pooling
        _RULES[f"Global{_name}{_rank}"] = _global_pooling
_COUNTED = frozenset(
    {_convolution, _transposed, _dense, _recurrent, _bidirectional, _time_distributed, _attention}
)
