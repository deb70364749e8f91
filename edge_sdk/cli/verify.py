"""`edge verify`: is this bundle exactly what was built?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, progress, stdout, verb


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("verify", epilog="Example: [bold]edge verify build/digits.edge[/bold]")(verify)


@verb
def verify(
    bundle: Annotated[Path, typer.Argument(help="A .edge file, or a release directory of a board.")],
    *,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check every byte of a bundle: structure, digests, manifest, golden vectors, Core ML packages."""
    from edge_sdk.bundle.archive import Bundle

    with Bundle.open(bundle) as opened, progress(quiet=json) as report:
        opened.verify(report)
        golden = _check_golden_files(opened)
        _check_packages(opened)
        result = _summary(opened, golden)
    if json:
        print_json(result)
        return
    _show(result)


def _check_golden_files(bundle: Any) -> dict[str, int]:
    """Return the number of golden cases by variant id; each file must be readable and fit the contract."""
    from edge_sdk.contract.golden import GoldenVectors
    from edge_sdk.errors import BundleError

    signature = bundle.manifest.contract.signature
    inputs, outputs = {spec.name for spec in signature.inputs}, {spec.name for spec in signature.outputs}
    here = set(bundle.names())
    cases: dict[str, int] = {}
    for variant in bundle.manifest.variants:
        if variant.golden is None or variant.golden.file not in here:
            continue
        vectors = GoldenVectors.from_bytes(bundle.read(variant.golden.file))
        if len(vectors) != variant.golden.cases:
            raise BundleError(
                f"variant {variant.id!r} has {len(vectors)} golden cases",
                why=f"the manifest says {variant.golden.cases}",
                hint="build the bundle again",
            )
        if set(vectors.inputs) != inputs or not set(vectors.outputs) <= outputs:
            raise BundleError(
                f"the golden vectors of variant {variant.id!r} have other names than the contract",
                why=f"inputs {sorted(vectors.inputs)}, outputs {sorted(vectors.outputs)}",
                hint="build the bundle again",
            )
        cases[variant.id] = len(vectors)
    return cases


def _check_packages(bundle: Any) -> None:
    """Open each Core ML package that is here, and compare it with what the manifest says of it."""
    import tempfile

    from edge_sdk.bundle.extraction import extract_variant
    from edge_sdk.errors import BundleError, ModelError

    here = set(bundle.names())
    for variant in bundle.manifest.variants:
        if variant.format != "mlpackage" or not here.issuperset(bundle.manifest.model_files(variant.id)):
            continue
        with tempfile.TemporaryDirectory(prefix="edge-verify-") as scratch:
            folder = extract_variant(bundle, variant.id, Path(scratch) / Path(variant.file).name)
            try:
                _compare_package(folder, variant)
            except ModelError as failure:
                raise BundleError(
                    f"variant {variant.id!r} is no package that can be read",
                    why=failure.why,
                    hint="build the bundle again",
                ) from failure


def _compare_package(folder: Path, variant: Any) -> None:
    from edge_sdk.errors import BundleError
    from edge_sdk.model.coreml.package import DEPLOYMENT, open_package

    with open_package(folder) as package:
        facts = variant.coreml
        if facts is None:
            return
        said = f"variant {variant.id!r} is not what the manifest says: "
        systems = list(DEPLOYMENT.values())
        # What no version of this reader knows is a newer system.
        if facts.deployment_target in systems[: systems.index(package.minimum_deployment)]:
            raise BundleError(
                f"{said}it needs {package.minimum_deployment}",
                why=f"the manifest says {facts.deployment_target}",
                hint="build the bundle again",
            )
        for function in (*facts.functions.values(), facts.default_function):
            if function not in package.functions:
                raise BundleError(
                    f"{said}it has no function {function!r}",
                    why="functions: " + ", ".join(package.functions),
                    hint="build the bundle again",
                )


def _summary(bundle: Any, golden: dict[str, int]) -> dict[str, Any]:
    from edge_sdk.bundle.digest import sha256_of

    manifest = bundle.manifest
    return {
        "verified": True,
        "bundle": str(bundle.path),
        "sha256": sha256_of(bundle.path) if bundle.path.is_file() else None,
        "manifest_sha256": sha256_of(bundle.manifest_bytes),
        "size_bytes": bundle.path.stat().st_size
        if bundle.path.is_file()
        else sum(manifest.files[name].size for name in bundle.names()),
        "release": bundle.release.release if bundle.release else None,
        "name": manifest.name,
        "version": manifest.version,
        "format_version": manifest.format_version,
        "files": len(bundle.names()),
        "variants": [
            {
                "id": variant.id,
                "format": variant.format,
                "file": variant.file,
                "size_bytes": manifest.model_size(variant.id),
                "sha256": manifest.model_sha256(variant.id),
                "golden_cases": golden.get(variant.id),
            }
            for variant in manifest.variants
        ],
        "targets": {name: list(plan.variants) for name, plan in sorted(manifest.targets.items())},
    }


def _show(result: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = stdout()
    console.print(
        Text.assemble(
            ("ok ", "bold green"),
            f"{result['bundle']}: {result['name']} {result['version']}, {result['size_bytes']:,} bytes, "
            f"{result['files']} files, format {result['format_version']}",
        )
    )
    digest = ("sha256", result["sha256"]) if result["sha256"] else ("release", result["release"])
    console.print(Text(f"{digest[0]} {digest[1]}"))
    table = Table("variant", "format", box=None, pad_edge=False)
    table.add_column("bytes", justify="right")
    table.add_column("golden cases", justify="right")
    table.add_column("picked for")
    for variant in result["variants"]:
        picked = [name for name, order in result["targets"].items() if order[:1] == [variant["id"]]]
        cases = variant["golden_cases"]
        table.add_row(
            Text(variant["id"]),
            Text(variant["format"]),
            f"{variant['size_bytes']:,}",
            "none" if cases is None else str(cases),
            Text(", ".join(picked) or "-"),
        )
    console.print(table)
