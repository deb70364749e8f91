"""Finds out what the user's model is, from its content, and refuses early what can never be converted.

    model = open_model("exported/")           Model(kind="saved_model", ...)
    model = open_model("train:build_model")   Model(kind="function", ...)

Every refusal here is static: bytes are read, nothing of the model is loaded, imported or executed, and
TensorFlow is not needed. So a wrong file costs the user a fraction of a second, not a minute of conversion.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib.machinery
import re
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.errors import ModelError
from edge_sdk.model.keras_file import HDF5_MARK, ZIP_MARK, read_keras, string_inputs
from edge_sdk.model.saved_model import SavedModelInfo, not_a_saved_model, read_saved_model
from edge_sdk.model.tflite_file import TFLiteFile, read_tflite
from edge_sdk.model.tflite_schema import IDENTIFIER

KINDS = ("saved_model", "keras", "h5", "tflite", "function", "bundle", "mlpackage")

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_CHUNK = 2**20

#: What a file of another kind is, by suffix, and what to do with it.
_OTHERS = {
    ".onnx": ("an ONNX model", "give the TensorFlow or Keras model that it was exported from"),
    ".pt": ("a PyTorch file", "export the model to a SavedModel or .tflite first"),
    ".pth": ("a PyTorch file", "export the model to a SavedModel or .tflite first"),
    ".mlmodel": ("a Core ML model", "give the TensorFlow or Keras model that it was converted from"),
    ".npz": ("a NumPy archive", "give the model; data goes to --calibration or --evaluation"),
    ".py": ("a Python file", "name the function in it that returns the model: edge build module:function"),
    ".index": (
        "part of a checkpoint",
        "load it into the model in Python and write it with model.export(...)",
    ),
}


@dataclass(frozen=True)
class Model:
    """A source model. It is only ever read.

    Attributes:
        kind: One of `KINDS`.
        location: What the user typed: a path, or "module:function".
        path: The file or directory; the module's source file for a function.
        name: A name for what is built from it; usable as part of a file name.
    """

    kind: str
    location: str
    path: Path | None
    name: str

    def sha256(self) -> str:
        """Return the digest that changes whenever the model changes.

        A file: of its content. A directory: of the lines "digest  relative/path", sorted by path, hidden
        files left out. A function: of its module's source file and its name; what the function reads by
        itself (weights, other modules) is not covered.
        """
        if self.path is None:
            return hashlib.sha256(self.location.encode()).hexdigest()
        if self.kind == "function":
            name = self.location.partition(":")[2]
            return hashlib.sha256(f"{_file_sha256(self.path)}  {name}\n".encode()).hexdigest()
        if self.path.is_file():
            return _file_sha256(self.path)
        digest = hashlib.sha256()
        for file in sorted(
            self.path.rglob("*"), key=lambda file: file.relative_to(self.path or file).as_posix()
        ):
            relative = file.relative_to(self.path)
            if file.is_file() and not any(part.startswith(".") for part in relative.parts):
                digest.update(f"{_file_sha256(file)}  {relative.as_posix()}\n".encode())
        return digest.hexdigest()


def open_model(text: str | Path, *, check: bool = True) -> Model:
    """Return what kind of model the user named.

    Args:
        text: Path, or "module:function".
        check: Also refuse, as `check_model` does, what can never be converted.

    Raises:
        ModelError: It does not exist, is no model, is damaged, or (with `check`) cannot be converted.
    """
    location = str(text)
    path = Path(text)
    if path.is_dir():
        model = _open_folder(location, path)
    elif path.exists():
        model = Model(_kind_of(path), location, path, _name(path))
    elif isinstance(text, str) and _FUNCTION.fullmatch(text):
        return Model("function", location, _module_file(text), _clean(text.partition(":")[2]))
    else:
        raise _missing(path)
    if check:
        check_model(model)
    return model


def check_model(model: Model) -> None:
    """Refuse a model that can never be converted; functions and bundles pass.

    Raises:
        ModelError: It is damaged, holds weights only, holds code or custom classes, has no signature, or
            takes text.
    """
    problems: list[ModelError] = []
    if model.path is None:
        return
    if model.kind == "mlpackage":
        raise ModelError(
            f"{model.location} is a Core ML package already",
            why="nothing converts one back into a TensorFlow model",
            hint="edge inspect shows it; build from the SavedModel, .keras or .h5 that it was made from",
        )
    if model.kind == "saved_model":
        problems = saved_model_problems(read_saved_model(model.path))
    elif model.kind in ("keras", "h5"):
        problems = list(read_keras(model.path).problems)
    elif model.kind == "tflite":
        problems = tflite_problems(read_tflite(model.path), model.location)
    if problems:
        raise problems[0]


def saved_model_problems(info: SavedModelInfo) -> list[ModelError]:
    """Return why a SavedModel can never be converted; empty where it may be."""
    problems = []
    if not info.signatures:
        problems.append(
            ModelError(
                f"{info.path} has no signature",
                why="a conversion starts from named inputs and outputs",
                hint="save it again with tf.saved_model.save(model, folder, signatures=...), "
                "or with Keras: model.export(folder)",
            )
        )
    if info.serving.variables and not info.has_variables:
        problems.append(
            ModelError(
                f"{info.path} has no weights",
                why=f"it has {len(info.serving.variables)} variables, but no variables/variables.index",
                hint="copy the whole directory, or export the model again",
            )
        )
    for signature in info.signatures:
        texts = [spec.name for spec in signature.inputs if spec.dtype == "string"]
        if texts:
            problems.append(string_inputs(str(info.path), f"signature {signature.name!r}", texts))
    if info.serving.incomplete:
        problems.append(
            ModelError(
                f"{info.path} takes or gives tensors that are no plain arrays: "
                + ", ".join(info.serving.incomplete[:6]),
                why="TFLite has no sparse or ragged tensors in a signature",
                hint="convert them to dense tensors inside the model and save it again",
            )
        )
    return problems


def tflite_problems(file: TFLiteFile, name: str) -> list[ModelError]:
    """Return why a .tflite file cannot be used; empty where it can."""
    found = []
    for signature in file.signatures:
        texts = [spec.name for spec in signature.inputs if spec.dtype == "string"]
        if texts:
            found.append(
                string_inputs(name, f"signature {signature.name!r}" if signature.name else "the model", texts)
            )
    return found


def _open_folder(location: str, path: Path) -> Model:
    if (path / "saved_model.pb").is_file():
        return Model("saved_model", location, path, _name(path))
    if (path / "manifest.json").is_file() and (path / "release.json").is_file():
        return Model("bundle", location, path, _name(path))
    if path.suffix == ".mlpackage" or ((path / "Manifest.json").is_file() and (path / "Data").is_dir()):
        return Model("mlpackage", location, path, _name(path))
    if path.suffix == ".mlmodelc":
        raise ModelError(
            f"{path} is a compiled Core ML model",
            why="Xcode compiles a package into a form that only Core ML itself reads",
            hint="name the .mlpackage that it was compiled from",
        )
    raise not_a_saved_model(path)


def _kind_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            mark = stream.read(16)
    except OSError as failure:
        raise ModelError(f"{path} cannot be read", why=failure.strerror or str(failure)) from failure
    if mark[4:8] == IDENTIFIER:
        return "tflite"
    if mark.startswith(HDF5_MARK):
        return "h5"
    if mark.startswith(ZIP_MARK):
        return _kind_of_zip(path)
    if path.name == "saved_model.pb":
        raise ModelError(f"{path} is one file of a SavedModel", hint=f"give the directory: {path.parent}")
    what, hint = _OTHERS.get(path.suffix.lower(), (None, None))
    why = f"it is {what}" if what else "it is empty" if not mark else f"it starts with {mark[:8]!r}"
    raise ModelError(
        f"{path} is not a model that edge can read",
        why=why,
        hint=hint or "give a SavedModel directory, a .keras, .h5 or .tflite file, or module:function",
    )


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as failure:
        if path.suffix == ".edge":
            return "bundle"  # its own reader says what is wrong with it
        raise ModelError(
            f"{path} is damaged", why=f"it starts like a ZIP file, but: {failure}", hint="copy it again"
        ) from failure
    if "manifest.json" in names or path.suffix == ".edge":
        return "bundle"
    if "config.json" in names or "model.weights.h5" in names:
        return "keras"
    folders = sorted(name for name in names if name.endswith("saved_model.pb"))
    raise ModelError(
        f"{path} is not a model that edge can read",
        why="it is a ZIP file without config.json (Keras) or manifest.json (bundle)",
        hint="unpack it and give the SavedModel directory inside" if folders else None,
    )


def _missing(path: Path) -> ModelError:
    near: list[str] = []
    with contextlib.suppress(OSError):
        near = difflib.get_close_matches(path.name, [item.name for item in path.parent.iterdir()], n=1)
    return ModelError(
        f"{path} does not exist",
        hint=f"did you mean {path.with_name(near[0])}?"
        if near
        else "give a SavedModel directory, a .keras, .h5 or .tflite file, or module:function",
    )


def _module_file(text: str) -> Path | None:
    """Return the source file of "module:function" without importing anything.

    Raises:
        ModelError: There is no such module.
    """
    module = text.partition(":")[0]
    search: list[str] | None = [str(Path.cwd()), *sys.path]
    spec = None
    parts = module.split(".")
    for depth in range(len(parts)):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[: depth + 1]), search)
        search = list(spec.submodule_search_locations or []) if spec else None
        if spec is None:
            raise ModelError(
                f"no module called {module!r}",
                why=f"looked in {Path.cwd()} and among the installed packages",
                hint="run edge from the folder that holds the file, or install the package",
            )
    origin = spec.origin if spec else None
    return Path(origin) if origin and Path(origin).is_file() else None


def _name(path: Path) -> str:
    resolved = path.resolve()
    name = resolved.name if resolved.is_dir() else resolved.name.removesuffix(resolved.suffix)
    # TensorFlow Serving keeps models as NAME/VERSION.
    if resolved.is_dir() and name.isdigit() and resolved.parent.name:
        name = resolved.parent.name
    return _clean(name)


def _clean(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".-")[:80] or "model"


def _file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as failure:
        raise ModelError(f"{path} cannot be read", why=failure.strerror or str(failure)) from failure
    return digest.hexdigest()
