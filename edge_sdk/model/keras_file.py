"""Reads `.keras` and Keras `.h5` files: the configuration as data, the sizes of the weights.

Nothing is executed. A `.keras` file is a ZIP of metadata.json, config.json and model.weights.h5; an `.h5`
file keeps the same configuration in the attribute `model_config`. Which of the two a file is, is told from
its content.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.errors import EdgeError, MissingExtraError, ModelError
from edge_sdk.model.keras_config import MAX_CONFIG_BYTES, find_problems, parse_config, weights_only
from edge_sdk.model.keras_graph import KerasLayer, read_graph

HDF5_MARK = b"\x89HDF\r\n\x1a\n"
ZIP_MARK = b"PK\x03\x04"
_MAX_DATASETS = 200_000


@dataclass(frozen=True)
class KerasFile:
    """What a Keras file holds.

    Attributes:
        kind: "keras" (ZIP) or "h5".
        keras_version: That wrote it, "" where it is not noted.
        class_name: Of the model, for example "Functional".
        name: The model's own name.
        signature: Inputs by the names of the input layers, outputs by those of the output layers.
        layers: Flattened in order, nested models opened.
        class_counts: How many layers, by class name.
        parameters: Elements of all weights; the state of the optimizer is not counted.
        weight_bytes: Bytes of all weights, by dtype.
        macs: Of one call with free sizes as 1; None where nothing could be counted.
        macs_not_counted: Classes of layers that may multiply but were not counted.
        problems: Why it cannot be rebuilt from the file alone; empty where it can.
        size_bytes: Of the file.
    """

    kind: str
    keras_version: str
    class_name: str
    name: str
    signature: Signature
    layers: tuple[KerasLayer, ...]
    class_counts: Mapping[str, int]
    parameters: int
    weight_bytes: Mapping[str, int]
    macs: int | None
    macs_not_counted: tuple[str, ...]
    problems: tuple[ModelError, ...]
    size_bytes: int


@dataclass(frozen=True)
class _Dataset:
    """One array of weights: its path, elements, bytes and dtype."""

    path: tuple[str, ...]
    elements: int
    bytes: int
    dtype: str


def read_keras(path: Path | str) -> KerasFile:
    """Read a `.keras` or `.h5` file.

    Raises:
        ModelError: It is missing, no Keras model, damaged, or holds weights only.
        MissingExtraError: h5py is not installed.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            mark = stream.read(8)
        if mark.startswith(ZIP_MARK):
            return _read_zip(path)
        if mark == HDF5_MARK:
            return _read_hdf5(path)
    except EdgeError:
        raise
    except FileNotFoundError as failure:
        raise ModelError(f"{path} does not exist") from failure
    except (
        OSError,
        zipfile.BadZipFile,
        KeyError,
        RuntimeError,
        ValueError,
        NotImplementedError,
        EOFError,
    ) as failure:
        # What zipfile and h5py raise for files that are cut off or changed.
        raise ModelError(
            f"{path} is damaged",
            why=str(failure) or type(failure).__name__,
            hint="copy or save the model again",
        ) from failure
    raise ModelError(f"{path} is not a Keras model", why="it is neither a ZIP nor an HDF5 file")


def _read_zip(path: Path) -> KerasFile:
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if "config.json" not in names:
            if "model.weights.h5" in names:
                raise weights_only(str(path))
            raise ModelError(f"{path} is not a Keras model", why="the ZIP file holds no config.json")
        config = parse_config(_bounded(archive, "config.json"), str(path))
        metadata = json.loads(_bounded(archive, "metadata.json")) if "metadata.json" in names else {}
        datasets: list[_Dataset] = []
        if "model.weights.h5" in names:
            with archive.open("model.weights.h5") as stream:
                datasets = [
                    item for item in _datasets(stream) if item.path[0] not in ("optimizer", "metrics")
                ]
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    return _assemble(path, "keras", config, str(version or ""), datasets)


def _bounded(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        content = stream.read(MAX_CONFIG_BYTES + 1)
    if len(content) > MAX_CONFIG_BYTES:
        raise ModelError(f"{name} is over {MAX_CONFIG_BYTES:,} bytes", why="that is no model configuration")
    return content


def _read_hdf5(path: Path) -> KerasFile:
    h5py = _h5py()
    with h5py.File(path, "r") as file:
        if "model_config" not in file.attrs:
            if (
                any(key in file for key in ("layers", "_layer_checkpoint_dependencies"))
                or "layer_names" in file.attrs
            ):
                raise weights_only(str(path))
            raise ModelError(
                f"{path} is not a Keras model", why="the HDF5 file has no model configuration (model_config)"
            )
        config = parse_config(_text(file.attrs["model_config"]), str(path))
        version = _text(file.attrs.get("keras_version", ""))
        datasets = [item for item in _datasets(file) if item.path[0] == "model_weights"]
    return _assemble(path, "h5", config, version, [_without_first(item) for item in datasets])


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as failure:
        raise MissingExtraError("h5py", extra="host", purpose="read Keras files") from failure
    return h5py


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _without_first(item: _Dataset) -> _Dataset:
    return _Dataset(item.path[1:], item.elements, item.bytes, item.dtype)


def _datasets(source: Any | IO[bytes]) -> list[_Dataset]:
    """Return all arrays of an HDF5 file; their values are not read."""
    h5py = _h5py()
    found: list[_Dataset] = []

    def visit(name: str, item: Any) -> bool | None:
        if not isinstance(item, h5py.Dataset):
            return None
        parts = tuple(name.split("/"))
        # The state of a random generator is stored like a weight.
        if (
            "seed_generator" not in parts
            and "seed_generator_state" not in parts[-1]
            and item.dtype.kind != "O"
        ):
            size = int(item.size or 0)
            found.append(_Dataset(parts, size, size * item.dtype.itemsize, str(item.dtype)))
        if len(found) > _MAX_DATASETS:
            raise ModelError("the file holds too many arrays", why=f"over {_MAX_DATASETS:,}")
        return None

    if isinstance(source, h5py.File):
        source.visititems(visit)
    else:
        with h5py.File(source, "r") as file:
            file.visititems(visit)
    return found


def _assemble(
    path: Path, kind: str, config: dict[str, Any], version: str, datasets: list[_Dataset]
) -> KerasFile:
    problems = find_problems(config, str(path))
    graph = read_graph(config)
    inputs = tuple(TensorSpec(name=name, dtype=dtype, shape=shape) for name, dtype, shape in graph.inputs)
    texts = [spec.name for spec in inputs if spec.dtype == "string"]
    if texts:
        problems.append(string_inputs(str(path), "the model", texts))
    layers = _with_weights(graph.layers, datasets, by_class=kind == "keras")
    counted = [layer.macs for layer in layers if layer.macs]
    not_counted = tuple(sorted({layer.class_name for layer in layers if layer.macs is None}))
    weight_bytes: dict[str, int] = {}
    for item in datasets:
        weight_bytes[item.dtype] = weight_bytes.get(item.dtype, 0) + item.bytes
    return KerasFile(
        kind=kind,
        keras_version=version,
        class_name=str(config.get("class_name", "")),
        name=str(config["config"].get("name", "")),
        signature=Signature(
            name="serving_default",
            inputs=inputs,
            outputs=tuple(
                TensorSpec(name=name, dtype=dtype, shape=shape) for name, dtype, shape in graph.outputs
            ),
        ),
        layers=tuple(layers),
        class_counts=dict(Counter(layer.class_name for layer in graph.layers).most_common()),
        parameters=sum(item.elements for item in datasets),
        weight_bytes=dict(sorted(weight_bytes.items(), key=lambda item: -item[1])),
        macs=sum(counted) if counted or not not_counted else None,
        macs_not_counted=not_counted,
        problems=tuple(problems),
        size_bytes=path.stat().st_size,
    )


def string_inputs(name: str, what: str, inputs: list[str]) -> ModelError:
    """Return the error for a model that takes text."""
    return ModelError(
        f"{what} in {name} takes text: {', '.join(sorted(inputs))}",
        why="TFLite runtimes have no kernels that turn text or encoded files into tensors",
        hint="save the model from the first numeric tensor on (tokens, pixels) and decode outside of it",
        inputs=sorted(inputs),
    )


def _with_weights(
    layers: tuple[KerasLayer, ...], datasets: list[_Dataset], *, by_class: bool
) -> list[KerasLayer]:
    """Give every layer the size of its weights; what belongs to none is listed under its own path."""
    left = list(datasets)
    sized = list(layers)
    prefixes = list(_class_paths(layers) if by_class else _name_paths(layers))
    # The longest path first: a weight belongs to the layer, not to the model around it.
    for place in sorted(range(len(layers)), key=lambda place: -len(prefixes[place])):
        own = [item for item in left if _belongs(item.path, prefixes[place], by_class=by_class)]
        if own:
            left = [item for item in left if item not in own]
            elements, size = sum(item.elements for item in own), sum(item.bytes for item in own)
            sized[place] = layers[place].sized(elements, size)
    for item in left:
        if item.elements:
            sized.append(KerasLayer("/".join(item.path), "(weights)", None, 0, (), item.elements, item.bytes))
    return sized


def _belongs(path: tuple[str, ...], prefix: tuple[str, ...], *, by_class: bool) -> bool:
    if by_class:
        plain = tuple(part for part in path if part not in ("layers", "_layer_checkpoint_dependencies"))
        return plain[: len(prefix)] == prefix
    return bool(prefix) and prefix[0] == path[0] and all(part in path for part in prefix)


def _name_paths(layers: tuple[KerasLayer, ...]) -> Iterator[tuple[str, ...]]:
    """HDF5 files group weights by layer name, below the names of the models around it."""
    for layer in layers:
        yield (*layer.parents, layer.name)


def _class_paths(layers: tuple[KerasLayer, ...]) -> Iterator[tuple[str, ...]]:
    """`.keras` files name weights by class and number (conv2d, conv2d_1), anew inside each nested model."""
    counts: dict[tuple[tuple[str, ...], str], int] = {}
    paths: dict[tuple[str, ...], tuple[str, ...]] = {(): ()}
    for layer in layers:
        parent = paths.get(layer.parents, layer.parents)
        name = _snake_case(layer.class_name)
        number = counts.get((layer.parents, name), 0)
        counts[layer.parents, name] = number + 1
        path = (*parent, f"{name}_{number}" if number else name)
        inside = (*layer.parents, layer.name)
        paths[inside] = path
        yield path


def _snake_case(name: str) -> str:
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
