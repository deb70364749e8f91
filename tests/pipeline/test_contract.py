"""What the user says about the model must fit the model."""

from __future__ import annotations

from typing import Any

import pytest

from edge_sdk.contract.spec import (
    ImagePreprocess,
    Postprocess,
    Preprocess,
    Quantization,
    Signature,
    TensorSpec,
)
from edge_sdk.errors import ConfigError
from edge_sdk.pipeline.contract import as_promised, make_contract

IMAGE = TensorSpec(name="image", dtype="float32", shape=(None, 28, 28, 1))
COUNT = TensorSpec(name="count", dtype="int32", shape=(None, 1))
SCORES = TensorSpec(name="scores", dtype="float32", shape=(None, 10))
SIGNATURE = Signature(name="serve", inputs=(IMAGE, COUNT), outputs=(SCORES,))


def picture(**changes: Any) -> dict[str, Preprocess]:
    return {
        "image": Preprocess(image=ImagePreprocess(**{"height": 28, "width": 28, "color": "gray", **changes}))
    }


def make(**changes: Any) -> Any:
    arguments = {"inputs": picture(), "outputs": {}, "labels": (), **changes}
    return make_contract((SIGNATURE,), "serve", **arguments)


def test_a_contract_that_fits() -> None:
    contract = make(outputs={"scores": Postprocess(top_k=3)}, labels=tuple("0123456789"))
    assert contract.signature == SIGNATURE
    assert contract.labels[9] == "9"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": {"imgae": Preprocess()}}, ("no input called 'imgae'", "did you mean 'image'")),
        ({"outputs": {"score": Postprocess()}}, ("no output called 'score'", "did you mean 'scores'")),
        ({"inputs": picture(height=32)}, ("does not fit", "float32[?,28,28,1]", "float32[1,32,28,1]")),
        ({"inputs": picture(color="rgb")}, ("float32[1,28,28,3]",)),
        ({"inputs": picture(layout="nchw")}, ("float32[1,1,28,28]",)),
        ({"inputs": {"count": picture()["image"]}}, ("this input is int32",)),
        ({"labels": ("a", "b")}, ("2 labels", "scores float32[?,10]")),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        make(**changes)
    for word in words:
        assert word in str(caught.value)


def test_callers_of_an_integer_file_see_real_numbers() -> None:
    scale = Quantization(scales=(0.5,), zero_points=(3,))
    stored = Signature(
        name="serve",
        inputs=(TensorSpec(name="image", dtype="int8", shape=(1, 4), quantization=scale), COUNT),
        outputs=(SCORES,),
    )
    promised = as_promised([stored])[0]
    assert promised.inputs[0] == TensorSpec(name="image", dtype="float32", shape=(1, 4))
    assert promised.inputs[1] == COUNT
