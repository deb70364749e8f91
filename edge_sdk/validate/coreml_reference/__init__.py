"""Runs Core ML packages operator by operator in NumPy, on any system: what the saved file answers.

    from edge_sdk.validate.coreml_reference import evaluate
    outputs = evaluate("Model.mlpackage", {"image": picture})

It shares no code with coremltools or TensorFlow, so that a mistake of the converter shows.
"""

from edge_sdk.validate.coreml_reference.errors import UnknownOperatorError, Unsupported
from edge_sdk.validate.coreml_reference.model import ReferenceModel, evaluate
from edge_sdk.validate.coreml_reference.precision import Precision

__all__ = ["Precision", "ReferenceModel", "UnknownOperatorError", "Unsupported", "evaluate"]
