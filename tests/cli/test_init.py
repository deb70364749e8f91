"""`edge init` writes a file that `edge build` reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_sdk.configuration import find_configuration
from tests.cli.test_command_contract import edge


def test_a_picture_input_is_guessed_and_the_rest_is_explained(models: Path, tmp_path: Path) -> None:
    done = edge("init", str(models / "conv_float.tflite"))
    assert done.returncode == 0, done.stderr
    assert "wrote edge.toml" in done.stdout
    found = find_configuration()
    assert found.model.path is not None
    assert Path(found.model.path).resolve() == (models / "conv_float.tflite").resolve()
    assert found.model.name == "conv_float"
    assert found.build.targets == ("host",)
    image = found.input["image"].image
    assert image is not None
    assert (image.height, image.width, image.color, image.layout) == (16, 16, "rgb", "nhwc")
    assert image.scale == pytest.approx(1 / 255)
    text = (tmp_path / "edge.toml").read_text()
    assert "scaling" in text
    assert "TODO" not in text
    assert "[output.probabilities]" in text
    assert max(map(len, text.splitlines())) <= 160


def test_every_line_that_is_a_comment_can_be_used(models: Path, tmp_path: Path) -> None:
    edge("init", str(models / "conv_float.tflite"))
    lines = (tmp_path / "edge.toml").read_text().splitlines()
    settings = [line.removeprefix("# ") for line in lines]
    useful = [line for line in settings if line.startswith("[") or (" = " in line and line.split()[1] == "=")]
    (tmp_path / "edge.toml").write_text("\n".join(useful))
    found = find_configuration()
    assert found.budget.max_size_bytes == 1_000_000
    assert found.output["probabilities"].top_k == 3
    assert found.push.boards == ("porch",)


def test_integer_pictures_and_plain_tensors(models: Path) -> None:
    assert edge("init", str(models / "conv_int8.tflite")).returncode == 0
    assert list(find_configuration().input) == ["image"]
    assert edge("init", str(models / "two_inputs.tflite"), "--force").returncode == 0
    assert not find_configuration().input


def test_an_existing_file_is_left_alone(models: Path, tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text("# mine\n")
    done = edge("init", str(models / "conv_float.tflite"))
    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert (tmp_path / "edge.toml").read_text() == "# mine\n"
    assert edge("init", str(models / "conv_float.tflite"), "--force").returncode == 0
    assert "[model]" in (tmp_path / "edge.toml").read_text()


def test_json_and_the_model_in_another_folder(models: Path, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    done = edge(
        "init",
        str(models / "conv_float.tflite"),
        "--config",
        "project/edge.toml",
        "-t",
        "coral-dev-board",
        "--json",
    )
    document = json.loads(done.stdout)
    assert document["path"] == "project/edge.toml"
    assert document["targets"] == ["coral-dev-board"]
    assert document["pictures"] == ["image"]
    found = find_configuration(Path("project/edge.toml"))
    assert found.model.path is not None
    assert Path(found.model.path).exists()


@pytest.mark.parametrize(
    ("arguments", "code"), [(("missing.keras",), 3), (("edge.toml",), 3), (("x.tflite", "-t", "hots"), 2)]
)
def test_bad_input(arguments: tuple[str, ...], code: int, tmp_path: Path) -> None:
    done = edge("init", *arguments)
    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "edge.toml").exists()


def test_a_function_is_named_without_running_it(tmp_path: Path) -> None:
    (tmp_path / "training.py").write_text("raise SystemExit('executed')\ndef make(): ...\n")
    done = edge("init", "training:make")
    assert done.returncode == 0, done.stderr
    found = find_configuration()
    assert found.model.path == "training:make"
    assert found.model.name == "make"
