"""The short way into TensorFlow's converter gives what the public way gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.convert.worker import run_in_worker


def compare(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Convert each source both ways; in a worker, which has TensorFlow."""
    import tensorflow as tf

    from edge_sdk.convert.converter import open_converter
    from edge_sdk.convert.source import open_source

    found = {}
    for name in arguments["sources"]:
        view = open_source("saved_model", name, Path(arguments["scratch"]) / Path(name).name)
        converter = open_converter(view)
        names = [signature.name for signature in view.signatures]
        public = tf.lite.TFLiteConverter.from_saved_model(
            str(view.folder), signature_keys=names, tags=set(view.tags)
        )
        found[Path(name).name] = [type(converter).__name__, converter.convert() == public.convert()]
    return found


@pytest.mark.tensorflow
def test_the_short_way_gives_the_same_bytes(sources: Path, tmp_path: Path) -> None:
    names = ["exported", "archive", "module"]
    found = run_in_worker(
        "tests.convert.test_converter:compare",
        {"sources": [str(sources / name) for name in names], "scratch": str(tmp_path)},
        timeout_seconds=300,
        log=tmp_path / "log",
    )
    assert found == {name: ["DirectConverter", True] for name in names}
