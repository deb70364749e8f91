"""Gives quantization-aware training the ranges that the model has, to start from.

The quantizers of TensorFlow Model Optimization start at -6..6 and move by a thousandth with each batch. A
short training would end with ranges that were hardly trained: half of the integers behind a ReLU would never
be used. So every range starts at what the model shows on training samples, and is trained from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_sdk.optimize.stages import unwrapped

#: Samples that are looked at.
SAMPLES = 512
_BATCH = 64


def set_starting_ranges(wrapped: Any, plain: Any, inputs: Sequence[Any]) -> int:
    """Set the range of every activation quantizer from the plain model's activations.

    Args:
        wrapped: Model with fake-quantization, before its training.
        plain: The model it was made from, with its weights.
        inputs: Training samples in the order of the inputs.

    Returns:
        How many ranges were set. A quantizer whose layer the plain model does not have (two layers that
        were merged) keeps its own start.
    """
    import tf_keras

    wanted: list[tuple[Any, Any, Any]] = []
    names = {layer.name for layer in plain.layers}
    for wrapper in wrapped.layers:
        inner = unwrapped(wrapper)
        if inner is wrapper or inner.name not in names:
            continue
        layer = plain.get_layer(inner.name)
        if len(layer.inbound_nodes) != 1:
            continue
        weights = {weight.name.rpartition("/")[2].partition(":")[0]: weight for weight in wrapper.weights}
        for kind in ("output", "post_activation", "pre_activation"):
            low, high = weights.get(f"{kind}_min"), weights.get(f"{kind}_max")
            if low is None or high is None:
                continue
            tensor = layer.output if kind != "pre_activation" else _before_activation(layer)
            wanted.append((tensor, low, high))
    if not wanted:
        return 0
    observer = tf_keras.Model(plain.inputs, [tensor for tensor, _, _ in wanted])
    lows = np.full(len(wanted), np.inf)
    highs = np.full(len(wanted), -np.inf)
    count = min(SAMPLES, len(inputs[0]))
    for start in range(0, count, _BATCH):
        feed = [item[start : min(start + _BATCH, count)] for item in inputs]
        answers = observer(feed[0] if len(feed) == 1 else feed, training=False)
        for index, answer in enumerate(answers if len(wanted) > 1 else [answers]):
            lows[index] = min(lows[index], float(np.min(answer)))
            highs[index] = max(highs[index], float(np.max(answer)))
    for (_, low, high), lowest, highest in zip(wanted, lows, highs, strict=True):
        # Zero must be among the values, and a range of no width divides by zero.
        low.assign(min(lowest, 0.0))
        high.assign(max(highest, min(lowest, 0.0) + 1e-3))
    return len(wanted)


def _before_activation(layer: Any) -> Any:
    """Return what a layer computes before its activation, as a tensor of the same graph."""
    config = {**layer.get_config(), "activation": "linear", "name": f"{layer.name}_before_activation"}
    twin = type(layer).from_config(config)
    tensor = twin(layer.input)
    twin.set_weights(layer.get_weights())
    return tensor
