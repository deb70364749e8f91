"""Reads a .tflite file into objects that can be changed, and writes it back.

Writing is where care is needed, because other writers take liberties that cost us:
- `litert_quantizer` puts the weights of larger models *behind* the FlatBuffer and stores offsets to them.
  Runtimes older than 2.15 (tflite-runtime 2.14) do not know these fields and see empty weights.
- The generated packing code aligns a buffer to one byte. The schema asks for 16, which vector
  instructions on ARM rely on.
So every buffer is written inside the FlatBuffer, aligned to 16 bytes. Vectors of equal content are written
once: with a scale per channel every layer repeats the same zeros, 5 % of EfficientNet-Lite0 in int8. The same
model gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_sdk.errors import ModelError

_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16
#: FlatBuffers address with 32 bits, signed.
MAX_BYTES = 2**31 - 2**20


def read_flatfile(source: Path | bytes) -> Any:
    """Return the `ModelT` of a .tflite file; weights that lie behind the FlatBuffer are brought in.

    Raises:
        ModelError: It is no .tflite file, or a damaged one.
    """
    from ai_edge_litert.tools import flatbuffer_utils

    content = source if isinstance(source, bytes) else source.read_bytes()
    if content[4:8] != _IDENTIFIER:
        raise ModelError(f"{_name(source)} is not a .tflite file", why="it lacks the mark TFL3")
    try:
        return flatbuffer_utils.read_model_from_bytearray(content)
    except Exception as failure:  # struct.error, IndexError, TypeError...: whatever a broken offset leads to
        raise ModelError(
            f"{_name(source)} is damaged", why=f"{type(failure).__name__}: {failure}"
        ) from failure


def write_flatfile(model: Any) -> bytes:
    """Return the bytes of a model.

    Args:
        model: A `ModelT`, as `read_flatfile` gives it; it is not usable afterwards.

    Raises:
        ModelError: It is too large for the format.
    """
    size = sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)
    if size > MAX_BYTES:
        raise ModelError(
            f"the model's weights are {size:,} bytes", why=f"a .tflite file holds at most {MAX_BYTES:,}"
        )
    model.buffers = [_AlignedBuffer(buffer.data) for buffer in model.buffers]
    # Room for everything at once: a builder that grows copies the whole model each time it doubles.
    builder = _builder(size + size // 8 + 2**16)
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _builder(size: int) -> Any:
    import flatbuffers

    class SharingBuilder(flatbuffers.Builder):  # type: ignore[misc]
        """Writes a vector of numbers once, however many tables have it."""

        def __init__(self, size: int) -> None:
            super().__init__(size)
            self.places: dict[tuple[str, bytes], int] = {}

        def CreateNumpyVector(self, x: Any) -> int:  # noqa: N802  the name that the generated code calls
            key = (x.dtype.str, x.tobytes())
            if key not in self.places:
                self.places[key] = super().CreateNumpyVector(x)
            return self.places[key]

    return SharingBuilder(size)


class _AlignedBuffer:
    """Stands in for `BufferT` while a model is packed."""

    def __init__(self, data: Any) -> None:
        import numpy as np

        self.data = None
        if data is not None:
            array = data if isinstance(data, np.ndarray) else np.frombuffer(bytes(data), np.uint8)
            self.data = np.ascontiguousarray(array).view(np.uint8).reshape(-1).tobytes()

    def Pack(self, builder: Any) -> int:  # noqa: N802  the name that the generated code calls
        """Write the buffer; returns its place."""
        from ai_edge_litert import schema_py_generated as schema

        place = None
        if self.data is not None:
            builder.StartVector(1, len(self.data), _ALIGNMENT)
            head = builder.head - len(self.data)
            builder.head = head
            builder.Bytes[head : head + len(self.data)] = self.data
            place = builder.EndVector()
        schema.BufferStart(builder)
        if place is not None:
            schema.BufferAddData(builder, place)
        return int(schema.BufferEnd(builder))


def make_names_unique(model: Any) -> dict[bytes, bytes]:
    """Rename tensors whose name another tensor has: the first one keeps it, the next gets "#2".

    The quantizer knows tensors by name, over all graphs.

    Returns:
        Old name by new name, of the renamed ones.
    """
    renamed: dict[bytes, bytes] = {}
    seen: dict[bytes, int] = {}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            base = tensor.name or b"tensor"
            name = base
            while name in seen:
                seen[base] += 1
                name = base + b"#%d" % seen[base]
            seen[name] = 1
            if name != (tensor.name or b""):
                renamed[name] = tensor.name or b""
            tensor.name = name
    return renamed


def calls_of(model: Any) -> Iterator[int]:
    """Yield the number of every graph that an operator calls (control flow, composites)."""
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            for options in (operator.builtinOptions, getattr(operator, "builtinOptions2", None)):
                for field, value in vars(options).items() if options is not None else ():
                    if "subgraph" in field.lower():
                        yield from value if hasattr(value, "__iter__") else [value]


def _name(source: Path | bytes) -> str:
    return "the given content" if isinstance(source, bytes) else str(source)
