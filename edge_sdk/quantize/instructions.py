"""A recipe in the quantizer's language: rules in order, the last one that fits an operator counts.

The quantizer finds operators by a regular expression over the names of their output tensors. The patterns of
a recipe's own rules are looked up here instead, against the names in the float file, and handed on as exact
names: a tensor may have got another name on the way (`edge_sdk.quantize.prepare`), and a pattern must not
match across the names of several outputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge_sdk.errors import ConfigError
from edge_sdk.quantize.prepare import UNCALIBRATED, PreparedModel
from edge_sdk.quantize.recipe import Recipe
from edge_sdk.quantize.versions import suits_int4

#: What the precisions of rules stand for.
_PRECISIONS = {
    recipe.name: recipe
    for recipe in (
        Recipe(name="float16", title="", method="float16", weight_bits=16),
        # One scale per dense layer, for the reason given in recipes/dynamic_int8.toml.
        Recipe(
            name="dynamic_int8",
            title="",
            method="dynamic",
            weight_bits=8,
            per_tensor_weights=("FULLY_CONNECTED",),
        ),
        Recipe(name="dynamic_int4", title="", method="dynamic", weight_bits=4),
        Recipe(name="weight_only_int8", title="", method="weight_only", weight_bits=8),
        Recipe(name="int8", title="", method="static", weight_bits=8, activation_bits=8),
        Recipe(name="int16x8", title="", method="static", weight_bits=8, activation_bits=16),
    )
}
#: Operators whose 4-bit weights lie in rows, along the last axis.
_ROWS = ("FULLY_CONNECTED", "EMBEDDING_LOOKUP")
#: What signatures without samples get in place of a static precision.
_WITHOUT_SAMPLES = _PRECISIONS["dynamic_int8"]
#: The quantizer cuts the joined names of an operator's outputs there.
_LONGEST_SCOPE = 10_000


def instructions(recipe: Recipe, prepared: PreparedModel) -> list[dict[str, Any]]:
    """Return what to give to `litert_quantizer.Quantizer`.

    Args:
        recipe: What to make.
        prepared: The model, with graphs that have no samples marked.

    Raises:
        ConfigError: The recipe names an operator that does not exist.
    """
    from litert_quantizer.qtyping import TFLOperationName

    everything = TFLOperationName.ALL_SUPPORTED
    outside = [TFLOperationName.INPUT, TFLOperationName.OUTPUT]
    book = _Book()
    book.add(recipe, ".*")
    if recipe.method == "static":
        if recipe.io == "float":
            book.keep_float(".*", outside)
        for name in _output_tensors(prepared):
            kinds = [_operation(kind, recipe) for kind in recipe.float_outputs]
            book.keep_float(f"^{re.escape(name)};$", kinds)
        book.keep_float(f"^{UNCALIBRATED}", [everything])
        book.add(_WITHOUT_SAMPLES, f"^{UNCALIBRATED}")
    book.keep_float(".*", [_operation(kind, recipe) for kind in recipe.keep_float])
    exceptions = _exceptions(recipe, prepared)
    for precision, scopes in exceptions.items():
        pattern = "^(?:" + "|".join(re.escape(scope) for scope in scopes) + ")$"
        book.keep_float(pattern, [everything])
        if precision != "float32":
            book.add(_PRECISIONS[precision], pattern)
    if exceptions:
        # The virtual operators at the ends share the name of their neighbour, which a rule may have been for.
        book.keep_float(".*", outside)
        if recipe.io == "int8":
            for end in outside:
                book.add_one(recipe, f"^(?!{UNCALIBRATED})", end)
    return book.rules()


def rules_without_operators(recipe: Recipe, prepared: PreparedModel) -> tuple[str, ...]:
    """Return the patterns of rules that fit no operator of a model: most likely mistyped."""
    left = []
    for rule in recipe.rules:
        pattern = re.compile(rule.pattern)
        if not any(
            (not rule.operators or operator.kind in rule.operators)
            and any(pattern.search(name) for name in operator.names)
            for operator in _operators(prepared)
        ):
            left.append(rule.pattern)
    return tuple(left)


def _exceptions(recipe: Recipe, prepared: PreparedModel) -> dict[str, list[str]]:
    """Return the scopes, in the quantizer's spelling, of operators unlike the rest, by their precision."""
    if not recipe.rules and recipe.weight_bits != 4:
        return {}
    patterns = [(re.compile(rule.pattern), rule) for rule in recipe.rules]
    _check_operators(recipe)
    found: dict[str, list[str]] = {}
    for operator in _operators(prepared):
        precision = None
        for pattern, rule in patterns:
            if rule.operators and operator.kind not in rule.operators:
                continue
            if any(pattern.search(name) for name in operator.names):
                precision = rule.precision
        chosen = recipe if precision is None else _PRECISIONS.get(precision)
        if chosen is not None and not (precision is None and operator.kind in recipe.keep_float):
            precision = _possible(chosen, operator) or precision
        if precision is not None:
            found.setdefault(precision, []).append(operator.scope)
    return found


@dataclass(frozen=True)
class _Operator:
    kind: str
    names: tuple[str, ...]
    scope: str
    calibrated: bool
    weights: tuple[int, ...] = ()


def _operators(prepared: PreparedModel) -> Iterator[_Operator]:
    from ai_edge_litert import schema_py_generated as schema

    kinds = {value: key for key, value in vars(schema.BuiltinOperator).items() if not key.startswith("_")}
    for graph in prepared.model.subgraphs:
        for operator in graph.operators or ():
            code = prepared.model.operatorCodes[operator.opcodeIndex]
            names = [graph.tensors[index].name.decode() for index in operator.outputs if index >= 0]
            marked = bool(names) and names[0].startswith(UNCALIBRATED)
            plain = [name.removeprefix(UNCALIBRATED) for name in names]
            kind = kinds.get(max(code.builtinCode, code.deprecatedBuiltinCode), "")
            yield _Operator(
                kind=kind,
                names=tuple(prepared.name_in_file(name) for name in plain),
                scope="".join(f"{name};" for name in names if name)[:_LONGEST_SCOPE],
                calibrated=not marked,
                weights=_shape(graph.tensors[operator.inputs[1]]) if kind in _ROWS else (),
            )


def _shape(tensor: Any) -> tuple[int, ...]:
    return () if tensor.shape is None else tuple(int(size) for size in tensor.shape)


def _possible(wanted: Recipe, operator: _Operator) -> str | None:
    """Return the precision to take instead of a wanted one that this operator cannot have, or None."""
    if wanted.method == "static":
        return None if operator.calibrated or wanted.name not in _PRECISIONS else _WITHOUT_SAMPLES.name
    if wanted.method != "dynamic" or wanted.weight_bits != 4 or not operator.weights:
        return None
    per_channel = operator.kind not in wanted.per_tensor_weights
    if wanted.block_size and operator.weights[-1] % wanted.block_size == 0:
        return None
    if per_channel and not suits_int4(operator.weights):
        return "dynamic_int8"
    return "dynamic_int4" if wanted.block_size else None


def _check_operators(recipe: Recipe) -> None:
    from ai_edge_litert import schema_py_generated as schema

    known = {name for name in vars(schema.BuiltinOperator) if not name.startswith("_")}
    for name in (name for rule in recipe.rules for name in rule.operators):
        if name not in known:
            raise ConfigError(
                f"recipe {recipe.name}: a rule names operator {name!r}, which does not exist",
                hint="edge inspect MODEL lists the operators of a model",
            )


class _Book:
    """The quantizer's rules in the making."""

    def __init__(self) -> None:
        from litert_quantizer.recipe_manager import RecipeManager

        self._manager = RecipeManager()
        self._entries = 0

    def rules(self) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = self._manager.get_quantization_recipe()
        return rules

    def keep_float(self, pattern: str, operations: list[Any]) -> None:
        pattern = self._fresh(pattern)
        for operation in operations:
            self._manager.add_quantization_config(pattern, operation, algorithm_key="no_quantize")

    def add(self, recipe: Recipe, pattern: str) -> None:
        """Give every operator that fits what the recipe's method says."""
        from litert_quantizer.qtyping import TFLOperationName

        pattern = self._fresh(pattern)
        self._set(recipe, pattern, TFLOperationName.ALL_SUPPORTED, _configuration(recipe))
        for kind in recipe.per_tensor_weights:
            self._set(recipe, pattern, _operation(kind, recipe), _configuration(recipe, per_tensor=True))

    def add_one(self, recipe: Recipe, pattern: str, operation: Any) -> None:
        self._set(recipe, self._fresh(pattern), operation, _configuration(recipe))

    def _set(self, recipe: Recipe, pattern: str, operation: Any, configuration: Any) -> None:
        algorithm = "float_casting" if recipe.method == "float16" else "min_max_uniform_quantize"
        self._manager.add_quantization_config(pattern, operation, configuration, algorithm)

    def _fresh(self, pattern: str) -> str:
        """Return the pattern in a spelling of its own: rules of one spelling replace each other."""
        self._entries += 1
        return f"(?#{self._entries}){pattern}"


def _configuration(recipe: Recipe, *, per_tensor: bool = False) -> Any:
    from litert_quantizer.qtyping import (
        ComputePrecision,
        OpQuantizationConfig,
        QuantGranularity,
        TensorDataType,
        TensorQuantizationConfig,
    )

    if recipe.method == "float16":
        return OpQuantizationConfig(
            weight_tensor_config=TensorQuantizationConfig(num_bits=16, dtype=TensorDataType.FLOAT),
            compute_precision=ComputePrecision.FLOAT,
            explicit_dequantize=True,
        )
    granularity = QuantGranularity.TENSORWISE if per_tensor else QuantGranularity.CHANNELWISE
    if recipe.block_size is not None and not per_tensor:
        granularity = QuantGranularity(f"BLOCKWISE_{recipe.block_size}")
    activations = None
    if recipe.activation_bits is not None:
        # Kernels want int16 symmetric; int8 uses its whole range.
        activations = TensorQuantizationConfig(
            num_bits=recipe.activation_bits, symmetric=recipe.activation_bits == 16
        )
    weight_only = recipe.method == "weight_only"
    return OpQuantizationConfig(
        activation_tensor_config=activations,
        weight_tensor_config=TensorQuantizationConfig(
            num_bits=recipe.weight_bits, symmetric=True, granularity=granularity
        ),
        compute_precision=ComputePrecision.FLOAT if weight_only else ComputePrecision.INTEGER,
        explicit_dequantize=weight_only,
        min_weight_elements=recipe.minimum_weight_elements,
    )


def _operation(name: str, recipe: Recipe) -> Any:
    from litert_quantizer.qtyping import TFLOperationName

    try:
        return TFLOperationName("CONV_2D_TRANSPOSE" if name == "TRANSPOSE_CONV" else name)
    except ValueError as failure:
        known = sorted(item.value for item in TFLOperationName if item.value != "*")
        raise ConfigError(
            f"recipe {recipe.name}: the quantizer knows no operator {name!r}",
            why="known: " + ", ".join(known),
        ) from failure


def _output_tensors(prepared: PreparedModel) -> list[str]:
    graphs = [prepared.model.subgraphs[number] for number in sorted(set(prepared.graph_of.values()))]
    return [graph.tensors[index].name.decode() for graph in graphs for index in graph.outputs]
