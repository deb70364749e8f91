"""Joins packages of one function each into one package; weights that they share are stored once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edge_sdk.convert.coreml.failures import explain
from edge_sdk.model.coreml.canonical import specification_path


def join_functions(packages: Mapping[str, Path], default: str, output: Path, deployment_target: str) -> None:
    """Write one package with several functions.

    Args:
        packages: Single-function packages by the name of the function that each becomes.
        default: Name of the function that runs where none is named.
        output: The package to make.
        deployment_target: Of all of them; "iOS18" at least.

    Raises:
        ConversionError: coremltools refused.
    """
    from coremltools.models import utils
    from coremltools.proto import Model_pb2

    description = utils.MultiFunctionDescriptor()
    for name, package in packages.items():
        description.add_function(str(package), src_function_name="main", target_function_name=name)
    description.default_function_name = default
    try:
        utils.save_multifunction(description, str(output))
    except (MemoryError, ImportError):
        raise  # the worker explains these
    except Exception as failure:
        raise explain(failure, deployment_target) from failure
    # What coremltools notes about itself is lost on the way.
    joined = Model_pb2.Model.FromString(specification_path(output).read_bytes())
    first = Model_pb2.Model.FromString(specification_path(next(iter(packages.values()))).read_bytes())
    joined.description.metadata.CopyFrom(first.description.metadata)
    specification_path(output).write_bytes(joined.SerializeToString(deterministic=True))
