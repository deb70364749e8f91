from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from edge_sdk.errors import ConfigError
from edge_sdk.runtime.inputs import read_inputs
from tests.runtime.conftest import image_contract

TWO = Signature(
    name="serving_default",
    inputs=(
        TensorSpec(name="features", dtype="float32", shape=(None, 3)),
        TensorSpec(name="kind", dtype="int32", shape=(1,)),
    ),
    outputs=(),
)
ONE = Signature(name="serving_default", inputs=TWO.inputs[:1], outputs=())
X = np.arange(6, dtype=np.float32).reshape(2, 3)


def read(files: list[str], values: list[str] | None = None, signature: Signature = TWO) -> dict[str, Any]:
    contract = Contract(signatures=(signature,), default_signature="serving_default")
    return read_inputs(files, values or [], signature, contract)


def test_npy_by_content_whatever_its_name(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    blob = (tmp_path / "x.npy").rename(tmp_path / "0a1b2c")
    np.testing.assert_array_equal(read([f"features={blob}"])["features"], X)
    np.testing.assert_array_equal(read([str(blob)], signature=ONE)["features"], X)


def test_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "both.npz", features=X, kind=np.array([1], np.int32))
    assert set(read([str(tmp_path / "both.npz")])) == {"features", "kind"}
    np.savez(tmp_path / "x.npz", x=X)
    np.testing.assert_array_equal(read([str(tmp_path / "x.npz")], signature=ONE)["features"], X)


def test_json_and_values(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(X.tolist()))
    found = read([f"features={tmp_path / 'x.json'}"], ["kind=[2]"])
    assert found == {"features": X.tolist(), "kind": [2]}


def test_raw_bytes_of_the_right_size(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(X.tobytes())
    np.testing.assert_array_equal(read([f"features={tmp_path / 'x.bin'}"])["features"], X)


def test_a_picture_stays_bytes(tmp_path: Path, picture: Path) -> None:
    contract = image_contract()
    blob = picture.rename(tmp_path / "3c4d")
    assert read_inputs([str(blob)], [], contract.signature, contract) == {"image": blob.read_bytes()}


def test_numbers_for_a_picture_input_are_the_ready_tensor(tmp_path: Path) -> None:
    contract = image_contract()
    tensor = np.full((1, 16, 16, 3), 0.5, np.float32)
    (tmp_path / "image.json").write_text(json.dumps(tensor.tolist()))
    found = read_inputs([str(tmp_path / "image.json")], [], contract.signature, contract)
    np.testing.assert_array_equal(found["image"], tensor)


def test_a_file_name_may_hold_an_equals_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("a=b.npy", X)
    np.testing.assert_array_equal(read(["a=b.npy"], signature=ONE)["features"], X)


@pytest.mark.parametrize(
    ("files", "values", "words"),
    [
        (["features=none.npy"], [], "none.npy cannot be read"),
        (["x.npy"], [], "which input is x.npy"),
        (["features=x.npy", "features=x.npy"], [], "given twice"),
        (["features=cut.npy"], [], "damaged .npy"),
        (["cut.npz"], [], "damaged .npz"),
        (["features=bad.json"], [], "not JSON"),
        (["features=odd.bin"], [], "not a raw"),
        (["features=pickled.npy"], [], "damaged .npy"),
        ([], ["features"], "NAME=JSON is expected"),
        ([], ["features=[1,"], "not JSON"),
    ],
)
def test_refusals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], values: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    np.save("pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    Path("cut.npy").write_bytes(Path("x.npy").read_bytes()[:-3])
    np.savez("cut.npz", features=X)
    Path("cut.npz").write_bytes(Path("cut.npz").read_bytes()[:-30])
    Path("bad.json").write_text("[1, 2")
    Path("odd.bin").write_bytes(b"\x01" * 7)
    with pytest.raises(ConfigError, match=words):
        read(files, values)
