"""Data and small builds for the pipeline's tests, from `.tflite` files; one model of TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pipeline.digits import train_digits
from tests.smooth_pictures import smooth_pictures


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, Path]:
    """Calibration and evaluation data for tests/data/models/conv_float.tflite (image float32[1,16,16,3]).

    The labels are what the model itself answers, with every tenth one wrong.
    """
    random = np.random.default_rng(5)
    calibration, evaluation = tmp_path / "calibration.npz", tmp_path / "evaluation.npz"
    np.savez(calibration, image=smooth_pictures(random, 40))
    images = smooth_pictures(random, 60)
    labels = np.asarray([int(np.argmax(answer)) for answer in answers(images)])
    labels[::10] = (labels[::10] + 1) % 5
    np.savez(evaluation, image=images, y=labels)
    return {"calibration": calibration, "evaluation": evaluation}


def answers(images: np.ndarray) -> list[np.ndarray]:
    """Return what conv_float.tflite answers, one array a picture."""
    from edge_sdk.runtime.runner import Runner

    model = Path(__file__).parents[1] / "data/models/conv_float.tflite"
    with Runner.open(model, threads=1) as runner:
        return [runner.predict(image=image[None])["probabilities"] for image in images]


def edit_model(source: Path, destination: Path, change: Any) -> Path:
    """Write a copy of a `.tflite` after `change(model)` on its object form."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(source.read_bytes(), 0))
    change(model)
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    destination.write_bytes(bytes(builder.Output()))
    return destination


def fill_weights(value: float) -> Any:
    """Return a change that sets every float weight to a value."""

    def change(model: Any) -> None:
        for graph in model.subgraphs:
            for tensor in graph.tensors:
                data = model.buffers[tensor.buffer].data
                if tensor.type == 0 and data is not None and len(data):
                    size = len(bytes(bytearray(data))) // 4
                    filled = np.full(size, value, np.float32).tobytes()
                    model.buffers[tensor.buffer].data = np.frombuffer(filled, np.uint8)

    return change


def unbalance_channels(model: Any) -> None:
    """Change conv_float.tflite so that it computes the same and plain int8 cannot.

    Behind the depthwise layer, all channels but the first are made a thousand times smaller, and the dense
    layer's weights for them a thousand times larger. One scale for the whole tensor then has no step left
    for the small channels. Trained networks get such channels by themselves where batch normalization is
    folded into the weights.
    """
    (graph,) = model.subgraphs
    names = {tensor.name: tensor for tensor in graph.tensors}

    def array(tensor: Any) -> np.ndarray:
        return np.frombuffer(bytes(bytearray(model.buffers[tensor.buffer].data)), np.float32).copy()

    def put(tensor: Any, values: np.ndarray) -> None:
        model.buffers[tensor.buffer].data = np.frombuffer(values.astype(np.float32).tobytes(), np.uint8)

    depthwise = next(item for item in graph.operators if len(item.inputs) == 3 and _is(graph, item, 4, 1))
    dense = next(item for item in graph.operators if _is(graph, item, 2, None))
    assert names
    for index in depthwise.inputs[1:]:
        tensor = graph.tensors[index]
        values = array(tensor).reshape(tuple(tensor.shape))
        values[..., 1:] *= 1e-3
        put(tensor, values)
    tensor = graph.tensors[dense.inputs[1]]
    values = array(tensor).reshape(tuple(tensor.shape))
    values[:, 1:] *= 1e3
    put(tensor, values)


def _is(graph: Any, operator: Any, rank: int, first: int | None) -> bool:
    """Tell an operator by its weights: their rank, and the size of their first axis."""
    if len(operator.inputs) < 2:
        return False
    shape = graph.tensors[operator.inputs[1]].shape
    if shape is None or len(shape) != rank:
        return False
    return first is None or int(shape[0]) == first


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model with its data; see `tests.pipeline.digits`."""
    return train_digits(tmp_path_factory.mktemp("digits"))
