"""Recurrent layers against Keras and against the definition, one number after the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edge_sdk.validate.coreml_reference.errors import Unsupported
from edge_sdk.validate.coreml_reference.operators.recurrent import gru, lstm, rnn

STEPS, BATCH, GIVEN, HIDDEN = 5, 2, 3, 4

#: With the defaults of Apple's own tests: scaled_tanh is tanh, hard_sigmoid has slope 0.2 and offset 0.5.
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
    "tanh": math.tanh,
    "scaled_tanh": math.tanh,
    "relu": lambda v: max(v, 0.0),
    "linear": lambda v: v,
    "hard_sigmoid": lambda v: min(max(0.2 * v + 0.5, 0.0), 1.0),
    "sigmoid_hard": lambda v: min(max(0.2 * v + 0.5, 0.0), 1.0),
}


def floats(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).uniform(-1, 1, shape).astype(np.float32)


def row(*parts: tuple[np.ndarray, np.ndarray], at: int) -> float:
    """Return the sum of products of a weight's row with a vector, for several weights."""
    return sum(float(w[at, k]) * float(v[k]) for w, v in parts for k in range(w.shape[1]))


def slow_lstm(
    x: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    w_ih: np.ndarray,
    w_hh: np.ndarray,
    b: np.ndarray,
    p: np.ndarray,
    names: tuple[str, str, str],
    clip: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the outputs of one sample [steps, H] and its last cell state [H]."""
    gate, inner, outer = (FUNCTIONS[name] for name in names)
    size, outputs = len(h), []
    for step in x:
        new_h, new_c = np.zeros(size), np.zeros(size)
        for k in range(size):
            i, f, o, z = (
                row((w_ih, step), (w_hh, h), at=g * size + k) + float(b[g * size + k]) for g in range(4)
            )
            i, f = gate(i + p[k] * c[k]), gate(f + p[size + k] * c[k])
            new_c[k] = min(max(f * c[k] + i * inner(z), -clip), clip)
            new_h[k] = gate(o + p[2 * size + k] * new_c[k]) * outer(new_c[k])
        h, c = new_h, new_c
        outputs.append(h)
    return np.stack(outputs), c


@pytest.mark.parametrize("clip", [None, 0.2])
@pytest.mark.parametrize(
    "names",
    [("sigmoid", "tanh", "tanh"), ("hard_sigmoid", "relu", "scaled_tanh"), ("sigmoid", "linear", "relu")],
)
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_lstm_is_as_defined(direction: str, names: tuple[str, str, str], clip: float | None) -> None:
    x, h, c = floats(STEPS, BATCH, GIVEN), floats(BATCH, HIDDEN), floats(BATCH, HIDDEN, seed=1)
    w_ih, w_hh = floats(4 * HIDDEN, GIVEN), floats(4 * HIDDEN, HIDDEN)
    bias, peephole = floats(4 * HIDDEN), floats(3 * HIDDEN)
    arguments: dict[str, Any] = {
        "x": x,
        "initial_h": h,
        "initial_c": c,
        "weight_ih": w_ih,
        "weight_hh": w_hh,
        "bias": bias,
        "peephole": peephole,
        "direction": direction,
        "recurrent_activation": names[0],
        "cell_activation": names[1],
        "activation": names[2],
        **({} if clip is None else {"clip": clip}),
    }
    every, last, cell = lstm(**arguments, output_sequence=True)
    assert every.dtype == np.float32
    sequence = x if direction == "forward" else x[::-1]
    for n in range(BATCH):
        expected, state = slow_lstm(
            sequence[:, n], h[n], c[n], w_ih, w_hh, bias, peephole, names, clip or math.inf
        )
        np.testing.assert_allclose(every[:, n], expected, atol=1e-5)
        np.testing.assert_allclose(cell[n], state, atol=1e-5)
        np.testing.assert_allclose(last[n], expected[-1], atol=1e-5)
    alone = lstm(**arguments)
    assert np.array_equal(alone[0], last[None])


def test_both_ways_are_one_each_in_the_order_of_the_input() -> None:
    x, h, c = floats(STEPS, BATCH, GIVEN), floats(BATCH, 2 * HIDDEN), floats(BATCH, 2 * HIDDEN, seed=1)
    ways = [
        {
            "weight_ih": floats(4 * HIDDEN, GIVEN, seed=seed),
            "weight_hh": floats(4 * HIDDEN, HIDDEN, seed=seed),
            "bias": floats(4 * HIDDEN, seed=seed),
        }
        for seed in (2, 3)
    ]
    both: dict[str, Any] = {"x": x, "initial_h": h, "initial_c": c, "direction": "bidirectional", **ways[0]}
    both |= {f"{name}_back": value for name, value in ways[1].items()}
    halves = [slice(0, HIDDEN), slice(HIDDEN, None)]
    alone = [
        lstm(
            x=x,
            initial_h=h[:, half],
            initial_c=c[:, half],
            direction=name,
            output_sequence=True,
            **way,
        )
        for half, name, way in zip(halves, ("forward", "reverse"), ways, strict=True)
    ]
    every, last, cell = lstm(**both, output_sequence=True)
    assert np.array_equal(every, np.concatenate([alone[0][0], alone[1][0][::-1]], -1))
    assert np.array_equal(last, np.concatenate([alone[0][1], alone[1][1]], -1))
    assert np.array_equal(cell, np.concatenate([alone[0][2], alone[1][2]], -1))
    assert np.array_equal(lstm(**both)[0], last[None])
    del both["weight_hh_back"]
    with pytest.raises(Unsupported, match="bidirectional"):
        lstm(**both)


@pytest.mark.parametrize("names", [("sigmoid", "tanh"), ("tanh", "sigmoid")])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("after", [False, True])
def test_gru_is_as_defined(after: bool, direction: str, names: tuple[str, str]) -> None:
    x, start = floats(STEPS, BATCH, GIVEN), floats(BATCH, HIDDEN)
    w_ih, w_hh = floats(3 * HIDDEN, GIVEN), floats(3 * HIDDEN, HIDDEN)
    bias, input_bias = floats(3 * HIDDEN), floats(3 * HIDDEN, seed=4)
    gate, outer = (FUNCTIONS[name] for name in names)
    more: dict[str, Any] = {"reset_after": True, "input_bias": input_bias} if after else {}
    every, last = gru(
        x=x,
        initial_h=start,
        weight_ih=w_ih,
        weight_hh=w_hh,
        bias=bias,
        direction=direction,
        output_sequence=True,
        recurrent_activation=names[0],
        activation=names[1],
        **more,
    )
    for n in range(BATCH):
        h, size = start[n].astype(float), HIDDEN
        for at, step in enumerate((x if direction == "forward" else x[::-1])[:, n]):
            outside = [
                row((w_ih, step), at=k) + (float(input_bias[k]) if after else 0) for k in range(3 * size)
            ]
            r = [gate(outside[k] + row((w_hh, h), at=k) + bias[k]) for k in range(size)]
            new = np.zeros(size)
            for k in range(size):
                o, z = size + k, 2 * size + k
                if after:
                    past = r[k] * (row((w_hh, h), at=o) + bias[o])
                else:
                    past = row((w_hh, np.asarray(r) * h), at=o) + bias[o]
                keep = gate(outside[z] + row((w_hh, h), at=z) + bias[z])
                new[k] = (1 - keep) * outer(outside[o] + past) + keep * h[k]
            h = new
            np.testing.assert_allclose(every[at, n], h, atol=1e-5)
        np.testing.assert_allclose(last[n], h, atol=1e-5)


def test_one_bias_and_a_late_reset_say_too_little() -> None:
    common = {
        "x": floats(1, 1, 1),
        "initial_h": floats(1, 1),
        "weight_ih": floats(3, 1),
        "weight_hh": floats(3, 1),
        "reset_after": True,
    }
    with pytest.raises(Unsupported, match="one bias"):
        gru(**common, bias=np.float32([0, 1, 0]))
    gru(**common, bias=np.float32([1, 0, 1]))


@pytest.mark.parametrize("name", ["tanh", "relu", "sigmoid", "sigmoid_hard", "scaled_tanh", "linear"])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_rnn_is_as_defined(direction: str, name: str) -> None:
    x, start = floats(STEPS, BATCH, GIVEN), floats(BATCH, HIDDEN)
    w_ih, w_hh, bias = floats(HIDDEN, GIVEN), floats(HIDDEN, HIDDEN), floats(HIDDEN)
    arguments: dict[str, Any] = {
        "x": x,
        "initial_h": start,
        "weight_ih": w_ih,
        "weight_hh": w_hh,
        "bias": bias,
        "direction": direction,
        "activation": name,
    }
    every, last = rnn(**arguments, output_sequence=True)
    for n in range(BATCH):
        h = start[n].astype(float)
        for at, step in enumerate((x if direction == "forward" else x[::-1])[:, n]):
            h = np.asarray(
                [FUNCTIONS[name](row((w_ih, step), (w_hh, h), at=k) + float(bias[k])) for k in range(HIDDEN)]
            )
            np.testing.assert_allclose(every[at, n], h, atol=1e-5, rtol=1e-5)
    assert np.array_equal(rnn(**arguments)[0], last[None])
    with pytest.raises(Unsupported, match="direction"):
        rnn(**{**arguments, "direction": "bidirectional"})
    with pytest.raises(Unsupported, match="activation"):
        rnn(**{**arguments, "activation": "softsign"})


def test_no_steps_give_the_start() -> None:
    start = floats(BATCH, HIDDEN)
    every, last = rnn(
        x=np.zeros((0, BATCH, GIVEN), np.float32),
        initial_h=start,
        weight_ih=floats(HIDDEN, GIVEN),
        weight_hh=floats(HIDDEN, HIDDEN),
        output_sequence=True,
    )
    assert every.shape == (0, BATCH, HIDDEN)
    assert np.array_equal(last, start)


def taken(weights: list[np.ndarray], order: list[int], parts: int) -> list[np.ndarray]:
    """Return Keras' weights [given, parts * H] as Core ML has them: transposed, gates in another order."""
    found = []
    for weight in weights:
        gates = np.split(weight, parts, -1)
        found.append(np.ascontiguousarray(np.concatenate([gates[at] for at in order], -1).T))
    return found


@pytest.mark.tensorflow
def test_layers_of_keras(tf: Any) -> None:
    x = floats(BATCH, STEPS, GIVEN)
    turned = np.ascontiguousarray(x.transpose(1, 0, 2))
    h, c = floats(BATCH, HIDDEN), floats(BATCH, HIDDEN, seed=1)
    options = {"return_sequences": True, "return_state": True, "bias_initializer": "random_normal"}
    for backwards in (False, True):
        direction = "reverse" if backwards else "forward"
        layer = tf.keras.layers.LSTM(HIDDEN, go_backwards=backwards, **options)
        expected = [item.numpy() for item in layer(x, initial_state=[h, c])]
        # Keras: input, forget, cell, output.
        w_ih, w_hh, bias = taken(layer.get_weights(), [0, 1, 3, 2], 4)
        common = {"x": turned, "initial_h": h, "direction": direction, "output_sequence": True}
        found = lstm(**common, initial_c=c, weight_ih=w_ih, weight_hh=w_hh, bias=bias)
        np.testing.assert_allclose(found[0].transpose(1, 0, 2), expected[0], atol=1e-5)
        np.testing.assert_allclose(found[1], expected[1], atol=1e-5)
        np.testing.assert_allclose(found[2], expected[2], atol=1e-5)
        # Keras: update, reset, output.
        for after in (False, True):
            layer = tf.keras.layers.GRU(HIDDEN, go_backwards=backwards, reset_after=after, **options)
            expected = [item.numpy() for item in layer(x, initial_state=[h])]
            w_ih, w_hh = taken(layer.get_weights()[:2], [1, 2, 0], 3)
            biases = taken(list(np.atleast_2d(layer.get_weights()[2])), [1, 2, 0], 3)
            more: dict[str, Any] = {"bias": biases[-1]}
            if after:
                more |= {"input_bias": biases[0], "reset_after": True}
            states = gru(**common, weight_ih=w_ih, weight_hh=w_hh, **more)
            np.testing.assert_allclose(states[0].transpose(1, 0, 2), expected[0], atol=1e-5)
            np.testing.assert_allclose(states[1], expected[1], atol=1e-5)
        layer = tf.keras.layers.SimpleRNN(HIDDEN, go_backwards=backwards, **options)
        expected = [item.numpy() for item in layer(x, initial_state=[h])]
        w_ih, w_hh, bias = taken(layer.get_weights(), [0], 1)
        states = rnn(**common, weight_ih=w_ih, weight_hh=w_hh, bias=bias)
        np.testing.assert_allclose(states[0].transpose(1, 0, 2), expected[0], atol=1e-5)
