"""Rules of a recipe: single operators in another precision, by name and kind."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.quantize.apply import quantize_file
from edge_sdk.quantize.flatfile import read_flatfile, write_flatfile
from edge_sdk.quantize.ranges import measure_ranges
from edge_sdk.quantize.recipe import PRECISIONS, Recipe, Rule, keep_float, load_recipe
from tests.quantize.test_apply import run, samples, snr


def operators(path: Path) -> list[tuple[str, str, str]]:
    """Return (kind, name of the output, dtype of the output) of every operator."""
    return [
        (node.op, graph.tensors[node.outputs[0]].name, graph.tensors[node.outputs[0]].dtype)
        for graph in read_tflite(path).graphs
        for node in graph.nodes
    ]


def weights(path: Path) -> dict[str, str]:
    """Return the dtype of the weights by the kind of the operator that reads them."""
    found = {}
    for graph in read_tflite(path).graphs:
        for node in graph.nodes:
            if node.op in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
                found[node.op] = graph.tensors[node.inputs[1]].dtype
    return found


def test_a_layer_kept_float_is_float_and_its_neighbours_are_not(models: Path, tmp_path: Path) -> None:
    source = models / "conv_float.tflite"
    data = samples(tmp_path / "samples.npz", source)
    (name,) = [name for kind, name, _ in operators(source) if kind == "DEPTHWISE_CONV_2D"]
    plain = load_recipe("full_int8")
    recipe = dataclasses.replace(plain, rules=(*plain.rules, *keep_float([name])))
    quantize_file(source, tmp_path / "made.tflite", recipe, data)
    assert weights(tmp_path / "made.tflite") == {
        "CONV_2D": "int8",
        "DEPTHWISE_CONV_2D": "float32",
        "FULLY_CONNECTED": "int8",
    }
    assert ("DEPTHWISE_CONV_2D", name, "float32") in operators(tmp_path / "made.tflite")


def test_kinds_and_patterns_select_and_the_last_rule_wins(models: Path, tmp_path: Path) -> None:
    source = models / "conv_float.tflite"
    data = samples(tmp_path / "samples.npz", source)
    rules = (
        Rule(pattern=".", precision="float32"),
        Rule(operators=("CONV_2D", "FULLY_CONNECTED"), precision="int16x8"),
        Rule(operators=("FULLY_CONNECTED",), precision="weight_only_int8"),
        Rule(pattern="no such layer", precision="float16"),
    )
    recipe = dataclasses.replace(load_recipe("full_int8"), rules=rules)
    quantize_file(source, tmp_path / "made.tflite", recipe, data)
    kinds = {kind: dtype for kind, _, dtype in operators(tmp_path / "made.tflite")}
    assert kinds["CONV_2D"] == "int16"
    assert kinds["DEPTHWISE_CONV_2D"] == kinds["FULLY_CONNECTED"] == "float32"
    assert "int8" not in kinds.values()


def test_a_dynamic_recipe_with_a_static_rule_needs_samples(models: Path, tmp_path: Path) -> None:
    source = models / "conv_float.tflite"
    recipe = Recipe(
        name="mixed",
        title="t",
        method="dynamic",
        weight_bits=8,
        rules=(Rule(operators=("CONV_2D",), precision="int8"),),
    )
    assert recipe.needs_calibration
    with pytest.raises(ConfigError, match="needs calibration"):
        quantize_file(source, tmp_path / "made.tflite", recipe, None)
    data = samples(tmp_path / "samples.npz", source)
    done = quantize_file(source, tmp_path / "made.tflite", recipe, data)
    assert done.calibrated
    kinds = {kind: dtype for kind, _, dtype in operators(tmp_path / "made.tflite")}
    assert kinds["CONV_2D"] == "int8"
    assert kinds["DEPTHWISE_CONV_2D"] == "float32"


def test_integer_ends_stay_where_every_operator_is_float(models: Path, tmp_path: Path) -> None:
    source = models / "conv_float.tflite"
    data = samples(tmp_path / "samples.npz", source)
    for name, dtype in (("full_int8_io", "int8"), ("full_int8", "float32")):
        recipe = dataclasses.replace(load_recipe(name), rules=(Rule(precision="float32"),))
        quantize_file(source, tmp_path / "made.tflite", recipe, data)
        signature = read_tflite(tmp_path / "made.tflite").signatures[0]
        assert [item.dtype for item in (*signature.inputs, *signature.outputs)] == [dtype, dtype]


@pytest.mark.parametrize("source", ["conv_float", "two_inputs", "many_signatures"])
def test_any_set_of_layers_in_any_precision_gives_a_file_that_answers(
    source: str, models: Path, tmp_path: Path
) -> None:
    path = models / f"{source}.tflite"
    data = samples(tmp_path / "samples.npz", path)
    signature = read_tflite(path).signatures[0]
    ranges = measure_ranges(path, data, signature=signature.name)
    with np.load(data) as archive:
        feed = {name: archive[name][:1] for name in archive.files}
    want = run(path, signature.name, feed)
    names = [name for _, name, _ in operators(path)]
    chooser = random.Random(5)
    for number in range(12):
        base = load_recipe(chooser.choice(["full_int8", "full_int8_io", "int16x8", "dynamic_int8"]))
        chosen = chooser.sample(names, chooser.randint(1, len(names)))
        precision = PRECISIONS[number % len(PRECISIONS)]
        recipe = dataclasses.replace(base, rules=keep_float(chosen, precision))
        quantize_file(path, tmp_path / "made.tflite", recipe, None, ranges=ranges)
        got = run(tmp_path / "made.tflite", signature.name, feed)
        for name in want:
            assert snr(want[name], got[name]) > 20, (base.name, precision, chosen)


def test_layers_of_one_name_are_all_meant(models: Path, tmp_path: Path) -> None:
    model = read_flatfile(models / "conv_float.tflite")
    convolutions = [item for item in model.subgraphs[0].operators if len(item.inputs) == 3][:2]
    for operator in convolutions:
        model.subgraphs[0].tensors[operator.outputs[0]].name = b"twin"
    (tmp_path / "twins.tflite").write_bytes(write_flatfile(model))
    data = samples(tmp_path / "samples.npz", tmp_path / "twins.tflite")
    recipe = dataclasses.replace(load_recipe("full_int8"), rules=keep_float(["twin"]))
    quantize_file(tmp_path / "twins.tflite", tmp_path / "made.tflite", recipe, data)
    assert weights(tmp_path / "made.tflite") == {
        "CONV_2D": "float32",
        "DEPTHWISE_CONV_2D": "float32",
        "FULLY_CONNECTED": "int8",
    }


def test_a_rule_is_read_from_toml(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'title = "t"\nmethod = "dynamic"\nweight_bits = 8\n\n'
        '[[rules]]\npattern = "^head"\noperators = ["FULLY_CONNECTED"]\nprecision = "float32"\n'
    )
    recipe = load_recipe(str(tmp_path / "mine.toml"))
    assert recipe.rules == (Rule(pattern="^head", operators=("FULLY_CONNECTED",), precision="float32"),)
    assert Recipe.from_dict(recipe.to_dict()) == recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('precision = "int2"', "precision 'int2'"),
        ('precision = "float32"\npattern = "("', "no regular expression"),
        ('precision = "float32"\npatern = "x"', r"unknown key rules\[0\].'patern'"),
        ('pattern = "x"', r"rules\[0\].precision is missing"),
    ],
)
def test_a_bad_rule_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        f'title = "t"\nmethod = "dynamic"\nweight_bits = 8\n\n[[rules]]\n{text}\n'
    )
    with pytest.raises(ConfigError, match=message):
        load_recipe(str(tmp_path / "mine.toml"))


def test_a_rule_for_an_operator_that_does_not_exist_is_refused(models: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(
        load_recipe("dynamic_int8"), rules=(Rule(operators=("CONV2D",), precision="float32"),)
    )
    with pytest.raises(ConfigError, match="CONV2D"):
        quantize_file(models / "conv_float.tflite", tmp_path / "x.tflite", recipe, None)


def test_a_rule_that_fits_no_operator_is_reported(models: Path, tmp_path: Path) -> None:
    recipe = load_recipe("dynamic_int8")
    rules = (*keep_float(["no_such_layer"]), Rule(pattern=".*", operators=("CONV_2D",), precision="float32"))
    made = quantize_file(
        models / "conv_float.tflite",
        tmp_path / "made.tflite",
        dataclasses.replace(recipe, rules=rules),
        None,
    )
    assert made.idle_rules == (keep_float(["no_such_layer"])[0].pattern,)
