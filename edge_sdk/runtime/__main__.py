"""`edge-runner`: run, measure and check a model on the board.

Results go to stdout, talk to stderr. With --json stdout holds exactly one JSON document, an error
included; docs/reference/runner.md describes them. Exit codes are those of the whole product.

On a board the time to a first result is mostly imports. So nothing is imported before it is needed, and
NumPy and the runtime, which take longest, are imported in a second thread while the first one reads the
command line and the bundle and checks its digests; whatever needs NumPy is imported after that.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from edge_sdk.errors import ConfigError, EdgeError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from edge_sdk.runtime.runner import Runner

#: A JSON document holds at most this many values of one output.
MAX_VALUES = 10_000


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `edge-runner`."""
    # What `signal` wraps. That one imports enum first, and Ctrl-C in there would end in a traceback.
    import _signal  # type: ignore[import-not-found]

    given = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in given
    # Not as an exception: inside an import, or a callback of a native library, KeyboardInterrupt gets lost
    # or turns into an ImportError. Nothing has to be put away: the command writes no files.
    _signal.signal(_signal.SIGINT, _interrupted)
    try:
        code = _run(given)
        sys.stdout.flush()
    except EdgeError as error:
        if as_json:
            _print_json(error.to_dict())
        sys.stderr.write(f"error: {error}\n")
        code = error.exit_code
    except BrokenPipeError:
        # `edge-runner ... | head`: nobody reads on, which is no error. Keep the interpreter's exit quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as failure:
        if os.environ.get("EDGE_DEBUG"):
            raise
        unexpected = EdgeError(
            f"unexpected failure: {type(failure).__name__}: {failure}",
            hint="run the same command with EDGE_DEBUG=1 and report what it prints",
        )
        if as_json:
            _print_json(unexpected.to_dict())
        sys.stderr.write(f"error: {unexpected}\n")
        code = unexpected.exit_code
    _leave(code)


def _interrupted(number: int, frame: Any) -> None:
    os.write(2, b"\ninterrupted\n")
    os._exit(130)


def _leave(code: int) -> None:
    from threading import enumerate as threads
    from threading import main_thread

    if any(thread is not main_thread() for thread in threads()):
        # An error came first; do not wait for an import that nobody needs any more.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _run(given: list[str]) -> int:
    import gc

    # Nothing that imports make is garbage; looking for it costs a tenth of their time.
    gc.disable()
    verb = given[0] if given and given[0] in VERBS else None
    if verb and not {"-h", "--help"} & set(given):
        _import_ahead()
    options = _parser(verb).parse_args(given[1:] if verb else given)
    return VERBS[verb or options.verb](options)


def _import_ahead() -> None:
    """Import NumPy and the runtime in a second thread.

    Half of an import is waiting for files. Where something fails, nothing is said: the first thread comes
    to the same place and reports it.
    """
    from threading import Thread

    def work() -> None:
        try:
            import numpy  # noqa: F401

            from edge_sdk.runtime.interpreter import installed_runtimes, load_runtime

            installed = installed_runtimes()
            if len(installed) == 1:  # of two, the bundle may want either
                load_runtime(installed[0])
        except Exception:
            return

    Thread(target=work, name="import-ahead").start()


def predict(options: argparse.Namespace) -> int:
    """Run the model once."""
    from time import perf_counter

    with _open(options) as runner:
        from edge_sdk.runtime.inputs import read_inputs

        values = read_inputs(options.input, options.value, runner.signature, runner.contract)
        start = perf_counter()
        tensors = runner.preprocess(**values)
        prepared = perf_counter()
        raw = runner.predict(tensors)
        # The model alone, and its first call: reading a picture takes longer than a small model does.
        latency = (perf_counter() - prepared) * 1e3
        preparation = (prepared - start) * 1e3
        outputs = runner.postprocess(raw)
        if options.json:
            document = {
                "outputs": {name: _plain(value) for name, value in outputs.items()},
                "latency_ms": round(latency, 4),
                "preprocess_ms": round(preparation, 4),
                **_how(runner),
                "release": runner.release,
            }
            _print_json(document)
        else:
            _print_outputs(outputs)
            sys.stdout.flush()
            sys.stderr.write(
                f"{latency:.2f} ms on {runner.runtime}, {runner.delegate}, {runner.threads} threads; "
                f"preprocessing {preparation:.2f} ms\n"
            )
    return 0


def bench(options: argparse.Namespace) -> int:
    """Measure latency and memory."""
    with _open(options) as runner:
        from edge_sdk.runtime import bench as measure
        from edge_sdk.runtime.inputs import read_inputs

        inputs = None
        if options.input or options.value:
            values = read_inputs(options.input, options.value, runner.signature, runner.contract)
            inputs = runner.preprocess(**values)
        result = measure.bench(
            runner, runs=options.runs, warmup=options.warmup, inputs=inputs, seconds=options.seconds
        )
        if options.json:
            _print_json({**result.to_dict(), **_how(runner)})
            return 0
        latency, memory = result.latency_ms, result.peak_memory_bytes
        sys.stdout.write(
            f"{result.runs} runs of {result.variant} on {result.runtime}, {result.delegate}, "
            f"{result.threads} threads\n"
            f"p50 {latency.p50:.3f} ms   p90 {latency.p90:.3f} ms   p99 {latency.p99:.3f} ms   "
            f"mean {latency.mean:.3f} ms   min {latency.min:.3f} ms\n"
            f"peak memory {'unknown' if memory is None else f'{memory / 2**20:.1f} MiB'}\n"
        )
    return 0


def golden(options: argparse.Namespace) -> int:
    """Run the golden vectors that were recorded when the bundle was built."""
    from time import perf_counter

    with _open(options) as runner:
        from edge_sdk.contract.golden import check_golden
        from edge_sdk.runtime.bench import peak_memory_bytes, summarize

        vectors, rule = runner.golden_vectors()
        times = []

        def timed(inputs: dict[str, Any]) -> dict[str, Any]:
            start = perf_counter()
            outputs = runner.predict(inputs)
            times.append((perf_counter() - start) * 1e3)
            return outputs

        result = check_golden(vectors, timed, atol=rule.atol, rtol=rule.rtol)
        if options.json:
            _print_json(
                {
                    **result.to_dict(),
                    "latency_ms": round(summarize(times).p50, 4),
                    "peak_memory_bytes": peak_memory_bytes(),
                    **_how(runner),
                }
            )
        else:
            verdict = "passed" if result.passed else "FAILED"
            sys.stdout.write(
                f"{verdict}: {result.cases} cases of {runner.variant}, largest error "
                f"{result.max_abs_error:.3g}, on {runner.runtime}, {runner.delegate}\n"
            )
            for line in result.failures:
                sys.stdout.write(f"  {line}\n")
        return 0 if result.passed else 4


def status(options: argparse.Namespace) -> int:
    """Show the runtimes, and with a path what would run there and how."""
    import platform

    from edge_sdk import __version__
    from edge_sdk.runtime.interpreter import installed_runtimes

    document: dict[str, Any] = {
        "edge_sdk": __version__,
        "python": platform.python_version(),
        "architecture": platform.machine(),
        "runtimes": [info.to_dict() for info in installed_runtimes()],
    }
    if options.path:
        with _open(options) as runner:
            document.update(_how(runner))
            document["release"] = runner.release
            document["target"] = runner.target
            document["signature"] = runner.signature.to_dict()
    if options.json:
        _print_json(document)
        return 0
    runtimes = ", ".join(f"{row['name']} {row['version']}" for row in document["runtimes"]) or "none"
    sys.stdout.write(
        f"edge_sdk {__version__}, Python {document['python']}, {document['architecture']}\n"
        f"runtimes: {runtimes}\n"
    )
    if options.path:
        if document["release"]:
            sys.stdout.write(f"release:  {document['release']}\n")
        sys.stdout.write(f"variant:  {document['variant']}, {document['threads']} threads\n")
        for verdict in document["delegates"]:
            sys.stdout.write(f"delegate: {verdict['name']} {verdict['verdict']}: {verdict['reason']}\n")
        for side, specs in (("input", runner.signature.inputs), ("output", runner.signature.outputs)):
            for spec in specs:
                sys.stdout.write(f"{side + ':':<9} {spec.name} {spec}\n")
    return 0


def _open(options: argparse.Namespace) -> Runner:
    import gc

    from edge_sdk.runtime.runner import Runner

    runner = Runner.open(
        options.path,
        variant=options.variant,
        target=options.target,
        runtime=options.runtime,
        threads=options.threads,
        delegates=[_delegate(text) for text in options.delegate] if options.delegate else None,
        custom_ops=options.custom_op,
        signature=options.signature,
        pool_size=1,
    )
    gc.freeze()  # else the first collection would still look at all of it
    gc.enable()
    return runner


def _delegate(text: str) -> Any:
    from edge_sdk.bundle.manifest import DelegateSpec

    name, _, library = text.rpartition("=")
    if not name and "/" not in library and "." not in library:
        return DelegateSpec(name=library)
    return DelegateSpec(name=name or library.rpartition("/")[2], library=library)


def _how(runner: Runner) -> dict[str, Any]:
    return {
        "runtime": runner.runtime.to_dict(),
        "delegate": runner.delegate,
        "delegates": [verdict.to_dict() for verdict in runner.delegates],
        "threads": runner.threads,
        "variant": runner.variant,
    }


def _plain(value: Any) -> Any:
    """Return an output as JSON: nested lists, non-finite numbers as null, long ones cut with a note."""
    if not hasattr(value, "dtype"):
        return value
    if value.size > MAX_VALUES:
        return {
            "values": _finite(value.reshape(-1)[:MAX_VALUES].tolist()),
            "shape": list(value.shape),
            "dtype": value.dtype.name,
            "note": f"the first {MAX_VALUES} of {value.size} values",
        }
    return _finite(value.tolist())


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, complex):
        return [_finite(value.real), _finite(value.imag)]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def _print_outputs(outputs: dict[str, Any]) -> None:
    for name, value in outputs.items():
        if hasattr(value, "dtype"):
            sys.stdout.write(f"{name} {value.dtype}{list(value.shape)}\n{value}\n")
            continue
        for sample in value:
            ranked = ", ".join(
                f"{entry['label'] if entry['label'] is not None else entry['index']} {entry['score']:.4f}"
                + (" at " + " ".join(f"{side:.3f}" for side in entry["box"]) if "box" in entry else "")
                for entry in sample
            )
            sys.stdout.write(f"{name}: {ranked or 'nothing above the threshold'}\n")


def _print_json(data: Any) -> None:
    import json

    sys.stdout.write(json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "predict": predict,
    "bench": bench,
    "status": status,
    "golden": golden,
}
EXAMPLES = {
    "predict": "predict model.edge --input cat.jpg",
    "bench": "bench model.edge --runs 500",
    "status": "status model.edge --json",
    "golden": "golden model.edge",
}


def _parser(verb: str | None) -> argparse.ArgumentParser:
    """Return the parser of one verb, which is quick to make, or of the whole command."""
    import argparse

    def formatter(prog: str) -> argparse.HelpFormatter:
        # With a width of its own it does not import shutil, which loads every compression there is.
        columns = os.environ.get("COLUMNS", "")
        return argparse.HelpFormatter(prog, width=int(columns) if columns.isdecimal() else 100)

    class Parser(argparse.ArgumentParser):
        def __init__(self, **options: Any) -> None:
            super().__init__(formatter_class=formatter, **options)

        def error(self, message: str) -> Any:
            raise ConfigError(f"{self.prog}: {message}", hint=f"{self.prog} --help")

    if verb:
        alone = Parser(prog=f"edge-runner {verb}", description=_title(verb), epilog=_example(verb))
        _add_options(alone, verb)
        return alone
    parser = Parser(
        prog="edge-runner",
        description="Run, measure and check a model on this device.",
        epilog="Example: edge-runner predict model.edge --input image=cat.jpg --json",
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True, dest="verb", parser_class=Parser)
    for name in VERBS:
        title = _title(name)
        _add_options(verbs.add_parser(name, help=title, description=title, epilog=_example(name)), name)
    return parser


def _title(verb: str) -> str:
    return (VERBS[verb].__doc__ or "").strip()


def _example(verb: str) -> str:
    return f"Example: edge-runner {EXAMPLES[verb]}"


def _add_options(verb: argparse.ArgumentParser, name: str) -> None:
    verb.add_argument(
        "path", nargs="?" if name == "status" else None, help="bundle, release directory or .tflite"
    )
    verb.add_argument("--json", action="store_true", help="print exactly one JSON document")
    verb.add_argument("--variant", help="variant id")
    verb.add_argument("--target", help="target whose plan is followed")
    verb.add_argument("--runtime", help="litert or tflite-runtime")
    verb.add_argument("--threads", type=int, help="CPU threads")
    verb.add_argument("--signature", help="signature to call")
    verb.add_argument(
        "--delegate",
        action="append",
        default=[],
        metavar="NAME=LIBRARY",
        help="in place of the bundle's list; 'xnnpack' is the CPU",
    )
    verb.add_argument(
        "--custom-op",
        action="append",
        default=[],
        metavar="LIBRARY[:FUNCTION]",
        help="library with custom operators",
    )
    if name in ("predict", "bench"):
        verb.add_argument(
            "--input", action="append", default=[], metavar="NAME=FILE", help="a file, or just FILE"
        )
        verb.add_argument("--value", action="append", default=[], metavar="NAME=JSON", help="numbers as JSON")
    if name == "bench":
        verb.add_argument("--runs", type=int, default=200, help="calls to time")
        verb.add_argument("--warmup", type=int, default=10, help="calls before that")
        verb.add_argument("--seconds", type=float, help="stop after this long")


if __name__ == "__main__":
    main()
