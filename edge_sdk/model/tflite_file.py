"""Reads a `.tflite` file: signatures, tensors, operators and what they cost. No TensorFlow, no NumPy.

The file is mapped, not loaded, and every offset is checked (flatbuffer.py), so a damaged or hostile file
ends in ModelError within bounded time and memory.

    file = read_tflite(Path("model.tflite"))
    file.signatures[0].inputs        (TensorSpec(name="image", dtype="float32", shape=(None, 224, 224, 3)),)
    file.parameters, file.macs       3_486_080, 300_774_272

What counts as what:
- parameters: elements of constant tensors that are float, or are integers with a scale; a buffer counts once.
  Batch normalization is usually folded by the converter, so this is less than Keras reports.
- macs: see tflite_cost.py.
- a layer is one operator; a constant belongs to the first operator that reads it, seen through DEQUANTIZE
  and DENSIFY.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.contract.spec import Quantization, Signature, TensorSpec
from edge_sdk.errors import ModelError
from edge_sdk.model import tflite_schema as schema
from edge_sdk.model.flatbuffer import DamagedError, Data, FlatBuffer, Table
from edge_sdk.model.tflite_cost import NOT_COUNTED, multiply_accumulates
from edge_sdk.model.tflite_graph import Graph, Layer, Node, OperatorUse, TensorInfo

#: Operators that only change how a constant is stored.
_STORAGE = ("DEQUANTIZE", "DENSIFY")
#: How often a loop runs is not in the file: its body counts once, and the loop is named as not counted.
_LOOPS = ("WHILE", "STABLEHLO_WHILE")


@dataclass(frozen=True)
class TFLiteFile:
    """What a `.tflite` file holds.

    Attributes:
        size_bytes: Of the file.
        description: As the converter wrote it.
        signatures: The file's own; one called "" made from graph 0 where the file has none.
        has_signatures: False where `signatures` was made up.
        signature_graphs: Number of the graph of each signature, in the same order.
        graphs: All graphs.
        ops: Operator inventory, most used first.
        layers: All operators that hold constants or multiply, in order of execution.
        parameters: Trained values.
        weight_bytes: Bytes of all constants, by dtype.
        macs: Of one call of the default signature, every graph that it reaches once; None where nothing
            could be counted.
        macs_not_counted: Operators of that signature that may multiply but were not counted.
        metadata: Names of the metadata entries.
        minimum_runtime: What the converter noted as lowest runtime version, or None.
    """

    size_bytes: int
    description: str
    signatures: tuple[Signature, ...]
    has_signatures: bool
    signature_graphs: tuple[int, ...]
    graphs: tuple[Graph, ...]
    ops: tuple[OperatorUse, ...]
    layers: tuple[Layer, ...]
    parameters: int
    weight_bytes: Mapping[str, int]
    macs: int | None
    macs_not_counted: tuple[str, ...]
    metadata: tuple[str, ...]
    minimum_runtime: str | None

    @property
    def op_versions(self) -> dict[str, int]:
        """Highest version used, by builtin operator."""
        return {use.name: use.version for use in sorted(self.ops, key=_by_name) if use.kind == "builtin"}

    @property
    def custom_ops(self) -> tuple[str, ...]:
        """Operators that need a custom-op library, sorted."""
        return tuple(sorted(use.name for use in self.ops if use.kind == "custom"))

    @property
    def flex_ops(self) -> tuple[str, ...]:
        """TensorFlow operators that need the Flex delegate, without the "Flex" prefix, sorted."""
        return tuple(sorted(use.name for use in self.ops if use.kind == "flex"))

    @property
    def tensors(self) -> tuple[TensorInfo, ...]:
        """All tensors of all graphs."""
        return tuple(tensor for graph in self.graphs for tensor in graph.tensors)

    @property
    def is_float(self) -> bool:
        """True where nothing is quantized and no weight is stored as float16: it can be quantized."""
        tensors = self.tensors
        return any(tensor.dtype == "float32" for tensor in tensors) and not any(
            tensor.scales or (tensor.constant_bytes and tensor.dtype in ("float16", "bfloat16"))
            for tensor in tensors
        )


def default_signature(signatures: Sequence[Signature]) -> str:
    """Return the signature to call where none is named: "serving_default", else the first by name."""
    names = [signature.name for signature in signatures]
    return "serving_default" if "serving_default" in names or not names else min(names)


def _by_name(use: OperatorUse) -> str:
    return use.name


def read_tflite(source: Path | str | bytes) -> TFLiteFile:
    """Read a `.tflite` file.

    Args:
        source: Path, or the whole content.

    Raises:
        ModelError: It is missing, unreadable, not a TFLite file, or damaged.
    """
    if isinstance(source, bytes):
        return _read(source, "the model")
    path = Path(source)
    try:
        with path.open("rb") as stream:
            # An empty file cannot be mapped.
            if stream.seek(0, 2) == 0:
                return _read(b"", str(path))
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _read(data, str(path))
    except FileNotFoundError as failure:
        raise ModelError(f"{path} does not exist") from failure
    except OSError as failure:
        raise ModelError(f"{path} cannot be read", why=failure.strerror or str(failure)) from failure


def _read(data: Data, name: str) -> TFLiteFile:
    if len(data) < 8 or data[4:8] != schema.IDENTIFIER:
        raise ModelError(
            f"{name} is not a TFLite model",
            why=f"a .tflite file has {schema.IDENTIFIER.decode()!r} at byte 4; this one has {data[4:8]!r}"
            if len(data) >= 8
            else f"it holds {len(data)} bytes",
        )
    try:
        return _Reader(data).file()
    except DamagedError as failure:
        raise ModelError(
            f"{name} is damaged", why=str(failure), hint="copy or convert the model again"
        ) from failure


class _Reader:
    """Turns the checked tables of one file into values."""

    def __init__(self, data: Data) -> None:
        self._data = data
        root = FlatBuffer(data).root()
        self._root = root
        self._codes = [self._operator_code(table) for table in root.tables(schema.Model.OPERATOR_CODES)]
        self._buffers = [self._extent(table) for table in root.tables(schema.Model.BUFFERS)]
        self._graphs = tuple(self._graph(table) for table in root.tables(schema.Model.SUBGRAPHS))

    def file(self) -> TFLiteFile:
        if not self._graphs:
            raise DamagedError("it holds no graph")
        for graph in self._graphs:
            for node in graph.nodes:
                for called in node.calls:
                    if not 0 <= called < len(self._graphs):
                        raise DamagedError(f"operator {node.op} calls graph {called}, which does not exist")
        named = [self._signature(table) for table in self._root.tables(schema.Model.SIGNATURE_DEFS)]
        signatures = named or [(self._nameless_signature(), 0)]
        if len({signature.name for signature, _ in signatures}) < len(signatures):
            raise DamagedError("two signatures have the same name")
        default = default_signature([signature for signature, _ in signatures])
        layers, not_counted, total = self._layers({s.name: graph for s, graph in signatures}[default])
        weights = self._constants()
        metadata = [
            (table.text(schema.Metadata.NAME), table.number(schema.Metadata.BUFFER, "I"))
            for table in self._root.tables(schema.Model.METADATA)
        ]
        return TFLiteFile(
            size_bytes=len(self._data),
            description=self._root.text(schema.Model.DESCRIPTION),
            signatures=tuple(signature for signature, _ in signatures),
            has_signatures=bool(named),
            signature_graphs=tuple(graph for _, graph in signatures),
            graphs=self._graphs,
            ops=self._inventory(),
            layers=layers,
            parameters=sum(tensor.elements for tensor in weights if tensor.is_parameter),
            weight_bytes=_bytes_by_dtype(weights),
            macs=total,
            macs_not_counted=not_counted,
            metadata=tuple(name for name, _ in metadata),
            minimum_runtime=self._minimum_runtime(metadata),
        )

    def _operator_code(self, table: Table) -> tuple[str, str, int]:
        """Return (name, kind, version)."""
        field = schema.OperatorCode
        number = max(table.number(field.DEPRECATED_BUILTIN_CODE, "b"), table.number(field.BUILTIN_CODE, "i"))
        version = table.number(field.VERSION, "i", 1)
        if number == schema.CUSTOM:
            name = table.text(field.CUSTOM_CODE) or "(without a name)"
            if name.startswith("Flex"):
                return name[4:], "flex", version
            return name, "custom", version
        if 0 <= number < len(schema.BUILTIN_OPERATORS):
            return schema.BUILTIN_OPERATORS[number], "builtin", version
        return f"BUILTIN_{number}", "builtin", version

    def _extent(self, table: Table) -> tuple[int, int]:
        """Return (start, length) of a buffer's content."""
        field = schema.Buffer
        start, length = table.extent(field.DATA)
        if length:
            return start, length
        # 1 is what the writer leaves as a mark of "no offset" in files under 2 GB.
        offset, size = table.number(field.OFFSET, "Q"), table.number(field.SIZE, "Q")
        if offset > 1 and size:
            if offset + size > len(self._data):
                raise DamagedError(f"a weight lies behind the end of the file (byte {offset + size:,})")
            return offset, size
        return 0, 0

    def _graph(self, table: Table) -> Graph:
        field = schema.SubGraph
        inputs, outputs = table.numbers(field.INPUTS, "i"), table.numbers(field.OUTPUTS, "i")
        ends = {*inputs, *outputs}
        tensors = tuple(
            self._tensor(tensor, with_scales=number in ends)
            for number, tensor in enumerate(table.tables(field.TENSORS))
        )
        nodes = tuple(self._node(node) for node in table.tables(field.OPERATORS))
        for number in ends:
            if not 0 <= number < len(tensors):
                raise DamagedError(f"an input or output is tensor {number} of {len(tensors)}")
        for node in nodes:
            for number in (*node.inputs, *node.outputs):
                if not -1 <= number < len(tensors):
                    raise DamagedError(f"operator {node.op} uses tensor {number} of {len(tensors)}")
        return Graph(table.text(field.NAME), tensors, inputs, outputs, nodes)

    def _tensor(self, table: Table, *, with_scales: bool) -> TensorInfo:
        field = schema.Tensor
        name = table.text(field.NAME)
        kind = table.number(field.TYPE, "b")
        if not 0 <= kind < len(schema.TENSOR_TYPES):
            raise DamagedError(f"tensor {name!r:.80} has the unknown type {kind}")
        dtype, bits = schema.TENSOR_TYPES[kind]
        fixed = table.numbers(field.SHAPE, "i")
        if any(size < 0 for size in fixed):
            raise DamagedError(f"tensor {name!r:.80} has the shape {list(fixed)}")
        buffer = table.number(field.BUFFER, "I")
        if buffer >= len(self._buffers) and not (buffer == 0 or table.number(field.EXTERNAL_BUFFER, "I")):
            raise DamagedError(f"tensor {name!r:.80} uses buffer {buffer} of {len(self._buffers)}")
        constant = self._buffers[buffer][1] if 0 < buffer < len(self._buffers) else 0
        if constant and bits and table.table(field.SPARSITY) is None:
            needed = (math.prod(fixed) * bits + 7) // 8
            if needed > constant:
                raise DamagedError(
                    f"tensor {name!r:.80} needs {needed:,} bytes, its buffer holds {constant:,}"
                )
        scales, quantization = self._quantization(table.table(field.QUANTIZATION), with_scales)
        shape = self._free_shape(table, fixed, known=bool(constant or fixed))
        return TensorInfo(name, dtype, shape, fixed, buffer, constant, scales, quantization)

    @staticmethod
    def _free_shape(table: Table, fixed: tuple[int, ...], *, known: bool) -> tuple[int | None, ...] | None:
        field = schema.Tensor
        if not known and not table.number(field.HAS_RANK, "B"):
            return None
        free = table.numbers(field.SHAPE_SIGNATURE, "i")
        if len(free) != len(fixed):
            return fixed
        if any(size < -1 for size in free):
            raise DamagedError(f"a tensor has the shape signature {list(free)}")
        return tuple(None if size == -1 else size for size in free)

    @staticmethod
    def _quantization(table: Table | None, with_scales: bool) -> tuple[int, Quantization | None]:
        if table is None:
            return 0, None
        field = schema.QuantizationParameters
        _, count = table.extent(field.SCALE, 4)
        if not count or not with_scales:
            return count, None
        zero_points = table.numbers(field.ZERO_POINT, "q") or (0,)
        if len(zero_points) == 1:
            zero_points *= count
        if len(zero_points) != count:
            raise DamagedError(f"a tensor has {count} scales and {len(zero_points)} zero points")
        axis = table.number(field.QUANTIZED_DIMENSION, "i")
        return count, Quantization(scales=table.reals(field.SCALE), zero_points=zero_points, axis=axis)

    def _node(self, table: Table) -> Node:
        field = schema.Operator
        code = table.number(field.OPCODE_INDEX, "I")
        if code >= len(self._codes):
            raise DamagedError(f"an operator has the kind {code} of {len(self._codes)}")
        calls: list[int] = []
        adjoint = False
        for kind_field, options_field, base in (
            (field.OPTIONS_TYPE, field.OPTIONS, 0),
            (field.OPTIONS_2_TYPE, field.OPTIONS_2, 1000),
        ):
            kind = table.number(kind_field, "B") + base
            if kind not in schema.CALLS and kind != schema.BATCH_MATMUL_OPTIONS:
                continue
            options = table.table(options_field)
            if options is None:
                continue
            calls += [options.number(number, "i") for number in schema.CALLS.get(kind, ())]
            if kind == schema.BATCH_MATMUL_OPTIONS:
                adjoint = bool(options.number(schema.BATCH_MATMUL_ADJOINT_X, "B"))
        return Node(
            self._codes[code][0],
            table.numbers(field.INPUTS, "i"),
            table.numbers(field.OUTPUTS, "i"),
            tuple(calls),
            adjoint,
        )

    def _signature(self, table: Table) -> tuple[Signature, int]:
        field = schema.SignatureDef
        number = table.number(field.SUBGRAPH, "I")
        if number >= len(self._graphs):
            raise DamagedError(f"a signature names graph {number} of {len(self._graphs)}")
        tensors = self._graphs[number].tensors

        def specs(side: int) -> tuple[TensorSpec, ...]:
            found = {}
            for entry in table.tables(side):
                name = entry.text(schema.TensorMap.NAME)
                tensor = entry.number(schema.TensorMap.TENSOR, "I")
                if tensor >= len(tensors) or name in found:
                    raise DamagedError(f"signature input or output {name!r:.80} is not usable")
                found[name] = _spec(name, tensors[tensor])
            return tuple(found.values())

        signature = Signature(
            name=table.text(field.KEY), inputs=specs(field.INPUTS), outputs=specs(field.OUTPUTS)
        )
        return signature, number

    def _nameless_signature(self) -> Signature:
        graph = self._graphs[0]
        return Signature(
            name="",
            inputs=_unique_specs(graph, graph.inputs, "input"),
            outputs=_unique_specs(graph, graph.outputs, "output"),
        )

    def _inventory(self) -> tuple[OperatorUse, ...]:
        # The table of operators may list one operator several times, with different versions.
        kinds = {name: kind for name, kind, _ in self._codes}
        versions: dict[str, int] = {}
        for name, _, version in self._codes:
            versions[name] = max(version, versions.get(name, version))
        counts: dict[str, int] = {}
        for graph in self._graphs:
            for node in graph.nodes:
                counts[node.op] = counts.get(node.op, 0) + 1
        uses = [OperatorUse(name, kinds[name], versions[name], count) for name, count in counts.items()]
        return tuple(sorted(uses, key=lambda use: (-use.count, use.name)))

    def _constants(self) -> list[TensorInfo]:
        seen: dict[int, TensorInfo] = {}
        for graph in self._graphs:
            for tensor in graph.tensors:
                if tensor.constant_bytes:
                    seen.setdefault(tensor.buffer, tensor)
        return list(seen.values())

    def _layers(self, first: int) -> tuple[tuple[Layer, ...], tuple[str, ...], int | None]:
        """Return (layers of all graphs, what was not counted in graph `first`, its MACs)."""
        reached = self._reached(first)
        kinds = {name: kind for name, kind, _ in self._codes}
        seen: set[int] = set()
        layers: list[Layer] = []
        total, counted, not_counted = 0, False, set()
        for number, graph in enumerate(self._graphs):
            # A stored constant and the tensor that DEQUANTIZE or DENSIFY makes of it are one to a reader.
            origin: dict[int, int] = {}
            for node in graph.nodes:
                if node.op in _STORAGE and node.inputs and node.outputs:
                    source = origin.get(node.inputs[0], node.inputs[0])
                    if source >= 0 and graph.tensors[source].constant_bytes:
                        origin[node.outputs[0]] = source
                        continue
                constants = []
                for index in node.inputs:
                    tensor = graph.tensors[origin.get(index, index)] if index >= 0 else None
                    if tensor and tensor.constant_bytes and tensor.buffer not in seen:
                        seen.add(tensor.buffer)
                        constants.append(tensor)
                macs = multiply_accumulates(node, graph.tensors, origin)
                uncountable = macs is None or node.op in NOT_COUNTED or kinds[node.op] != "builtin"
                if number in reached:
                    if uncountable:
                        not_counted.add(node.op)
                    elif macs:
                        total, counted = total + macs, True
                    if node.op in _LOOPS:
                        not_counted.add(node.op)
                if constants or macs or uncountable:
                    name = (
                        graph.tensors[node.outputs[0]].name if node.outputs and node.outputs[0] >= 0 else ""
                    )
                    layers.append(
                        Layer(
                            name.split(";")[0] or f"({node.op.lower()})",
                            node.op,
                            sum(tensor.elements for tensor in constants if tensor.is_parameter),
                            sum(tensor.constant_bytes for tensor in constants),
                            None if uncountable else macs,
                        )
                    )
        result = total if counted or not not_counted else None
        return tuple(layers), tuple(sorted(not_counted)), result

    def _reached(self, first: int) -> set[int]:
        reached, waiting = set(), [first]
        while waiting:
            number = waiting.pop()
            if number not in reached:
                reached.add(number)
                waiting += [called for node in self._graphs[number].nodes for called in node.calls]
        return reached

    def _minimum_runtime(self, metadata: list[tuple[str, int]]) -> str | None:
        for name, buffer in metadata:
            if name == "min_runtime_version" and buffer < len(self._buffers):
                start, length = self._buffers[buffer]
                text = bytes(self._data[start : start + min(length, 32)]).rstrip(b"\0")
                return text.decode("ascii", "replace") or None
        return None


def _spec(name: str, tensor: TensorInfo) -> TensorSpec:
    return TensorSpec(name=name, dtype=tensor.dtype, shape=tensor.shape, quantization=tensor.quantization)


def _unique_specs(graph: Graph, numbers: tuple[int, ...], default: str) -> tuple[TensorSpec, ...]:
    found: dict[str, TensorSpec] = {}
    for position, number in enumerate(numbers):
        tensor = graph.tensors[number]
        base = name = tensor.name or f"{default}_{position}"
        suffix = 1
        while name in found:
            name, suffix = f"{base}_{suffix}", suffix + 1
        found[name] = _spec(name, tensor)
    return tuple(found.values())


def _bytes_by_dtype(constants: list[TensorInfo]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for tensor in constants:
        sums[tensor.dtype] = sums.get(tensor.dtype, 0) + tensor.constant_bytes
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))
