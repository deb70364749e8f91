"""Recurrent layers. Layout of sequences: [steps, batch, values]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators.activation import sigmoid

Array = NDArray[Any]

#: Core ML's defaults, which programs cannot change: 0.2 and 0.5 of hard_sigmoid, 1 and 1 of scaled_tanh
#: (Apple's own tests of `lstm` expect tanh of it).
_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "scaled_tanh": np.tanh,
    "sigmoid": lambda x: sigmoid(x=x),
    "sigmoid_hard": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "tanh": np.tanh,
}


def _activation(name: str) -> Callable[[Array], Array]:
    if name not in _ACTIVATIONS:
        raise Unsupported(f"activation {name!r}")
    return _ACTIVATIONS[name]


def lstm(
    *,
    x: Array,
    initial_h: Array,
    initial_c: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array | None = None,
    peephole: Array | None = None,
    weight_ih_back: Array | None = None,
    weight_hh_back: Array | None = None,
    bias_back: Array | None = None,
    peephole_back: Array | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    cell_activation: str = "tanh",
    activation: str = "tanh",
    clip: float | None = None,
) -> tuple[Array, Array, Array]:
    """Run a long short-term memory.

    Args:
        x: [steps, batch, I].
        initial_h: [batch, directions * H].
        initial_c: [batch, directions * H].
        weight_ih: [4 * H, I]; the gates are input, forget, output, cell.
        weight_hh: [4 * H, H].
        bias: [4 * H].
        peephole: [3 * H]: input, forget, output.
        weight_ih_back: Of the way back, where both are gone.
        weight_hh_back: The same.
        bias_back: The same.
        peephole_back: The same.
        direction: "forward", "reverse" or "bidirectional".
        output_sequence: Give the output of every step.
        recurrent_activation: Of the three gates.
        cell_activation: Of the cell gate.
        activation: Of the cell state on its way out.
        clip: The cell state is limited to -clip..clip, as Apple's own tests expect.

    Returns:
        Outputs [steps or 1, batch, directions * H], last output and last cell state [batch, directions * H].
        The outputs are in the order in which they were made: with "reverse" that of the last step comes
        first. With "bidirectional" both ways are in the order of the input.
    """
    gate, inner, outer = (_activation(name) for name in (recurrent_activation, cell_activation, activation))

    def one_way(
        sequence: Array, h: Array, c: Array, w_ih: Array, w_hh: Array, b: Array | None, p: Array | None
    ) -> tuple[Array, Array, Array]:
        size = w_hh.shape[1]
        given = sequence @ w_ih.T
        if b is not None:
            given = given + b
        peep = [np.float32(0)] * 3 if p is None else np.split(p.reshape(-1), 3)
        found = []
        for step in given:
            i, f, o, z = np.split(step + h @ w_hh.T, 4, axis=-1)
            i, f = gate(i + peep[0] * c), gate(f + peep[1] * c)
            c = f * c + i * inner(z)
            if clip is not None:
                c = np.clip(c, -clip, clip)
            h = gate(o + peep[2] * c) * outer(c)
            found.append(h)
        steps = np.stack(found) if found else np.zeros((0, x.shape[1], size), np.float32)
        return steps, h, c

    if direction in ("forward", "reverse"):
        sequence = x if direction == "forward" else x[::-1]
        steps, h, c = one_way(sequence, initial_h, initial_c, weight_ih, weight_hh, bias, peephole)
        return (steps if output_sequence else h[None]), h, c
    if direction != "bidirectional" or weight_ih_back is None or weight_hh_back is None:
        raise Unsupported(f"direction {direction!r}")
    (h1, h2), (c1, c2) = np.split(initial_h, 2, -1), np.split(initial_c, 2, -1)
    steps1, h1, c1 = one_way(x, h1, c1, weight_ih, weight_hh, bias, peephole)
    steps2, h2, c2 = one_way(x[::-1], h2, c2, weight_ih_back, weight_hh_back, bias_back, peephole_back)
    h, c = np.concatenate([h1, h2], -1), np.concatenate([c1, c2], -1)
    steps = np.concatenate([steps1, steps2[::-1]], -1)
    return (steps if output_sequence else h[None]), h, c


def gru(
    *,
    x: Array,
    initial_h: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    activation: str = "tanh",
    reset_after: bool = False,
    input_bias: Array | None = None,
) -> tuple[Array, Array]:
    """Run a gated recurrent unit.

    Args:
        x: [steps, batch, I].
        initial_h: [batch, H].
        weight_ih: [3 * H, I]; the gates are reset, output, update.
        weight_hh: [3 * H, H].
        bias: [3 * H], of the recurrent side where there is an `input_bias`, else of both.
        direction: "forward" or "reverse".
        output_sequence: Give the output of every step.
        recurrent_activation: Of reset and update gate.
        activation: Of the output gate.
        reset_after: The reset gate multiplies the product with the hidden state, not the state itself.
        input_bias: [3 * H], of the input side (iOS 18).

    Returns:
        Outputs [steps or 1, batch, H], in the order in which they were made, and the last one [batch, H].
    """
    gate, outer = _activation(recurrent_activation), _activation(activation)
    sequence = x if direction == "forward" else x[::-1]
    if direction not in ("forward", "reverse"):
        raise Unsupported(f"direction {direction!r}")
    if reset_after and input_bias is None and bias is not None and np.split(bias, 3)[1].any():
        raise Unsupported("reset_after with one bias: whether the reset gate multiplies it is not defined")
    given = sequence @ weight_ih.T
    if input_bias is not None:
        given = given + input_bias
    w_r, w_o, w_z = np.split(weight_hh, 3)
    b_r, b_o, b_z = [np.float32(0)] * 3 if bias is None else np.split(bias, 3)
    h, found = initial_h, []
    for step in given:
        i_r, i_o, i_z = np.split(step, 3, axis=-1)
        r = gate(i_r + h @ w_r.T + b_r)
        z = gate(i_z + h @ w_z.T + b_z)
        past = r * (h @ w_o.T + b_o) if reset_after else (r * h) @ w_o.T + b_o
        h = (1 - z) * outer(i_o + past) + z * h
        found.append(h)
    return _outputs(found, h, output_sequence), h


def rnn(
    *,
    x: Array,
    initial_h: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    activation: str = "tanh",
) -> tuple[Array, Array]:
    """Run a plain recurrent layer: h = activation(W_ih x + W_hh h + b)."""
    outer = _activation(activation)
    if direction not in ("forward", "reverse"):
        raise Unsupported(f"direction {direction!r}")
    sequence = x if direction == "forward" else x[::-1]
    h, found = initial_h, []
    for step in sequence @ weight_ih.T:
        h = outer(step + h @ weight_hh.T + (0 if bias is None else bias))
        found.append(h)
    return _outputs(found, h, output_sequence), h


def _outputs(found: list[Array], last: Array, output_sequence: bool) -> Array:
    if not output_sequence:
        return last[None]
    return np.stack(found) if found else np.zeros((0, *last.shape), np.float32)


TABLE = {"gru": gru, "lstm": lstm, "rnn": rnn}
