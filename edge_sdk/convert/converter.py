"""Opens TensorFlow's converter for a SavedModel, without what the public way does for nothing.

`TFLiteConverter.from_saved_model` loads the whole model into Python to look up the names of its signatures,
and its `convert` loads it once more for the source lines of the nodes, before the converter reads the folder
by itself. We know the signatures and show no source lines; the file is the same, byte for byte. For
MobileNetV2 the two loads are a quarter of a conversion.
"""

from __future__ import annotations

from typing import Any

from edge_sdk.convert.source import SourceView

#: What the short way needs of TensorFlow; where a version lacks one of these, the public way is taken.
_NEEDED = {
    "module": (
        "TFLiteSavedModelConverterV2",
        "TFLiteConverterBase",
        "conversion_metadata_fb",
        "_export_metrics",
    ),
    "converter": ("_load_saved_model", "_convert_from_saved_model", "_set_original_model_type"),
}


def open_converter(view: SourceView) -> Any:
    """Return a `TFLiteConverter` for all signatures of a model.

    Args:
        view: As `open_source` or `freeze` gives it.

    Raises:
        ValueError: TensorFlow cannot read the folder.
    """
    names, tags = [signature.name for signature in view.signatures], set(view.tags)
    direct = _direct(view, names, tags)
    if direct is not None:
        return direct
    import tensorflow as tf

    return tf.lite.TFLiteConverter.from_saved_model(str(view.folder), signature_keys=names, tags=tags)


def _direct(view: SourceView, names: list[str], tags: set[str]) -> Any:
    from tensorflow.core.framework import graph_debug_info_pb2
    from tensorflow.lite.python import lite

    base = getattr(lite, "TFLiteSavedModelConverterV2", None)
    if not all(hasattr(lite, name) for name in _NEEDED["module"]):
        return None
    if not all(hasattr(base, name) for name in _NEEDED["converter"]):
        return None

    class DirectConverter(base):  # type: ignore[misc, valid-type]
        """Converts the folder as it is."""

        @lite._export_metrics  # type: ignore[untyped-decorator]  # writes the metadata too
        def convert(self) -> Any:
            """Return the .tflite file's content."""
            graph, _, _ = self._load_saved_model(self.saved_model_dir, self._saved_model_tags)
            self._debug_info = graph_debug_info_pb2.GraphDebugInfo()
            return self._convert_from_saved_model(graph)

    lite.TFLiteConverterBase._set_original_model_type(lite.conversion_metadata_fb.ModelType.TF_SAVED_MODEL)
    converter = DirectConverter(str(view.folder), tags, names)
    # It empties the path of a folder that its reader does not take.
    return converter if converter.saved_model_dir else None
