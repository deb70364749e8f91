"""Makes the packages of the tests: `python -m tests.convert.coreml.make_packages FOLDER NAME...`.

One process builds the source models and converts them all, because importing coremltools takes most of the
time. FOLDER/answers.json then has, by name, either {"value": ...} or {"error": ...} of `convert`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.update(
    TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", KERAS_BACKEND="tensorflow", TQDM_DISABLE="1"
)

from edge_sdk.contract.spec import Contract, ImagePreprocess, Postprocess, Preprocess
from edge_sdk.errors import EdgeError

LABELS = ("cat", "dog", "fish", "bird")
SERVING = "serving_default"


def save(folder: Path, function: Callable[..., Any], *specs: Any) -> None:
    """Save one function of tensors as the signature `serving_default`."""
    import tensorflow as tf

    module = tf.Module()
    module.function = tf.function(function, input_signature=list(specs))
    tf.saved_model.save(module, str(folder), signatures={SERVING: module.function})


def picture_model(folder: Path, *, dtype: str = "float32", channels: int = 3, first: bool = False) -> None:
    import numpy as np
    import tensorflow as tf

    kernel = tf.constant(np.random.default_rng(3).normal(size=(3, 3, channels, 4)).astype(np.float32) / 5)
    shape = (None, channels, 8, 10) if first else (None, 8, 10, channels)

    def call(picture: Any) -> dict[str, Any]:
        values = tf.cast(picture, tf.float32)
        values = tf.transpose(values, (0, 2, 3, 1)) if first else values
        values = tf.nn.conv2d(values, kernel, 1, "SAME")
        return {"scores": tf.reduce_mean(values, (1, 2))}

    save(folder, call, tf.TensorSpec(shape, dtype, name="picture"))


def text_model(folder: Path) -> None:
    import numpy as np
    import tensorflow as tf

    table = tf.constant(np.random.default_rng(4).normal(size=(50, 8)).astype(np.float32))

    def call(tokens: Any, mask: Any) -> dict[str, Any]:
        found = tf.gather(table, tokens) * mask[..., None]
        return {
            "mean": tf.reduce_sum(found, 1) / tf.reduce_sum(mask, 1, keepdims=True),
            "best": tf.argmax(tf.reduce_sum(found, 1), -1),
        }

    save(
        folder,
        call,
        tf.TensorSpec((None, None), tf.int64, name="tokens"),
        tf.TensorSpec((None, None), tf.float32, name="mask"),
    )


def hostile_model(folder: Path) -> None:
    """Names that Core ML cannot have, that are taken, or that it has a meaning of its own for."""
    import tensorflow as tf

    def call(first: Any, second: Any, third: Any) -> dict[str, Any]:
        return {
            "1st result: 50%": first + second,
            "fp16": first * 2.0,
            "first": second - third,  # also an input
            "mul": first - third,  # also an operation
            "classLabel": third * third,
            "../../etc/passwd\n": first * second,
            "x" * 300: third + 1.0,
        }

    module = tf.Module()
    specs = [tf.TensorSpec((1, 4), tf.float32, name=name) for name in ("first", "second", "third")]
    module.function = tf.function(call, input_signature=specs)
    tf.saved_model.save(module, str(folder), signatures={SERVING: module.function})


def edges_model(folder: Path) -> None:
    """A scalar, a flag, an input that nothing needs, and one value returned twice."""
    import tensorflow as tf

    def call(values: Any, factor: Any, flag: Any, useless: Any) -> dict[str, Any]:
        scaled = tf.where(flag, values * factor, values)
        return {"scaled": scaled, "again": scaled, "passed": values, "small": tf.cast(scaled, tf.uint8)}

    save(
        folder,
        call,
        tf.TensorSpec((2, 3), tf.float32, name="values"),
        tf.TensorSpec((), tf.float32, name="factor"),
        tf.TensorSpec((2, 3), tf.bool, name="flag"),
        tf.TensorSpec((None, 5), tf.float32, name="useless"),
    )


def keras_unsupported(path: Path) -> None:
    import keras

    @keras.saving.register_keras_serializable("tests")
    class Strange(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            import tensorflow as tf

            return tf.math.igamma(tf.nn.relu(inputs) + 1.0, tf.nn.relu(inputs) + 0.5)

    given = keras.Input((4,), name="features")
    hidden = keras.layers.Dense(3, name="before")(given)
    keras.Model(given, Strange(name="oddity")(hidden)).export(str(path), verbose=False)


def recurrent_model(folder: Path) -> None:
    """Both kinds of Keras' loops, and the exact GELU."""
    import keras

    keras.utils.set_random_seed(6)
    words = keras.Input((None,), dtype="int32", name="x")
    hidden = keras.layers.Embedding(50, 8)(words)
    both = [keras.layers.LSTM(6)(hidden), keras.layers.GRU(6, go_backwards=True)(hidden)]
    mixed = keras.layers.Dense(5, activation="gelu")(keras.layers.Concatenate()(both))
    keras.Model(words, mixed).export(str(folder), verbose=False)


def limited_loop(x: Any) -> Any:
    """Three rounds, or fewer where the sum is large before."""
    import tensorflow as tf

    return tf.while_loop(
        lambda y: tf.reduce_sum(y) < 100.0, lambda y: [y * 2.0 + 1.0], [x], maximum_iterations=3
    )[0]


def two_functions(folder: Path) -> None:
    import numpy as np
    import tensorflow as tf

    kernel = tf.constant(np.random.default_rng(5).normal(size=(64, 64)).astype(np.float32))
    encode = tf.function(
        lambda x: {"code": tf.matmul(x, kernel)}, input_signature=[tf.TensorSpec((None, 64), name="x")]
    )
    decode = tf.function(
        lambda code: {"x": tf.nn.relu(tf.matmul(code, kernel))},
        input_signature=[tf.TensorSpec((None, 64), name="code")],
    )
    tf.saved_model.save(tf.Module(), str(folder), signatures={"encode": encode, "decode": decode})


def simple(function: Callable[[Any], Any], shape: tuple[int | None, ...], dtype: str = "float32") -> Any:
    def build(folder: Path) -> None:
        import tensorflow as tf

        save(folder, lambda x: {"y": function(x)}, tf.TensorSpec(shape, dtype, name="x"))

    return build


def unsorted(x: Any) -> Any:
    import tensorflow as tf

    return tf.math.top_k(x, 2, sorted=False).values


def of_rank_six(x: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_max(tf.transpose(tf.reshape(x, (1, 2, 2, 2, 2, 2)), (0, 2, 1, 4, 3, 5)), 5)


def complex_output(x: Any) -> Any:
    import tensorflow as tf

    return tf.cast(x, tf.complex64)


#: Source models by name.
SOURCES: dict[str, Callable[[Path], None]] = {
    "picture": picture_model,
    "picture_uint8": lambda folder: picture_model(folder, dtype="uint8"),
    "picture_first": lambda folder: picture_model(folder, first=True),
    "picture_gray": lambda folder: picture_model(folder, channels=1),
    "text": text_model,
    "hostile": hostile_model,
    "edges": edges_model,
    "unsupported": keras_unsupported,
    "two": two_functions,
    "recurrent": recurrent_model,
    "loop": simple(limited_loop, (1, 3)),
    "unsorted": simple(unsorted, (1, 5)),
    "rank_six": simple(of_rank_six, (1, 32)),
    "complex": simple(complex_output, (1, 4)),
}


def contract(
    image: ImagePreprocess | None,
    labels: tuple[str, ...] = (),
    activation: str = "none",
    top_k: int | None = 1,
) -> dict[str, Any]:
    """Return a contract about `picture` and `scores`; the conversion reads no signatures from it."""
    given = Contract(
        signatures=(),
        default_signature=SERVING,
        preprocess={} if image is None else {"picture": Preprocess(image=image)},
        postprocess={"scores": Postprocess(activation=activation, top_k=top_k if labels else None)},
        labels=labels,
    )
    return given.to_dict()


def picture(**changes: Any) -> ImagePreprocess:
    """Return how a picture of the models above is prepared."""
    return ImagePreprocess(**{"height": 8, "width": 10, "mean": (127.5,), "std": (127.5,), **changes})


_PLAIN = {"mean": (0.0,), "std": (1.0,)}
#: (source, arguments) by name.
PACKAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("picture", {}),
    "plain_float32": ("picture", {"precision": "float32", "deployment_target": "iOS15"}),
    "image": (
        "picture",
        {
            "contract": contract(picture(mean=(127.5, 120.0, 100.0)), LABELS, "softmax"),
            "metadata": {
                "author": "Ada",
                "license": "MIT",
                "version": "1.2.0",
                "short_description": "Four animals",
                "source_sha256": "ab" * 32,
                "descriptions": {"scores": "One number an animal"},
            },
        },
    ),
    "image_bgr_first": ("picture_first", {"contract": contract(picture(layout="nchw", color="bgr"), LABELS)}),
    "image_uint8": ("picture_uint8", {"contract": contract(picture(**_PLAIN))}),
    "uint8": ("picture_uint8", {"contract": contract(picture())}),
    "image_gray": ("picture_gray", {"contract": contract(picture(color="gray", mean=(0.0,), std=(255.0,)))}),
    "image_off": ("picture", {"contract": contract(picture(), LABELS), "images": False, "classifier": False}),
    "shapes": (
        "text",
        {"shapes": {"tokens": [[1, 8], [1, 16]], "mask": [[1, 8], [1, 16]]}, "deployment_target": "iOS18"},
    ),
    "shapes_missing": ("text", {}),
    "hostile": ("hostile", {}),
    "edges": ("edges", {}),
    "unsupported": ("unsupported", {}),
    "two": ("two", {"signatures": ["decode", "encode"], "deployment_target": "iOS18"}),
    "two_too_old": ("two", {"signatures": ["decode", "encode"], "deployment_target": "iOS17"}),
    "one_of_two": ("two", {"signatures": ["decode"], "deployment_target": "iOS15"}),
    "unknown_signature": ("two", {"signatures": ["recode"]}),
    "unsorted_ios15": ("unsorted", {"deployment_target": "iOS15"}),
    "recurrent": ("recurrent", {"shapes": {"x": [[1, 7]]}, "precision": "float32"}),
    "loop": ("loop", {"precision": "float32"}),
    "rank_six": ("rank_six", {}),
    "complex": ("complex", {}),
    "float16_io": ("picture", {"cast_io_to_float32": False}),
}


#: Packages whose numbers are compared with TensorFlow's.
VALUES = (
    *("plain", "plain_float32", "image", "image_bgr_first", "image_uint8", "uint8", "image_gray"),
    *("shapes", "hostile", "edges", "two", "float16_io", "recurrent", "loop"),
)


def reference_labels(folder: Path) -> dict[str, Any]:
    """Return one program with labels twice: as coremltools adds them, and as we do."""
    import coremltools as ct
    import numpy as np
    from coremltools.converters.mil import Builder
    from google.protobuf.json_format import MessageToDict

    from edge_sdk.convert.coreml.specification import add_labels

    def program() -> Any:
        @Builder.program(input_specs=[Builder.TensorSpec(shape=(1, 4))], opset_version=ct.target.iOS16)
        def function(x: Any) -> Any:
            return Builder.softmax(x=Builder.mul(x=x, y=np.float32(2.0)), name="scores")

        return function

    options = {
        "convert_to": "mlprogram",
        "minimum_deployment_target": ct.target.iOS16,
        "compute_precision": ct.precision.FLOAT32,
        "skip_model_load": True,
    }
    theirs = ct.convert(program(), classifier_config=ct.ClassifierConfig(list(LABELS)), **options).get_spec()
    ours = ct.convert(program(), **options).get_spec()
    add_labels(ours, probabilities="scores", labels=LABELS, keep=False, taken=set())
    return {"theirs": MessageToDict(theirs), "ours": MessageToDict(ours)}


def finish_again(package: Path) -> tuple[str, str]:
    """Return a package's digest before and after it is finished once more."""
    from edge_sdk.bundle.digest import folder_digest
    from edge_sdk.model.coreml.canonical import finish_package

    before = folder_digest(package)
    finish_package(package)
    return before, folder_digest(package)


def facts(package: Path) -> dict[str, Any]:
    """Return what coremltools' own classes read from a package."""
    from coremltools.models import MLModel
    from google.protobuf.json_format import MessageToDict

    specification = MLModel(str(package), skip_model_load=True).get_spec()
    return {
        "description": MessageToDict(specification.description),
        "program": MessageToDict(specification.mlProgram),
        "version": specification.specificationVersion,
    }


def _prepared(pixels: Any, image: ImagePreprocess) -> Any:
    """Return what the contract makes of RGB pixels, or of gray ones."""
    import numpy as np

    ordered = pixels[..., ::-1] if image.color == "bgr" else pixels
    values = (ordered.astype(np.float64) * image.scale - np.array(image.mean)) / np.array(image.std)
    return values.transpose(0, 3, 1, 2) if image.layout == "nchw" else values


def feeds(name: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return (signature, inputs of the source, inputs of the package) of every call to compare."""
    import numpy as np

    random = np.random.default_rng(11)
    source, options = PACKAGES[name]
    if source.startswith("picture"):
        given = options.get("contract")
        channels = 1 if source == "picture_gray" else 3
        pixels = random.integers(0, 256, (1, 8, 10, channels)).astype(np.uint8)
        if given is None or options.get("images") is False:
            values = random.normal(size=pixels.shape).astype(np.float32)
            return [(SERVING, {"picture": values}, {"picture": values})]
        image = Contract.from_dict(given).preprocess["picture"].image
        assert image is not None
        if name == "uint8":
            return [(SERVING, {"picture": pixels}, {"picture": pixels.astype(np.int32)})]
        values = _prepared(pixels, image).astype(np.uint8 if source == "picture_uint8" else np.float32)
        return [(SERVING, {"picture": values}, {"picture": pixels})]
    if source == "text":
        calls = []
        for length in (8, 16):
            tokens = random.integers(0, 50, (1, length))
            mask = (np.arange(length)[None] < length - 3).astype(np.float32)
            calls.append(
                (
                    SERVING,
                    {"tokens": tokens, "mask": mask},
                    {"tokens": tokens.astype(np.int32), "mask": mask},
                )
            )
        return calls
    if source == "hostile":
        three = {key: random.normal(size=(1, 4)).astype(np.float32) for key in ("first", "second", "third")}
        return [(SERVING, three, three)]
    if source == "edges":
        values = random.uniform(0, 100, (2, 3)).astype(np.float32)
        flag = random.integers(0, 2, (2, 3)).astype(bool)
        useless = np.zeros((1, 5), np.float32)
        factor = np.float32(1.5)
        ours = {"values": values, "factor": factor.reshape(1), "flag": flag.astype(np.float32)}
        return [(SERVING, {"values": values, "factor": factor, "flag": flag, "useless": useless}, ours)]
    if source == "recurrent":
        words = random.integers(0, 50, (1, 7)).astype(np.int32)
        return [(SERVING, {"x": words}, {"x": words})]
    if source == "loop":
        starts = [np.full((1, 3), start, np.float32) for start in (0.5, 40.0, 20.0)]
        return [(SERVING, {"x": start}, {"x": start}) for start in starts]
    code = random.normal(size=(1, 64)).astype(np.float32)
    return [("encode", {"x": code}, {"x": code}), ("decode", {"code": code}, {"code": code})]


def write_references(folder: Path, name: str) -> None:
    """Write what goes into a package and what TensorFlow makes of it: NAME.N.npz for call N."""
    import numpy as np
    import tensorflow as tf

    functions = tf.saved_model.load(str(folder / "sources" / PACKAGES[name][0])).signatures
    for index, (signature, theirs, ours) in enumerate(feeds(name)):
        answers = functions[signature](**{key: tf.constant(value) for key, value in theirs.items()})
        arrays = {f"in {key}": value for key, value in ours.items()}
        arrays |= {f"out {key.encode().hex()}": value.numpy() for key, value in answers.items()}
        np.savez(folder / "references" / f"{name}.{index}.npz", **arrays)


def main(folder: Path, names: list[str]) -> None:
    """Make the packages that are named, or all of them."""
    from edge_sdk.convert.coreml import convert

    answers: dict[str, Any] = {}
    for name in names or PACKAGES:
        source, options = PACKAGES[name]
        model = folder / "sources" / source
        if not model.exists():
            SOURCES[source](model)
        arguments = {
            "kind": "saved_model",
            "model": str(model),
            "output": str(folder / f"{name}.mlpackage"),
            "deployment_target": "iOS16",
            **options,
        }
        try:
            answers[name] = {"value": convert(arguments), **facts(Path(arguments["output"]))}
        except EdgeError as error:
            answers[name] = {"error": error.to_dict()}
    (folder / "references").mkdir()
    for name in VALUES:
        if "value" in answers.get(name, {}):
            write_references(folder, name)
    if "plain" in answers:
        answers["finished twice"] = finish_again(folder / "plain.mlpackage")
    answers["labels of coremltools"] = reference_labels(folder)
    (folder / "answers.json").write_text(json.dumps(answers, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
