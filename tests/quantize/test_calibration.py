from __future__ import annotations

import io
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_sdk.contract.spec import Contract, ImagePreprocess, Preprocess, Signature, TensorSpec
from edge_sdk.errors import ConfigError, SignatureMismatchError
from edge_sdk.quantize.calibration import load_samples
from edge_sdk.quantize.samples import iterate_feeds


def contract(
    *inputs: TensorSpec, image: ImagePreprocess | None = None, labels: tuple[str, ...] = ()
) -> Contract:
    signature = Signature(
        name="serving_default",
        inputs=inputs,
        outputs=(TensorSpec(name="scores", dtype="float32", shape=(None, 2)),),
    )
    rules = {inputs[0].name: Preprocess(image=image)} if image else {}
    return Contract(
        signatures=(signature,), default_signature="serving_default", preprocess=rules, labels=labels
    )


FEATURES = TensorSpec(name="features", dtype="float32", shape=(None, 3))
KIND = TensorSpec(name="kind", dtype="int32", shape=(1,))
IMAGE = TensorSpec(name="image", dtype="float32", shape=(None, 4, 6, 3))
SCALED = ImagePreprocess(height=4, width=6, scale=1 / 255)


def save(path: Path, **arrays: object) -> str:
    np.savez(path, **arrays)
    return str(path)


def rows(count: int = 5) -> np.ndarray:
    return np.arange(count * 3, dtype=np.float32).reshape(count, 3)


class TestNpz:
    def test_arrays_by_input_name(self, tmp_path: Path) -> None:
        path = save(tmp_path / "s.npz", features=rows(), kind=np.arange(5, dtype=np.int32), y=np.arange(5))
        found = load_samples(path, contract(FEATURES, KIND), need_labels=True)
        assert found.count == 5
        assert found.labels is not None
        assert found.labels.tolist() == [0, 1, 2, 3, 4]
        feeds = list(iterate_feeds(contract(FEATURES, KIND).signature, found.inputs))
        assert [feed["features"].shape for feed in feeds] == [(1, 3)] * 5
        assert feeds[2]["kind"].tolist() == [2]
        assert len(found.sha256) == 64

    def test_x_is_enough_for_one_input(self, tmp_path: Path) -> None:
        found = load_samples(save(tmp_path / "s.npz", x=rows()), contract(FEATURES))
        assert list(found.inputs) == ["features"]

    def test_x_is_not_enough_for_two(self, tmp_path: Path) -> None:
        with pytest.raises(SignatureMismatchError):
            load_samples(save(tmp_path / "s.npz", x=rows()), contract(FEATURES, KIND))

    def test_an_input_called_y_is_an_input(self, tmp_path: Path) -> None:
        spec = TensorSpec(name="y", dtype="float32", shape=(None, 3))
        found = load_samples(save(tmp_path / "s.npz", y=rows()), contract(spec))
        assert list(found.inputs) == ["y"]
        assert found.labels is None

    def test_a_limit_takes_samples_evenly(self, tmp_path: Path) -> None:
        path = save(tmp_path / "s.npz", features=rows(10), y=np.arange(10))
        found = load_samples(path, contract(FEATURES), limit=5)
        assert found.labels is not None
        assert found.labels.tolist() == [0, 2, 4, 6, 8]
        assert found.inputs["features"][1].tolist() == [6, 7, 8]

    def test_pixels_are_preprocessed(self, tmp_path: Path) -> None:
        pixels = np.full((2, 8, 12, 3), 255, np.uint8)
        found = load_samples(save(tmp_path / "s.npz", image=pixels), contract(IMAGE, image=SCALED))
        assert found.inputs["image"].shape == (2, 4, 6, 3)
        np.testing.assert_allclose(found.inputs["image"], 1.0, rtol=1e-6)

    @pytest.mark.parametrize(
        ("arrays", "row"),
        [
            ({"feature": rows()}, ["features", "float32[3]", "nothing"]),
            ({"feature": rows()}, ["feature", "no such input", "float32[3]"]),
            ({"features": rows().astype(np.float64)}, ["features", "float32[3]", "float64[3]"]),
            ({"features": rows()[:, :2]}, ["features", "float32[3]", "float32[2]"]),
            ({"features": rows()[..., None]}, ["features", "float32[3]", "float32[3,1]"]),
        ],
    )
    def test_what_does_not_fit_is_shown_beside_what_is_expected(
        self, arrays: dict[str, np.ndarray], row: list[str], tmp_path: Path
    ) -> None:
        with pytest.raises(SignatureMismatchError) as caught:
            load_samples(save(tmp_path / "s.npz", **arrays), contract(FEATURES))
        assert row in caught.value.details["rows"]

    def test_float64_gets_the_cure(self, tmp_path: Path) -> None:
        with pytest.raises(SignatureMismatchError, match=r"astype\('float32'\)"):
            load_samples(save(tmp_path / "s.npz", features=rows().astype(np.float64)), contract(FEATURES))

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_nan_and_infinity_are_refused(self, value: float, tmp_path: Path) -> None:
        bad = rows()
        bad[3, 1] = value
        with pytest.raises(ConfigError) as caught:
            load_samples(save(tmp_path / "s.npz", features=bad), contract(FEATURES))
        assert "'features' holds NaN or infinity in 1 of 5 samples" in caught.value.what
        assert caught.value.why == "the first is sample 3"

    @pytest.mark.parametrize(
        ("arrays", "message"),
        [
            ({"features": rows(0)}, "holds no samples"),
            ({}, "holds no samples"),
            ({"features": rows(), "kind": np.arange(4, dtype=np.int32)}, "different numbers of samples"),
            ({"features": rows(), "y": np.arange(4)}, "different numbers of samples"),
            ({"features": np.float32(1)}, "single number"),
            ({"features": np.array([{"a": 1}, None], dtype=object)}, "pickled objects, which are never read"),
        ],
    )
    def test_useless_files_are_refused(self, arrays: dict[str, object], message: str, tmp_path: Path) -> None:
        inputs = (FEATURES, KIND) if "kind" in arrays else (FEATURES,)
        with pytest.raises(ConfigError, match=message):
            load_samples(save(tmp_path / "s.npz", **arrays), contract(*inputs))

    def test_labels_that_are_missing_are_asked_for(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="has no labels"):
            load_samples(save(tmp_path / "s.npz", features=rows()), contract(FEATURES), need_labels=True)

    def test_files_that_are_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "text.npz").write_text("hello")
        np.save(tmp_path / "one.npy", rows())
        whole = io.BytesIO()
        np.savez(whole, features=rows())
        (tmp_path / "cut.npz").write_bytes(whole.getvalue()[:-40])
        with zipfile.ZipFile(tmp_path / "zip.npz", "w") as archive:
            archive.writestr("features.npy", b"no array")
        for name in ("text.npz", "one.npy", "cut.npz", "zip.npz", "missing.npz"):
            with pytest.raises(ConfigError, match=name.replace(".", r"\.")):
                load_samples(str(tmp_path / name), contract(FEATURES))


class TestPictures:
    def picture(self, path: Path, value: int, size: tuple[int, int] = (12, 8)) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (value, value, value)).save(path)

    def test_folders_are_labels(self, tmp_path: Path) -> None:
        for index, label in enumerate(["dog", "cat", "cat"]):
            self.picture(tmp_path / "set" / label / f"{index}.png", index * 10)
        (tmp_path / "set" / "notes.txt").write_text("not a picture")
        steps = []
        found = load_samples(
            str(tmp_path / "set"), contract(IMAGE, image=SCALED), need_labels=True, progress=steps.append
        )
        assert found.labels is not None
        assert found.labels.tolist() == [0, 0, 1]
        assert found.label_names == ("cat", "dog")
        assert found.inputs["image"].shape == (3, 4, 6, 3)
        np.testing.assert_allclose(found.inputs["image"][:, 0, 0, 0] * 255, [10, 20, 0], atol=1e-4)
        assert steps[-1].fraction == 1.0

    def test_the_models_labels_give_the_numbers(self, tmp_path: Path) -> None:
        for label in ("cat", "dog"):
            self.picture(tmp_path / "set" / label / "a.jpg", 1)
        model = contract(IMAGE, image=SCALED, labels=("bird", "dog", "cat"))
        found = load_samples(str(tmp_path / "set"), model, need_labels=True)
        assert found.labels is not None
        assert found.labels.tolist() == [1, 2]
        self.picture(tmp_path / "set" / "dgo" / "a.jpg", 1)
        with pytest.raises(ConfigError) as caught:
            load_samples(str(tmp_path / "set"), model)
        assert caught.value.hint == "did you mean 'dog'?"

    def test_folders_that_are_numbers_are_taken_as_such(self, tmp_path: Path) -> None:
        for label in (10, 2, 0):
            self.picture(tmp_path / "set" / str(label) / "a.png", label)
        found = load_samples(str(tmp_path / "set"), contract(IMAGE, image=SCALED))
        assert found.labels is not None
        assert found.labels.tolist() == [0, 2, 10]
        assert found.label_names[10] == "10"

    def test_a_flat_folder_has_no_labels(self, tmp_path: Path) -> None:
        self.picture(tmp_path / "set" / "b.png", 2)
        self.picture(tmp_path / "set" / "a.JPEG", 1)
        found = load_samples(str(tmp_path / "set"), contract(IMAGE, image=SCALED))
        assert found.labels is None
        assert found.inputs["image"][0, 0, 0, 0] < found.inputs["image"][1, 0, 0, 0]
        with pytest.raises(ConfigError, match="has no labels"):
            load_samples(str(tmp_path / "set"), contract(IMAGE, image=SCALED), need_labels=True)

    def test_the_digest_is_of_the_content(self, tmp_path: Path) -> None:
        self.picture(tmp_path / "set" / "a.png", 1)
        before = load_samples(str(tmp_path / "set"), contract(IMAGE, image=SCALED)).sha256
        assert before == load_samples(str(tmp_path / "set"), contract(IMAGE, image=SCALED)).sha256
        self.picture(tmp_path / "set" / "a.png", 2)
        assert before != load_samples(str(tmp_path / "set"), contract(IMAGE, image=SCALED)).sha256

    def test_refusals(self, tmp_path: Path) -> None:
        empty = tmp_path / "empty"
        (empty / "inner").mkdir(parents=True)
        (empty / "inner" / "readme.txt").write_text("nothing")
        with pytest.raises(ConfigError, match="holds no pictures"):
            load_samples(str(empty), contract(IMAGE, image=SCALED))
        mixed = tmp_path / "mixed"
        self.picture(mixed / "a.png", 1)
        self.picture(mixed / "cat" / "b.png", 1)
        with pytest.raises(ConfigError, match="both beside and inside"):
            load_samples(str(mixed), contract(IMAGE, image=SCALED))
        broken = tmp_path / "broken"
        self.picture(broken / "a.png", 1)
        (broken / "b.png").write_bytes((broken / "a.png").read_bytes()[:50])
        with pytest.raises(ConfigError, match=r"b\.png"):
            load_samples(str(broken), contract(IMAGE, image=SCALED))
        with pytest.raises(ConfigError) as caught:
            load_samples(str(mixed), contract(IMAGE))
        assert "[input.image]" in (caught.value.hint or "")
        with pytest.raises(ConfigError, match="several inputs"):
            load_samples(str(mixed), contract(IMAGE, KIND, image=SCALED))


class TestFunction:
    @pytest.fixture(autouse=True)
    def module(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        name = f"data_{tmp_path.name}"
        (tmp_path / f"{name}.py").write_text(
            textwrap.dedent("""
            import itertools
            import numpy as np
            def row(i): return np.full((1, 3), i, np.float32)
            def plain(): return ({"features": row(i)} for i in range(4))
            def labelled(): return [({"features": row(i)[0]}, i % 2) for i in range(4)]
            def bare(): return [row(i) for i in range(4)]
            def endless(): return ({"features": row(i)} for i in itertools.count())
            def uneven(): return [{"features": np.zeros(n, np.float32)} for n in (3, 4)]
            def renamed(): return [{"features": row(0)}, {"feature": row(0)}]
            def nothing(): return []
            def number(): return 5
            def mapping(): return {"features": row(0)}
            def half(): return [({"features": row(0)}, 1), {"features": row(1)}]
            def strings(): return ["a", "b"]
            value = 3
        """)
        )
        self.name = name
        monkeypatch.syspath_prepend(str(tmp_path))

    @pytest.mark.parametrize("function", ["plain", "labelled", "bare"])
    def test_samples_with_or_without_batch_axis_and_labels(self, function: str) -> None:
        found = load_samples(
            f"{self.name}:{function}", contract(FEATURES), need_labels=function == "labelled"
        )
        assert found.inputs["features"].shape == (4, 3)
        assert (found.labels is not None) == (function == "labelled")
        assert len(found.sha256) == 64

    def test_an_endless_one_needs_a_limit(self) -> None:
        assert load_samples(f"{self.name}:endless", contract(FEATURES), limit=7).count == 7
        with pytest.raises(ConfigError, match="did not end after 10,000 samples"):
            load_samples(f"{self.name}:endless", contract(FEATURES))

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            ("uneven", "differs from sample to sample"),
            ("renamed", "has other names"),
            ("nothing", "holds no samples"),
            ("number", "returned int"),
            ("mapping", "returned dict"),
            ("half", "a label with some samples"),
            ("strings", "sample 0 is str"),
            ("value", "no function called 'value'"),
            ("absent", "no function called 'absent'"),
        ],
    )
    def test_refusals(self, function: str, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            load_samples(f"{self.name}:{function}", contract(FEATURES))

    def test_no_such_module(self) -> None:
        with pytest.raises(ConfigError, match="no module called 'nowhere_at_all'"):
            load_samples("nowhere_at_all:data", contract(FEATURES))
