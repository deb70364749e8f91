"""Makes the small Core ML packages of these tests and compresses them, in a process of its own.

    python -m tests.quantize.coreml.packages FOLDER

coremltools takes ten seconds to import and prints warnings, so this runs once for all tests. FOLDER gets
`source_<target>.mlpackage` and what every recipe makes of it, `<target>/<recipe>.mlpackage`, and
`answers.json` with what the worker answered. `expanded.npz` has the weights of each as coremltools itself
expands them, by "<target>/<recipe>/<weight>".
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

TARGETS = ("iOS16", "iOS18")


def weights() -> dict[str, np.ndarray]:
    """Return the float weights of the test program by name; heavy tails, so that recipes differ."""
    rng = np.random.default_rng(5)

    def draw(*shape: int) -> np.ndarray:
        return (rng.laplace(size=shape) * 0.1).astype(np.float32)

    return {
        "wide": draw(48, 40, 3, 3),
        "depthwise": draw(48, 1, 7, 7),
        "dense": draw(64, 48),
        "product": draw(64, 96),
        "words": draw(96, 32),
        "tiny": draw(4, 96),
        "mask": np.where(np.arange(64 * 96).reshape(64, 96) % 3, 0.0, -np.inf).astype(np.float32),
    }


def build(target: str, path: Path) -> None:
    """Write the test program as a float16 package."""
    import coremltools as ct
    from coremltools.converters.mil import Builder
    from coremltools.converters.mil.mil import types

    values = weights()

    @Builder.program(
        input_specs=[Builder.TensorSpec((1, 40, 8, 8)), Builder.TensorSpec((1, 5), dtype=types.int32)],
        opset_version=getattr(ct.target, target),
    )
    def program(picture: Any, words: Any) -> Any:
        x = Builder.conv(x=picture, weight=Builder.const(val=values["wide"], name="wide"), pad_type="same")
        x = Builder.conv(
            x=x, weight=Builder.const(val=values["depthwise"], name="depthwise"), pad_type="same", groups=48
        )
        x = Builder.reduce_mean(x=x, axes=[2, 3])
        x = Builder.linear(x=x, weight=Builder.const(val=values["dense"], name="dense"))
        x = Builder.matmul(x=x, y=Builder.const(val=values["product"], name="product"))
        x = Builder.linear(x=x, weight=Builder.const(val=values["tiny"], name="tiny"), name="scores")
        y = Builder.gather(x=Builder.const(val=values["words"], name="words"), indices=words, axis=0)
        y = Builder.reduce_sum(x=y, axes=[1], name="meaning")
        z = Builder.add(
            x=Builder.reduce_max(x=x, axes=[1], keep_dims=True),
            y=Builder.const(val=values["mask"], name="mask"),
        )
        return x, y, Builder.reduce_max(x=z, axes=[0, 1], name="masked")

    model = ct.convert(
        program,
        convert_to="mlprogram",
        minimum_deployment_target=getattr(ct.target, target),
        compute_precision=ct.precision.FLOAT16,
        skip_model_load=True,
    )
    model.author = "tests"
    model.user_defined_metadata["source_sha256"] = "00ff"
    model.input_description["picture"] = "forty planes"
    model.save(str(path))


def build_classifier(path: Path) -> None:
    """Write a classifier of 64 animals that gives its scores, too."""
    import coremltools as ct
    from coremltools.converters.mil import Builder

    @Builder.program(input_specs=[Builder.TensorSpec((1, 48))], opset_version=ct.target.iOS16)
    def program(features: Any) -> Any:
        weight = Builder.const(val=weights()["dense"], name="dense")
        scores = Builder.linear(x=features, weight=weight, name="scores")
        return Builder.softmax(x=scores, axis=-1, name="shares"), scores

    ct.convert(
        program,
        convert_to="mlprogram",
        classifier_config=ct.ClassifierConfig(
            [f"animal {index}" for index in range(64)],
            predicted_feature_name="animal",
            predicted_probabilities_output="shares",
        ),
        minimum_deployment_target=ct.target.iOS16,
        skip_model_load=True,
    ).save(str(path))


def build_functions(path: Path) -> None:
    """Write a package of two functions that share the weight `dense`."""
    import coremltools as ct
    from coremltools.converters.mil import Builder

    dense, folder = weights()["dense"], path.with_suffix("")
    folder.mkdir()
    wanted = ct.utils.MultiFunctionDescriptor()

    def build_one(factor: float) -> Any:
        @Builder.program(input_specs=[Builder.TensorSpec((1, 48))], opset_version=ct.target.iOS18)
        def program(features: Any) -> Any:
            x = Builder.mul(x=features, y=np.float32(factor))
            return Builder.linear(x=x, weight=Builder.const(val=dense, name="dense"), name="scores")

        return program

    for name, factor in (("once", 1.0), ("twice", 2.0)):
        model = ct.convert(
            build_one(factor),
            convert_to="mlprogram",
            minimum_deployment_target=ct.target.iOS18,
            skip_model_load=True,
        )
        model.save(str(folder / f"{name}.mlpackage"))
        wanted.add_function(str(folder / f"{name}.mlpackage"), "main", name)
    wanted.default_function_name = "twice"
    ct.utils.save_multifunction(wanted, str(path))


def expand(path: Path) -> dict[str, np.ndarray]:
    """Return the weights of a package, expanded by coremltools."""
    import coremltools as ct

    model = ct.models.MLModel(str(path), skip_model_load=True)
    plain = ct.optimize.coreml.decompress_weights(model)
    found = ct.optimize.coreml.get_weights_metadata(plain, weight_threshold=100)
    names = weights()
    return {
        next(known for known in names if name.startswith(known)): np.asarray(data.val)
        for name, data in found.items()
    }


def main(folder: Path) -> None:
    """Write everything."""
    from edge_sdk.errors import EdgeError
    from edge_sdk.model.coreml.canonical import finish_package
    from edge_sdk.quantize.coreml.compress import compress, compress_several
    from edge_sdk.quantize.recipe import Recipe, load_recipe, recipe_names

    answers: dict[str, Any] = {}
    recipes = [recipe for name in recipe_names("coreml") if (recipe := load_recipe(name)).compresses]
    recipes.append(dataclasses.replace(load_recipe("coreml_int8"), name="no_dense", keep_float=("linear",)))
    three = Recipe(
        name="palette3", title="t", backend="coreml", method="palette", palette="kmeans", weight_bits=3
    )
    for target in TARGETS:
        source = folder / f"source_{target}.mlpackage"
        build(target, source)
        finish_package(source)
        answers[target] = compress_several(
            {
                "source": str(source),
                "deployment_target": target,
                "recipes": [
                    {
                        "recipe": recipe.to_dict(),
                        "destination": str(folder / target / f"{recipe.name}.mlpackage"),
                    }
                    for recipe in (*recipes, three)
                ],
            }
        )["results"]
    answers["names"] = [recipe.name for recipe in (*recipes, three)]

    build_functions(folder / "functions.mlpackage")
    build_classifier(folder / "classifier.mlpackage")

    def refused(**changed: Any) -> Any:
        arguments = {
            "source": str(folder / "source_iOS18.mlpackage"),
            "destination": str(folder / "refused.mlpackage"),
            "recipe": load_recipe("coreml_int8").to_dict(),
            "deployment_target": "iOS18",
            **changed,
        }
        try:
            return {"value": compress(arguments)}
        except EdgeError as error:
            return error.to_dict()

    answers["refused"] = {
        "twice": refused(source=str(folder / "iOS18" / "coreml_palette4.mlpackage")),
        "target": refused(deployment_target="iOS15"),
        "tflite": refused(recipe=load_recipe("dynamic_int8").to_dict()),
        "missing": refused(source=str(folder / "nowhere.mlpackage")),
        "functions": refused(
            source=str(folder / "functions.mlpackage"), destination=str(folder / "two.mlpackage")
        ),
        "classifier": refused(
            source=str(folder / "classifier.mlpackage"), destination=str(folder / "animals.mlpackage")
        ),
        "again": refused(destination=str(folder / "again" / "one.mlpackage")),
        "large": refused(
            recipe=dataclasses.replace(load_recipe("coreml_int8"), minimum_weight_elements=10**6).to_dict(),
            destination=str(folder / "large.mlpackage"),
        ),
    }
    expanded = {
        f"{target}/{path.stem}/{name}": value
        for target in TARGETS
        for path in sorted((folder / target).glob("*.mlpackage"))
        for name, value in expand(path).items()
    }
    np.savez(folder / "expanded.npz", **expanded)
    (folder / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
