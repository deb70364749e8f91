"""What is known about the targets: compatibility, the run in their runtime, delegates, memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edge_sdk.validate.report import wording
from edge_sdk.validate.report.charts import bar, stack
from edge_sdk.validate.report.details import entries, fields, number, text, texts
from edge_sdk.validate.report.markup import Content, Markup, tag
from edge_sdk.validate.report.reading import Reading, chooser, section, table

_VERDICTS = {"passed": "good", "failed": "bad", "unknown": "mixed", "skipped": "plain"}
_PARTS = (
    ("weights_bytes", "weights (file)", "one"),
    ("packed_weights_bytes", "repacked weights", "two"),
    ("arena_bytes", "activations", "three"),
    ("tables_bytes", "tables", "four"),
    ("runtime_bytes", "runtime", "five"),
)


def _targets(reading: Reading, name: str) -> list[tuple[str, dict[str, Any]]]:
    found = reading.section(name)
    order = [str(target["name"]) for target in reading.targets]
    order += [target for target in found if target not in order]
    return [(target, content) for target in order if (content := fields(found.get(target)))]


def _per_target(
    reading: Reading, name: str, panel: Callable[[Reading, str, Mapping[str, Any]], Markup | None]
) -> list[tuple[str, Markup]]:
    return [
        (target, drawn)
        for target, content in _targets(reading, name)
        if (drawn := panel(reading, target, content)) is not None
    ]


def fit(reading: Reading) -> Markup:
    """Return the section on compatibility and proofs."""
    judged = _per_target(reading, "compatibility", _verdicts)
    proven = _per_target(reading, "proofs", _proofs)
    return section(
        "fit",
        "Fit for the targets",
        tag("h3", "Proof: run in the target's own runtime version"),
        chooser("proofs", "Target", proven)
        if proven
        else wording.missing("No variant was run in a target's own runtime version."),
        tag("h3", "Compatibility"),
        chooser("compatibility", "Target", judged)
        if judged
        else wording.missing("Compatibility was not examined."),
        reading.trace("proofs, compatibility", "fit", "build"),
    )


def _badge(word: str) -> Markup:
    return tag("span", word, class_=f"badge {_VERDICTS.get(word, 'plain')}")


def _proofs(reading: Reading, target: str, content: Mapping[str, Any]) -> Markup | None:
    rows: list[list[Content]] = []
    for variant, value in content.items():
        proof = fields(value)
        if not proof:
            continue
        runtime = " ".join(filter(None, (text(proof.get("runtime")), text(proof.get("version")))))
        rows.append(
            [
                variant,
                _badge(text(proof.get("status")) or "unknown"),
                runtime or wording.NONE,
                text(proof.get("architecture")) or wording.NONE,
                wording.milliseconds(number(proof.get("latency_ms"))),
                # A count at its default is left out where the document is written.
                f"{number(proof.get('cases', 0)) or 0:.0f}",
                wording.plain(number(proof.get("max_abs_error"))),
                text(proof.get("reason")) or "",
            ]
        )
    if not rows:
        return None
    head = ["variant", "result", "runtime", "run on", "latency, ms", "golden cases", "max error", "why"]
    return table(head, rows, name=f"Proofs for {target}", right=(4, 5, 6))


def _verdicts(reading: Reading, target: str, content: Mapping[str, Any]) -> Markup | None:
    rows: list[list[Content]] = []
    passed: list[Content] = []
    for variant, value in content.items():
        found = value if isinstance(value, list) else fields(value).get("items")
        for item in entries(found):
            verdict = text(item.get("verdict")) or "unknown"
            what = text(item.get("what")) or ""
            code = text(item.get("code")) or "?"
            if verdict == "passed":
                passed.append(tag("li", tag("b", variant), " ", tag("code", code), f" {what}"))
            else:
                hint = text(item.get("hint"))
                rows.append([variant, _badge(verdict), tag("code", code), what, hint or ""])
    if not rows and not passed:
        return None
    return tag(
        "div",
        table(["variant", "verdict", "check", "what", "what to do"], rows, name=f"Open checks for {target}")
        if rows
        else tag("p", "Every check passed."),
        tag("details", tag("summary", wording.count(len(passed), "check") + " passed"), tag("ul", passed))
        if passed
        else None,
    )


def delegates(reading: Reading) -> Markup:
    """Return the section with the delegate map."""
    panels = _per_target(reading, "delegates", _plans)
    if not panels:
        return section(
            "delegates",
            "Delegates",
            wording.missing("No delegate was planned for: the targets have none, or no variant passed."),
        )
    return section(
        "delegates",
        "Delegates",
        tag(
            "p",
            "Which operators a delegate would take. ",
            tag("strong", "Predicted"),
            " from rules, unless it says measured; only a run on the device tells.",
        ),
        chooser("delegates", "Target", panels),
        reading.trace("delegates", "build"),
    )


def _plans(reading: Reading, target: str, content: Mapping[str, Any]) -> Markup | None:
    rows: list[list[Content]] = []
    blocks: list[Content] = []
    for variant, value in content.items():
        for plan in entries(value):
            name = text(plan.get("delegate")) or "?"
            coverage = number(plan.get("coverage"))
            taken, nodes = number(plan.get("taken")), number(plan.get("nodes"))
            rows.append(
                [
                    variant,
                    name,
                    wording.NONE if coverage is None else bar(coverage, wording.percent(coverage), "good"),
                    wording.percent(number(plan.get("coverage_by_macs"))),
                    wording.NONE if taken is None or nodes is None else f"{taken:.0f} of {nodes:.0f}",
                    wording.plain(number(plan.get("partitions"))),
                    "measured"
                    if plan.get("predicted") is False
                    else "predicted, rules checked"
                    if plan.get("checked") is True
                    else "predicted",
                    text(plan.get("verdict")) or "",
                ]
            )
            blocks += _blocking(variant, name, plan)
    if not rows:
        return None
    head = [
        "variant",
        "delegate",
        "operators taken",
        "by MACs",
        "count",
        "partitions",
        "known how",
        "verdict",
    ]
    return tag(
        "div",
        table(head, rows, name=f"Delegates on {target}", right=(3, 4, 5)),
        tag(
            "details",
            tag("summary", f"What stays on the CPU ({wording.count(len(blocks), 'reason')})"),
            tag("ul", blocks, class_="blocking"),
        )
        if blocks
        else tag("p", "Nothing stays on the CPU.", class_="quiet"),
    )


def _blocking(variant: str, delegate: str, plan: Mapping[str, Any]) -> list[Markup]:
    found = []
    for item in entries(plan.get("blocking")):
        share = number(item.get("share_of_macs"))
        named = texts(item.get("layers"))
        amount = number(item.get("count"))
        found.append(
            tag(
                "li",
                tag("b", f"{variant}, {delegate}: "),
                tag("code", text(item.get("op")) or "?"),
                None if amount is None else f" x{amount:.0f}",
                None if share is None else f", {wording.percent_text(share)} of MACs",
                f": {text(item.get('reason')) or 'no reason known'}",
                tag("p", "Try: ", rewrite) if (rewrite := text(item.get("rewrite"))) else None,
                tag("p", "At ", ", ".join(named), class_="quiet path") if named else None,
                tag("p", "Rule: ", source, class_="quiet path")
                if (source := text(item.get("source")))
                else None,
            )
        )
    return found


def memory(reading: Reading) -> Markup:
    """Return the section with the memory forecast."""
    panels = _per_target(reading, "memory", _forecasts)
    if not panels:
        return section("memory", "Memory", wording.missing("No forecast was made."))
    return section(
        "memory",
        "Memory",
        tag(
            "p",
            "How much a process grows by a model, ",
            tag("strong", "predicted"),
            " from the file alone. The measured peak is of a whole process on the machine of the build, "
            "Python and NumPy included: the two are not the same number.",
        ),
        chooser("memory", "Target", panels),
        reading.trace("memory", "build"),
    )


def _forecasts(reading: Reading, target: str, content: Mapping[str, Any]) -> Markup | None:
    known = [(variant, fields(value)) for variant, value in content.items() if fields(value)]
    totals = {variant: _total(forecast) for variant, forecast in known}
    longest = max(totals.values(), default=0.0)
    if longest <= 0:
        return None
    measured = {str(item["id"]): number(item.get("peak_memory_bytes")) for item in reading.variants}
    rows: list[list[Content]] = []
    notes: list[str] = []
    for variant, forecast in known:
        parts = [(kind, number(forecast.get(key)) or 0.0, title) for key, title, kind in _PARTS]
        told = ", ".join(f"{title} {wording.size_text(amount)}" for _, amount, title in parts if amount)
        rows.append(
            [
                variant,
                stack([(kind, amount) for kind, amount, _ in parts], longest, name=f"{variant}: {told}"),
                wording.size(totals[variant]),
                *(wording.size(number(forecast.get(key))) for key, _, _ in _PARTS),
                wording.size(measured.get(variant)),
            ]
        )
        notes += [note for note in texts(forecast.get("notes")) if note not in notes]
    runtimes = {
        " with ".join(filter(None, (text(f.get("runtime")), text(f.get("delegate"))))) for _, f in known
    }
    return tag(
        "div",
        tag(
            "p",
            [(tag("span", class_=f"swatch part {kind}"), f" {title} ") for _, title, kind in _PARTS],
            class_="legend",
        ),
        table(
            [
                "variant",
                f"0 to {wording.size_text(longest)}",
                "total",
                *(title for _, title, _ in _PARTS),
                "measured peak here",
            ],
            rows,
            name=f"Memory forecast for {target}",
            right=range(2, 9),
        ),
        tag("p", f"Runtime: {', '.join(sorted(filter(None, runtimes)))}.", class_="quiet")
        if any(runtimes)
        else None,
        tag("ul", [tag("li", note) for note in notes], class_="notes") if notes else None,
    )


def _total(forecast: Mapping[str, Any]) -> float:
    total = number(forecast.get("total_bytes"))
    return total if total is not None else sum(number(forecast.get(key)) or 0.0 for key, _, _ in _PARTS)
