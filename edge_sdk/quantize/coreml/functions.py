"""Takes a package of several functions apart and joins it again.

coremltools compresses packages of one function only. What functions share is stored once again in the joined
package, because the same weight is compressed to the same bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.model.coreml.canonical import specification_path

#: Of a package of one function.
_ONLY = "main"


def split_functions(package: Path, specification: Any, folder: Path) -> dict[str, Path]:
    """Write one package per function.

    Args:
        package: Of several functions.
        specification: Its specification.
        folder: That gets the packages.

    Returns:
        The packages by the name of their function, in the order of the names.
    """
    from coremltools.models import utils
    from coremltools.proto import Model_pb2

    found = {}
    for index, name in enumerate(sorted(specification.mlProgram.functions)):
        part = folder / f"{index}.mlpackage"
        wanted = utils.MultiFunctionDescriptor()
        wanted.add_function(str(package), src_function_name=name, target_function_name=_ONLY)
        wanted.default_function_name = _ONLY
        utils.save_multifunction(wanted, str(part))
        # It is described as one of several functions still, which coremltools would refuse.
        path = specification_path(part)
        alone = Model_pb2.Model.FromString(path.read_bytes())
        (described,) = alone.description.functions
        alone.description.input.extend(described.input)
        alone.description.output.extend(described.output)
        alone.description.state.extend(described.state)
        alone.description.predictedFeatureName = described.predictedFeatureName
        alone.description.predictedProbabilitiesName = described.predictedProbabilitiesName
        alone.description.ClearField("functions")
        alone.description.ClearField("defaultFunctionName")
        path.write_bytes(alone.SerializeToString(deterministic=True))
        found[name] = part
    return found


def join_functions(parts: Mapping[str, Path], specification: Any, package: Path) -> None:
    """Write one package of several functions, described as the one they came from.

    Args:
        parts: Packages of one function each, by the name that it gets.
        specification: Of the package that was taken apart.
        package: To write.
    """
    from coremltools.models import utils
    from coremltools.proto import Model_pb2

    wanted = utils.MultiFunctionDescriptor()
    for name, part in parts.items():
        wanted.add_function(str(part), src_function_name=_ONLY, target_function_name=name)
    wanted.default_function_name = specification.description.defaultFunctionName
    utils.save_multifunction(wanted, str(package))
    path = specification_path(package)
    joined = Model_pb2.Model.FromString(path.read_bytes())
    joined.description.CopyFrom(specification.description)
    path.write_bytes(joined.SerializeToString(deterministic=True))
