"""What is in the packages, as coremltools' own classes read them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge_sdk.bundle.manifest import CoreMLFacts
from edge_sdk.errors import ConfigError, ConversionError, ModelError, UnsupportedOpError
from tests.convert.coreml.conftest import Made
from tests.convert.coreml.make_packages import LABELS, PACKAGES

pytestmark = pytest.mark.tensorflow


def tensors(features: list[dict[str, Any]]) -> dict[str, tuple[str, list[int]]]:
    """Return element type and shape of the multi-arrays."""
    return {
        item["name"]: (
            item["type"]["multiArrayType"]["dataType"],
            [int(size) for size in item["type"]["multiArrayType"].get("shape", [])],
        )
        for item in features
        if "multiArrayType" in item["type"]
    }


def test_the_names_of_the_signature_are_the_names_of_the_package(made: Made) -> None:
    description = made.description("plain")
    assert tensors(description["input"]) == {"picture": ("FLOAT32", [1, 8, 10, 3])}
    assert tensors(description["output"]) == {"scores": ("FLOAT32", [1, 4])}
    value = made.value("plain")
    assert value["functions"] == ["main"]
    assert value["default_function"] == "main"
    assert value["notes"] == []
    assert [item["name"] for item in value["signatures"]] == ["serving_default"]
    facts = CoreMLFacts.from_dict(value["coreml"])
    assert facts.functions == {"serving_default": "main"}
    assert (facts.deployment_target, facts.precision) == ("iOS16", "float16")


@pytest.mark.parametrize(
    ("name", "version"), [("plain_float32", 6), ("plain", 7), ("shapes", 9), ("one_of_two", 6)]
)
def test_the_deployment_target_settles_the_version(made: Made, name: str, version: int) -> None:
    assert made.answers[name]["version"] == made.value(name)["specification_version"] == version


def test_precision_is_that_of_the_computation(made: Made) -> None:
    def types(name: str) -> set[str]:
        return {
            output["type"]["tensorType"]["dataType"]
            for operation in made.operations(name)
            for output in operation["outputs"]
        }

    assert types("plain_float32") == {"FLOAT32"}
    assert types("plain") == {"FLOAT16", "FLOAT32"}  # in- and outputs stay float32
    assert tensors(made.description("float16_io")["input"])["picture"][0] == "FLOAT16"
    assert tensors(made.description("float16_io")["output"])["scores"][0] == "FLOAT16"


def test_operations_are_called_after_layers_not_after_calls(made: Made) -> None:
    names = [output["name"] for item in made.operations("plain") for output in item["outputs"]]
    assert not [name for name in names if "PartitionedCall" in name]
    assert "frozen" not in str(made.answers["recurrent"]["program"])


def test_a_picture_becomes_an_image_with_scale_and_bias(made: Made) -> None:
    (feature,) = made.description("image")["input"]
    assert feature["type"] == {"imageType": {"width": "10", "height": "8", "colorSpace": "RGB"}}
    assert feature["shortDescription"].startswith("RGB picture, 10 wide and 8 high.")
    expected = {"scale": 1 / 127.5, "bias": [-1.0, -120.0 / 127.5, -100.0 / 127.5], "color": "RGB"}
    assert made.value("image")["images"] == {"picture": expected}
    assert [item["type"] for item in made.operations("image")][:2] == ["mul", "add"]


def test_colours_and_layouts_of_pictures(made: Made) -> None:
    for name, color in (("image_bgr_first", "BGR"), ("image_gray", "GRAYSCALE"), ("image_uint8", "RGB")):
        (feature,) = made.description(name)["input"]
        assert feature["type"]["imageType"] == {"width": "10", "height": "8", "colorSpace": color}
    assert made.value("image_gray")["images"]["picture"]["bias"] == [0.0]


def test_pixels_of_an_integer_model_stay_floats(made: Made) -> None:
    # No cast to int32 and back, and with it no pair of transposes.
    kinds = [item["type"] for item in made.operations("image_uint8")]
    assert kinds.index("conv") == 1
    assert kinds.count("transpose") == 1


def test_images_and_labels_can_be_declined(made: Made) -> None:
    description = made.description("image_off")
    assert tensors(description["input"]) == {"picture": ("FLOAT32", [1, 8, 10, 3])}
    assert "predictedFeatureName" not in description


def test_what_cannot_be_an_image_says_why(made: Made) -> None:
    value = made.value("uint8")
    assert value["images"] == {}
    assert any("rounded to uint8" in note for note in value["notes"])
    assert tensors(made.description("uint8")["input"]) == {"picture": ("INT32", [1, 8, 10, 3])}
    assert "input 'picture' is uint8 in the model and int32 in Core ML" in value["notes"]


def test_a_classifier_has_labels_and_still_its_scores(made: Made) -> None:
    description = made.description("image")
    assert [item["name"] for item in description["output"]] == ["classLabel", "classLabel_probs", "scores"]
    assert description["predictedFeatureName"] == "classLabel"
    assert description["predictedProbabilitiesName"] == "classLabel_probs"
    assert tensors(description["output"]) == {"scores": ("FLOAT32", [1, 4])}
    assert made.outputs("image") == ["classLabel", "classLabel_probs", "scores"]
    facts = CoreMLFacts.from_dict(made.value("image")["coreml"])
    assert (facts.class_label, facts.class_probabilities) == ("classLabel", "classLabel_probs")
    assert made.value("image")["scores"] == "scores"


def test_the_labels_belong_to_the_activated_scores(made: Made) -> None:
    by_output = {output["name"]: item for item in made.operations("image") for output in item["outputs"]}
    classify = by_output["classLabel"]
    (probabilities,) = classify["inputs"]["probabilities"]["arguments"]
    assert probabilities["name"] != "scores"  # those are the logits
    (classes,) = classify["inputs"]["classes"]["arguments"]
    texts = [
        item["immediateValue"]["tensor"]["strings"]["values"]
        for item in classes["value"]["immediateValue"]["list"]["values"]
    ]
    assert texts == [[label] for label in LABELS]
    # Where the contract names no activation, the scores are the probabilities.
    plain = {
        output["name"]: item for item in made.operations("image_bgr_first") for output in item["outputs"]
    }
    assert plain["classLabel"]["inputs"]["probabilities"]["arguments"] == [{"name": "scores"}]


def test_labels_are_added_as_coremltools_adds_them(made: Made) -> None:
    pair = made.answers["labels of coremltools"]
    ours, theirs = pair["ours"], pair["theirs"]

    def operation(model: dict[str, Any]) -> tuple[Any, Any]:
        (block,) = model["mlProgram"]["functions"]["main"]["blockSpecializations"].values()
        item = dict(block["operations"][-1])
        del item["attributes"]  # its own name
        return item, block["outputs"]

    assert operation(ours) == operation(theirs)
    for key in ("output", "predictedFeatureName", "predictedProbabilitiesName"):
        assert ours["description"][key] == theirs["description"][key]


def test_metadata_and_descriptions_are_kept(made: Made) -> None:
    description = made.description("image")
    metadata = description["metadata"]
    assert (metadata["author"], metadata["license"]) == ("Ada", "MIT")
    assert (metadata["versionString"], metadata["shortDescription"]) == ("1.2.0", "Four animals")
    assert metadata["userDefined"]["edge_sdk.source_sha256"] == "ab" * 32
    assert metadata["userDefined"]["com.github.apple.coremltools.version"]
    assert description["output"][2]["shortDescription"] == "One number an animal"
    assert made.description("two")["metadata"]["userDefined"]["com.github.apple.coremltools.version"]


def test_several_shapes_are_enumerated(made: Made) -> None:
    for feature in made.description("shapes")["input"]:
        array = feature["type"]["multiArrayType"]
        assert array["shape"] == ["1", "8"]
        assert array["enumeratedShapes"]["shapes"] == [{"shape": ["1", "8"]}, {"shape": ["1", "16"]}]


def test_no_input_has_a_range(made: Made) -> None:
    for name, (_, options) in PACKAGES.items():
        if "value" in made.answers[name]:
            text = json.dumps(made.description(name))
            assert "Range" not in text, (name, options)


def test_a_free_size_is_refused_with_the_line_to_write(made: Made) -> None:
    error = made.error("shapes_missing")
    assert isinstance(error, ConfigError)
    assert "mask = [[1, 128]]" in str(error.hint)


def test_several_signatures_become_functions(made: Made) -> None:
    value, description = made.value("two"), made.description("two")
    assert value["functions"] == ["decode", "encode"]
    assert value["coreml"]["functions"] == {"decode": "decode", "encode": "encode"}
    assert description["defaultFunctionName"] == value["default_function"] == "decode"
    functions = {item["name"]: item for item in description["functions"]}
    assert tensors(functions["encode"]["input"]) == {"x": ("FLOAT32", [1, 64])}
    assert tensors(functions["encode"]["output"]) == {"code": ("FLOAT32", [1, 64])}
    assert tensors(functions["decode"]["output"]) == {"x": ("FLOAT32", [1, 64])}
    # Both multiply with one matrix of 64 x 64 in float16, and it is there once.
    weights = made.path("two") / "Data" / "com.apple.CoreML" / "weights" / "weight.bin"
    assert 8192 < weights.stat().st_size < 2 * 8192


def test_several_signatures_need_ios18(made: Made) -> None:
    error = made.error("two_too_old")
    assert isinstance(error, ConfigError)
    assert "iOS18" in str(error)
    assert made.value("one_of_two")["functions"] == ["main"]
    assert "recode" in made.error("unknown_signature").what


def test_names_that_core_ml_cannot_have_are_mapped(made: Made) -> None:
    description, value = made.description("hostile"), made.value("hostile")
    facts = CoreMLFacts.from_dict(value["coreml"])
    assert list(tensors(description["input"])) == ["first", "second", "third"]
    assert facts.input_names == {}
    outputs = tensors(description["output"])
    assert len(outputs) == 7
    assert facts.output_names["first"] == "first_output"
    assert facts.output_names["fp16"] == "fp16_value"
    assert {"mul", "classLabel", *facts.output_names.values()} == set(outputs)
    for name in outputs:
        assert name.isascii()
        assert name.isidentifier()
        assert len(name) <= 120
    declared = [output["name"] for item in made.operations("hostile") for output in item["outputs"]]
    assert len(declared) == len(set(declared))
    assert len(value["notes"]) == len(facts.output_names)


def test_scalars_flags_and_inputs_that_nothing_needs(made: Made) -> None:
    description, value = made.description("edges"), made.value("edges")
    assert tensors(description["input"]) == {
        "factor": ("FLOAT32", [1]),
        "flag": ("FLOAT32", [2, 3]),
        "values": ("FLOAT32", [2, 3]),
    }
    assert tensors(description["output"]) == {
        "again": ("FLOAT32", [2, 3]),
        "passed": ("FLOAT32", [2, 3]),
        "scaled": ("FLOAT32", [2, 3]),
        "small": ("INT32", [2, 3]),
    }
    assert value["unused_inputs"] == ["useless"]
    assert len(value["notes"]) == 4


def test_an_operator_that_core_ml_lacks_is_named_with_its_layer(made: Made) -> None:
    error = made.error("unsupported")
    assert isinstance(error, UnsupportedOpError)
    assert error.details["ops"] == ["Igamma"]
    assert "Core ML" in error.what
    assert "oddity" in str(error.why)
    assert "TFLite kernel" not in str(error)


def test_an_operator_that_needs_a_newer_system_says_which(made: Made) -> None:
    error = made.error("unsorted_ios15")
    assert isinstance(error, UnsupportedOpError)
    assert error.details["ops"] == ["TopKV2"]
    assert 'deployment_target = "iOS16"' in str(error.hint)


def test_six_dimensions_are_refused(made: Made) -> None:
    error = made.error("rank_six")
    assert isinstance(error, ConversionError)
    assert "5 dimensions" in error.what
    assert "Reshape" in str(error.why)


def test_types_without_an_array_are_refused(made: Made) -> None:
    error = made.error("complex")
    assert isinstance(error, ModelError)
    assert "complex64" in error.what


def test_a_refused_conversion_leaves_nothing(made: Made) -> None:
    left = {path.name for path in made.folder.iterdir()}
    whole = {f"{name}.mlpackage" for name, answer in made.answers.items() if "value" in answer}
    assert left == {*whole, "sources", "references", "answers.json"}
