"""Output formats and who makes them: an explicit table of lazy paths, so that listing imports nothing.

A new format is one `convert/<name>.py` and one row here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """An output format.

    Attributes:
        name: As variants write it.
        suffix: Of its files.
        convert: "module:function" that makes the float file from a source model; call it in a worker.
    """

    name: str
    suffix: str
    convert: str


FORMATS: dict[str, Format] = {
    "tflite": Format(name="tflite", suffix=".tflite", convert="edge_sdk.convert.tflite:convert"),
    "mlpackage": Format(name="mlpackage", suffix=".mlpackage", convert="edge_sdk.convert.coreml:convert"),
}
