"""A variant under test: what every format must offer so that one evaluation serves them all.

A new format is one file with a class like `Candidate` and one row in `CANDIDATES`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, cast

from numpy.typing import NDArray

from edge_sdk.bundle.manifest import CoreMLFacts
from edge_sdk.contract.spec import Contract, Signature

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a file tells by itself; the fields are those of `VariantFacts`.

    Attributes:
        signatures: The file's own, by the contract's names.
        size_bytes: On disk.
        parameters: Values in its constants.
        op_versions: Highest version used, by TFLite builtin operator.
        custom_ops: Custom operators.
        flex_ops: TensorFlow operators that need Flex.
        minimum_ios: Lowest system that loads it ("iOS16"); None for what is no Core ML package.
        unverified: Why its answers cannot be computed here, one sentence each; empty where they can.
    """

    signatures: tuple[Signature, ...]
    size_bytes: int
    parameters: int | None
    op_versions: Mapping[str, int] = field(default_factory=dict)
    custom_ops: tuple[str, ...] = ()
    flex_ops: tuple[str, ...] = ()
    minimum_ios: str | None = None
    unverified: tuple[str, ...] = ()


class Candidate(Protocol):
    """An opened variant."""

    def predict(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Answer one call, by the contract's names and in the contract's types."""
        ...

    def __enter__(self) -> Candidate: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class CandidateFormat(Protocol):
    """A module of one format."""

    def describe(self, model: Path, contract: Contract, coreml: CoreMLFacts | None) -> Description:
        """Read what the file tells.

        Args:
            model: File or folder.
            contract: Of the source model.
            coreml: What the conversion said about a Core ML package; None for other formats.

        Raises:
            ModelError: It is damaged.
        """
        ...

    def open_candidate(
        self,
        model: Path,
        contract: Contract,
        coreml: CoreMLFacts | None,
        *,
        recipe: str,
        custom_ops: Sequence[str],
        threads: int | None,
    ) -> Candidate:
        """Open it to run it.

        Raises:
            EdgeError: It cannot be loaded.
        """
        ...

    def cross_check(
        self,
        model: Path,
        contract: Contract,
        coreml: CoreMLFacts | None,
        feeds: Sequence[Mapping[str, Array]],
    ) -> Mapping[str, Any] | None:
        """Run a few calls in another way too and say how far the two are apart.

        Returns:
            `DeviceComparison.to_dict()`; None where there is only one way to run the file here.
        """
        ...


#: Module by suffix of the file or folder.
CANDIDATES: Mapping[str, str] = {
    ".tflite": "edge_sdk.validate.tflite_candidate",
    ".mlpackage": "edge_sdk.validate.coreml_candidate",
}


def format_of(model: Path) -> CandidateFormat:
    """Return the module that knows a file's format, by its suffix."""
    return cast(CandidateFormat, importlib.import_module(CANDIDATES[model.suffix]))
