"""Finds and loads a folder of pictures: `FOLDER/<label>/*`, or flat without labels."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.contract.preprocess import preprocess_image
from edge_sdk.contract.spec import ImagePreprocess
from edge_sdk.errors import ConfigError
from edge_sdk.progress import Progress, Step, silent

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


@dataclass(frozen=True)
class Pictures:
    """What a folder holds.

    Attributes:
        files: In order of label and name.
        labels: Label of each file, or None for a flat folder.
        label_names: Name of each label, by number; empty for a flat folder.
    """

    files: tuple[Path, ...]
    labels: tuple[int, ...] | None
    label_names: tuple[str, ...]


def find_pictures(folder: Path, known_labels: Sequence[str] = ()) -> Pictures:
    """Look through a folder; hidden files and other kinds of files are passed over.

    A folder's label is, in this order: its place in `known_labels` (the contract's, so the model's own
    numbers); its name, where all names are numbers; its place in alphabetical order.

    Raises:
        ConfigError: No pictures, pictures both beside and inside of label folders, or a folder whose name is
            no known label.
    """
    flat = _pictures_in(folder)
    inside = {
        child.name: _pictures_in(child)
        for child in sorted(folder.iterdir())
        if child.is_dir() and not child.name.startswith(".")
    }
    inside = {name: files for name, files in inside.items() if files}
    if flat and inside:
        raise ConfigError(
            f"{folder} has pictures both beside and inside of label folders",
            why=f"beside: {flat[0].name}, ...; label folders: {', '.join(list(inside)[:6])}",
            hint="put every picture into a label folder, or none",
        )
    if flat:
        return Pictures(tuple(flat), None, ())
    if not inside:
        raise ConfigError(
            f"{folder} holds no pictures",
            why="looked for " + ", ".join(f"*{suffix}" for suffix in SUFFIXES) + " there and in its folders",
        )
    numbers, names = _number(list(inside), known_labels, folder)
    ordered = sorted(inside, key=lambda name: numbers[name])
    files = [(file, numbers[name]) for name in ordered for file in inside[name]]
    return Pictures(tuple(file for file, _ in files), tuple(number for _, number in files), names)


def load_pictures(files: Sequence[Path], image: ImagePreprocess, progress: Progress = silent) -> NDArray[Any]:
    """Decode and preprocess pictures, several at a time, in order.

    Returns:
        float32[len(files), height, width, channels], or channels first, as the contract's layout says.

    Raises:
        ConfigError: A file is no picture, or is damaged; it is named.
    """
    tensors: NDArray[Any] | None = None
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        try:
            for index, tensor in enumerate(pool.map(lambda file: preprocess_image(file, image), files)):
                if tensors is None:
                    tensors = np.empty((len(files), *tensor.shape[1:]), np.float32)
                tensors[index] = tensor[0]
                if index % 10 == 0 or index + 1 == len(files):
                    progress(Step("samples", f"{len(files)} pictures", (index + 1) / len(files)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    assert tensors is not None, "find_pictures gives at least one"
    return tensors


def _pictures_in(folder: Path) -> list[Path]:
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
        )
    except OSError as failure:
        raise ConfigError(f"{folder} cannot be read", why=failure.strerror or str(failure)) from failure


def _number(folders: list[str], known: Sequence[str], where: Path) -> tuple[dict[str, int], tuple[str, ...]]:
    if known:
        places = {name: index for index, name in enumerate(known)}
        if all(name in places for name in folders):
            return {name: places[name] for name in folders}, tuple(known)
        if not _all_numbers(folders):
            stranger = next(name for name in folders if name not in places)
            near = difflib.get_close_matches(stranger, known, n=1)
            raise ConfigError(
                f"{where / stranger} is no label of the model",
                why=f"labels: {', '.join(known[:10])}{', ...' if len(known) > 10 else ''}",
                hint=f"did you mean {near[0]!r}?"
                if near
                else "name the folders as the labels, or 0, 1, 2...",
            )
    if _all_numbers(folders):
        numbers = {name: int(name) for name in folders}
        names = {number: name for name, number in numbers.items()}
        if known and max(names) < len(known):
            return numbers, tuple(known)
        return numbers, tuple(names.get(number, str(number)) for number in range(max(names) + 1))
    return {name: index for index, name in enumerate(sorted(folders))}, tuple(sorted(folders))


def _all_numbers(names: list[str]) -> bool:
    return all(re.fullmatch(r"\d{1,6}", name) for name in names)
