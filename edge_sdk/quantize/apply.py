"""Makes one variant: a float .tflite and a recipe in, a quantized .tflite out. TensorFlow is not needed.

    quantize_file(Path("float32.tflite"), Path("out.tflite"), load_recipe("full_int8"), Path("samples.npz"))

All signatures are kept. A static recipe needs samples; signatures that the samples do not fit (another set of
inputs) get int8 weights with float activations instead, as `dynamic_int8` makes them, and are listed in the
result. The same source, recipe and samples give the same bytes.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError, ConversionError, EdgeError, ModelError
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.quantize.instructions import instructions, rules_without_operators
from edge_sdk.quantize.prepare import PreparedModel, mark_uncalibrated, prepare_model
from edge_sdk.quantize.ranges import Ranges, ranges_of, statistics_for
from edge_sdk.quantize.recipe import Recipe
from edge_sdk.quantize.writing import write_atomically


@dataclass(frozen=True, kw_only=True)
class Quantized(Document):
    """What was done.

    Attributes:
        changed: False where the recipe found nothing to quantize: the file is as good as the float one.
        calibrated: Signatures with measured activations (static recipes).
        not_calibrated: Signatures that the samples did not fit: int8 weights, float activations.
        samples: Samples used per signature, or None.
        idle_rules: Patterns of the recipe's rules that fit no operator of the model.
    """

    changed: bool
    calibrated: tuple[str, ...] = ()
    not_calibrated: tuple[str, ...] = ()
    samples: int | None = None
    idle_rules: tuple[str, ...] = ()


def quantize_file(
    source: Path,
    destination: Path,
    recipe: Recipe,
    samples_npz: Path | None,
    *,
    signature: str | None = None,
    ranges: Ranges | None = None,
    prepared: PreparedModel | None = None,
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
        prepared: The source as `prepare_model` gives it, to read it once for several recipes.
        threads: For calibration.
        progress: Gets stages "calibrate" and "quantize".

    Raises:
        ModelError: The source is damaged or quantized already.
        ConfigError: The recipe needs samples and none are given.
        SignatureMismatchError: The samples do not fit the signature.
        ConversionError: The quantizer refused.
    """
    if recipe.backend != "litert":
        raise ConfigError(
            f"recipe {recipe.name} starts from the source model",
            why="TensorFlow's converter makes it; a .tflite cannot be given to it",
            hint='a recipe with backend = "litert" starts from a .tflite',
        )
    if recipe.method == "none":
        if not read_tflite(source).is_float:
            raise ModelError(
                f"{source} is quantized already",
                why=f"recipe {recipe.name} promises a float model",
                hint="pack it untouched (recipe as_is), or start from the float model",
            )
        write_atomically(destination, source.read_bytes())
        return Quantized(changed=False)
    if prepared is None or (ranges is not None and not prepared.is_covered_by(ranges.graphs)):
        prepared = prepare_model(source)  # marking graphs changes it
    if recipe.needs_calibration and ranges is None:
        if samples_npz is None:
            raise ConfigError(
                f"recipe {recipe.name} needs calibration samples",
                why="the ranges of activations are measured on real inputs",
                hint="--calibration DATA (a .npz, a folder of images, or module:function)",
            )
        ranges = ranges_of(prepared, samples_npz, signature=signature, threads=threads, progress=progress)
    progress(Step("quantize", f"applying {recipe.name}"))
    idle = rules_without_operators(recipe, prepared)
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
        return Quantized(changed=changed, idle_rules=idle)
    return Quantized(
        changed=changed,
        idle_rules=idle,
        calibrated=ranges.calibrated,
        not_calibrated=ranges.not_calibrated,
        samples=ranges.samples,
    )


def _quantize(prepared: PreparedModel, recipe: Recipe, ranges: Ranges | None) -> bytes:
    from litert_quantizer.quantizer import Quantizer

    if ranges is not None:
        mark_uncalibrated(prepared, ranges.graphs)
    quantizer = Quantizer(prepared.to_bytes(), instructions(recipe, prepared))
    statistics = None if ranges is None else statistics_for(ranges)
    with warnings.catch_warnings():
        # It opens the model once more, in the way that calibration needs, and warns about that.
        warnings.simplefilter("ignore")
        result = quantizer.quantize(statistics, enable_progress_bar=False, enable_progress_report=False)
    return prepared.finish(bytes(result.quantized_model))
