from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.resources import data_folder
from edge_sdk.targets import Target, load_target, target_names

WANTED = {
    "host", "raspberry-pi-4", "raspberry-pi-5", "raspberry-pi-zero-2w", "jetson-orin-nano", "coral-dev-board",
    "imx8mp", "imx93", "rock-5b", "generic-aarch64", "generic-armv7", "generic-x86_64", "android", "ios",
    "ios-litert",
}  # fmt: skip


def test_the_promised_targets_are_there() -> None:
    assert set(target_names()) >= WANTED


@pytest.mark.parametrize("name", target_names())
def test_every_target_can_be_read_and_makes_sense(name: str) -> None:
    target = load_target(name)
    assert target.name == name
    assert target.title
    assert target.runtime.name in ("litert", "tflite-runtime", "coreml")
    assert Target.from_dict(target.to_dict()) == target
    assert target.recipes
    assert len(set(target.recipes)) == len(target.recipes)
    # The CPU is always the last rung; other rungs say where their library is. Core ML brings its own.
    if target.format == "mlpackage":
        assert target.delegates[-1].name == "cpu_only"
        assert all(rung.library is None for rung in target.delegates)
    else:
        assert target.delegates[-1].name == "xnnpack"
        assert all(rung.library and rung.library.startswith("/") for rung in target.delegates[:-1])
    if target.platform != "linux":
        assert (target.architecture, target.python, target.glibc) == ("any", None, None)
    # Packages: tflite-runtime is the only runtime for 32-bit Arm.
    assert (target.architecture == "armv7l") <= (target.runtime.name == "tflite-runtime")
    for version in (target.python, target.glibc):
        assert version is None or re.fullmatch(r"\d\.\d{1,2}", version)


@pytest.mark.parametrize("name", sorted(WANTED - {"host"}))
def test_every_board_names_its_sources(name: str) -> None:
    text = (data_folder("devices") / f"{name}.toml").read_text()
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    # A page, or the project whose wheels say it.
    assert "https://" in comments or "on PyPI" in comments, (
        f"devices/{name}.toml states facts without a source"
    )


@pytest.mark.parametrize("name", target_names())
def test_the_recipes_of_a_target_exist(name: str) -> None:
    recipes = pytest.importorskip("edge_sdk.quantize.recipe")
    assert set(load_target(name).recipes) <= set(recipes.recipe_names())


def test_an_unknown_target_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no target called 'raspberry-pi4'") as caught:
        load_target("raspberry-pi4")
    assert caught.value.hint == "did you mean 'raspberry-pi-4'?"
    for short, whole in (("jetson", "jetson-orin-nano"), ("imx8", "imx8mp"), ("hosts", "host")):
        with pytest.raises(ConfigError) as caught:
            load_target(short)
        assert caught.value.hint == f"did you mean {whole!r}?"
    for nothing in ("zzzzzz", "nosuch", "phone"):
        with pytest.raises(ConfigError) as caught:
            load_target(nothing)
        assert caught.value.hint == "edge targets", nothing


def own(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


GOOD = 'title = "Mine"\nplatform = "linux"\narchitecture = "aarch64"\n[runtime]\nname = "litert"\n'


def test_a_file_of_the_users_own_is_a_target(tmp_path: Path) -> None:
    target = load_target(own(tmp_path, GOOD))
    assert (target.name, target.title) == ("mine", "Mine")


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ('tytle = "x"\n' + GOOD, "unknown key 'tytle'", "'title'"),
        (GOOD + 'minimun_version = "1"\n', "runtime.*'minimun_version'", "'minimum_version'"),
        (GOOD + "[limits]\ncore = 1\n", "limits.*'core'", "'cores'"),
        (GOOD + '[[delegates]]\nname = "x"\nlibary = "/x"\n', "delegates.*'libary'", "'library'"),
        (GOOD.replace("linux", "windows"), "platform 'windows'", None),
        (GOOD.replace("aarch64", "sparc"), "architecture 'sparc'", None),
        (GOOD.replace('"litert"', "5"), "runtime.name: expected str", None),
        ("title = ", "not valid TOML", None),
        ("", "is missing", None),
    ],
)
def test_a_slip_in_a_target_file_is_named(tmp_path: Path, text: str, said: str, hint: str | None) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        load_target(own(tmp_path, text))
    if hint:
        assert hint in (caught.value.hint or "")


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_target(str(tmp_path / "none.toml"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_target(str(tmp_path / "folder.toml"))
    (tmp_path / "latin.toml").write_bytes(b"title = '\xe9'")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_target(str(tmp_path / "latin.toml"))
