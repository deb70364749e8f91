"""Calibration proper: run the float model on samples and note the range of every activation.

The ranges depend on the model and the samples alone, so they are measured once and serve every static recipe.
They are the plain minimum and maximum over all samples (the order of samples does not matter), widened to
eight significant bits: the last bits of a float computation differ between CPUs, and a file must not.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.contract.document import Document
from edge_sdk.contract.spec import Signature
from edge_sdk.errors import ConversionError, SignatureMismatchError, UnsupportedOpError
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.quantize.prepare import PreparedModel, prepare_model
from edge_sdk.quantize.samples import iterate_feeds, misfits

SIGNIFICANT_BITS = 8


@dataclass(frozen=True, kw_only=True)
class Ranges(Document):
    """Measured ranges.

    Attributes:
        calibrated: Signatures that the samples fit, and that were run.
        not_calibrated: The others.
        graphs: Numbers of the graphs that were run.
        values: By tensor name, (lowest, highest) as nested lists.
        samples: How many samples were run per signature.
    """

    calibrated: tuple[str, ...]
    not_calibrated: tuple[str, ...]
    graphs: tuple[int, ...]
    values: Mapping[str, tuple[Any, ...]]
    samples: int

    def save(self, path: Path) -> None:
        """Write the ranges as JSON."""
        path.write_text(json.dumps(self.to_dict(), sort_keys=True))

    @classmethod
    def load(cls, path: Path) -> Ranges:
        """Read what `save` wrote."""
        return cls.from_dict(json.loads(path.read_text()))


def measure_ranges(
    source: Path,
    samples_npz: Path,
    *,
    signature: str | None = None,
    threads: int = 2,
    progress: Progress = silent,
) -> Ranges:
    """Run a float .tflite on samples.

    Every signature whose inputs the samples fit by name, dtype and shape is run; a graph that several
    signatures share is run once.

    Args:
        source: The float .tflite.
        samples_npz: Arrays by input name, first axis = samples.
        signature: The one that must fit; the default signature where None.
        threads: For the interpreter.
        progress: Gets stage "calibrate" with the share done.

    Raises:
        SignatureMismatchError: The samples do not fit that signature.
        UnsupportedOpError: The model needs operators that the host's runtime lacks.
        ConversionError: The model cannot be run on a sample.
    """
    return ranges_of(
        prepare_model(source), samples_npz, signature=signature, threads=threads, progress=progress
    )


def ranges_of(
    prepared: PreparedModel,
    samples_npz: Path,
    *,
    signature: str | None = None,
    threads: int = 2,
    progress: Progress = silent,
) -> Ranges:
    """Do what `measure_ranges` does, for a model that is read already."""
    with np.load(samples_npz, allow_pickle=False) as archive:
        inputs = {name: archive[name] for name in archive.files}
    wanted = signature if signature is not None else prepared.default
    chosen, left = _choose(prepared, inputs, wanted)
    calibrator, recipes = _open(prepared, threads)
    done: set[int] = set()
    graphs = {prepared.graph_of[item.name]: item for item in chosen}
    count = len(next(iter(inputs.values())))
    total, finished = count * len(graphs), 0
    for graph, item in graphs.items():
        for feed in iterate_feeds(item, inputs):
            if finished % max(1, total // 100) == 0:
                progress(Step("calibrate", f"{total} samples", finished / total))
            _run(calibrator, recipes, item.name or "serving_default", feed, finished)
            finished += 1
        done.add(graph)
    progress(Step("calibrate", f"{total} samples", 1.0))
    return Ranges(
        calibrated=tuple(item.name for item in chosen),
        not_calibrated=tuple(left),
        graphs=tuple(sorted(done)),
        values={
            name: (_widen(entry["min"], -1), _widen(entry["max"], 1))
            for name, entry in sorted(calibrator.get_model_qsvs().items())
            if "min" in entry and "max" in entry
        }
        | _trained(prepared, done),
        samples=count,
    )


def _trained(prepared: PreparedModel, graphs: set[int]) -> dict[str, tuple[Any, ...]]:
    """Return the ranges that quantization-aware training left in the file; they win over measured ones."""
    found: dict[str, tuple[Any, ...]] = {}
    for number in graphs:
        for tensor in prepared.model.subgraphs[number].tensors:
            limits = tensor.quantization
            if limits is None or limits.min is None or limits.scale is not None or len(limits.min) != 1:
                continue
            rank = 0 if tensor.shape is None else len(tensor.shape)
            low, high = (
                np.full((1,) * rank, value[0], np.float64).tolist() for value in (limits.min, limits.max)
            )
            found[tensor.name.decode()] = (low, high)
    return found


def statistics_for(ranges: Ranges) -> dict[str, dict[str, Any]]:
    """Return the ranges in the quantizer's form."""
    return {
        name: {"min": np.asarray(low, np.float32), "max": np.asarray(high, np.float32)}
        for name, (low, high) in ranges.values.items()
    }


def _choose(
    prepared: PreparedModel, inputs: Mapping[str, Any], wanted: str
) -> tuple[list[Signature], list[str]]:
    chosen, left = [], []
    for item in prepared.signatures:
        rows = misfits(item, inputs)
        if rows and item.name == wanted:
            raise SignatureMismatchError(rows, subject=f"calibration data for signature {wanted!r}")
        if rows:
            left.append(item.name)
        else:
            chosen.append(item)
    # A second name for a graph that is calibrated is calibrated too, whatever its inputs are called.
    graphs = {prepared.graph_of[item.name] for item in chosen}
    return chosen, [name for name in left if prepared.graph_of[name] not in graphs]


def _open(prepared: PreparedModel, threads: int) -> tuple[Any, Any]:
    from litert_quantizer import qtyping, recipe_manager
    from litert_quantizer.calibrator import Calibrator
    from litert_quantizer.utils import qsv_utils

    recipes = recipe_manager.RecipeManager()
    recipes.add_static_config(".*", qtyping.TFLOperationName.ALL_SUPPORTED, 8, 8)
    try:
        with warnings.catch_warnings():
            # "preserve_all_tensors is for debugging": reading every tensor is what calibration is.
            warnings.simplefilter("ignore")
            calibrator = Calibrator(
                prepared.to_bytes(), num_threads=threads, qsv_update_func=qsv_utils.min_max_update
            )
    except (RuntimeError, ValueError) as failure:
        raise _explain(failure) from failure
    return calibrator, recipes


def _run(calibrator: Any, recipes: Any, name: str, feed: Mapping[str, Any], index: int) -> None:
    try:
        calibrator.calibrate({name: [dict(feed)]}, recipes)
    except (RuntimeError, ValueError) as failure:
        raise _explain(failure, index) from failure


def _explain(failure: Exception, index: int | None = None) -> ConversionError | UnsupportedOpError:
    text = str(failure).strip()
    if "Flex" in text or "Select TensorFlow op" in text or "custom op" in text.lower():
        names = re.findall(r"Flex(\w+)", text) or re.findall(r"[Cc]ustom op[^:]*:\s*(\w+)", text)
        return UnsupportedOpError(
            names or ["(unnamed)"],
            target="this machine's TFLite runtime",
            hint="calibration has to run the model; float16 and dynamic_int8 do without calibration",
        )
    where = "" if index is None else f" on sample {index}"
    return ConversionError(f"the float model cannot be run{where} for calibration", why=text[:2000])


def _widen(value: Any, direction: int) -> Any:
    """Round away from zero's side to `SIGNIFICANT_BITS`: down for direction -1, up for 1."""
    array = np.asarray(value, np.float64)
    mantissa, exponent = np.frexp(array)
    scale = math.ldexp(1.0, SIGNIFICANT_BITS)
    rounded = np.floor(mantissa * scale) if direction < 0 else np.ceil(mantissa * scale)
    return np.ldexp(rounded / scale, exponent).tolist()
