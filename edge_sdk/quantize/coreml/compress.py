"""Makes Core ML packages smaller: the worker functions.

coremltools takes six to twelve seconds to import, so that several recipes share one process. Same package and
recipe: same bytes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError, ConversionError, EdgeError, ModelError
from edge_sdk.model.coreml.package import DEPLOYMENT
from edge_sdk.progress import Progress, Step
from edge_sdk.quantize.recipe import Recipe
from edge_sdk.targets import DEPLOYMENT_TARGETS

if TYPE_CHECKING:
    from edge_sdk.quantize.coreml.labels import Labels


@dataclass(frozen=True, kw_only=True)
class Compressed(Document):
    """What a recipe has made of a package.

    Attributes:
        recipe: Its name.
        bytes: Of all files of the package.
        minimum_ios: Oldest system that loads it.
        compressed: Number of weights that are smaller now.
        compressed_elements: Their values.
        kept: Number of weights that stayed as they were.
        kept_elements: Their values.
        notes: Sentences for the user.
    """

    recipe: str
    bytes: int
    minimum_ios: str
    compressed: int
    compressed_elements: int
    kept: int
    kept_elements: int
    notes: tuple[str, ...] = ()


def compress(arguments: Mapping[str, Any], progress: Progress | None = None) -> dict[str, Any]:
    """Apply one recipe.

    Args:
        arguments: source (float .mlpackage), destination (.mlpackage to write), recipe
            (`Recipe.to_dict()`), deployment_target ("iOS16").
        progress: Gets the steps.

    Returns:
        `Compressed.to_dict()`.

    Raises:
        EdgeError: The recipe cannot be applied to this package.
    """
    recipe = Recipe.from_dict(arguments["recipe"])
    with tempfile.TemporaryDirectory() as scratch:
        source = _Source(Path(arguments["source"]), arguments["deployment_target"], Path(scratch))
        return source.compress(recipe, Path(arguments["destination"]), progress).to_dict()


def compress_several(arguments: Mapping[str, Any], progress: Progress | None = None) -> dict[str, Any]:
    """Apply recipes one after the other in one process, which reads the package and starts once.

    A recipe that cannot be applied does not stop the others.

    Args:
        arguments: source (float .mlpackage), deployment_target ("iOS16"), recipes (a list of {"recipe":
            `Recipe.to_dict()`, "destination": path of the .mlpackage to write}).
        progress: Gets the steps.

    Returns:
        {"results": [...]} in the order of the recipes: {"value": `Compressed.to_dict()`} or {"error":
        `EdgeError.to_dict()`}.

    Raises:
        ModelError: The package cannot be read, or is compressed already.
    """
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        source = _Source(Path(arguments["source"]), arguments["deployment_target"], Path(scratch))
        for job in arguments["recipes"]:
            try:
                done = source.compress(Recipe.from_dict(job["recipe"]), Path(job["destination"]), progress)
            except EdgeError as error:
                results.append({"error": error.to_dict()})
            else:
                results.append({"value": done.to_dict()})
    return {"results": results}


class _Source:
    """A float package, read once.

    Args:
        path: Of the package.
        deployment_target: Oldest system that it is meant for.
        scratch: Empty folder for a copy, because coremltools writes into a package that it reads.
    """

    def __init__(self, path: Path, deployment_target: str, scratch: Path) -> None:
        import coremltools as ct

        from edge_sdk.quantize.coreml.inventory import list_weights
        from edge_sdk.quantize.coreml.labels import take_labels

        self._copy = scratch / "source.mlpackage"
        try:
            shutil.copytree(path, self._copy)
            self._model = ct.models.MLModel(str(self._copy), skip_model_load=True)
            self._specification = specification = self._model.get_spec()
        except Exception as failure:
            raise ModelError(f"{path} cannot be read as a Core ML package", why=str(failure)) from failure
        if specification.WhichOneof("Type") != "mlProgram":
            raise ModelError(
                f"{path} is no ML Program", why=f"it is a {specification.WhichOneof('Type')} of the old kind"
            )
        if any(weight.compressed for weight in list_weights(specification)):
            raise ModelError(f"{path} is compressed already", hint="start from the float package")
        self._several = len(specification.mlProgram.functions) > 1
        self._labels = None if self._several else take_labels(specification)
        if self._labels is not None:
            self._model = ct.models.MLModel(
                specification, weights_dir=self._model.weights_dir, skip_model_load=True
            )
        made_for = DEPLOYMENT.get(specification.specificationVersion, DEPLOYMENT_TARGETS[-1])
        self._system = min(made_for, deployment_target, key=DEPLOYMENT_TARGETS.index)

    def compress(self, recipe: Recipe, destination: Path, progress: Progress | None) -> Compressed:
        """Write the package that a recipe makes; the destination is there whole or not at all."""
        from edge_sdk.model.coreml.canonical import finish_package

        self._refuse(recipe)
        if progress is not None:
            progress(Step(stage="compress", message=f"compress {recipe.name}"))
        partial = destination.with_name(f".{destination.stem}.part.mlpackage")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.parent.mkdir(parents=True, exist_ok=True)
            specification = self._write(recipe, partial)
            finish_package(partial)
            shutil.rmtree(destination, ignore_errors=True)
            partial.rename(destination)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return _account(recipe, specification, destination)

    def _refuse(self, recipe: Recipe) -> None:
        if not recipe.compresses or recipe.minimum_ios is None:
            raise ConfigError(
                f"recipe {recipe.name} compresses no Core ML package",
                why=f"backend {recipe.backend!r}, method {recipe.method!r}",
            )
        if DEPLOYMENT_TARGETS.index(recipe.minimum_ios) > DEPLOYMENT_TARGETS.index(self._system):
            raise ConfigError(
                f"recipe {recipe.name} needs {recipe.minimum_ios}, and the package is for {self._system}",
                why=f"{self._system} cannot read weights that are stored so",
                hint=f"--deployment-target {recipe.minimum_ios}",
            )

    def _write(self, recipe: Recipe, package: Path) -> Any:
        """Write the compressed package; return its specification."""
        if self._several:
            return self._write_functions(recipe, package)
        model = _apply(recipe, self._model)
        model.save(str(package))
        if self._labels is not None:
            _put_back(package, self._labels)
        return model.get_spec()

    def _write_functions(self, recipe: Recipe, package: Path) -> Any:
        import coremltools as ct

        from edge_sdk.quantize.coreml.functions import join_functions, split_functions

        with tempfile.TemporaryDirectory(dir=package.parent, prefix=".functions-") as scratch:
            parts = split_functions(self._copy, self._specification, Path(scratch))
            smaller = {}
            for name, part in parts.items():
                own = part.with_suffix("")
                own.mkdir()
                smaller[name] = own / "smaller.mlpackage"
                _Source(part, self._system, own)._write(recipe, smaller[name])
            join_functions(smaller, self._specification, package)
        return ct.models.MLModel(str(package), skip_model_load=True).get_spec()


def _put_back(package: Path, labels: Labels) -> None:
    from coremltools.proto import Model_pb2

    from edge_sdk.model.coreml.canonical import specification_path
    from edge_sdk.quantize.coreml.labels import put_labels

    path = specification_path(package)
    specification = Model_pb2.Model.FromString(path.read_bytes())
    put_labels(specification, labels)
    path.write_bytes(specification.SerializeToString(deterministic=True))


def _apply(recipe: Recipe, model: Any) -> Any:
    import numpy as np

    from edge_sdk.quantize.coreml.configuration import passes

    try:
        # A channel of zeros has the scale 0 and stays zeros; coremltools divides by it all the same.
        with np.errstate(divide="ignore", invalid="ignore"):
            for step in passes(recipe):
                model = step(model)
    except ModuleNotFoundError:
        raise  # the worker names the package that is missing
    except Exception as failure:
        if "config conflict" in str(failure):
            raise ConfigError(
                f"recipe {recipe.name}: keep_float parts operators that share a weight",
                why=str(failure).splitlines()[0][:300],
                hint="name all of their kinds in keep_float, or none",
            ) from failure
        raise ConversionError(
            f"recipe {recipe.name} cannot be applied to this package", why=str(failure)[:600]
        ) from failure
    return model


def _account(recipe: Recipe, specification: Any, package: Path) -> Compressed:
    from edge_sdk.quantize.coreml.inventory import list_weights

    weights = list_weights(specification)
    smaller = [weight for weight in weights if weight.compressed]
    kept = [weight for weight in weights if not weight.compressed]
    notes = []
    if not smaller:
        notes.append(
            f"no weight got smaller: all have fewer than {max(recipe.minimum_weight_elements, 1):,} values, "
            "only one dimension, or stay float by keep_float"
        )
    return Compressed(
        recipe=recipe.name,
        bytes=sum(path.stat().st_size for path in package.rglob("*") if path.is_file()),
        minimum_ios=DEPLOYMENT.get(specification.specificationVersion, DEPLOYMENT_TARGETS[-1]),
        compressed=len(smaller),
        compressed_elements=sum(weight.elements for weight in smaller),
        kept=len(kept),
        kept_elements=sum(weight.elements for weight in kept),
        notes=tuple(notes),
    )
