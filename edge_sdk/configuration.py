"""`edge.toml`: the choices of a project, read by every verb. docs/reference/edge-toml.md describes it.

The file only records what could be typed; an option on the command line wins over it. Paths in it are
relative to its own folder, and come out of `read_configuration` resolved against that folder.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.contract.spec import Detections, Postprocess, Preprocess
from edge_sdk.errors import ConfigError
from edge_sdk.targets import DEPLOYMENT_TARGETS, read_toml, refuse_unknown_keys

FILE_NAME = "edge.toml"

#: Rules of the pick: by numbers that do not depend on the machine, or by measured latency too.
PICK_RULES = ("size", "measured")

_MODULE_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, kw_only=True)
class ModelSection(Document):
    """`[model]`: what is built.

    Attributes:
        path: A model file or folder, or `module:function`.
        name: What the bundle is called; the model's own name by default.
        version: For people.
    """

    path: str | None = None
    name: str | None = None
    version: str | None = None


@dataclass(frozen=True, kw_only=True)
class BuildSection(Document):
    """`[build]`: how it is built.

    Attributes:
        targets: Names in `edge targets`, or paths to TOML files.
        recipes: Names in `edge recipes`, or paths; empty means what the targets ask for.
        calibration: Samples for recipes that need them.
        evaluation: Samples with labels.
        out: Folder for the bundle and the variants.
        timeout_seconds: Limit of one conversion or quantization.
        threads: CPU threads for measuring latency.
        pick: "size" or "measured"; see docs/reference/build.md.
        repair: Search mixed precision where a variant misses the budget.
    """

    targets: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    calibration: str | None = None
    evaluation: str | None = None
    out: str | None = None
    timeout_seconds: float | None = None
    threads: int | None = None
    pick: str | None = None
    repair: bool | None = None

    def __post_init__(self) -> None:
        if self.pick not in (None, *PICK_RULES):
            raise ConfigError(f"[build] pick is {self.pick!r}", why="allowed: " + ", ".join(PICK_RULES))


@dataclass(frozen=True, kw_only=True)
class MetricSection(Document):
    """`[metric]`: how answers are compared with labels. docs/reference/metrics.md lists the names.

    Attributes:
        name: "top1", "mean_average_precision"..., or `module:function`; None chooses by the labels.
        outputs: Output name by the role it plays in the metric ("scores", "boxes"...).
        options: The metric's own.
    """

    name: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Budget(Document):
    """`[budget]`: what a variant must meet to be picked. None means no limit.

    Attributes:
        min_agreement: Lowest agreement with the source model, 0 to 1.
        max_metric_drop: Most of the metric that may be lost (0.01 = one point of accuracy).
        max_size_bytes: Largest file.
        max_p99_ms: Highest 99th percentile of the latency, measured on this machine.
        max_peak_memory_bytes: Highest resident size of the process that runs it, measured on this machine.
        min_delegate_coverage: Lowest share of operators that the target's first delegate is predicted to
            take, 0 to 1.
    """

    min_agreement: float | None = None
    max_metric_drop: float | None = None
    max_size_bytes: int | None = None
    max_p99_ms: float | None = None
    max_peak_memory_bytes: int | None = None
    min_delegate_coverage: float | None = None

    def as_numbers(self) -> dict[str, float]:
        """Return the limits that are set, by name."""
        return {
            item.name: float(value)
            for item in dataclasses.fields(self)
            if item.name != "extra" and (value := getattr(self, item.name)) is not None
        }


@dataclass(frozen=True, kw_only=True)
class CoreMLSection(Document):
    """`[coreml]`: how Core ML packages are made. docs/reference/coreml.md says what each choice costs.

    Attributes:
        deployment_target: Oldest system that they load on ("iOS15" to "iOS26"); the target's by default.
        images: Inputs whose preprocessing is a picture become Core ML images, where that is exact.
        shapes: By input name, the shapes that it may have, the first one by default.
        signatures: Which signatures a package has; several need iOS18. The default one alone if empty.
        author: Of the model.
        license: Of the model.
        description: Of the model.
    """

    deployment_target: str | None = None
    images: bool = True
    shapes: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    signatures: tuple[str, ...] = ()
    author: str | None = None
    license: str | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        if self.deployment_target not in (None, *DEPLOYMENT_TARGETS):
            raise ConfigError(
                f"[coreml] deployment_target is {self.deployment_target!r}",
                why="allowed: " + ", ".join(DEPLOYMENT_TARGETS),
            )


@dataclass(frozen=True, kw_only=True)
class PushSection(Document):
    """`[push]`: where it goes.

    Attributes:
        boards: Names in boards.toml that `edge push` uses when none is named.
    """

    boards: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Configuration(Document):
    """A whole `edge.toml`.

    Attributes:
        labels: Class names by index: a list, or a text file with one name a line.
        model: What is built.
        build: How.
        input: Preprocessing by input name.
        output: Postprocessing by output name.
        detections: How outputs become boxes.
        metric: How answers are compared with labels.
        budget: Limits for the pick.
        coreml: How Core ML packages are made.
        push: Where it goes.
    """

    labels: tuple[str, ...] | str = ()
    model: ModelSection = field(default_factory=ModelSection)
    build: BuildSection = field(default_factory=BuildSection)
    input: Mapping[str, Preprocess] = field(default_factory=dict)
    output: Mapping[str, Postprocess] = field(default_factory=dict)
    detections: Detections | None = None
    metric: MetricSection = field(default_factory=MetricSection)
    budget: Budget = field(default_factory=Budget)
    coreml: CoreMLSection = field(default_factory=CoreMLSection)
    push: PushSection = field(default_factory=PushSection)


def read_configuration(path: Path) -> Configuration:
    """Read an `edge.toml`; its relative paths are resolved against its folder.

    Raises:
        ConfigError: The file is missing, is not TOML, or has an unknown key or a wrong value.
    """
    data = read_toml(path)
    try:
        found = Configuration.from_dict(data)
    except ConfigError as failure:
        raise ConfigError(f"{path}: {failure.what}", why=failure.why, hint=failure.hint) from failure
    _refuse_unknown(found, path)
    folder = path.parent
    return dataclasses.replace(
        found,
        labels=str(folder / found.labels) if isinstance(found.labels, str) else found.labels,
        model=dataclasses.replace(found.model, path=_resolved(folder, found.model.path)),
        build=dataclasses.replace(
            found.build,
            targets=tuple(
                str(folder / name) if name.endswith(".toml") else name for name in found.build.targets
            ),
            recipes=tuple(
                str(folder / name) if name.endswith(".toml") else name for name in found.build.recipes
            ),
            calibration=_resolved(folder, found.build.calibration),
            evaluation=_resolved(folder, found.build.evaluation),
            out=_resolved(folder, found.build.out),
        ),
    )


def find_configuration(path: Path | None = None) -> Configuration:
    """Return the named configuration, else `edge.toml` of the current folder, else an empty one.

    Raises:
        ConfigError: The named file is missing, or the file that was found is broken.
    """
    if path is not None:
        return read_configuration(path)
    default = Path(FILE_NAME)
    return read_configuration(default) if default.exists() else Configuration()


def read_labels(labels: tuple[str, ...] | str | Path) -> tuple[str, ...]:
    """Return class names from a list, or from a text file with one name a line (UTF-8).

    Raises:
        ConfigError: The file cannot be read or is not text.
    """
    if not isinstance(labels, (str, Path)):
        return tuple(labels)
    try:
        lines = Path(labels).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as failure:
        raise ConfigError(
            f"the labels file {labels} cannot be read",
            why=getattr(failure, "strerror", None) or str(failure),
            hint="labels is a list of names, or a UTF-8 text file with one name a line",
        ) from failure
    while lines and not lines[-1].strip():
        lines.pop()
    return tuple(line.strip() for line in lines)


def _resolved(folder: Path, value: str | None) -> str | None:
    if value is None or (_MODULE_FUNCTION.fullmatch(value) and not (folder / value).exists()):
        return value
    return str(folder / value)


def _refuse_unknown(configuration: Configuration, path: Path) -> None:
    known = [name for name in Configuration.__dataclass_fields__ if name != "extra"]
    for key in configuration.extra:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else None
        for section in (ModelSection, BuildSection, MetricSection, Budget, CoreMLSection, PushSection):
            if key in section.__dataclass_fields__:
                title = section.__name__.removesuffix("Section").lower()
                hint = f"it belongs under [{title}]"
        raise ConfigError(f"{path}: unknown key {key!r}", why="known: " + ", ".join(known), hint=hint)
    for name in ("model", "build", "metric", "budget", "coreml", "push"):
        refuse_unknown_keys(getattr(configuration, name), path, f"[{name}] ")
    if found_boxes := configuration.detections:
        refuse_unknown_keys(found_boxes, path, "[detections] ")
        for grid in found_boxes.anchors:
            refuse_unknown_keys(grid, path, "[[detections.anchors]] ")
    for kind in ("input", "output"):
        entries: Mapping[str, Any] = getattr(configuration, kind)
        for name, entry in entries.items():
            refuse_unknown_keys(entry, path, f"[{kind}.{name}] ")
