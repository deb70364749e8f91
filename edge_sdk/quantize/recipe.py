"""Recipes: how to quantize, as data. One TOML file each in `edge_sdk/quantize/recipes/`.

    title = "int8, float in and out"
    method = "static"
    weight_bits = 8
    activation_bits = 8
    io = "float"

The file's name is the recipe's name. A user's own recipe is a path to such a file.
`as_is` is not a recipe: it stands for a .tflite source that is packed untouched.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError
from edge_sdk.quantize.coreml import limits
from edge_sdk.targets import read_toml, refuse_unknown_keys

#: Variant name of a .tflite source that is packed untouched.
AS_IS = "as_is"
#: Of .tflite files; those of Core ML packages are in `edge_sdk.quantize.coreml.limits`.
METHODS = ("none", "float16", "dynamic", "weight_only", "static")
IO = ("float", "int8")
#: What applies a recipe: the LiteRT quantizer to the float .tflite, TensorFlow's converter to the source, or
#: coremltools to the source and then to the package.
BACKENDS = ("litert", "tensorflow", "coreml")
#: Weights that share a scale inside of one output channel, where not the whole channel does.
BLOCK_SIZES = (32, 64, 128, 256)
#: What a rule may ask for.
PRECISIONS = (
    "float32",
    "float16",
    "dynamic_int4",
    "dynamic_int8",
    "weight_only_int8",
    "int8",
    "int16x8",
)
#: Precisions that need the ranges of activations.
_STATIC_PRECISIONS = ("int8", "int16x8")
#: Method: (bits a weight may have, bits an activation may have).
_BITS: dict[str, tuple[tuple[int | None, ...], tuple[int | None, ...]]] = {
    "none": ((None,), (None,)),
    "float16": ((16,), (None,)),
    "dynamic": ((8, 4), (None,)),
    "weight_only": ((8, 4), (None,)),
    "static": ((8,), (8, 16)),
}
#: What TensorFlow's converter has no switch for, with the value that says "leave it".
_LITERT_ONLY: dict[str, Any] = {
    "keep_float": (),
    "float_outputs": (),
    "minimum_weight_elements": 0,
    "block_size": None,
    "rules": (),
}
_FOLDER = Path(__file__).parent / "recipes"
#: From the safest to the most demanding; what is not listed comes after, by name.
_ORDER = (
    "float32",
    "float16",
    "weight_only_int8",
    "dynamic_int8",
    "full_int8",
    "full_int8_io",
    "int16x8",
    "int4",
    "int4_block",
    "tf_dynamic_int8",
    "tf_full_int8",
    "coreml_float32",
    "coreml_float16",
    "coreml_int8",
    "coreml_palette8",
    "coreml_palette6",
    "coreml_palette4_mixed",
    "coreml_palette4",
    "coreml_uniform_palette4",
    "coreml_palette2",
    "coreml_palette1",
    "coreml_sparse50",
    "coreml_int4_block",
    "coreml_int4",
    "coreml_palette4_grouped",
    "coreml_palette4_int8_table",
    "coreml_sparse50_int8",
    "coreml_sparse50_palette4",
)


@dataclass(frozen=True, kw_only=True)
class Rule(Document):
    """What some operators of a recipe get instead of the rest.

    Attributes:
        pattern: Regular expression, searched in the name of an operator's output tensor in the float file.
        operators: Kinds ("CONV_2D", ...) that it holds for; all where empty.
        precision: One of `PRECISIONS`. An operator that the quantizer cannot make so stays float.
    """

    pattern: str = ".*"
    operators: tuple[str, ...] = ()
    precision: str

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ConfigError(
                f"a rule asks for precision {self.precision!r}", why="precisions: " + ", ".join(PRECISIONS)
            )
        try:
            re.compile(self.pattern)
        except re.error as failure:
            raise ConfigError(
                f"a rule's pattern {self.pattern!r} is no regular expression", why=str(failure)
            ) from failure

    @property
    def needs_calibration(self) -> bool:
        """True where the ranges of activations must be measured on samples."""
        return self.precision in _STATIC_PRECISIONS


def keep_float(names: Sequence[str], precision: str = "float32") -> tuple[Rule, ...]:
    """Return rules that keep layers out of a recipe.

    Args:
        names: Of output tensors in the float file, whole.
        precision: What these layers get instead.

    Returns:
        Rules, to put behind those that a recipe has:
        `dataclasses.replace(recipe, rules=(*recipe.rules, *keep_float(names)))`.
    """
    return tuple(Rule(pattern=rf"\A{re.escape(name)}\Z", precision=precision) for name in names)


@dataclass(frozen=True, kw_only=True)
class Recipe(Document):
    """How to make one variant: from a float .tflite file, or from the source model for Core ML.

    Attributes:
        name: The file's name without ".toml".
        title: One line for people.
        description: When to choose it, and what it costs.
        method: "none" (a copy), "float16" (weights stored as float16), "dynamic" (integer weights,
            activations quantized while running), "weight_only" (integer weights, turned into floats before
            they are used) or "static" (both, needs calibration). For Core ML "none", "float16",
            "weight_only", "palette" (indices into a table of weights) or "sparse" (zeros left out).
        weight_bits: Bits of a weight; None for "none" and "sparse".
        activation_bits: Bits of an activation, for "static".
        io: What callers of the file pass and get: "float", or "int8" with a scale.
        per_tensor_weights: Operators whose weights get one scale; all others get one per output channel.
        float_outputs: Operators that stay float where they produce an output of the model.
        keep_float: Operators that stay float everywhere.
        minimum_weight_elements: Smaller weights stay float, for "dynamic" and all compression of Core ML.
        block_size: Weights in a row that share a scale, for 4-bit "dynamic" and Core ML's "weight_only";
            None for one scale per channel.
        rules: For single operators; the last one that fits counts, before everything above but `io`.
        backend: "litert" (the LiteRT quantizer, on the float .tflite), "tensorflow" (its converter, on the
            source model; for "float16", 8-bit "dynamic" and "static") or "coreml" (coremltools makes a
            package; what follows is for that alone).
        palette: How the values of a table are chosen: "kmeans", or "uniform" (equal steps). For "palette".
        group_size: Output channels that share a table; None for one table per weight. For "palette".
        table_bits: 8 where the tables hold integers with a scale; None for floats. For "palette".
        minimum_signal: Weights whose palette has a lower signal to noise ratio, in dB, get more bits. For
            "palette".
        sparsity: Share of weights, the smallest ones, that become 0 and are left out.
        compute_precision: What the package computes in, "float16" or "float32".
    """

    name: str
    title: str
    description: str = ""
    method: str
    weight_bits: int | None = None
    activation_bits: int | None = None
    io: str = "float"
    per_tensor_weights: tuple[str, ...] = ()
    float_outputs: tuple[str, ...] = ()
    keep_float: tuple[str, ...] = ()
    minimum_weight_elements: int = 0
    block_size: int | None = None
    rules: tuple[Rule, ...] = ()
    backend: str = "litert"
    palette: str | None = None
    group_size: int | None = None
    table_bits: int | None = None
    minimum_signal: float | None = None
    sparsity: float | None = None
    compute_precision: str = "float16"

    def __post_init__(self) -> None:
        if self.backend == "coreml":
            self._check_block_size()
            limits.check_coreml(self)
        else:
            self._check_tflite()

    def _check_tflite(self) -> None:
        for field, nothing in limits.COREML_ONLY.items():
            if getattr(self, field) != nothing:
                raise ConfigError(
                    f"recipe {self.name}: {field} is for Core ML packages", hint='backend = "coreml"'
                )
        weights, activations = _BITS.get(self.method, ((8,), (8, 16)))
        checks: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
            ("method", self.method, METHODS),
            ("io", self.io, IO),
            ("backend", self.backend, BACKENDS),
            ("weight_bits", self.weight_bits, weights),
            ("activation_bits", self.activation_bits, activations),
        )
        for field, value, choices in checks:
            if value not in choices:
                raise ConfigError(
                    f"recipe {self.name}: {field} is {value!r}",
                    why=f"with method {self.method!r} allowed: " + ", ".join(map(str, choices)),
                )
        if self.io == "int8" and self.activation_bits != 8:
            raise ConfigError(
                f'recipe {self.name}: io = "int8" needs activation_bits = 8',
                why="an int8 input feeds an int8 operator",
            )
        self._check_block_size()
        if self.rules and self.method == "none":
            raise ConfigError(f'recipe {self.name}: method "none" copies the model', why="rules change it")

        if self.backend == "tensorflow":
            self._check_tensorflow()

    def _check_block_size(self) -> None:
        if self.block_size is None:
            return
        goes, condition = (
            (self.method == "weight_only", 'method = "weight_only"')
            if self.backend == "coreml"
            else (
                (self.method, self.weight_bits) == ("dynamic", 4),
                'method = "dynamic" and weight_bits = 4',
            )
        )
        if self.block_size not in BLOCK_SIZES or not goes:
            raise ConfigError(
                f"recipe {self.name}: block_size is {self.block_size}",
                why=f"it goes with {condition}, and is " + " or ".join(map(str, BLOCK_SIZES)),
            )

    def _check_tensorflow(self) -> None:
        if self.method in ("none", "weight_only") or self.weight_bits == 4:
            raise ConfigError(
                f"recipe {self.name}: TensorFlow's converter cannot make it",
                why=f"method {self.method!r} with {self.weight_bits} bits",
                hint='backend = "litert"',
            )
        for field, nothing in _LITERT_ONLY.items():
            if getattr(self, field) != nothing:
                raise ConfigError(
                    f"recipe {self.name}: TensorFlow's converter knows no {field}", hint='backend = "litert"'
                )
        if not set(self.per_tensor_weights) <= {"FULLY_CONNECTED"}:
            raise ConfigError(
                f"recipe {self.name}: per_tensor_weights is {list(self.per_tensor_weights)}",
                why="TensorFlow's converter can do it for FULLY_CONNECTED alone",
            )

    @property
    def needs_calibration(self) -> bool:
        """True where the ranges of activations must be measured on samples."""
        return self.method == "static" or any(rule.needs_calibration for rule in self.rules)

    @property
    def format(self) -> str:
        """The format of what it makes: "tflite" or "mlpackage"."""
        return "mlpackage" if self.backend == "coreml" else "tflite"

    @property
    def compresses(self) -> bool:
        """True for a Core ML recipe that changes the weights of a converted package."""
        return self.backend == "coreml" and self.method in limits.COMPRESSING

    @property
    def minimum_ios(self) -> str | None:
        """The oldest system that reads what it makes ("iOS16"); None for a .tflite."""
        return limits.minimum_ios(self)


def recipe_names(backend: str | None = None) -> list[str]:
    """Return the names of all shipped recipes, from the safest to the most demanding.

    Args:
        backend: Only those that it makes; all where None.
    """
    names = sorted(path.stem for path in _FOLDER.glob("*.toml"))
    if backend is not None:
        names = [name for name in names if _parse(_FOLDER / f"{name}.toml").backend == backend]
    return sorted(names, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))


def load_recipe(name_or_path: str) -> Recipe:
    """Return a recipe by name, or from a path that ends in ".toml".

    Raises:
        ConfigError: No such recipe (with the nearest match), or a file with an unknown or wrong key.
    """
    if name_or_path.endswith(".toml"):
        return _parse(Path(name_or_path))
    known = recipe_names()
    if name_or_path not in known:
        near = difflib.get_close_matches(name_or_path, [*known, AS_IS], n=1, cutoff=0.4)
        raise ConfigError(
            f"no recipe called {name_or_path!r}",
            why="recipes: " + ", ".join(known),
            hint=f"did you mean {near[0]!r}?" if near else "edge recipes",
        )
    return _parse(_FOLDER / f"{name_or_path}.toml")


def _parse(path: Path) -> Recipe:
    data = read_toml(path)
    try:
        recipe = Recipe.from_dict({**data, "name": path.stem})
    except ConfigError as failure:
        # A rule does not know in which file it stands.
        raise ConfigError(f"{path}: {failure.what}", why=failure.why, hint=failure.hint) from failure
    refuse_unknown_keys(recipe, path)
    return recipe
