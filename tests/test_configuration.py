"""edge.toml: read, resolved, and every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.configuration import Budget, Configuration, find_configuration, read_configuration, read_labels
from edge_sdk.errors import ConfigError

FULL = """
labels = ["zero", "one"]

[model]
path = "digits_model"
name = "digits"
version = "1.2.0"

[build]
targets = ["host", "my/board.toml"]
recipes = ["float32", "full_int8"]
calibration = "calibration.npz"
evaluation = "data:samples"
out = "build"
timeout_seconds = 900
threads = 2

[input.image]
image = { height = 28, width = 28, color = "gray", scale = 0.00392156862745098 }

[output.scores]
activation = "softmax"
top_k = 3

[budget]
min_agreement = 0.95
max_size_bytes = 1000000

[push]
boards = ["porch"]
"""


def write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "edge.toml"
    path.write_text(text)
    return path


def test_everything_is_read_and_paths_are_resolved(tmp_path: Path) -> None:
    found = read_configuration(write(tmp_path / "project", FULL))
    folder = tmp_path / "project"
    assert found.model.path == str(folder / "digits_model")
    assert found.build.targets == ("host", str(folder / "my/board.toml"))
    assert found.build.calibration == str(folder / "calibration.npz")
    assert found.build.evaluation == "data:samples"
    assert found.build.timeout_seconds == 900.0
    assert found.labels == ("zero", "one")
    image = found.input["image"].image
    assert image is not None
    assert (image.height, image.color) == (28, "gray")
    assert found.output["scores"].top_k == 3
    assert found.budget.as_numbers() == {"min_agreement": 0.95, "max_size_bytes": 1000000.0}
    assert found.push.boards == ("porch",)


def test_no_file_is_an_empty_configuration(tmp_path: Path) -> None:
    assert find_configuration() == Configuration()
    assert Budget().as_numbers() == {}
    write(tmp_path, "[model]\npath = 'm.keras'\n")
    assert find_configuration().model.path == "m.keras"
    with pytest.raises(ConfigError, match="does not exist"):
        find_configuration(Path("other.toml"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[model]\npaht = 'm'", ("unknown key [model] 'paht'", "did you mean 'path'?")),
        ("[modle]\npath = 'm'", ("unknown key 'modle'", "did you mean 'model'?")),
        ("calibration = 'x.npz'", ("unknown key 'calibration'", "it belongs under [build]")),
        ("[input.image]\nimage = { height = 1, width = 1, colour = 'rgb' }", ("'colour'", "'color'")),
        ("[input.image.image]\nheight = 1", ("input.image.image.width is missing",)),
        ("[output.y]\nactivation = 'relu'", ("activation is 'relu'", "none, softmax, sigmoid")),
        ("[output.y]\ntopk = 3", ("[output.y] 'topk'", "'top_k'")),
        ("[build]\nrecipes = 'float32'", ("build.recipes: expected a list",)),
        ("[build\n", ("not valid TOML",)),
    ],
)
def test_every_mistake_is_named(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_configuration(write(tmp_path, text))
    for word in words:
        assert word in str(caught.value)
    assert "edge.toml" in str(caught.value)


def test_labels_from_a_list_or_a_file(tmp_path: Path) -> None:
    assert read_labels(("a", "b")) == ("a", "b")
    (tmp_path / "labels.txt").write_text("cat\n dog \nünder\n\n", "utf-8")
    assert read_labels(tmp_path / "labels.txt") == ("cat", "dog", "ünder")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe")
    for name in ("bad.txt", "none.txt"):
        with pytest.raises(ConfigError, match="labels file"):
            read_labels(str(tmp_path / name))
