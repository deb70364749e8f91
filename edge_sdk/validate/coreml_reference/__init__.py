"""A reference evaluator for Core ML packages: the program and the weights as they lie on disk, in NumPy.

    from edge_sdk.validate.coreml_reference import evaluate

    outputs = evaluate("Model.mlpackage", {"image": pixels})

It runs on any system and needs nothing of Apple's. docs/reference/coreml-reference.md says what it emulates
and what it cannot know.
"""

from __future__ import annotations

from edge_sdk.validate.coreml_reference.errors import UnknownOperatorError
from edge_sdk.validate.coreml_reference.model import ReferenceModel, evaluate

__all__ = ["ReferenceModel", "UnknownOperatorError", "evaluate"]
