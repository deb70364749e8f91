"""From a source model to one float .tflite with all its signatures. Runs in a worker process.

    run_in_worker("edge_sdk.convert.tflite:convert", {...}, timeout_seconds=600, log=...)

Arguments of `convert` (JSON-ready):
    kind            "saved_model", "keras", "h5" or "function"
    model           path, or "module:function"
    output          path of the .tflite to write
    select_tf_ops   true allows operators that need the Flex delegate (default false)
    custom_ops      true allows operators that need a custom-op library (default false)
    samples         .npz with inputs of the default signature, first axis = samples (optional)
    reference       .npz to write: what TensorFlow itself answers to `samples` (optional)
    limit           use at most this many samples for the reference (optional)

It returns {"signatures": [...], "default_signature": name, "tools": {"tensorflow": version, ...},
"reference_calls": n or null}. The signatures are the source model's, as `Signature.to_dict()`.
`reference` takes kind, model, samples, reference and limit, and does that part alone.

`quantize_with_tensorflow` makes the variant of a recipe with backend "tensorflow" from the source model.

In the file `reference` every output of the default signature has one array whose first axis is the call
(one call per sample), so that an output of shape (1, 10) over 50 samples is stored as (50, 1, 10).

Same source, same bytes: nothing of the machine, the time or a path ends in the file.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.contract.spec import Signature
from edge_sdk.convert.child import stage
from edge_sdk.convert.converter import open_converter
from edge_sdk.convert.freeze import freeze, has_unset_variables
from edge_sdk.convert.source import SourceView, open_source
from edge_sdk.convert.tensorflow_recipe import ask_tensorflow, representative_inputs
from edge_sdk.convert.tidy import tidy
from edge_sdk.convert.trained_ranges import take_trained_ranges
from edge_sdk.errors import ConversionError, ModelError, SignatureMismatchError, UnsupportedOpError
from edge_sdk.model.tflite_file import default_signature, read_tflite
from edge_sdk.quantize.apply import Quantized
from edge_sdk.quantize.recipe import Recipe
from edge_sdk.quantize.samples import iterate_feeds, misfits
from edge_sdk.quantize.writing import atomic_path, write_atomically

_NO_KERNEL = re.compile(r"'(?:tf\.)?(\w+)' op is neither a custom op nor a flex op")
_DETAIL = re.compile(r"^\s*tf\.(\w+)\((.*?)\) -> ", re.MULTILINE)


def convert(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Convert one model; see the module's text for the arguments and the answer.

    Raises:
        ModelError: The source cannot be used.
        UnsupportedOpError: It has operators without a TFLite kernel; they are named.
        ConversionError: The converter refused for another reason.
    """
    stage("import", "loading TensorFlow")
    import tensorflow as tf

    output = Path(arguments["output"])
    with tempfile.TemporaryDirectory(prefix="edge-convert-") as scratch:
        view = open_source(arguments["kind"], arguments["model"], Path(scratch))
        names = [signature.name for signature in view.signatures]
        default = default_signature(view.signatures)
        stage("convert", f"converting {', '.join(names)}")
        content = _convert_whole(view, arguments, Path(scratch) / "frozen")
        write_atomically(output, take_trained_ranges(tidy(content)))
        calls = None
        if arguments.get("samples") and arguments.get("reference"):
            signature = next(item for item in view.signatures if item.name == default)
            calls = _write_reference(view, signature, arguments)
    import keras

    return {
        "signatures": [signature.to_dict() for signature in view.signatures],
        "default_signature": default,
        "tools": {"tensorflow": tf.__version__, "keras": keras.__version__},
        "reference_calls": calls,
    }


def quantize_with_tensorflow(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Make the variant of a recipe with backend "tensorflow".

    Args:
        arguments: kind, model, output, select_tf_ops and custom_ops as for `convert`; recipe
            (`Recipe.to_dict()`); samples (.npz for the default signature, for a recipe that needs
            calibration).

    Returns:
        `Quantized.to_dict()`, and "tools".

    Raises:
        ModelError: The source cannot be used.
        ConfigError: The recipe needs samples, and there are none or a signature that they do not fit.
        ConversionError: The converter refused.
    """
    recipe = Recipe.from_dict(arguments["recipe"])
    stage("import", "loading TensorFlow")
    import tensorflow as tf

    with tempfile.TemporaryDirectory(prefix="edge-convert-") as scratch:
        view = open_source(arguments["kind"], arguments["model"], Path(scratch))
        inputs = representative_inputs(recipe, view.signatures, arguments.get("samples"))
        stage("convert", f"applying {recipe.name}")
        content = _convert_whole(
            view,
            arguments,
            Path(scratch) / "frozen",
            lambda converter: ask_tensorflow(converter, recipe, view.signatures, inputs),
        )
        write_atomically(Path(arguments["output"]), tidy(content))
    file = read_tflite(Path(arguments["output"]))
    done = Quantized(
        changed=not file.is_float,
        calibrated=tuple(item.name for item in view.signatures) if inputs else (),
        samples=len(next(iter(inputs.values()))) if inputs else None,
    )
    return {**done.to_dict(), "tools": {"tensorflow": tf.__version__}}


def reference(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write the reference alone, for new samples of a model that is converted already.

    Args:
        arguments: kind, model, samples, reference and limit, as for `convert`.

    Returns:
        {"reference_calls": n}.

    Raises:
        ModelError: The source cannot be used, or TensorFlow cannot run it.
    """
    stage("import", "loading TensorFlow")
    with tempfile.TemporaryDirectory(prefix="edge-reference-") as scratch:
        view = open_source(arguments["kind"], arguments["model"], Path(scratch))
        default = default_signature(view.signatures)
        signature = next(item for item in view.signatures if item.name == default)
        return {"reference_calls": _write_reference(view, signature, arguments)}


def read(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Tell a source model's signatures and convert nothing.

    Args:
        arguments: kind and model, as for `convert`.

    Returns:
        {"signatures": [...]}, as `Signature.to_dict()`.

    Raises:
        ModelError: The source cannot be used.
    """
    stage("import", "loading TensorFlow")
    with tempfile.TemporaryDirectory(prefix="edge-read-") as scratch:
        view = open_source(arguments["kind"], arguments["model"], Path(scratch))
        return {"signatures": [signature.to_dict() for signature in view.signatures]}


def _convert_whole(
    view: SourceView,
    arguments: Mapping[str, Any],
    folder: Path,
    adjust: Callable[[Any], None] | None = None,
) -> bytes:
    """Convert all signatures; a model whose variables the converter loses is frozen into `folder` first."""
    content = _convert_view(view, arguments, adjust)
    if has_unset_variables(content):
        stage("convert", "converting again with constants for variables")
        content = _convert_view(freeze(view, folder), arguments, adjust)
    if has_unset_variables(content):
        raise ConversionError(
            "the converted model reads variables that nothing sets",
            why="the converter could not turn them into constants; the file would answer NaN",
            hint="save the model with model.export(folder), or give a function that builds it",
        )
    return content


def _convert_view(
    view: SourceView, arguments: Mapping[str, Any], adjust: Callable[[Any], None] | None = None
) -> bytes:
    import tensorflow as tf
    from tensorflow.lite.python.convert_phase import ConverterError

    try:
        converter = open_converter(view)
        if arguments.get("select_tf_ops"):
            converter.target_spec.supported_ops = [
                tf.lite.OpsSet.TFLITE_BUILTINS,
                tf.lite.OpsSet.SELECT_TF_OPS,
            ]
        converter.allow_custom_ops = bool(arguments.get("custom_ops"))
        if adjust is not None:
            adjust(converter)
        return bytes(converter.convert())
    except ConverterError as failure:
        raise explain_converter_error(
            failure, select_tf_ops=bool(arguments.get("select_tf_ops"))
        ) from failure
    except (ValueError, AttributeError, KeyError, NotImplementedError, tf.errors.OpError) as failure:
        raise ConversionError(
            "TensorFlow cannot convert this SavedModel",
            why=f"{type(failure).__name__}: {str(failure).strip()[:2000]}",
            hint="does it load with tf.saved_model.load in the version of TensorFlow that wrote it? "
            "Save it again with the installed version, or give a function that builds the model",
        ) from failure


def explain_converter_error(failure: Exception, *, select_tf_ops: bool) -> ModelError | ConversionError:
    """Turn TensorFlow's `ConverterError` into ours: with the operators named, where they are the cause."""
    text = str(failure)
    operators = dict.fromkeys(_NO_KERNEL.findall(text), "")
    for entry in getattr(failure, "errors", ()):
        name = entry.operator.name.removeprefix("tf.")
        if name and "NEEDS" in str(entry):
            operators.setdefault(name, "")
    operators.update({name: types for name, types in _DETAIL.findall(text) if name in operators})
    if not operators:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return ConversionError("the TFLite converter refused the model", why="\n".join(lines[:6])[:2000])
    doubles = sorted(name for name, types in operators.items() if re.search(r"x?f64>|<f64", types))
    hint = None
    if doubles:
        hint = (
            f"{', '.join(doubles)} get float64 here and TFLite computes in float32: cast the model to float32"
        )
    elif select_tf_ops:
        hint = (
            "they are no Select TF ops either: name a custom-op library (--custom-op), or cut the model "
            "before that operator"
        )
    return UnsupportedOpError(sorted(operators), target="the TFLite runtime", hint=hint)


def _write_reference(view: SourceView, signature: Signature, arguments: Mapping[str, Any]) -> int:
    """Ask TensorFlow itself for the outputs of the default signature; return the number of calls."""
    import tensorflow as tf

    stage("reference", "asking TensorFlow for reference outputs", 0.0)
    with np.load(arguments["samples"], allow_pickle=False) as archive:
        inputs = {name: archive[name][: arguments.get("limit")] for name in archive.files}
    rows = misfits(signature, inputs)
    if rows:
        raise SignatureMismatchError(rows, subject=f"samples for signature {signature.name!r}")
    try:
        loaded = tf.saved_model.load(str(view.folder), tags=list(view.tags))
    except (ValueError, AttributeError, KeyError, tf.errors.OpError) as failure:
        raise ModelError(
            "TensorFlow cannot load the SavedModel",
            why=f"{type(failure).__name__}: {str(failure).strip()[:2000]}",
        ) from failure
    function = loaded.signatures[signature.name]
    collected: dict[str, list[Any]] = {spec.name: [] for spec in signature.outputs}
    total = len(next(iter(inputs.values())))
    for index, feed in enumerate(iterate_feeds(signature, inputs)):
        try:
            answers = function(**{name: tf.constant(value) for name, value in feed.items()})
        except (ValueError, TypeError, tf.errors.OpError) as failure:
            raise ModelError(
                f"TensorFlow cannot run signature {signature.name!r} on sample {index}",
                why=f"{type(failure).__name__}: {str(failure).strip()[:2000]}",
            ) from failure
        for name, values in collected.items():
            values.append(answers[name].numpy())
        if index % 10 == 0:
            stage("reference", "asking TensorFlow for reference outputs", (index + 1) / total)
    stacked = {}
    for name, values in collected.items():
        shapes = {value.shape for value in values}
        if len(shapes) > 1:
            raise ModelError(
                f"output {name!r} has another shape for other samples",
                why=", ".join(sorted(map(str, shapes))[:4]),
                hint="give samples of one shape",
            )
        stacked[name] = np.stack(values)
    with atomic_path(Path(arguments["reference"])) as partial, partial.open("wb") as stream:
        np.savez(stream, **stacked)  # type: ignore[arg-type]
    return len(next(iter(collected.values())))
