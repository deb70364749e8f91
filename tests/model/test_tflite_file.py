"""Reading .tflite files: real ones of every kind, compared with the schema and the runtime; damaged ones."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_sdk.errors import ModelError
from edge_sdk.model import flatbuffer, tflite_schema
from edge_sdk.model.tflite_file import TFLiteFile, read_tflite
from tests import real_models

SMALL = sorted((Path(__file__).parents[1] / "data" / "models").glob("*.tflite"))


def test_field_numbers_and_names_are_those_of_the_schema() -> None:
    from ai_edge_litert import schema_py_generated as schema

    def number(table: str, method: str) -> int:
        source = inspect.getsource(getattr(getattr(schema, table), method))
        match = re.search(r"_tab\.Offset\((\d+)\)", source)
        assert match is not None
        return (int(match[1]) - 4) // 2

    ours = {
        ("Model", "Version"): tflite_schema.Model.VERSION,
        ("Model", "OperatorCodes"): tflite_schema.Model.OPERATOR_CODES,
        ("Model", "Subgraphs"): tflite_schema.Model.SUBGRAPHS,
        ("Model", "Description"): tflite_schema.Model.DESCRIPTION,
        ("Model", "Buffers"): tflite_schema.Model.BUFFERS,
        ("Model", "Metadata"): tflite_schema.Model.METADATA,
        ("Model", "SignatureDefs"): tflite_schema.Model.SIGNATURE_DEFS,
        ("OperatorCode", "DeprecatedBuiltinCode"): tflite_schema.OperatorCode.DEPRECATED_BUILTIN_CODE,
        ("OperatorCode", "CustomCode"): tflite_schema.OperatorCode.CUSTOM_CODE,
        ("OperatorCode", "Version"): tflite_schema.OperatorCode.VERSION,
        ("OperatorCode", "BuiltinCode"): tflite_schema.OperatorCode.BUILTIN_CODE,
        ("SubGraph", "Tensors"): tflite_schema.SubGraph.TENSORS,
        ("SubGraph", "Inputs"): tflite_schema.SubGraph.INPUTS,
        ("SubGraph", "Outputs"): tflite_schema.SubGraph.OUTPUTS,
        ("SubGraph", "Operators"): tflite_schema.SubGraph.OPERATORS,
        ("SubGraph", "Name"): tflite_schema.SubGraph.NAME,
        ("Tensor", "Shape"): tflite_schema.Tensor.SHAPE,
        ("Tensor", "Type"): tflite_schema.Tensor.TYPE,
        ("Tensor", "Buffer"): tflite_schema.Tensor.BUFFER,
        ("Tensor", "Name"): tflite_schema.Tensor.NAME,
        ("Tensor", "Quantization"): tflite_schema.Tensor.QUANTIZATION,
        ("Tensor", "Sparsity"): tflite_schema.Tensor.SPARSITY,
        ("Tensor", "ShapeSignature"): tflite_schema.Tensor.SHAPE_SIGNATURE,
        ("Tensor", "HasRank"): tflite_schema.Tensor.HAS_RANK,
        ("Tensor", "ExternalBuffer"): tflite_schema.Tensor.EXTERNAL_BUFFER,
        ("QuantizationParameters", "Scale"): tflite_schema.QuantizationParameters.SCALE,
        ("QuantizationParameters", "ZeroPoint"): tflite_schema.QuantizationParameters.ZERO_POINT,
        (
            "QuantizationParameters",
            "QuantizedDimension",
        ): tflite_schema.QuantizationParameters.QUANTIZED_DIMENSION,
        ("Operator", "OpcodeIndex"): tflite_schema.Operator.OPCODE_INDEX,
        ("Operator", "Inputs"): tflite_schema.Operator.INPUTS,
        ("Operator", "Outputs"): tflite_schema.Operator.OUTPUTS,
        ("Operator", "BuiltinOptionsType"): tflite_schema.Operator.OPTIONS_TYPE,
        ("Operator", "BuiltinOptions"): tflite_schema.Operator.OPTIONS,
        ("Operator", "BuiltinOptions2Type"): tflite_schema.Operator.OPTIONS_2_TYPE,
        ("Operator", "BuiltinOptions2"): tflite_schema.Operator.OPTIONS_2,
        ("Buffer", "Data"): tflite_schema.Buffer.DATA,
        ("Buffer", "Offset"): tflite_schema.Buffer.OFFSET,
        ("Buffer", "Size"): tflite_schema.Buffer.SIZE,
        ("SignatureDef", "Inputs"): tflite_schema.SignatureDef.INPUTS,
        ("SignatureDef", "Outputs"): tflite_schema.SignatureDef.OUTPUTS,
        ("SignatureDef", "SignatureKey"): tflite_schema.SignatureDef.KEY,
        ("SignatureDef", "SubgraphIndex"): tflite_schema.SignatureDef.SUBGRAPH,
        ("TensorMap", "Name"): tflite_schema.TensorMap.NAME,
        ("TensorMap", "TensorIndex"): tflite_schema.TensorMap.TENSOR,
        ("Metadata", "Name"): tflite_schema.Metadata.NAME,
        ("Metadata", "Buffer"): tflite_schema.Metadata.BUFFER,
        ("BatchMatMulOptions", "AdjX"): tflite_schema.BATCH_MATMUL_ADJOINT_X,
    }
    assert ours == {key: number(*key) for key in ours}
    operators = {value: name for name, value in vars(schema.BuiltinOperator).items() if name[0] != "_"}
    assert dict(enumerate(tflite_schema.BUILTIN_OPERATORS)) == operators
    types = {value: name.lower() for name, value in vars(schema.TensorType).items() if name[0] != "_"}
    assert {place: name for place, (name, _) in enumerate(tflite_schema.TENSOR_TYPES)} == types
    options, options_2 = schema.BuiltinOptions, schema.BuiltinOptions2
    assert options.BatchMatMulOptions == tflite_schema.BATCH_MATMUL_OPTIONS
    assert {
        options.CallOptions: (number("CallOptions", "Subgraph"),),
        options.IfOptions: (
            number("IfOptions", "ThenSubgraphIndex"),
            number("IfOptions", "ElseSubgraphIndex"),
        ),
        options.WhileOptions: (
            number("WhileOptions", "CondSubgraphIndex"),
            number("WhileOptions", "BodySubgraphIndex"),
        ),
        options.CallOnceOptions: (number("CallOnceOptions", "InitSubgraphIndex"),),
        1000 + options_2.StableHLOCompositeOptions: (
            number("StableHLOCompositeOptions", "DecompositionSubgraphIndex"),
        ),
    } == tflite_schema.CALLS


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_small_models_agree_with_the_generated_reader(path: Path) -> None:
    from ai_edge_litert import schema_py_generated as schema

    file = read_tflite(path)
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    assert len(file.graphs) == len(model.subgraphs)
    for graph, theirs in zip(file.graphs, model.subgraphs, strict=True):
        assert [tensor.name.encode() for tensor in graph.tensors] == [
            tensor.name for tensor in theirs.tensors
        ]
        assert [list(tensor.fixed_shape) for tensor in graph.tensors] == [
            [] if tensor.shape is None else list(tensor.shape) for tensor in theirs.tensors
        ]
        assert list(graph.inputs) == list(theirs.inputs)
        assert list(graph.outputs) == list(theirs.outputs)
        assert len(graph.nodes) == len(theirs.operators)
    names = [signature.signatureKey.decode() for signature in model.signatureDefs or ()]
    assert [signature.name for signature in file.signatures] == (names or [""])
    assert file.has_signatures == bool(names)
    assert read_tflite(path.read_bytes()) == file


def read(path: Path) -> TFLiteFile:
    return read_tflite(path)


def test_float_model(models: Path) -> None:
    file = read(models / "conv_float.tflite")
    (signature,) = file.signatures
    assert [str(spec) for spec in signature.inputs] == ["float32[1,16,16,3]"]
    assert [spec.name for spec in signature.outputs] == ["probabilities"]
    assert file.is_float
    assert (file.parameters, file.macs, file.macs_not_counted) == (341, 18472, ())
    assert file.op_versions["CONV_2D"] >= 1
    assert sum(layer.parameters for layer in file.layers) == file.parameters
    assert sum(layer.bytes for layer in file.layers) == sum(file.weight_bytes.values())


def test_int8_model_has_scales_and_the_same_cost(models: Path) -> None:
    file = read(models / "conv_int8.tflite")
    quantization = file.signatures[0].inputs[0].quantization
    assert quantization is not None
    assert quantization.zero_points == (-128,)
    assert quantization.scales[0] == pytest.approx(1 / 255, rel=1e-3)
    assert not file.is_float
    assert (file.parameters, file.macs) == (341, 18472)


def test_free_sizes_custom_and_flex_operators(models: Path) -> None:
    dynamic = read(models / "dynamic_batch.tflite").signatures[0]
    assert dynamic.inputs[0].shape == (None, 8)
    custom = read(models / "custom_operator.tflite")
    assert custom.custom_ops == ("EdgeTanh",)
    assert custom.macs == 24
    assert custom.macs_not_counted == ("EdgeTanh",)
    flex = read(models / "flex_operator.tflite")
    assert flex.flex_ops == ("MatrixDeterminant",)
    assert flex.op_versions == {}
    assert flex.macs is None


def test_a_file_without_signatures_gets_one_of_its_tensor_names(models: Path) -> None:
    file = read(models / "no_signatures.tflite")
    assert not file.has_signatures
    assert file.signatures[0].name == ""
    assert [spec.name for spec in file.signatures[0].inputs] == [
        "serving_default_features:0",
        "serving_default_kind:0",
    ]


#: Sums as the MLPerf Tiny papers give them, or as counted by hand.
REAL = {
    "silabs/image_classification.tflite": (77_706, 12_501_632),
    "silabs/visual_wake_words.tflite": (210_850, 7_489_664),
    "silabs/keyword_spotting.tflite": (22_604, 2_656_768),
    "silabs/anomaly_detection.tflite": (265_864, 264_192),
    "fer/emotion_model_quantized.tflite": (56_463, 10_163_392),
    "basic_pitch/basic_pitch.tflite": (35_739, 524_079_648),
}


@pytest.mark.parametrize("key", REAL)
def test_real_models(key: str) -> None:
    file = read(real_models.fetch(key))
    assert (file.parameters, file.macs) == REAL[key]
    assert file.macs_not_counted == ()
    assert file.is_float == (key.startswith("basic"))


def test_real_models_that_unpack_their_weights() -> None:
    half = read(real_models.fetch("mediapipe/face_detection_short_range.tflite"))
    assert set(half.weight_bytes) == {"float16", "int32"}
    assert not half.is_float
    convolution = next(layer for layer in half.layers if layer.op == "CONV_2D")
    assert convolution.parameters > 0  # seen through DEQUANTIZE
    sparse = read(real_models.fetch("mediapipe/face_detection_full_range_sparse.tflite"))
    dense = sum(2 * layer.parameters for layer in sparse.layers)
    assert sum(sparse.weight_bytes.values()) < dense


def test_a_model_with_state() -> None:
    file = read(real_models.fetch("microwakeword/alexa.tflite"))
    assert file.op_versions["VAR_HANDLE"] == 1
    assert str(file.signatures[0].inputs[0]) == "int8[1,3,40]"
    assert file.macs is not None


def test_reading_imports_nothing_heavy(models: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'numpy', 'flatbuffers', 'ai_edge_litert', 'h5py'):\n"
        "    sys.modules[name] = None\n"
        "from edge_sdk.model.tflite_file import read_tflite\n"
        "print(read_tflite(sys.argv[1]).macs)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(models / "conv_float.tflite")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "18472\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds 0 bytes"),
        (b"TFL3", "holds 4 bytes"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "not a TFLite model"),
        (b"\x08\0\0\0TFL3", "damaged"),
        (b"\xff\xff\xff\xffTFL3" + bytes(64), "damaged"),
        (b"\x08\0\0\0TFL3" + bytes(64), "damaged"),
    ],
)
def test_what_is_no_model(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_tflite(path)
    assert words in str(caught.value)
    assert caught.value.exit_code == 3


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        read_tflite(tmp_path / "none.tflite")
    with pytest.raises(ModelError, match="cannot be read"):
        read_tflite(tmp_path)


def _report_or_model_error(content: bytes) -> None:
    try:
        file = read_tflite(content)
    except ModelError:
        return
    assert file.graphs


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_every_truncation_is_told(path: Path) -> None:
    whole = path.read_bytes()
    # The last bytes may be the padding of the last weight.
    for size in range(0, len(whole) - 16, 7):
        with pytest.raises(ModelError):
            read_tflite(whole[:size])


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_never_ends_in_anything_else(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SMALL)).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    size = data.draw(st.one_of(st.just(len(content)), st.integers(8, len(content))))
    content[4:8] = b"TFL3"
    _report_or_model_error(bytes(content[:size]))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_extreme_offsets_never_end_in_anything_else(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SMALL)).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = 4 * data.draw(st.integers(2, len(content) // 4 - 1))
        value = data.draw(st.sampled_from([0, 1, 4, 2**15, 2**31 - 1, 2**31, 2**32 - 4, 2**32 - 1]))
        content[place : place + 4] = value.to_bytes(4, "little")
    _report_or_model_error(bytes(content))


def test_a_small_file_cannot_describe_a_huge_one(models: Path) -> None:
    """All entries of a long list point to one graph: a bomb that only a budget stops."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf((models / "conv_float.tflite").read_bytes(), 0)
    builder = flatbuffers.Builder(1024)
    parts = {
        "Subgraphs": [model.subgraphs[0].Pack(builder)] * 50_000,
        "OperatorCodes": [code.Pack(builder) for code in model.operatorCodes],
        "Buffers": [buffer.Pack(builder) for buffer in model.buffers],
    }
    vectors = {}
    for name, offsets in parts.items():
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        vectors[name] = builder.EndVector()
    schema.ModelStart(builder)
    for name, vector in vectors.items():
        getattr(schema, f"ModelAdd{name}")(builder, vector)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    with pytest.raises(ModelError, match="damaged") as caught:
        read_tflite(bytes(builder.Output()))
    assert "describes more than" in str(caught.value.why)


def test_the_budgets_stop(monkeypatch: pytest.MonkeyPatch, models: Path) -> None:
    monkeypatch.setattr(flatbuffer, "MAX_TABLES", 10)
    with pytest.raises(ModelError, match="more than 10 tables"):
        read_tflite(models / "conv_float.tflite")
    monkeypatch.setattr(flatbuffer, "MAX_TABLES", 10**6)
    monkeypatch.setattr(flatbuffer, "MAX_VECTOR_BYTES", 100)
    with pytest.raises(ModelError, match="lists and names"):
        read_tflite(models / "conv_float.tflite")
