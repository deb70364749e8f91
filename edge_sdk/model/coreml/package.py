"""Opens a `.mlpackage`: finds its files, checks that they lie inside, reads description and program.

    with open_package(Path("Model.mlpackage")) as package:
        package.functions["main"].inputs, package.program.functions["main"].block.operations

Nothing of coremltools is needed, and nothing is believed: a package may come from anybody.
"""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.errors import ConfigError, ModelError
from edge_sdk.model.coreml.description import (
    Feature,
    FunctionDescription,
    Metadata,
    parse_description,
)
from edge_sdk.model.coreml.parse import parse_program
from edge_sdk.model.coreml.program import Blob, Constant, Operation, Program
from edge_sdk.model.coreml.weights import Weights, stored_bytes
from edge_sdk.model.flatbuffer import DamagedError
from edge_sdk.model.protobuf_wire import Budget, Message

__all__ = ["Feature", "FunctionDescription", "Metadata", "Package", "open_package"]

SUFFIX = ".mlpackage"
#: First system that loads a specification version.
DEPLOYMENT = {6: "iOS15", 7: "iOS16", 8: "iOS17", 9: "iOS18", 10: "iOS26"}
_MANIFEST = "Manifest.json"
_MAX_MANIFEST_BYTES = 2**20
#: A program without its weights; the largest in wide use have a few megabytes.
_MAX_PROGRAM_BYTES = 512 * 2**20
_MODEL_PATH = "@model_path/"
#: Fields of Model.proto that hold a model of another kind than a program.
_OTHER_KINDS = {
    200: "a pipeline", 201: "a pipeline", 202: "a pipeline", 303: "a neural network of the old type",
    403: "a neural network of the old type", 500: "a neural network of the old type", 555: "a custom model",
    556: "a linked model",
}  # fmt: skip
_HINT = "convert the source model again: edge build MODEL --target ios"


@dataclass(frozen=True, kw_only=True)
class Package:
    """An open package.

    Attributes:
        path: The folder.
        specification_version: Of the model.
        minimum_deployment: First system that loads it, "iOS15" to "iOS26".
        functions: What each function takes and gives, by name.
        default_function: The one that runs where none is named.
        metadata: For people.
        program: The functions' operations.
        files: Every file of the folder, relative, sorted.
        size_bytes: Of all files.
    """

    path: Path
    specification_version: int
    minimum_deployment: str
    functions: Mapping[str, FunctionDescription]
    default_function: str
    metadata: Metadata
    program: Program
    files: tuple[str, ...]
    size_bytes: int
    _model: Path
    _weights: dict[str, Weights] = field(default_factory=dict, repr=False, compare=False)

    def read(self, value: Blob | Constant) -> NDArray[Any]:
        """Return a constant as an array; of a blob a view of the file where the layout allows it.

        Raises:
            ModelError: It does not lie in the weights file, or is not what the program says.
        """
        if isinstance(value, Constant):
            return _array(value.value)
        try:
            return self._open(value).read(value)
        except (DamagedError, OSError) as failure:
            raise _damaged(self.path, str(failure)) from failure

    def size_of(self, value: Blob | Constant) -> int:
        """Return the bytes that a constant takes where it is stored.

        Raises:
            ModelError: As `read`.
        """
        try:
            if isinstance(value, Blob):
                return self._open(value).size_of(value)
            if value.type.dtype in ("string", "dictionary", "list", "tuple"):
                return _array(value.value).nbytes
            return stored_bytes(value.type)
        except (DamagedError, OSError) as failure:
            raise _damaged(self.path, str(failure)) from failure

    def description(self, name: str | None) -> FunctionDescription:
        """Return what a function takes and gives; of the default one where None.

        Raises:
            ConfigError: There is none of that name.
        """
        wanted = name or self.default_function
        if wanted not in self.functions:
            raise ConfigError(
                f"the package describes no function {wanted!r}",
                hint=f"it has: {', '.join(sorted(self.functions))}",
            )
        return self.functions[wanted]

    @property
    def parameters(self) -> int:
        """Values in all constants that lie in the weights file, as many as they stand for when expanded."""
        counted: set[tuple[str, int]] = set()
        total = 0
        for function in self.program.functions.values():
            for operation in function.block.walk():
                total += _parameters(operation, counted)
        return total

    def _open(self, blob: Blob) -> Weights:
        if blob.file not in self._weights:
            if not blob.file.startswith(_MODEL_PATH):
                raise DamagedError(f"a constant lies in {blob.file!r:.80}, outside of the package")
            path = _inside(self._model.parent, blob.file.removeprefix(_MODEL_PATH))
            if not path.is_file():
                raise DamagedError(f"the weights file {blob.file.removeprefix(_MODEL_PATH)!r} is missing")
            self._weights[blob.file] = Weights(path)
        return self._weights[blob.file]

    def close(self) -> None:
        """Let go of the weights."""
        for weights in self._weights.values():
            weights.close()
        self._weights.clear()

    def __enter__(self) -> Package:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_package(path: Path | str) -> Package:
    """Open a package and check that all of it is there.

    Args:
        path: The `.mlpackage` folder.

    Raises:
        ModelError: It is missing, damaged, leads outside of itself, or holds no ML Program.
    """
    path = Path(path)
    _refuse_other_things(path)
    try:
        files = _files(path)
        model = _find_model(path)
        version, description, program = _read_model(model)
        package = Package(
            path=path,
            specification_version=version,
            minimum_deployment=DEPLOYMENT[version],
            functions=description.functions,
            default_function=description.default_function,
            metadata=description.metadata,
            program=program,
            files=tuple(files),
            size_bytes=sum(files.values()),
            _model=model,
        )
        _check(package)
    except DamagedError as failure:
        raise _damaged(path, str(failure)) from failure
    except OSError as failure:
        raise _damaged(path, failure.strerror or str(failure)) from failure
    return package


def _refuse_other_things(path: Path) -> None:
    if not path.exists():
        raise ModelError(f"{path} does not exist", hint=f"name a {SUFFIX} folder")
    if path.suffix == ".mlmodelc":
        raise ModelError(
            f"{path.name} is a compiled model",
            why="Xcode compiles a package into a form that only Core ML itself reads",
            hint=f"name the {SUFFIX} that it was compiled from",
        )
    if path.is_file():
        old = path.suffix == ".mlmodel"
        raise ModelError(
            f"{path.name} is {'a single-file .mlmodel' if old else 'a file'}, not a {SUFFIX} folder",
            why="that form holds models of the old neural-network type" if old else None,
            hint=_HINT,
        )


def _files(path: Path) -> dict[str, int]:
    found = {}
    for folder, folders, names in os.walk(path):
        for name in (*folders, *names):
            item = Path(folder) / name
            if item.is_symlink():
                raise DamagedError(f"{item.relative_to(path).as_posix()!r} is a link")
        for name in names:
            item = Path(folder) / name
            found[item.relative_to(path).as_posix()] = item.stat().st_size
            if len(found) > 10_000:
                raise DamagedError("it holds more than 10,000 files")
    return dict(sorted(found.items()))


def _find_model(path: Path) -> Path:
    manifest = path / _MANIFEST
    if not manifest.is_file():
        raise DamagedError(f"{_MANIFEST} is missing")
    if manifest.stat().st_size > _MAX_MANIFEST_BYTES:
        raise DamagedError(f"{_MANIFEST} has {manifest.stat().st_size:,} bytes")
    try:
        listed = json.loads(manifest.read_text("utf-8"))
        root = listed["itemInfoEntries"][listed["rootModelIdentifier"]]["path"]
    except (ValueError, RecursionError, LookupError, TypeError) as failure:
        raise DamagedError(f"{_MANIFEST} names no model ({type(failure).__name__})") from failure
    if not isinstance(root, str):
        raise DamagedError(f"{_MANIFEST} names no model")
    model = _inside(path / "Data", root)
    if not model.is_file():
        raise DamagedError(f"{_MANIFEST} names {root!r:.120}, which is missing")
    return model


def _inside(folder: Path, name: str) -> Path:
    """Return a path below a folder; links were refused before."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or "\0" in name:
        raise DamagedError(f"the path {name!r:.120} leads out of the package")
    return folder.joinpath(*parts)


def _read_model(model: Path) -> tuple[int, Any, Program]:
    size = model.stat().st_size
    if not 0 < size <= _MAX_PROGRAM_BYTES:
        raise DamagedError(f"{model.name} has {size:,} bytes")
    with model.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        message = Message(data, 0, size, Budget(size))
        version = message.number(1)
        for number, title in _OTHER_KINDS.items():
            if message.has(number):
                raise DamagedError(f"it holds {title}; only ML Programs (iOS 15 and newer) are read")
        if not message.has(502):
            raise DamagedError("it holds no ML Program")
        if version not in DEPLOYMENT:
            raise DamagedError(
                f"specification version {version}; {min(DEPLOYMENT)} to {max(DEPLOYMENT)} are known"
            )
        return version, parse_description(message.message(2)), parse_program(message.message(502))


def _check(package: Package) -> None:
    """Check that functions fit their description, and every constant its place in the weights file."""
    missing = sorted(set(package.functions) - set(package.program.functions))
    if missing:
        raise DamagedError(f"function {missing[0]!r} is described but not there")
    for function in package.program.functions.values():
        for operation in function.block.walk():
            for value in _constants(operation):
                if isinstance(value, Blob):
                    package._open(value).size_of(value)


def _constants(operation: Operation) -> list[Constant | Blob]:
    arguments = [item for group in operation.inputs.values() for item in group]
    return [
        item for item in (*arguments, *operation.attributes.values()) if isinstance(item, (Constant, Blob))
    ]


def _parameters(operation: Operation, counted: set[tuple[str, int]]) -> int:
    blobs = [item for item in _constants(operation) if isinstance(item, Blob)]
    fresh = [blob for blob in blobs if (blob.file, blob.offset) not in counted]
    counted.update((blob.file, blob.offset) for blob in blobs)
    if not fresh:
        return 0
    if operation.kind.startswith("constexpr_") and operation.outputs:
        return math.prod(size or 0 for size in operation.outputs[0].type.shape)
    return sum(math.prod(size or 0 for size in blob.type.shape) for blob in fresh)


def _array(value: Any) -> NDArray[Any]:
    if not isinstance(value, tuple):
        return np.asarray(value)
    # NumPy gives every text the room of the longest, and makes no array of arrays that differ in shape.
    forms = {(item.shape, item.dtype) if isinstance(item, np.ndarray) else None for item in value}
    if len(forms) == 1 and None not in forms:
        return np.stack(value)
    found = np.empty(len(value), object)
    for place, item in enumerate(value):
        found[place] = item
    return found


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(f"{path} is no Core ML package that can be read", why=why, hint=_HINT)
