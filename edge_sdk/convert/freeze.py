"""Turns the variables of a SavedModel into constants, for files in which the converter left them unset.

For some SavedModels (a Keras 3 model held by a tf.Module, for one) the converter writes every weight as a
resource variable that nothing ever sets. Such a .tflite file loads, and answers NaN or refuses to run.
A model that keeps state on purpose sets its variables in the file itself, and is left alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_sdk.contract.spec import Signature
from edge_sdk.convert.source import SourceView
from edge_sdk.model.tflite_file import read_tflite


def has_unset_variables(content: bytes) -> bool:
    """Tell whether a .tflite file reads variables that it never sets."""
    used = read_tflite(content).op_versions
    return "READ_VARIABLE" in used and "ASSIGN_VARIABLE" not in used


def freeze(view: SourceView, folder: Path) -> SourceView:
    """Write a SavedModel with the same signatures and constants for variables; return its view.

    Args:
        view: The model to freeze.
        folder: Empty folder to write to.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    loaded = tf.saved_model.load(str(view.folder), tags=list(view.tags))
    holder = tf.Module()
    frozen = {
        item.name: convert_variables_to_constants_v2(loaded.signatures[item.name], lower_control_flow=False)
        for item in view.signatures
    }
    signatures = {
        item.name: _signature_function(frozen[item.name], loaded.signatures[item.name], item)
        for item in view.signatures
    }
    holder.functions = list(signatures.values())
    tf.saved_model.save(holder, str(folder), signatures=signatures)
    return SourceView(folder, ("serve",), view.signatures)


def _signature_function(frozen: Any, original: Any, signature: Signature) -> Any:
    import tensorflow as tf

    # A frozen function takes its inputs by place and returns its outputs in order of their names.
    places = [tensor.name.partition(":")[0] for tensor in frozen.inputs]
    given = original.structured_input_signature[1]
    names = list(given)
    order = sorted(names, key=lambda name: places.index(name) if name in places else names.index(name))
    outputs = sorted(spec.name for spec in signature.outputs)

    def call(*tensors: Any) -> dict[str, Any]:
        return dict(zip(outputs, tf.nest.flatten(frozen(*tensors)), strict=True))

    specs = [tf.TensorSpec(given[name].shape, given[name].dtype, name=name) for name in order]
    return tf.function(call, input_signature=specs)
