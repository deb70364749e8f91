"""Compression of Core ML packages as worker functions that report each recipe as they come to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_sdk.convert.child import report


def compress(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Apply one recipe; arguments, answer and errors of `edge_sdk.quantize.coreml.compress.compress`."""
    from edge_sdk.quantize.coreml.compress import compress as library_compress

    return library_compress(arguments, report)


def compress_several(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Apply recipes one after the other; as `edge_sdk.quantize.coreml.compress.compress_several`."""
    from edge_sdk.quantize.coreml.compress import compress_several as library_compress_several

    return library_compress_several(arguments, report)
