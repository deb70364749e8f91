"""The part of TensorFlow's protocol buffers that we read, as field numbers and names.

A field number never changes. tests/model/test_saved_model.py compares all of this with TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping


class SavedModel:
    """The whole file, saved_model.proto."""

    SAVED_MODEL_SCHEMA_VERSION, META_GRAPHS = 1, 2


class MetaGraphDef:
    """One graph with its signatures and objects."""

    META_INFO_DEF, GRAPH_DEF, SIGNATURE_DEF, OBJECT_GRAPH_DEF = 1, 2, 5, 7


class MetaInfoDef:
    """Where a graph comes from."""

    TAGS, TENSORFLOW_VERSION = 4, 5


class SignatureDef:
    """A callable; inputs and outputs are maps to TensorInfo."""

    INPUTS, OUTPUTS, METHOD_NAME = 1, 2, 3


class TensorInfo:
    """One named input or output; one without NAME is sparse or composite."""

    NAME, DTYPE, TENSOR_SHAPE = 1, 2, 3


class TensorShapeProto:
    """A shape; each DIM has its SIZE, -1 where free."""

    DIM, UNKNOWN_RANK = 2, 3
    SIZE = 1


class TensorProto:
    """A constant."""

    DTYPE, TENSOR_SHAPE = 1, 2


class GraphDef:
    """Nodes and the functions that they call."""

    NODE, LIBRARY, VERSIONS = 1, 2, 4


class VersionDef:
    """Versions of the operator definitions."""

    PRODUCER = 1


class FunctionDefLibrary:
    """Functions."""

    FUNCTION = 1


class FunctionDef:
    """A function: its signature is an OpDef."""

    SIGNATURE, NODE_DEF = 1, 3


class OpDef:
    """Name and arguments; an argument has its NAME in the same field."""

    NAME, INPUT_ARG = 1, 2


class NodeDef:
    """One operator."""

    NAME, OP, INPUT, ATTR = 1, 2, 3, 5


class AttrValue:
    """The value of an attribute, by type."""

    LIST, S, B, TYPE, SHAPE, TENSOR, FUNC = 1, 2, 5, 6, 7, 8, 10


class ListValue:
    """A list as an attribute."""

    SHAPE, FUNC = 7, 9


class NameAttrList:
    """A function's name as an attribute."""

    NAME = 1


class SavedObjectGraph:
    """The Python objects behind the graph; the first node is the root."""

    NODES, CONCRETE_FUNCTIONS = 1, 2


class SavedObject:
    """One object; which of the kinds is present tells what it is."""

    CHILDREN, FUNCTION, VARIABLE = 1, 6, 7


class ObjectReference:
    """An attribute of an object."""

    NODE_ID, LOCAL_NAME = 1, 2


class SavedFunction:
    """A callable with one concrete function for each trace."""

    CONCRETE_FUNCTIONS = 1


class SavedConcreteFunction:
    """One trace."""

    CANONICALIZED_INPUT_SIGNATURE = 3


class SavedVariable:
    """A variable."""

    DTYPE, SHAPE, TRAINABLE, NAME = 1, 2, 3, 6


class StructuredValue:
    """Arguments of a function: nested lists, tuples and dicts, with the values in field 1 of each."""

    TENSOR_SPEC_VALUE, LIST_VALUE, TUPLE_VALUE, DICT_VALUE = 33, 51, 52, 53
    VALUES = 1


class TensorSpecProto:
    """A tensor among them."""

    NAME, SHAPE, DTYPE = 1, 2, 3


#: DataType of types.proto: (our name, bits an element). Reference types are these plus 100.
DTYPES: Mapping[int, tuple[str, int]] = {
    1: ("float32", 32), 2: ("float64", 64), 3: ("int32", 32), 4: ("uint8", 8), 5: ("int16", 16),
    6: ("int8", 8), 7: ("string", 0), 8: ("complex64", 64), 9: ("int64", 64), 10: ("bool", 8),
    11: ("qint8", 8), 12: ("quint8", 8), 13: ("qint32", 32), 14: ("bfloat16", 16), 15: ("qint16", 16),
    16: ("quint16", 16), 17: ("uint16", 16), 18: ("complex128", 128), 19: ("float16", 16),
    20: ("resource", 0), 21: ("variant", 0), 22: ("uint32", 32), 23: ("uint64", 64),
    24: ("float8_e5m2", 8), 25: ("float8_e4m3fn", 8), 26: ("float8_e4m3fnuz", 8),
    27: ("float8_e4m3b11fnuz", 8), 28: ("float8_e5m2fnuz", 8), 29: ("int4", 4), 30: ("uint4", 4),
    31: ("int2", 2), 32: ("uint2", 2), 33: ("float4_e2m1fn", 4),
}  # fmt: skip

#: Bits an element, by our name.
BITS: Mapping[str, int] = dict(DTYPES.values())
