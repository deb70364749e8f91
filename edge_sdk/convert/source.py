"""Gives TensorFlow every kind of source model as one thing: a SavedModel folder it can digest.

TensorFlow's converter has two traps, and both are in the SavedModel's object graph, which a conversion
does not need:
- a root attribute called `serve`, as Keras `model.export()` writes it, makes the converter drop every
  signature but `serving_default`;
- slot variables of an optimizer that the installed Keras does not know make `tf.saved_model.load` fail
  ("'_UserObject' object has no attribute 'add_slot'").
So the converter gets a view: a folder with a copy of saved_model.pb without these entries, and links to
the original's variables and assets. The source itself is never changed.

TensorFlow and Keras are imported here, so this runs in a worker process only.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.convert.child import stage
from edge_sdk.errors import ModelError
from edge_sdk.quantize.functions import import_function

#: What a model without a choice of its own is called by.
DEFAULT_SIGNATURE = "serving_default"
_INTERNAL_SIGNATURES = ("__saved_model_init_op", "__saved_model_train_op")


@dataclass(frozen=True)
class SourceView:
    """A SavedModel that the converter and the loader can read.

    Attributes:
        folder: The view's folder.
        tags: Of the MetaGraph in use.
        signatures: Its signatures, `serving_default` first, then by name.
    """

    folder: Path
    tags: tuple[str, ...]
    signatures: tuple[Signature, ...]


def open_source(kind: str, location: str, folder: Path) -> SourceView:
    """Make a view of a source model.

    Args:
        kind: "saved_model", "keras", "h5" or "function".
        location: A path, or "module:function" for "function".
        folder: Empty folder for whatever has to be written.

    Raises:
        ModelError: The model cannot be read, has no signature, or takes text.
    """
    if kind == "saved_model":
        stage("load", "reading the SavedModel")
        return _view_saved_model(Path(location), folder / "view")
    model = _open_keras(kind, location)
    exported = folder / "exported"
    stage("load", "exporting the Keras model")
    _export_keras(model, exported)
    return _view_saved_model(exported, folder / "view")


def _view_saved_model(source: Path, view: Path) -> SourceView:
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    proto = saved_model_pb2.SavedModel()
    try:
        proto.ParseFromString((source / "saved_model.pb").read_bytes())
    except FileNotFoundError as failure:
        raise ModelError(f"{source} has no saved_model.pb", why="a SavedModel folder has one") from failure
    except DecodeError as failure:
        raise ModelError(f"{source / 'saved_model.pb'} is damaged", why=str(failure)) from failure
    graph = _choose_graph(proto, source)
    signatures = tuple(
        _read_signature(name, graph.signature_def[name], source)
        for name in sorted(graph.signature_def, key=lambda name: (name != DEFAULT_SIGNATURE, name))
        if name not in _INTERNAL_SIGNATURES
    )
    if not signatures:
        raise ModelError(
            f"{source} has no signature",
            why="a conversion starts from named inputs and outputs",
            hint="save it again: tf.saved_model.save(model, folder, signatures=...) or model.export(folder)",
        )
    nodes = graph.object_graph_def.nodes
    for node in nodes:
        del node.slot_variables[:]
    if nodes:
        children = [child for child in nodes[0].children if child.local_name != "serve"]
        del nodes[0].children[:]
        nodes[0].children.extend(children)
    view.mkdir(parents=True)
    (view / "saved_model.pb").write_bytes(proto.SerializeToString(deterministic=True))
    for part in ("variables", "assets", "assets.extra"):
        if (source / part).exists():
            (view / part).symlink_to((source / part).resolve(), target_is_directory=True)
    return SourceView(view, tuple(sorted(graph.meta_info_def.tags)), signatures)


def _choose_graph(proto: Any, source: Path) -> Any:
    def preference(graph: Any) -> tuple[bool, int]:
        return ("serve" not in graph.meta_info_def.tags, len(graph.meta_info_def.tags))

    if not proto.meta_graphs:
        raise ModelError(f"{source} holds no graph", why="saved_model.pb has no MetaGraph")
    return min(proto.meta_graphs, key=preference)


def _read_signature(name: str, definition: Any, source: Path) -> Signature:
    signature = Signature(
        name=name,
        inputs=tuple(_read_tensor(key, definition.inputs[key]) for key in sorted(definition.inputs)),
        outputs=tuple(_read_tensor(key, definition.outputs[key]) for key in sorted(definition.outputs)),
    )
    texts = [spec.name for spec in signature.inputs if spec.dtype == "string"]
    if texts:
        raise ModelError(
            f"signature {name!r} of {source} takes text: {', '.join(texts)}",
            why="TFLite runtimes have no kernels that turn text or encoded files into tensors",
            hint="save the model from the first numeric tensor on (tokens, pixels) and decode outside of it",
        )
    return signature


def _read_tensor(name: str, info: Any) -> TensorSpec:
    import tensorflow as tf

    dtype = tf.dtypes.as_dtype(info.dtype).name
    if info.tensor_shape.unknown_rank:
        return TensorSpec(name=name, dtype=dtype, shape=None)
    sizes = tuple(None if item.size < 0 else int(item.size) for item in info.tensor_shape.dim)
    return TensorSpec(name=name, dtype=dtype, shape=sizes)


def _open_keras(kind: str, location: str) -> Any:
    import keras

    if kind == "function":
        stage("load", f"calling {location}")
        model = import_function(location, error=ModelError)()
        if not _is_legacy(model) and not any(
            cls.__module__.startswith("keras.") for cls in type(model).__mro__
        ):
            raise ModelError(
                f"{location} returned {type(model).__name__}",
                why="a function given as the model must return a Keras model",
            )
        return model
    stage("load", f"loading {Path(location).name}")
    try:
        return keras.models.load_model(location, compile=False)
    except Exception as failure:
        if kind == "h5" and (model := _open_with_legacy_keras(location)) is not None:
            return model
        hint = "give a function that builds the model and loads its weights: edge build module:function"
        if kind == "h5" and importlib.util.find_spec("tf_keras") is None:
            # Alone: what it asks for is `tensorflow`, and on x86-64 `tensorflow-cpu` is there in its place.
            import tensorflow as tf

            version = ".".join(tf.__version__.split(".")[:2])
            hint = f"for a file of Keras 2: pip install --no-deps 'tf-keras=={version}.*'; else " + hint
        raise ModelError(
            f"Keras {keras.__version__} cannot load {location}",
            why=str(failure).strip()[:2000] or type(failure).__name__,
            hint=hint,
        ) from failure


def _open_with_legacy_keras(location: str) -> Any:
    # Keras 3 refuses layer settings that Keras 2 wrote into HDF5 files (DepthwiseConv2D "groups").
    try:
        import tf_keras
    except ImportError:
        return None
    try:
        return tf_keras.models.load_model(location, compile=False)
    except Exception:
        return None


def _export_keras(model: Any, folder: Path) -> None:
    """Write a SavedModel with one signature named after the model's own inputs and outputs."""
    import tensorflow as tf

    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise ModelError(
            f"the Keras model {model.name!r} has no input shapes",
            why="a model that was never built or called does not know them",
            hint="call it once on a sample, or build it with keras.Input, before it is saved or returned",
        )
    input_names = _unique([tensor.name.partition(":")[0] for tensor in inputs])
    output_names = _unique(_output_layers(model))

    def call(*tensors: Any) -> dict[str, Any]:
        given = tensors[0] if len(tensors) == 1 else _arrange(model, tensors)
        answer = model(given, training=False)
        if isinstance(answer, dict) and not any(
            isinstance(item, (dict, list, tuple)) for item in answer.values()
        ):
            return dict(answer)
        results = tf.nest.flatten(answer)
        names = output_names if len(output_names) == len(results) else _numbered(len(results))
        return dict(zip(names, results, strict=True))

    specs = [
        tf.TensorSpec(tuple(tensor.shape), tensor.dtype, name=name)
        for tensor, name in zip(inputs, input_names, strict=True)
    ]
    # Keras's own archive, not tf.saved_model.save: with the latter the converter leaves every weight a
    # variable that nothing ever sets, and the file answers NaN.
    family = importlib.import_module("tf_keras" if _is_legacy(model) else "keras")
    archive = family.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(DEFAULT_SIGNATURE, call, input_signature=specs)
    with contextlib.redirect_stdout(io.StringIO()):  # it lists every variable
        archive.write_out(str(folder))


def _is_legacy(model: Any) -> bool:
    return any(cls.__module__.startswith("tf_keras.") for cls in type(model).__mro__)


def _output_layers(model: Any) -> list[str]:
    names = list(getattr(model, "output_names", None) or ())
    if not names and type(model).__name__ == "Sequential" and model.layers:
        names = [model.layers[-1].name]
    return names


def _arrange(model: Any, tensors: tuple[Any, ...]) -> Any:
    """Give the tensors the structure that the model is called with (list, dict, nested)."""
    import tensorflow as tf

    structure = getattr(model, "_inputs_struct", None)
    if structure is None:
        return list(tensors)
    return tf.nest.pack_sequence_as(structure, list(tensors))


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        result.append(name if count == 0 else f"{name}_{count}")
    return result


def _numbered(count: int) -> list[str]:
    return [f"output_{index}" for index in range(count)]
