from __future__ import annotations

from typing import Any

import pytest

from edge_sdk.contract.spec import Contract, ImagePreprocess, Postprocess, Signature, TensorSpec
from edge_sdk.errors import ConfigError


@pytest.mark.parametrize(
    "change",
    [
        {"color": "cmyk"},
        {"resize": "cubic"},
        {"fit": "zoom"},
        {"orientation": "up"},
        {"layout": "hwc"},
        {"mean": (1.0, 2.0)},
        {"std": (0.0,)},
        {"std": (1.0, 1.0)},
        {"color": "gray", "mean": (1.0, 2.0, 3.0)},
        {"crop_fraction": 0.0},
        {"crop_fraction": 1.1},
        {"height": 0},
        {"width": -1},
    ],
)
def test_image_rules_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ImagePreprocess(**{"height": 2, "width": 2, **change})


def test_a_contract_with_everything_survives_plain_data() -> None:
    spec = TensorSpec(name="x", dtype="float32", shape=(None, 3))
    contract = Contract(
        signatures=(
            Signature(name="s", inputs=(spec,), outputs=(TensorSpec(name="y", dtype="int8", shape=None),)),
        ),
        default_signature="s",
        postprocess={"y": Postprocess(activation="softmax", top_k=3)},
        labels=("a",),
    )
    assert Contract.from_dict(contract.to_dict()) == contract
    assert contract.signature.input("x") is spec
    assert contract.signature.output("y").shape is None
    assert str(spec) == "float32[?,3]"
    assert str(contract.signature.output("y")) == "int8[?]"


def test_a_missing_signature_is_named() -> None:
    contract = Contract(signatures=(Signature(name="s", inputs=(), outputs=()),), default_signature="t")
    with pytest.raises(ConfigError, match="no signature called 't'"):
        _ = contract.signature


@pytest.mark.parametrize("change", [{"activation": "relu"}, {"top_k": 0}])
def test_output_rules_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Postprocess(**change)
