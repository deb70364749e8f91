"""Loads samples, by the one rule that holds for `--calibration`, `--evaluation` and `--train`.

- a `.npz` whose arrays are named after the model's inputs, first axis = samples (one array `x` will do for a
  model with one input); labels are called `y`, or `y_<part>` where they have parts;
- a folder of pictures (`FOLDER/<label>/*.jpg|png`, or flat), decoded by the contract's preprocessing;
- `module:function`, which returns an iterable of `{input: array}`, or of `({input: array}, label)`.

For an input that the contract calls a picture, uint8 pixels are preprocessed too, wherever they come from.
Everything is checked against the default signature before anybody computes with it: names, dtypes, shapes,
NaN and infinity. Nothing is converted silently. Pickled arrays are never read.

With a limit, the samples are taken evenly over the whole set, because sets are often sorted by class.
"""

from __future__ import annotations

import hashlib
import itertools
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.bundle.digest import sha256_of
from edge_sdk.contract.preprocess import preprocess_image
from edge_sdk.contract.spec import Contract, ImagePreprocess, Signature
from edge_sdk.errors import ConfigError, SignatureMismatchError
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.quantize.functions import function_file, import_function, is_function
from edge_sdk.quantize.labels import LABELS, PART, join_parts, stack_labels, take_labels
from edge_sdk.quantize.pictures import find_pictures, load_pictures
from edge_sdk.quantize.samples import misfits

#: Name of the single array that a model with one input may use.
ANY_INPUT = "x"
#: A function that has not ended by then is taken for endless.
MAX_FUNCTION_SAMPLES = 10_000


@dataclass(frozen=True)
class Samples:
    """Checked samples.

    Attributes:
        inputs: By input name; first axis = samples. A sample has the input's rank, or lacks the batch axis.
        labels: One per sample, or None where the data has none; see `edge_sdk.quantize.labels`.
        label_names: Class names that the data itself brings (folder names), by label; empty otherwise.
        source: What the user named.
        sha256: Of the data as it was found: the file, the chosen pictures, or the function's source file.
    """

    inputs: dict[str, NDArray[Any]]
    labels: NDArray[Any] | None
    label_names: tuple[str, ...]
    source: str
    sha256: str

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(next(iter(self.inputs.values())))


def load_samples(
    spec: str,
    contract: Contract,
    *,
    limit: int | None = None,
    need_labels: bool = False,
    progress: Progress = silent,
) -> Samples:
    """Load and check samples for the default signature.

    Args:
        spec: A `.npz`, a folder, or "module:function" (which runs the user's code: call this in a worker).
        contract: Whose default signature and preprocessing count.
        limit: At most so many.
        need_labels: Refuse data without labels.
        progress: Gets stage "samples".

    Raises:
        ConfigError: Missing, unreadable or empty data, a picture that cannot be decoded, NaN, no labels.
        SignatureMismatchError: Names, dtypes or shapes do not fit; expected and given side by side.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"the limit of samples is {limit}", why="it must be 1 or more")
    path = Path(spec)
    if path.is_dir():
        found = _from_folder(path, contract, limit, progress)
    elif path.is_file():
        found = _from_npz(path, contract, limit, progress)
    elif is_function(spec):
        found = _from_function(spec, contract, limit, progress)
    else:
        raise ConfigError(
            f"{spec} does not exist",
            why="data is a .npz file, a folder of pictures, or module:function",
        )
    _check(found, contract.signature, spec)
    if need_labels and found.labels is None:
        raise ConfigError(
            f"{spec} has no labels",
            why="accuracy can only be measured against known answers",
            hint=f"in a .npz name the labels {LABELS!r}; put pictures into FOLDER/<label>/; "
            "let a function return (inputs, label)",
        )
    return found


def _from_npz(path: Path, contract: Contract, limit: int | None, progress: Progress) -> Samples:
    progress(Step("samples", f"reading {path.name}"))
    names = [item.name for item in contract.signature.inputs]
    arrays = _read_npz(path)
    parts = {name: np.atleast_1d(values) for name, values in take_labels(arrays, names).items()}
    if len(names) == 1 and set(arrays) == {ANY_INPUT}:
        arrays = {names[0]: arrays[ANY_INPUT]}
    scalars = [name for name, array in arrays.items() if array.ndim == 0]
    if scalars:
        raise ConfigError(f"{path}: {', '.join(scalars)} is a single number", why="first axis = samples")
    lengths = {name: len(array) for name, array in arrays.items()}
    lengths |= {name if name == LABELS else PART + name: len(values) for name, values in parts.items()}
    if len(set(lengths.values())) > 1:
        raise ConfigError(
            f"{path}: the arrays hold different numbers of samples",
            why=", ".join(f"{name}: {length}" for name, length in lengths.items()),
        )
    chosen = _evenly(next(iter(lengths.values()), 0), limit)
    arrays = {name: array[chosen] for name, array in arrays.items()}
    labels = join_parts({name: values[chosen] for name, values in parts.items()})
    return Samples(_preprocessed(arrays, contract, progress), labels, (), str(path), sha256_of(path))


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    if not zipfile.is_zipfile(path):
        raise ConfigError(
            f"{path} cannot be read as .npz",
            why="it is no archive of named arrays, or is cut off",
            hint="np.savez('samples.npz', INPUT=array)",
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except ValueError as failure:
        if "pickle" in str(failure).lower():
            raise ConfigError(
                f"{path} holds pickled objects, which are never read",
                why="reading a pickle runs whatever code it names",
                hint="save plain arrays of one shape: np.savez('samples.npz', INPUT=np.stack(list))",
            ) from failure
        raise ConfigError(f"{path} cannot be read as .npz", why=str(failure)) from failure
    except (OSError, EOFError, zipfile.BadZipFile, KeyError, zlib.error) as failure:
        raise ConfigError(f"{path} cannot be read as .npz", why=str(failure)) from failure
    strangers = [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]
    if strangers:
        raise ConfigError(f"{path} cannot be read as .npz", why=f"{strangers[0]!r} is not an array")
    return arrays


def _from_folder(folder: Path, contract: Contract, limit: int | None, progress: Progress) -> Samples:
    name, image = _picture_input(contract, folder)
    pictures = find_pictures(folder, contract.labels)
    chosen = _evenly(len(pictures.files), limit)
    files = [pictures.files[index] for index in chosen]
    labels = None if pictures.labels is None else np.asarray([pictures.labels[index] for index in chosen])
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(folder).as_posix()}\0{sha256_of(file)}\n".encode())
    tensors = load_pictures(files, image, progress)
    return Samples({name: tensors}, labels, pictures.label_names, str(folder), digest.hexdigest())


def _picture_input(contract: Contract, folder: Path) -> tuple[str, ImagePreprocess]:
    pictures = {name: rule.image for name, rule in contract.preprocess.items() if rule.image is not None}
    inputs = [item.name for item in contract.signature.inputs]
    if len(inputs) == 1 and len(pictures) == 1:
        return next(iter(pictures.items()))
    if len(inputs) > 1:
        raise ConfigError(
            f"a folder of pictures ({folder}) cannot feed a model with several inputs",
            why="inputs: " + ", ".join(inputs),
            hint="give a .npz with one array per input, or module:function",
        )
    raise ConfigError(
        f"how do the pictures in {folder} become input {inputs[0]!r}?",
        why="the contract has no preprocessing for it, and a wrong guess gives wrong answers, not errors",
        hint=f"say it in edge.toml:  [input.{inputs[0]}]  "
        "image = { height = 224, width = 224, scale = 0.00392156862745098 }",
    )


def _from_function(spec: str, contract: Contract, limit: int | None, progress: Progress) -> Samples:
    progress(Step("samples", f"calling {spec}"))
    given = import_function(spec)()
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise ConfigError(
            f"{spec} returned {type(given).__name__}",
            why="expected an iterable of {input name: array}, one item per sample",
        )
    columns: dict[str, list[NDArray[Any]]] = {}
    labels: list[Any] = []
    cap = MAX_FUNCTION_SAMPLES + 1 if limit is None else limit
    for index, (values, label) in enumerate(_items(itertools.islice(given, cap), contract, spec)):
        if index == MAX_FUNCTION_SAMPLES and limit is None:
            raise ConfigError(f"{spec} did not end after {index:,} samples", hint="let it return fewer")
        if index % 20 == 0:
            progress(Step("samples", f"{index} from {spec}"))
        if columns and set(columns) != set(values):
            raise ConfigError(
                f"{spec}: sample {index} has other names",
                why=f"the first had {', '.join(columns)}; this one {', '.join(values)}",
            )
        for name, value in values.items():
            columns.setdefault(name, []).append(value)
        labels += [] if label is None else [label]
    if labels and len(labels) != len(next(iter(columns.values()))):
        raise ConfigError(f"{spec} gave a label with some samples and none with others")
    arrays = {name: _stack(name, values, spec) for name, values in columns.items()}
    source = function_file(spec)
    digest = hashlib.sha256(f"{spec}\0{sha256_of(source) if source else ''}".encode()).hexdigest()
    return Samples(
        _preprocessed(arrays, contract, progress),
        stack_labels(labels, spec) if labels else None,
        (),
        spec,
        digest,
    )


def _items(
    given: Iterator[Any], contract: Contract, spec: str
) -> Iterator[tuple[dict[str, NDArray[Any]], Any]]:
    inputs = {item.name: item for item in contract.signature.inputs}
    for index, item in enumerate(given):
        values, label = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
        if not isinstance(values, Mapping):
            if len(inputs) > 1 or not hasattr(values, "shape"):
                raise ConfigError(
                    f"{spec}: sample {index} is {type(values).__name__}",
                    why="expected {input name: array}, or ({input name: array}, label)",
                )
            values = {next(iter(inputs)): values}
        sample = {}
        for name, value in values.items():
            array = np.asarray(value)
            shape = inputs[name].shape if name in inputs else None
            # A batch of one and its only sample are the same thing; store the shorter form.
            whole = shape is not None and array.ndim == len(shape) and array.shape[:1] == (1,)
            sample[str(name)] = array[0] if whole and shape is not None and shape[0] in (1, None) else array
        yield sample, label


def _stack(name: str, values: list[NDArray[Any]], spec: str) -> NDArray[Any]:
    kinds = {(value.dtype.name, value.shape) for value in values}
    if len(kinds) > 1:
        raise ConfigError(
            f"{spec}: input {name!r} differs from sample to sample",
            why=", ".join(f"{dtype}{list(shape)}" for dtype, shape in sorted(kinds, key=str)[:4]),
            hint="samples of one shape and dtype are needed",
        )
    return np.stack(values)


def _preprocessed(
    arrays: dict[str, NDArray[Any]], contract: Contract, progress: Progress
) -> dict[str, NDArray[Any]]:
    """Turn uint8 pixels into tensors, for inputs that the contract calls pictures."""
    result = dict(arrays)
    for name, array in arrays.items():
        rule = contract.preprocess.get(name)
        takes_pixels = any(item.name == name and item.dtype == "uint8" for item in contract.signature.inputs)
        if rule is None or rule.image is None or array.dtype != np.uint8 or takes_pixels:
            continue
        tensors = []
        for index, pixels in enumerate(array):
            if index % 20 == 0:
                progress(Step("samples", "preprocessing pixels", index / len(array)))
            tensors.append(preprocess_image(pixels, rule.image)[0])
        result[name] = np.stack(tensors) if tensors else array.astype(np.float32)
    return result


def _check(found: Samples, signature: Signature, spec: str) -> None:
    if not found.inputs or found.count == 0:
        raise ConfigError(f"{spec} holds no samples", hint="a few hundred typical inputs are a good number")
    rows = misfits(signature, found.inputs)
    if rows:
        hint = None
        if any(given.startswith("float64") and want.startswith("float32") for _, want, given in rows):
            hint = "convert it: array.astype('float32')"
        elif any(given.startswith("uint8") and want.startswith("float32") for _, want, given in rows):
            hint = "scale it as the model was trained, or describe it under [input.NAME] image in edge.toml"
        raise SignatureMismatchError(rows, subject=f"{spec} (shapes per sample)", hint=hint)
    for name, array in found.inputs.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
            raise ConfigError(
                f"{spec}: input {name!r} holds NaN or infinity in {int(bad.sum())} of {len(array)} samples",
                why=f"the first is sample {int(np.argmax(bad))}",
                hint="such values spoil every range and metric; remove these samples",
                not_finite={
                    "input": name,
                    "samples": int(bad.sum()),
                    "of": len(array),
                    "first": int(np.argmax(bad)),
                },
            )


def _evenly(count: int, limit: int | None) -> list[int]:
    if limit is None or limit >= count:
        return list(range(count))
    return [index * count // limit for index in range(limit)]
