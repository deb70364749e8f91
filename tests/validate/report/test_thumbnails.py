"""Samples as small pictures."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.contract.spec import Contract, ImagePreprocess, Preprocess, Signature, TensorSpec
from edge_sdk.validate.report.sections.answers import is_picture
from edge_sdk.validate.report.thumbnails import make


def request(
    folder: Path, samples: np.ndarray, image: ImagePreprocess | None = None, **more: Any
) -> dict[str, Any]:
    np.savez(folder / "samples.npz", x=samples)
    spec = TensorSpec(name="x", dtype=samples.dtype.name, shape=(1, *samples.shape[1:]))
    contract = Contract(
        signatures=(Signature(name="serve", inputs=(spec,), outputs=()),),
        default_signature="serve",
        preprocess={} if image is None else {"x": Preprocess(image=image)},
    )
    return {"samples": str(folder / "samples.npz"), "contract": contract.to_dict(), "indices": [0, 1], **more}


def pixels(uri: str) -> np.ndarray:
    from PIL import Image

    assert is_picture(uri)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))


def test_preprocessing_is_undone(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (2, 20, 30, 3)).astype(np.float32)
    image = ImagePreprocess(
        height=20, width=30, color="bgr", scale=1 / 255, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)
    )
    value = (picture[..., ::-1] / 255 - np.float32([0.5, 0.4, 0.3])) / np.float32([0.2, 0.3, 0.4])
    made = make(request(tmp_path, value.astype(np.float32), image))
    assert sorted(made) == ["0", "1"]
    np.testing.assert_array_equal(pixels(made["1"]), picture[1].astype(np.uint8))


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_without_a_contract_the_usual_scales_are_known(tmp_path: Path, low: float, high: float) -> None:
    shade = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 16, 16, 1)
    values = np.concatenate([shade, shade]) * (high - low) + low
    made = make(request(tmp_path, values.astype(np.float32)))
    np.testing.assert_allclose(pixels(made["0"]).ravel(), np.arange(256), atol=1)


@pytest.mark.parametrize(
    "shape", [(28, 28), (28, 28, 1), (1, 28, 28), (3, 28, 28), (28, 28, 4), (1, 28, 28, 3)]
)
def test_shapes_of_pictures_are_told(tmp_path: Path, shape: tuple[int, ...]) -> None:
    made = make(request(tmp_path, np.zeros((2, *shape), np.uint8)))
    assert pixels(made["0"]).shape[:2] == (28, 28)


def test_a_large_picture_becomes_small(tmp_path: Path) -> None:
    made = make(request(tmp_path, np.zeros((2, 100, 400, 3), np.float32), size=64))
    assert pixels(made["0"]).shape == (16, 64, 3)


def test_a_row_of_values_becomes_a_curve(tmp_path: Path) -> None:
    wave = np.sin(np.linspace(0, 20, 4000, dtype=np.float32))
    drawn = pixels(make(request(tmp_path, np.stack([wave, wave])))["0"])
    assert drawn.shape == (48, 96)
    assert np.all((drawn < 100).any(axis=0))
    np.testing.assert_array_equal(
        drawn < 100, pixels(make(request(tmp_path, np.stack([wave] * 2)[..., None]))["0"]) < 100
    )


@pytest.mark.parametrize("shape", [(), (4,), (5, 2, 7, 3), (2, 2), (9, 9, 5)])
def test_what_is_no_picture_gives_nothing(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert make(request(tmp_path, np.zeros((2, *shape), np.float32))) == {}


def test_text_broken_numbers_and_indices_beyond_the_end_do_no_harm(tmp_path: Path) -> None:
    assert make(request(tmp_path, np.array(["a", "b"]))) == {}
    values = np.full((2, 9, 9), np.nan, np.float32)
    assert sorted(make(request(tmp_path, values, indices=[0, 7, -1]))) == ["0"]
