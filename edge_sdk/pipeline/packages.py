"""The steps that make Core ML packages: one conversion a precision, then what compresses it.

Both run in workers, because coremltools loads TensorFlow; here are only the keys and the calls.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_sdk.bundle.digest import folder_digest
from edge_sdk.bundle.manifest import CoreMLFacts
from edge_sdk.configuration import CoreMLSection
from edge_sdk.contract.spec import Contract
from edge_sdk.convert.formats import FORMATS
from edge_sdk.convert.worker import Failure
from edge_sdk.pipeline.attempts import Attempts
from edge_sdk.pipeline.cache import Entry
from edge_sdk.pipeline.identity import COREML_TOOLS, code_digest, versions
from edge_sdk.pipeline.materials import Made, Source
from edge_sdk.quantize.recipe import Recipe

PACKAGE_FOLDER = "model.mlpackage"
#: Importing coremltools loads TensorFlow, and scikit-learn where it is installed.
COREML_BYTES = 1200 * 2**20


class Packages:
    """Makes Core ML packages, bound to one cache, one set of workers and one set of choices.

    Args:
        attempts: Runs the workers and keeps what they make.
        section: `[coreml]` of the settings.
        version: Of the bundle, for people.
    """

    def __init__(self, attempts: Attempts, section: CoreMLSection, version: str) -> None:
        self._attempts = attempts
        self._section = section
        self._version = version

    def make(
        self, source: Source, contract: Contract, recipes: Sequence[Recipe], deployment_target: str
    ) -> list[Made | Failure]:
        """Return each recipe's package, or how making it failed, in order."""
        converted: dict[str, Entry | Failure] = {
            precision: self._convert(source, contract, precision, deployment_target)
            for precision in dict.fromkeys(recipe.compute_precision for recipe in recipes)
        }
        done: dict[str, Made | Failure] = {}
        for precision, found in converted.items():
            of_it = [recipe for recipe in recipes if recipe.compute_precision == precision]
            plain = [recipe for recipe in of_it if not recipe.compresses]
            rest = [recipe for recipe in of_it if recipe.compresses]
            if isinstance(found, Failure):
                done.update({recipe.name: dataclasses.replace(found, recipe=recipe.name) for recipe in of_it})
                continue
            done.update({recipe.name: _made(recipe, found, found) for recipe in plain})
            outcomes = self._compress_all(found, rest, deployment_target)
            for recipe, outcome in zip(rest, outcomes, strict=True):
                done[recipe.name] = outcome if isinstance(outcome, Failure) else _made(recipe, outcome, found)
        return [done[recipe.name] for recipe in recipes]

    def _convert(
        self, source: Source, contract: Contract, precision: str, deployment_target: str
    ) -> Entry | Failure:
        settings = {
            "kind": source.model.kind,
            "deployment_target": deployment_target,
            "precision": precision,
            "contract": contract.to_dict(),
            "images": self._section.images,
            "shapes": {
                name: [list(shape) for shape in found] for name, found in self._section.shapes.items()
            },
            "signatures": list(self._section.signatures) or None,
            "metadata": self._metadata(source),
        }
        return self._attempts.attempt(
            "convert_coreml",
            {
                **settings,
                "source": source.sha256,
                "function": source.model.location if source.model.kind == "function" else None,
                "tools": versions(*COREML_TOOLS),
                "code": code_digest("contract", "convert", "model"),
            },
            FORMATS["mlpackage"].convert,
            lambda folder: {
                **settings,
                "model": source.model.location,
                "output": str(folder / PACKAGE_FOLDER),
            },
            recipe=f"coreml_{precision}",
        )

    def _metadata(self, source: Source) -> dict[str, str]:
        section = self._section
        found = {
            "author": section.author,
            "license": section.license,
            "short_description": section.description,
            "version": self._version,
            "source_sha256": source.sha256,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _compress_all(
        self, package: Entry, recipes: Sequence[Recipe], deployment_target: str
    ) -> list[Entry | Failure]:
        """Compress in one worker; where that fails, the missing ones one by one, each failure its own."""
        key = functools.partial(_compress_key, package, deployment_target)
        cache = self._attempts.cache
        missing = [recipe for recipe in recipes if cache.find("compress", key(recipe)) is None]
        if len(missing) > 1:
            with cache.scratch() as scratch:
                self._compress_together(package, missing, deployment_target, key, scratch)
        return [
            self._attempts.attempt(
                "compress",
                key(recipe),
                "edge_sdk.pipeline.compressing:compress",
                functools.partial(_compress_arguments, package, recipe, deployment_target),
                recipe=recipe.name,
            )
            for recipe in recipes
        ]

    def _compress_together(
        self,
        package: Entry,
        recipes: Sequence[Recipe],
        deployment_target: str,
        key: Callable[[Recipe], dict[str, Any]],
        scratch: Path,
    ) -> None:
        folders = {recipe.name: scratch / f"{index}.mlpackage" for index, recipe in enumerate(recipes)}
        done = self._attempts.workers.attempt(
            "edge_sdk.pipeline.compressing:compress_several",
            {
                "source": str(package.file(PACKAGE_FOLDER)),
                "deployment_target": deployment_target,
                "recipes": [
                    {"recipe": recipe.to_dict(), "destination": str(folders[recipe.name])}
                    for recipe in recipes
                ],
            },
            name="compress",
            recipe="",
        )
        results = done.value["results"] if done.value is not None else []
        for recipe, result in zip(recipes, results, strict=False):
            if "value" not in result:
                continue

            def keep(folder: Path, name: str = recipe.name, value: Any = result["value"]) -> dict[str, Any]:
                folders[name].rename(folder / PACKAGE_FOLDER)
                return dict(value)

            self._attempts.cache.make("compress", key(recipe), keep)


def _made(recipe: Recipe, entry: Entry, converted: Entry) -> Made:
    path = entry.file(PACKAGE_FOLDER)
    notes = dict.fromkeys((*converted.value.get("notes", ()), *entry.value.get("notes", ())))
    return Made(
        recipe=recipe,
        path=path,
        sha256=folder_digest(path),
        notes=tuple(f"{recipe.name}: {note}" if entry is not converted else note for note in notes),
        coreml=CoreMLFacts.from_dict(converted.value["coreml"]),
    )


def _compress_key(package: Entry, deployment_target: str, recipe: Recipe) -> dict[str, Any]:
    return {
        "package": dict(package.digests),
        "deployment_target": deployment_target,
        "recipe": recipe.to_dict(),
        "tools": versions(*COREML_TOOLS),
        "code": code_digest("model/coreml", "quantize"),
    }


def _compress_arguments(
    package: Entry, recipe: Recipe, deployment_target: str, folder: Path
) -> Mapping[str, Any]:
    return {
        "source": str(package.file(PACKAGE_FOLDER)),
        "deployment_target": deployment_target,
        "recipe": recipe.to_dict(),
        "destination": str(folder / PACKAGE_FOLDER),
    }
