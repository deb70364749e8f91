"""The step cache: whole or absent, and never believed without a check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.errors import ConfigError, ConversionError
from edge_sdk.pipeline.cache import StepCache
from edge_sdk.progress import Step

INPUTS = {"source": "ab" * 32, "recipe": {"bits": 8}}


class Work:
    """A step that counts how often it is done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, folder: Path) -> dict[str, Any]:
        self.done += 1
        (folder / "model.tflite").write_bytes(b"weights" * 100)
        return {"size": 700, "shape": (1, 2)}


@pytest.fixture
def steps() -> list[Step]:
    return []


@pytest.fixture
def cache(tmp_path: Path, steps: list[Step]) -> StepCache:
    return StepCache(tmp_path / "cache", steps.append)


def test_a_step_is_done_once(cache: StepCache) -> None:
    work = Work()
    first = cache.make("quantize", INPUTS, work)
    second = cache.make("quantize", INPUTS, work)
    assert work.done == 1
    assert (first.reused, second.reused) == (False, True)
    assert first.value == second.value == {"size": 700, "shape": [1, 2]}
    assert second.file("model.tflite").read_bytes() == b"weights" * 100
    with pytest.raises(KeyError):
        second.file("other.tflite")


def test_folders_are_kept_and_checked_to_the_last_file(cache: StepCache) -> None:
    def work(folder: Path) -> dict[str, Any]:
        weights = folder / "model.mlpackage" / "Data" / "weights"
        weights.mkdir(parents=True)
        (weights / "weight.bin").write_bytes(b"weights")
        (folder / "model.mlpackage" / "Manifest.json").write_bytes(b"{}")
        return {}

    made = cache.make("convert", INPUTS, work)
    assert sorted(made.digests) == [
        "model.mlpackage/Data/weights/weight.bin",
        "model.mlpackage/Manifest.json",
    ]
    package = made.file("model.mlpackage")
    assert package.is_dir()
    with pytest.raises(KeyError):
        made.file("model")
    assert cache.make("convert", INPUTS, work).reused
    (package / "Data/weights/weight.bin").write_bytes(b"other")
    again = cache.make("convert", INPUTS, work)
    assert not again.reused
    assert (again.file("model.mlpackage") / "Data/weights/weight.bin").read_bytes() == b"weights"


@pytest.mark.parametrize("changed", [{"source": "cd" * 32}, {"recipe": {"bits": 4}}, {"more": None}])
def test_any_changed_input_is_another_step(cache: StepCache, changed: dict[str, Any]) -> None:
    work = Work()
    cache.make("quantize", INPUTS, work)
    cache.make("quantize", {**INPUTS, **changed}, work)
    cache.make("convert", INPUTS, work)
    assert work.done == 3


def test_the_order_of_inputs_does_not_matter(cache: StepCache) -> None:
    work = Work()
    cache.make("quantize", INPUTS, work)
    cache.make("quantize", dict(reversed(INPUTS.items())), work)
    assert work.done == 1


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_every_flipped_byte_of_an_entry_is_found(cache: StepCache) -> None:
    work = Work()
    entry = cache.make("quantize", INPUTS, work)
    for name in ("model.tflite", "entry.json"):
        size = (entry.folder / name).stat().st_size
        for at in range(0, size, 7):
            before = (entry.folder / name).read_bytes()
            flip(entry.folder / name, at)
            found = cache.find("quantize", INPUTS)
            if found is not None:  # a blank of the JSON text: the content is the same
                assert name == "entry.json"
                assert found.value == entry.value
                assert found.digests == entry.digests
                (entry.folder / name).write_bytes(before)
                continue
            assert not entry.folder.exists()
            cache.make("quantize", INPUTS, work)


@pytest.mark.parametrize("name", ["model.tflite", "entry.json"])
def test_a_missing_or_truncated_file_is_made_again(cache: StepCache, steps: list[Step], name: str) -> None:
    work = Work()
    entry = cache.make("quantize", INPUTS, work)
    (entry.folder / name).unlink()
    cache.make("quantize", INPUTS, work)
    (entry.folder / name).write_bytes(b"")
    assert cache.make("quantize", INPUTS, work).reused is False
    assert work.done == 3
    assert [step.stage for step in steps] == ["cache", "cache"]
    assert "made again" in steps[0].message


@pytest.mark.parametrize("failure", [ConversionError("no"), KeyboardInterrupt()])
def test_a_step_that_fails_or_is_interrupted_leaves_nothing(cache: StepCache, failure: BaseException) -> None:
    def work(folder: Path) -> dict[str, Any]:
        (folder / "half.tflite").write_bytes(b"half")
        raise failure

    with pytest.raises(type(failure)):
        cache.make("quantize", INPUTS, work)
    assert [path for path in cache.folder.rglob("*") if path.is_file()] == []


def test_two_builds_at_once_agree_on_the_first(cache: StepCache) -> None:
    other = Work()

    def work(folder: Path) -> dict[str, Any]:
        cache.make("quantize", INPUTS, other)
        (folder / "model.tflite").write_bytes(b"weights" * 100)
        return {"size": 700, "shape": [1, 2]}

    entry = cache.make("quantize", INPUTS, work)
    assert entry.reused
    assert entry.value == {"size": 700, "shape": [1, 2]}


def test_sweep_removes_what_dead_builds_left_and_nothing_else(cache: StepCache) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for pid in (dead.pid, os.getpid()):
        part = cache.folder / "unfinished" / f"{pid}-aa"
        part.mkdir(parents=True)
        (part / "half.tflite").write_bytes(b"half")
    cache.sweep()
    assert [path.name for path in (cache.folder / "unfinished").iterdir()] == [f"{os.getpid()}-aa"]


def test_a_folder_that_cannot_be_made_is_a_setting_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigError, match="cannot be written"):
        StepCache(tmp_path / "file" / "cache").make("quantize", INPUTS, Work())
