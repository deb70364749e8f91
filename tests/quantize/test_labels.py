"""Labels of several parts and of different lengths, through the loading of data."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from edge_sdk.errors import ConfigError
from edge_sdk.pipeline.samples import LABELS_FILE, collect
from edge_sdk.quantize.calibration import load_samples
from edge_sdk.quantize.labels import stack_labels
from edge_sdk.validate.metrics import read_labels

FEATURES = TensorSpec(name="features", dtype="float32", shape=(None, 2))
SIGNATURE = Signature(name="serving_default", inputs=(FEATURES,), outputs=())
CONTRACT = Contract(signatures=(SIGNATURE,), default_signature="serving_default")


def test_parts_of_a_file_become_fields_and_arrive_with_the_metric(tmp_path: Path) -> None:
    boxes = np.arange(6 * 3 * 4, dtype=np.float32).reshape(6, 3, 4)
    classes = np.arange(18).reshape(6, 3)
    np.savez(tmp_path / "data.npz", features=np.zeros((6, 2), np.float32), y_boxes=boxes, y_classes=classes)
    arguments = {
        "spec": str(tmp_path / "data.npz"),
        "contract": CONTRACT.to_dict(),
        "limit": 3,
        "labels": True,
    }
    assert collect({**arguments, "folder": str(tmp_path)})["has_labels"]
    labels = read_labels(tmp_path / LABELS_FILE)
    np.testing.assert_array_equal(labels["boxes"], boxes[::2])
    np.testing.assert_array_equal(labels["classes"], classes[::2])


def test_parts_must_have_one_entry_a_sample(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "data.npz",
        features=np.zeros((6, 2), np.float32),
        y_boxes=np.zeros((5, 3, 4)),
        y_classes=[[1]],
    )
    with pytest.raises(ConfigError) as caught:
        load_samples(str(tmp_path / "data.npz"), CONTRACT)
    assert caught.value.why == "features: 6, y_boxes: 5, y_classes: 1"


def test_a_function_gives_objects_of_different_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "detected.py").write_text(
        "import numpy as np\n"
        "def data():\n"
        "    for count in (2, 0, 3):\n"
        "        yield {'features': np.zeros(2, 'float32')}, {\n"
        "            'boxes': np.ones((count, 4), 'float32'), 'classes': list(range(count))}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    labels = load_samples("detected:data", CONTRACT).labels
    sys.modules.pop("detected")
    assert labels is not None
    assert labels["boxes"].shape == (3, 3, 4)
    assert labels["boxes"][1].tolist() == [[-1.0] * 4] * 3
    assert labels["classes"].tolist() == [[0, 1, -1], [-1, -1, -1], [0, 1, 2]]
    assert labels["classes"].dtype.kind == "i"


def test_sequences_are_filled_up_and_classes_stay_flat() -> None:
    assert stack_labels([[1, 2, 3], [4], []], "data").tolist() == [[1, 2, 3], [4, -1, -1], [-1, -1, -1]]
    assert stack_labels([np.array([[3]]), np.array([[1]])], "data").tolist() == [3, 1]
    assert stack_labels([3, 1], "data").tolist() == [3, 1]
    assert stack_labels([np.zeros((4, 5), np.uint8)] * 2, "data").shape == (2, 4, 5)
    assert stack_labels([np.array([250, 1], np.uint8), np.array([2], np.uint8)], "data").tolist()[1] == [
        2,
        -1,
    ]


@pytest.mark.parametrize(
    ("labels", "word"),
    [
        ([np.zeros((3, 4)), np.zeros((3, 5))], "another shape"),
        ([1, [2, 3]], "another shape"),
        ([object(), 1], "neither numbers nor text"),
        ([[1, [2, 3]], [1, 2]], "no array"),
        ([{"boxes": [1]}, {"classes": [1]}], "other parts than the first"),
        ([{"boxes": [1]}, 3], "other parts than the first"),
        ([3, {"boxes": [1]}], "other parts than the first"),
    ],
)
def test_labels_that_do_not_go_together(labels: list[object], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        stack_labels(labels, "data")
