"""`Runner`: opens a bundle, a release directory or a bare .tflite, and predicts.

The same class validates variants on the host and answers on the board, so the two cannot drift apart.

NumPy and the runtime are imported when a model is opened, after its file has been read and checked: the
command imports them in a second thread meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from edge_sdk.bundle.manifest import DelegateSpec, Golden, RuntimeRequirement
from edge_sdk.contract.spec import Contract, Signature
from edge_sdk.errors import (
    BundleError,
    ConfigError,
    EdgeError,
    IncompatibleTargetError,
    MissingExtraError,
)
from edge_sdk.runtime import delegates as ladder
from edge_sdk.runtime.flatbuffer import IDENTIFIER, check_model
from edge_sdk.runtime.interpreter import Built, ModelSource, RuntimeInfo, choose_runtime, create_interpreter

if TYPE_CHECKING:
    import numpy as np

    from edge_sdk.contract.golden import GoldenResult, GoldenVectors
    from edge_sdk.runtime.selection import Selection
    from edge_sdk.runtime.session import Function

#: More threads than this rarely help a model of a size for boards, and starve the rest of the system.
MOST_THREADS_BY_DEFAULT = 4


class Runner:
    """A model that is ready to predict. Safe to use from several threads; a context manager.

    Attributes:
        contract: What callers may rely on. Of a bare .tflite: made from the file, where integers that
            stand for real numbers appear as float32.
        signature: The signature that is called, with the contract's dtypes and the file's sizes.
        runtime: The TFLite runtime in use.
        delegates: A verdict for each rung of the ladder that was looked at.
        delegate: Name of the delegate that runs the model: "xnnpack", "cpu" or an external one.
        threads: CPU threads.
        variant: Id of the variant; of a bare .tflite its file name without ending.
        target: The target whose plan is followed, or None.
        release: Name of the release, for a release directory; else None.
    """

    def __init__(
        self,
        *,
        contract: Contract,
        signature: Signature,
        function: Function,
        runtime: RuntimeInfo,
        verdicts: tuple[ladder.DelegateVerdict, ...],
        threads: int,
        variant: str,
        selection: Selection | None,
        release: str | None,
        path: Path,
    ) -> None:
        self.contract = contract
        self.signature = signature
        self.runtime = runtime
        self.delegates = verdicts
        self.delegate = verdicts[-1].name
        self.threads = threads
        self.variant = variant
        self.target = selection.target if selection else None
        self.release = release
        self._golden: Golden | None = selection.variant.golden if selection else None
        self._path = path
        self._function = function

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        variant: str | None = None,
        target: str | None = None,
        runtime: str | None = None,
        threads: int | None = None,
        delegates: Sequence[DelegateSpec] | None = None,
        custom_ops: Sequence[Path | str] = (),
        pool_size: int | None = None,
        signature: str | None = None,
    ) -> Runner:
        """Open a model.

        Args:
            path: A bundle (.edge), a release directory, or a .tflite.
            variant: Variant id; else the release's, else the first one of the target's plan.
            target: Target whose plan is followed; else the release's, else "host".
            runtime: "litert" or "tflite-runtime"; else the plan's, else whichever is installed.
            threads: CPU threads; else what the plan says for "xnnpack", else the number of cores, at most
                four.
            delegates: The ladder, in place of the plan's. The CPU follows by itself.
            custom_ops: Libraries with custom operators, "PATH" or "PATH:FUNCTION".
            pool_size: How many calls may run at once, each with an interpreter (and a copy of the
                tensors) of its own; by default cores / threads, and one for an external delegate. A model
                with state keeps it per interpreter: open it with 1.
            signature: The signature to call; else the contract's default.

        Raises:
            BundleError: Not a bundle or model, damaged, or the runtime refuses it.
            IncompatibleTargetError: The runtime or its version does not fit; the bundle, or the variant that
                is asked for, is for Core ML alone.
            MissingExtraError: No runtime is installed.
            ModelError: A model whose tensors cannot be passed; operators without a kernel.
            ConfigError: An unknown runtime or signature, or an option that makes no sense.
        """
        for name, value in (("threads", threads), ("pool_size", pool_size)):
            if value is not None and value < 1:
                raise ConfigError(f"{name} is {value}", why="it must be 1 or more")
        path = Path(path)
        if path.suffix == ".mlpackage" and path.is_dir():
            raise IncompatibleTargetError(
                f"{path.name} is a Core ML package, which a runner cannot run",
                why="it runs tflite; Core ML packages run on iPhones, iPads and Macs",
                hint="to see what it answers: edge_sdk.validate.coreml_reference.evaluate(path, inputs)",
            )
        if _is_model(path):
            if variant or target:
                raise ConfigError(
                    f"{path.name} is a bare model: it has no variants and no targets",
                    hint="open a bundle, or name the runtime and the delegates",
                )
            check_model(path, where=str(path))
            source, selection, contract, release = ModelSource(path=path, label=path.name), None, None, None
            identifier = path.stem
        else:
            source, selection, contract, release = _open_bundle(path, variant, target)
            identifier = selection.variant.id
        specs = delegates if delegates is not None else (selection.delegates if selection else ())
        wanted = RuntimeRequirement(name=runtime) if runtime else None
        if selection and selection.runtime and runtime in (None, selection.runtime.name):
            wanted = selection.runtime
        info = choose_runtime(wanted)
        count = threads or _threads_of(specs) or min(usable_cores(), MOST_THREADS_BY_DEFAULT)
        registerers = ladder.load_custom_operators(custom_ops, info)

        def create(loaded: Sequence[Any]) -> Built:
            return create_interpreter(info, source, threads=count, delegates=loaded, registerers=registerers)

        try:
            from edge_sdk.runtime import session as sessions
        except ImportError as failure:
            raise MissingExtraError("numpy", extra="litert", purpose="run a model") from failure

        climbed = ladder.climb(specs, info, create, threads=count, try_run=_try_run)
        file = sessions.file_signatures(climbed.interpreter)
        contract = contract or sessions.contract_of(file)
        name = contract.default_signature if signature is None else signature
        called = sessions.signature_for(file, contract, name)
        inputs, outputs = sessions.ports_of(contract.signature_named(name), called)
        external = climbed.external

        def another() -> sessions.Session:
            loaded = [ladder.load_external(external, info)] if external else []
            return sessions.Session(create(loaded).interpreter, called, inputs, outputs)

        first = sessions.Session(climbed.interpreter, called, inputs, outputs)
        size = pool_size or (1 if external else max(1, usable_cores() // count))
        return cls(
            contract=contract,
            signature=Signature(
                name=name,
                inputs=tuple(port.spec() for port in inputs),
                outputs=tuple(port.spec() for port in outputs),
            ),
            function=sessions.Function(inputs, outputs, sessions.Pool(first, another, size)),
            runtime=info,
            verdicts=climbed.verdicts,
            threads=count,
            variant=identifier,
            selection=selection,
            release=release,
            path=path,
        )

    def predict(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> dict[str, np.ndarray]:
        """Run the model on tensors.

        Args:
            inputs: Tensors by input name; or give them as keywords.
            named: Tensors by input name. Arrays must have the dtype of `signature` and its shape; for a file
                that stores integers, arrays of the stored dtype are taken as they are. Lists and numbers are
                converted.

        Returns:
            Outputs by name, in the contract's dtypes. The arrays are the caller's own.

        Raises:
            SignatureMismatchError: Names, dtypes or shapes do not fit; nothing was run.
            ModelError: The model fails on these values.
            ConfigError: The runner is closed.
        """
        return self._function(named if inputs is None else _merge(inputs, named))

    def run(self, **values: Any) -> dict[str, Any]:
        """Preprocess, predict and postprocess as the contract says.

        Args:
            values: By input name: a picture (path, bytes or pixel array) where the contract calls the input
                one, else a tensor or the path of a .npy file.

        Returns:
            By output name: the array with its activation applied, or for `top_k` one list of classes
            {"index", "label", "score"} per sample.

        Raises:
            SignatureMismatchError: As `predict`.
            ConfigError: A picture or file that cannot be used.
            MissingExtraError: Pillow is needed and not installed.
        """
        return self.postprocess(self.predict(self.preprocess(**values)))

    def preprocess(self, **values: Any) -> dict[str, np.ndarray]:
        """Turn what `run` takes into what `predict` takes.

        Raises:
            SignatureMismatchError: Names or values do not fit.
            ConfigError: A picture or file that cannot be used.
            MissingExtraError: Pillow is needed and not installed.
        """
        from edge_sdk.contract.preprocess import preprocess_inputs

        return preprocess_inputs(self._processing(), values)

    def postprocess(self, outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Turn what `predict` returns into what `run` returns."""
        from edge_sdk.contract.postprocess import postprocess_outputs

        return postprocess_outputs(self._processing(), outputs)

    def _processing(self) -> Contract:
        # Processing is described for the default signature alone.
        if self.signature.name == self.contract.default_signature:
            return self.contract
        return replace(
            self.contract,
            default_signature=self.signature.name,
            preprocess={},
            postprocess={},
            detections=None,
        )

    def golden_vectors(self) -> tuple[GoldenVectors, Golden]:
        """Return the variant's golden vectors, recorded when the bundle was built, and their tolerances.

        Raises:
            BundleError: There are none: a bare .tflite, or a variant without; or they are damaged.
        """
        if self._golden is None:
            raise BundleError(
                f"variant {self.variant!r} of {self._path.name} has no golden vectors",
                hint="edge build records them; a bare .tflite has none",
            )
        from edge_sdk.bundle.archive import Bundle
        from edge_sdk.contract.golden import GoldenVectors

        with Bundle.open(self._path) as bundle:
            return GoldenVectors.from_bytes(bundle.read(self._golden.file)), self._golden

    def check_golden(self) -> GoldenResult:
        """Run the variant's golden vectors and compare.

        Raises:
            BundleError: There are none.
            EdgeError: The model fails on them.
        """
        from edge_sdk.contract.golden import check_golden

        vectors, golden = self.golden_vectors()
        return check_golden(vectors, self.predict, atol=golden.atol, rtol=golden.rtol)

    def close(self) -> None:
        """Free the interpreters; calling again does nothing. Calls under way end first."""
        self._function.pool.close()

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_model(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError:
        return False
    return head[4:8] == IDENTIFIER or (path.suffix == ".tflite" and head[:2] != b"PK")


def _open_bundle(
    path: Path, variant: str | None, target: str | None
) -> tuple[ModelSource, Selection, Contract, str | None]:
    from edge_sdk.bundle.archive import Bundle
    from edge_sdk.runtime.selection import select

    with Bundle.open(path) as bundle:
        selection = select(bundle.manifest, bundle.release, variant=variant, target=target)
        name = selection.variant.file
        label = f"variant {selection.variant.id!r} of {bundle.manifest.name}"
        file = bundle.file_path(name)
        content = None if file else bundle.read(name)
        release = bundle.release.release if bundle.release else None
        contract = bundle.manifest.contract
    check_model(content if content is not None else file or path, where=label)
    return ModelSource(path=file, content=content, label=label), selection, contract, release


def _threads_of(specs: Sequence[DelegateSpec]) -> int | None:
    for spec in specs:
        text = spec.options.get("threads") if spec.name in (ladder.XNNPACK, ladder.CPU) else None
        if text is not None:
            if not text.isdecimal() or int(text) < 1:
                raise ConfigError(f"delegate {spec.name!r}: threads is {text!r}", why="a number of 1 or more")
            return int(text)
    return None


def _merge(inputs: Mapping[str, Any], named: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(inputs, Mapping):
        raise ConfigError(
            f"predict takes tensors by name, not {type(inputs).__name__}",
            hint="predict(name=array), or predict({'name': array})",
        )
    twice = [name for name in inputs if name in named]
    if twice:
        raise ConfigError(f"input {twice[0]!r} is given twice")
    return {**inputs, **named} if named else inputs


def _try_run(interpreter: Any) -> None:
    import numpy as np

    try:
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
        interpreter.invoke()
    except (ValueError, RuntimeError) as failure:
        raise EdgeError("the first run failed", why=str(failure).strip()) from failure
