"""`edge check BUNDLE --target T`: will the bundle run there? By tables first, then by running it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_sdk.cli.console import print_json, progress, stdout

if TYPE_CHECKING:
    from edge_sdk.bundle.archive import Bundle
    from edge_sdk.bundle.manifest import Manifest, Variant
    from edge_sdk.progress import Progress
    from edge_sdk.targets import Target

_STYLES = {"passed": "green", "failed": "bold red", "unknown": "yellow", "skipped": "yellow"}
#: Lines are folded here even where the terminal is wider.
_WIDTH = 100


def check(bundle: Path, targets: Sequence[str], prove: bool, json: bool) -> bool:
    """Check the variants of a bundle for targets, print the answers, and return whether nothing failed.

    Args:
        bundle: A bundle or release directory.
        targets: Names or TOML files; the bundle's own targets where empty.
        prove: Also run each variant in the target's own runtime version.
        json: Print one document instead of tables.

    Raises:
        BundleError: It cannot be read, or is damaged.
        ConfigError: An unknown target.
    """
    from edge_sdk.bundle.archive import Bundle
    from edge_sdk.targets import load_target

    with (
        Bundle.open(bundle) as opened,
        tempfile.TemporaryDirectory(prefix="edge-check-") as scratch,
        progress(quiet=json) as report,
    ):
        opened.verify()
        manifest = opened.manifest
        wanted = [load_target(name) for name in (targets or list(manifest.targets))]
        files: dict[str, Path] = {}
        proofs: dict[tuple[str, str, str | None], dict[str, Any]] = {}
        found = []
        for target in wanted:
            variants = [
                _look(opened, variant, target, prove, Path(scratch), files, proofs, report)
                for variant in _variants(manifest, target)
            ]
            found.append(
                {
                    "target": target.name,
                    "title": target.title,
                    "runtime": target.runtime.to_dict(),
                    "passed": bool(variants) and all(item["passed"] for item in variants),
                    "variants": variants,
                    "slow": _slow(variants),
                }
            )
    good = all(item["passed"] for item in found)
    if json:
        print_json({"passed": good, "bundle": str(bundle), "targets": found})
    else:
        for item in found:
            _show(item)
    return good


def _variants(manifest: Manifest, target: Target) -> list[Variant]:
    plan = manifest.targets.get(target.name)
    if plan:
        return [manifest.variant(name) for name in plan.variants]
    # A target that the bundle was not built for is judged on everything in it that its runtime could load.
    return [variant for variant in manifest.variants if variant.format == target.format]


def _look(
    bundle: Bundle,
    variant: Variant,
    target: Target,
    proving: bool,
    scratch: Path,
    files: dict[str, Path],
    proofs: dict[tuple[str, str, str | None], dict[str, Any]],
    report: Progress,
) -> dict[str, Any]:
    from edge_sdk.progress import Step
    from edge_sdk.validate.compatibility.examine import examine_compatibility
    from edge_sdk.validate.compatibility.proof import prove

    def file(name: str) -> str:
        if name not in files:
            files[name] = scratch / f"{len(files)}{Path(name).suffix}"
            files[name].write_bytes(bundle.read(name))
        return str(files[name])

    examined = examine_compatibility(variant, target)
    runtime = target.runtime
    proof = None
    if proving and variant.format == "tflite":
        key = (variant.id, runtime.name, runtime.minimum_version)
        if key not in proofs:
            report(
                Step("prove", f"in {runtime.name} {runtime.minimum_version or ''}".strip(), None, variant.id)
            )
            golden = variant.golden
            proofs[key] = prove(
                {
                    "model": file(variant.file),
                    "label": variant.id,
                    "golden": file(golden.file) if golden else None,
                    "atol": golden.atol if golden else None,
                    "rtol": golden.rtol if golden else None,
                    "contract": bundle.manifest.contract.to_dict(),
                    "runtime": runtime.name,
                    "version": runtime.minimum_version,
                }
            )
        proof = proofs[key]
    if variant.format == "mlpackage":
        foreseen = _foresee_package(bundle, variant, target, scratch)
    else:
        foreseen = _foresee_file(Path(file(variant.file)), target)
    return {
        "id": variant.id,
        "passed": examined.good and (proof is None or proof["status"] != "failed"),
        "items": [item.to_dict() for item in examined.items],
        "proof": proof,
        **foreseen,
    }


def _foresee_file(model: Path, target: Target) -> dict[str, Any]:
    from edge_sdk.validate.delegates.plan import plan_delegates
    from edge_sdk.validate.memory import forecast_memory

    threads = min(target.limits.cores or 2, 4)
    memory = forecast_memory(model, runtime=target.runtime.name, delegate="xnnpack", threads=threads)
    return {
        "delegates": [plan.to_dict() for plan in plan_delegates(model, target)],
        "memory": memory.to_dict(),
    }


def _foresee_package(bundle: Bundle, variant: Variant, target: Target, scratch: Path) -> dict[str, Any]:
    from edge_sdk.bundle.extraction import extract_variant
    from edge_sdk.validate.coreml_placement import plan_placements

    folder = extract_variant(bundle, variant.id, scratch / f"{variant.id}.mlpackage")
    # What Core ML keeps in memory is its own business, and cannot be measured here.
    return {"delegates": [plan.to_dict() for plan in plan_placements(folder, target)], "memory": None}


def _slow(variants: Sequence[dict[str, Any]]) -> dict[str, str]:
    from edge_sdk.validate.compatibility.proof import Proof, slow_on

    return slow_on({item["id"]: Proof.from_dict(item["proof"]) for item in variants if item["proof"]})


def _show(found: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = stdout()
    width = min(console.width, _WIDTH)
    console.print(Text.assemble((found["target"], "bold"), f": {found['title']}"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold underline", width=width)
    table.add_column("variant", overflow="fold", max_width=22)
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what, and what to do", overflow="fold", ratio=1)
    everywhere = _open_everywhere(found["variants"])
    rows = [("all", line) for line in everywhere]
    for item in found["variants"]:
        rows += [(item["id"], line) for line in _lines(item) if line not in everywhere]
        if item["id"] in found["slow"]:
            rows.append((item["id"], ("SPEED", "slow", found["slow"][item["id"]], None)))
    for variant, (name, verdict, text, hint) in rows:
        what = Text(text)
        if hint:
            what.append(f"\ntry: {hint}", style="dim")
        table.add_row(variant, name, Text(verdict, _STYLES.get(verdict, "dim")), what)
    if rows:
        console.print(table)
    from edge_sdk.targets import COREML

    if rows and found["runtime"]["name"] == COREML:
        from edge_sdk.validate.coreml_placement.documents import PREDICTED

        console.print(Text(PREDICTED, style="dim"))
    if found["passed"]:
        end = Text.assemble(("nothing was found against", "bold green"), f" {found['target']}")
    elif rows:
        end = Text.assemble(("will not all run on", "bold red"), f" {found['target']}")
    else:
        end = Text.assemble(
            ("nothing in the bundle is for", "bold red"),
            f" {found['target']}: edge build --target {found['target']}",
        )
    console.print(end)
    console.print()


#: Check, verdict, text, hint.
_Line = tuple[str, str, str, "str | None"]


def _open_everywhere(variants: Sequence[dict[str, Any]]) -> list[_Line]:
    """Return what did not pass for any variant, and is the target's matter: said once."""
    if len(variants) < 2:
        return []
    return [line for line in _open(variants[0]) if all(line in _open(other) for other in variants[1:])]


def _open(item: dict[str, Any]) -> list[_Line]:
    return [
        (entry["code"], entry["verdict"], entry["what"], entry.get("hint"))
        for entry in item["items"]
        if entry["verdict"] != "passed"
    ]


def _lines(item: dict[str, Any]) -> list[_Line]:
    """Return what did not pass, then what was run and what is predicted."""
    lines = _open(item)
    passed = len(item["items"]) - len(lines)
    lines.append(("TABLES", "passed", f"{passed} of {len(item['items'])} checks by tables", None))
    if item["proof"]:
        proof = item["proof"]
        where = (
            f"{proof['runtime']} {proof.get('version') or ''}, {proof.get('architecture') or 'this machine'}"
        )
        numbers = ""
        if proof.get("latency_ms") is not None:
            numbers = f", {proof['latency_ms']:.3g} ms"
        if proof.get("max_abs_error") is not None:
            numbers += f", largest difference {proof['max_abs_error']:.3g}"
        reason = f": {proof['reason']}" if proof.get("reason") else ""
        lines.append(("PROOF", proof["status"], f"{where}{numbers}{reason}", None))
    lines += [
        ("DELEGATE", "predicted", f"{plan['delegate']}: {plan['verdict']}", None)
        for plan in item["delegates"]
    ]
    if item["memory"] is not None:
        total = item["memory"]["total_bytes"] / 1e6
        lines.append(("MEMORY", "predicted", f"{total:.1f} MB more than an idle runtime", None))
    return lines
