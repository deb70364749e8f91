"""Reads a SavedModel directory from its bytes: no TensorFlow, nothing loaded, nothing executed.

`tf.saved_model.load` needs seconds, runs restore functions, and fails where the Keras that wrote the model is
gone. All that a report needs is in `saved_model.pb`: signatures, variables, graphs and, in nearly every file,
the shape of every node's output.

saved_model_schema.py holds the field numbers.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.errors import ModelError
from edge_sdk.model import saved_model_schema as schema
from edge_sdk.model.flatbuffer import DamagedError
from edge_sdk.model.protobuf_wire import Budget, Message
from edge_sdk.model.saved_model_graph import Cost, GraphReader, Shape, dtype_name, read_shape

#: Signature of the loader itself, not of the model.
_LOADER_SIGNATURES = ("__saved_model_init_op", "__saved_model_train_op")
#: saved_model.pb holds graphs; protocol buffers end at 2 GB anyway.
MAX_PROTOCOL_BYTES = 2**31


@dataclass(frozen=True)
class VariableInfo:
    """One variable.

    Attributes:
        name: As the program named it.
        dtype: NumPy's spelling.
        shape: Sizes; None as a whole where unknown.
        trainable: As noted when it was saved.
    """

    name: str
    dtype: str
    shape: Shape
    trainable: bool

    @property
    def elements(self) -> int:
        """Number of elements; 0 where the shape is not fully known."""
        if self.shape is None or any(size is None for size in self.shape):
            return 0
        return math.prod(size for size in self.shape if size is not None)

    @property
    def bytes(self) -> int:
        """Bytes of its value."""
        return (self.elements * schema.BITS.get(self.dtype, 0) + 7) // 8


@dataclass(frozen=True)
class Callable:
    """A function that can be called on the loaded object, with the tensors of each traced variant."""

    name: str
    variants: tuple[tuple[TensorSpec, ...], ...]


@dataclass(frozen=True)
class MetaGraph:
    """One graph of the SavedModel, found by its tags.

    Attributes:
        tags: For example ("serve",).
        tensorflow_version: That wrote it.
        producer: Version of the operator definitions.
        signatures: In order of name, as the converter gives them too.
        methods: Method name by signature.
        tensor_names: By signature, then by input or output name: the tensor of the graph behind it.
        functions: Callables of the root object.
        attributes: Names of all attributes of the root object.
        variables: Of the object graph, or of the graph itself in TF1 models.
        cost: By signature: operators, MACs and weights that it reaches.
        incomplete: Signature inputs or outputs that are sparse or composite, which TFLite cannot take.
    """

    tags: tuple[str, ...]
    tensorflow_version: str
    producer: int
    signatures: tuple[Signature, ...]
    methods: Mapping[str, str]
    tensor_names: Mapping[str, Mapping[str, str]]
    functions: tuple[Callable, ...]
    attributes: tuple[str, ...]
    variables: tuple[VariableInfo, ...]
    cost: Mapping[str, Cost]
    incomplete: tuple[str, ...]


@dataclass(frozen=True)
class SavedModelInfo:
    """What a SavedModel directory holds.

    Attributes:
        path: The directory.
        schema_version: Of the format.
        meta_graphs: All graphs.
        variables_bytes: Size of the files under variables/.
        has_variables: False where the variables' files are missing.
        assets: Names of the files under assets/.
        size_bytes: Of the whole directory.
    """

    path: Path
    schema_version: int
    meta_graphs: tuple[MetaGraph, ...]
    variables_bytes: int
    has_variables: bool
    assets: tuple[str, ...]
    size_bytes: int

    @property
    def serving(self) -> MetaGraph:
        """The graph tagged "serve", else the first."""
        return next((graph for graph in self.meta_graphs if graph.tags == ("serve",)), self.meta_graphs[0])

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """Signatures of the serving graph."""
        return self.serving.signatures

    @property
    def has_serve_attribute(self) -> bool:
        """True where the root object has an attribute `serve`, as Keras `export` writes.

        TensorFlow's converter then keeps only "serving_default", whatever signatures are asked for.
        """
        return "serve" in self.serving.attributes


def read_saved_model(folder: Path | str) -> SavedModelInfo:
    """Read a SavedModel directory.

    Raises:
        ModelError: It is missing, holds no saved_model.pb, or is damaged.
    """
    folder = Path(folder)
    path = folder / "saved_model.pb"
    if not path.is_file():
        raise not_a_saved_model(folder)
    size = path.stat().st_size
    if size >= MAX_PROTOCOL_BYTES:
        raise ModelError(f"{path} is {size:,} bytes", why="a protocol buffer ends at 2 GB")
    try:
        with path.open("rb") as stream:
            if size == 0:
                raise DamagedError("it is empty")
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                root = Message(data, 0, len(data), Budget(len(data)))
                schema_version = root.number(schema.SavedModel.SAVED_MODEL_SCHEMA_VERSION)
                meta_graphs = tuple(
                    _meta_graph(message) for message in root.messages(schema.SavedModel.META_GRAPHS)
                )
        if not meta_graphs:
            raise DamagedError("it holds no graph")
    except DamagedError as failure:
        raise ModelError(
            f"{path} is damaged", why=str(failure), hint="copy or export the model again"
        ) from failure
    except OSError as failure:
        raise ModelError(f"{path} cannot be read", why=failure.strerror or str(failure)) from failure
    files = [file for file in (folder / "variables").glob("*") if file.is_file()]
    return SavedModelInfo(
        path=folder,
        schema_version=schema_version,
        meta_graphs=meta_graphs,
        variables_bytes=sum(file.stat().st_size for file in files),
        has_variables=any(file.name == "variables.index" for file in files),
        assets=tuple(sorted(file.name for file in (folder / "assets").glob("*"))),
        size_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
    )


def not_a_saved_model(folder: Path) -> ModelError:
    """Return the error for a directory that is no SavedModel, with what it seems to be instead."""
    if (folder / "saved_model.pbtxt").exists():
        return ModelError(
            f"{folder} is a SavedModel in text form (saved_model.pbtxt)",
            hint="load it with tf.saved_model.load and write it again with tf.saved_model.save",
        )
    inside = sorted(path.parent for path in folder.glob("*/saved_model.pb"))
    why, hint = "it holds no saved_model.pb", None
    if inside:
        hint = f"use {inside[-1]}"
    elif (folder / "checkpoint").exists() or list(folder.glob("*.index")):
        why += ", only a checkpoint: weights without the model"
        hint = "load it into the model in Python and write a SavedModel with model.export(...)"
    elif (folder / "keras_metadata.pb").exists():
        why += ", although keras_metadata.pb is there: the copy is incomplete"
    return ModelError(f"{folder} is not a SavedModel", why=why, hint=hint)


def _meta_graph(message: Message) -> MetaGraph:
    information = message.message(schema.MetaGraphDef.META_INFO_DEF)
    definition = message.message(schema.MetaGraphDef.GRAPH_DEF)
    object_graph = message.message(schema.MetaGraphDef.OBJECT_GRAPH_DEF)
    objects = list(object_graph.messages(schema.SavedObjectGraph.NODES))
    graph = GraphReader(definition)
    found = message.map(schema.MetaGraphDef.SIGNATURE_DEF)
    signatures, methods, tensor_names, cost = [], {}, {}, {}
    incomplete: list[str] = []
    for name in sorted(found):
        if name in _LOADER_SIGNATURES:
            continue
        inputs = found[name].map(schema.SignatureDef.INPUTS)
        outputs = found[name].map(schema.SignatureDef.OUTPUTS)
        signatures.append(Signature(name=name, inputs=_specs(inputs), outputs=_specs(outputs)))
        methods[name] = found[name].text(schema.SignatureDef.METHOD_NAME)
        both = {**inputs, **outputs}
        tensor_names[name] = {key: info.text(schema.TensorInfo.NAME) for key, info in both.items()}
        incomplete += [f"{name}.{key}" for key, info in both.items() if not info.has(schema.TensorInfo.NAME)]
        cost[name] = graph.cost([info.text(schema.TensorInfo.NAME) for info in outputs.values()])
    return MetaGraph(
        tags=tuple(information.texts(schema.MetaInfoDef.TAGS)),
        tensorflow_version=information.text(schema.MetaInfoDef.TENSORFLOW_VERSION),
        producer=definition.message(schema.GraphDef.VERSIONS).number(schema.VersionDef.PRODUCER),
        signatures=tuple(signatures),
        methods=methods,
        tensor_names=tensor_names,
        functions=_functions(objects, object_graph),
        attributes=tuple(child for child, _ in _children(objects[0])) if objects else (),
        variables=_variables(objects, graph),
        cost=cost,
        incomplete=tuple(incomplete),
    )


def _specs(tensors: Mapping[str, Message]) -> tuple[TensorSpec, ...]:
    field = schema.TensorInfo
    return tuple(
        TensorSpec(
            name=name,
            dtype=dtype_name(info.number(field.DTYPE)),
            shape=read_shape(info.message(field.TENSOR_SHAPE)) if info.has(field.TENSOR_SHAPE) else None,
        )
        for name, info in sorted(tensors.items())
    )


def _children(node: Message) -> Iterator[tuple[str, int]]:
    for reference in node.messages(schema.SavedObject.CHILDREN):
        yield (
            reference.text(schema.ObjectReference.LOCAL_NAME),
            reference.number(schema.ObjectReference.NODE_ID),
        )


def _variables(objects: list[Message], graph: GraphReader) -> tuple[VariableInfo, ...]:
    if not objects:
        weights = graph.variables()
        return tuple(VariableInfo(name, item.dtype, item.shape, True) for name, item in weights.items())
    # Keras exports hold a second object for each variable, with the same name and shape: the backend's.
    found: dict[tuple[str, str, Shape], VariableInfo] = {}
    field = schema.SavedVariable
    for number, node in enumerate(objects):
        if node.has(schema.SavedObject.VARIABLE):
            variable = node.message(schema.SavedObject.VARIABLE)
            info = VariableInfo(
                variable.text(field.NAME) or f"variable {number}",
                dtype_name(variable.number(field.DTYPE)),
                read_shape(variable.message(field.SHAPE)),
                bool(variable.number(field.TRAINABLE)),
            )
            found.setdefault((info.name, info.dtype, info.shape), info)
    return tuple(found.values())


def _functions(objects: list[Message], object_graph: Message) -> tuple[Callable, ...]:
    if not objects:
        return ()
    concrete = object_graph.map(schema.SavedObjectGraph.CONCRETE_FUNCTIONS)
    found = []
    for name, number in _children(objects[0]):
        if not 0 <= number < len(objects) or not objects[number].has(schema.SavedObject.FUNCTION):
            continue
        function = objects[number].message(schema.SavedObject.FUNCTION)
        variants = [
            tuple(_structured_specs(concrete[trace].message(_ARGUMENTS), depth=0))
            for trace in function.texts(schema.SavedFunction.CONCRETE_FUNCTIONS)
            if trace in concrete
        ]
        found.append(Callable(name, tuple(variants)))
    return tuple(sorted(found, key=lambda function: function.name))


_ARGUMENTS = schema.SavedConcreteFunction.CANONICALIZED_INPUT_SIGNATURE


def _structured_specs(value: Message, *, depth: int) -> Iterator[TensorSpec]:
    """Yield the tensors among a function's arguments (nested lists, tuples and dicts)."""
    if depth > 32:
        raise DamagedError("a function's arguments are nested too deep")
    field, tensor = schema.StructuredValue, schema.TensorSpecProto
    if value.has(field.TENSOR_SPEC_VALUE):
        spec = value.message(field.TENSOR_SPEC_VALUE)
        yield TensorSpec(
            name=spec.text(tensor.NAME),
            dtype=dtype_name(spec.number(tensor.DTYPE)),
            shape=read_shape(spec.message(tensor.SHAPE)),
        )
    for kind in (field.LIST_VALUE, field.TUPLE_VALUE):
        for item in value.message(kind).messages(field.VALUES):
            yield from _structured_specs(item, depth=depth + 1)
    for item in value.message(field.DICT_VALUE).map(field.VALUES).values():
        yield from _structured_specs(item, depth=depth + 1)
