"""Makes one variant: a float .tflite and a recipe in, a quantized .tflite out. TensorFlow is not needed.

    quantize_file(Path("float32.tflite"), Path("out.tflite"), load_recipe("full_int8"), Path("samples.npz"))

All signatures are kept. A static recipe needs samples; signatures that the samples do not fit (another set of
inputs) get int8 weights with float activations instead, as `dynamic_int8` makes them, and are listed in the
result. The same source, recipe and samples give the same bytes.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError, ConversionError, EdgeError, ModelError
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.quantize.prepare import UNCALIBRATED, PreparedModel, mark_uncalibrated, prepare_model
from edge_sdk.quantize.ranges import Ranges, ranges_of, statistics_for
from edge_sdk.quantize.recipe import Recipe
from edge_sdk.quantize.writing import write_atomically

#: What signatures without samples get from a static recipe.
_WITHOUT_SAMPLES = Recipe(
    name="without_samples",
    title="",
    method="dynamic",
    weight_bits=8,
    per_tensor_weights=("FULLY_CONNECTED",),
)


@dataclass(frozen=True, kw_only=True)
class Quantized(Document):
    """What was done.

    Attributes:
        changed: False where the recipe found nothing to quantize: the file is as good as the float one.
        calibrated: Signatures with measured activations (static recipes).
        not_calibrated: Signatures that the samples did not fit: int8 weights, float activations.
        samples: Samples used per signature, or None.
    """

    changed: bool
    calibrated: tuple[str, ...] = ()
    not_calibrated: tuple[str, ...] = ()
    samples: int | None = None


def quantize_file(
    source: Path,
    destination: Path,
    recipe: Recipe,
    samples_npz: Path | None,
    *,
    signature: str | None = None,
    ranges: Ranges | None = None,
    threads: int = 2,
    progress: Progress = silent,
) -> Quantized:
    """Write one variant.

    Args:
        source: Float .tflite; never changed.
        destination: File to write; appears whole or not at all.
        recipe: What to make.
        samples_npz: Calibration samples by input name, first axis = samples; unused where `ranges` is given.
        signature: The one the samples are for; the default signature where None.
        ranges: Ranges measured before (`edge_sdk.quantize.ranges.measure_ranges`), to save the time.
        threads: For calibration.
        progress: Gets stages "calibrate" and "quantize".

    Raises:
        ModelError: The source is damaged or quantized already.
        ConfigError: The recipe needs samples and none are given.
        SignatureMismatchError: The samples do not fit the signature.
        ConversionError: The quantizer refused.
    """
    if recipe.method == "none":
        if not read_tflite(source).is_float:
            raise ModelError(
                f"{source} is quantized already",
                why=f"recipe {recipe.name} promises a float model",
                hint="pack it untouched (recipe as_is), or start from the float model",
            )
        write_atomically(destination, source.read_bytes())
        return Quantized(changed=False)
    prepared = prepare_model(source)
    if recipe.needs_calibration and ranges is None:
        if samples_npz is None:
            raise ConfigError(
                f"recipe {recipe.name} needs calibration samples",
                why="the ranges of activations are measured on real inputs",
                hint="--calibration DATA (a .npz, a folder of images, or module:function)",
            )
        ranges = ranges_of(prepared, samples_npz, signature=signature, threads=threads, progress=progress)
    progress(Step("quantize", f"applying {recipe.name}"))
    try:
        content = _quantize(prepared, recipe, ranges if recipe.needs_calibration else None)
    except (EdgeError, ImportError):
        raise
    except Exception as failure:
        raise ConversionError(
            f"the quantizer cannot apply {recipe.name} to this model",
            why=f"{type(failure).__name__}: {str(failure).strip()[:2000]}",
            hint="another recipe may work; dynamic_int8 and float16 touch the fewest operators",
        ) from failure
    write_atomically(destination, content)
    changed = not read_tflite(destination).is_float
    if ranges is None or not recipe.needs_calibration:
        return Quantized(changed=changed)
    return Quantized(
        changed=changed,
        calibrated=ranges.calibrated,
        not_calibrated=ranges.not_calibrated,
        samples=ranges.samples,
    )


def _quantize(prepared: PreparedModel, recipe: Recipe, ranges: Ranges | None) -> bytes:
    from litert_quantizer.quantizer import Quantizer

    if ranges is not None:
        mark_uncalibrated(prepared, ranges.graphs)
    rules = _rules(recipe, prepared)
    quantizer = Quantizer(prepared.to_bytes(), rules)
    statistics = None if ranges is None else statistics_for(ranges)
    with warnings.catch_warnings():
        # It opens the model once more, in the way that calibration needs, and warns about that.
        warnings.simplefilter("ignore")
        result = quantizer.quantize(statistics, enable_progress_bar=False, enable_progress_report=False)
    return prepared.finish(bytes(result.quantized_model))


def _rules(recipe: Recipe, prepared: PreparedModel) -> list[dict[str, Any]]:
    """Return the recipe in the quantizer's language: rules in order, the last one that fits counts."""
    from litert_quantizer.qtyping import TFLOperationName
    from litert_quantizer.recipe_manager import RecipeManager

    manager = RecipeManager()
    everything = TFLOperationName.ALL_SUPPORTED
    _add(manager, recipe, ".*")
    if recipe.method == "static":
        if recipe.io == "float":
            _keep_float(manager, ".*", [TFLOperationName.INPUT, TFLOperationName.OUTPUT])
        for name in _output_tensors(prepared):
            kinds = [_operation(kind, recipe) for kind in recipe.float_outputs]
            _keep_float(manager, f"^{re.escape(name)};$", kinds)
        # The pattern is spelled in two ways because one spelling holds one rule for all operators.
        _keep_float(manager, f"^{UNCALIBRATED}", [everything])
        _add(manager, _WITHOUT_SAMPLES, f"^(?:{UNCALIBRATED})")
    _keep_float(manager, "(?:.*)", [_operation(kind, recipe) for kind in recipe.keep_float])
    rules: list[dict[str, Any]] = manager.get_quantization_recipe()
    return rules


def _add(manager: Any, recipe: Recipe, pattern: str) -> None:
    from litert_quantizer.qtyping import (
        ComputePrecision,
        OpQuantizationConfig,
        QuantGranularity,
        TensorDataType,
        TensorQuantizationConfig,
        TFLOperationName,
    )

    def config(granularity: Any) -> Any:
        if recipe.method == "float16":
            weights = TensorQuantizationConfig(num_bits=16, dtype=TensorDataType.FLOAT)
            return OpQuantizationConfig(
                weight_tensor_config=weights,
                compute_precision=ComputePrecision.FLOAT,
                explicit_dequantize=True,
            )
        activations = None
        if recipe.activation_bits is not None:
            # Kernels want int16 symmetric; int8 uses its whole range.
            activations = TensorQuantizationConfig(
                num_bits=recipe.activation_bits, symmetric=recipe.activation_bits == 16
            )
        return OpQuantizationConfig(
            activation_tensor_config=activations,
            weight_tensor_config=TensorQuantizationConfig(
                num_bits=recipe.weight_bits, symmetric=True, granularity=granularity
            ),
            compute_precision=ComputePrecision.INTEGER,
            min_weight_elements=recipe.minimum_weight_elements,
        )

    algorithm = "float_casting" if recipe.method == "float16" else "min_max_uniform_quantize"
    everything = TFLOperationName.ALL_SUPPORTED
    manager.add_quantization_config(pattern, everything, config(QuantGranularity.CHANNELWISE), algorithm)
    for kind in recipe.per_tensor_weights:
        manager.add_quantization_config(
            pattern, _operation(kind, recipe), config(QuantGranularity.TENSORWISE), algorithm
        )


def _keep_float(manager: Any, pattern: str, operations: list[Any]) -> None:
    for operation in operations:
        manager.add_quantization_config(pattern, operation, algorithm_key="no_quantize")


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
