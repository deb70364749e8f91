"""The head of the page: the verdict in one sentence, and the numbers that matter most."""

from __future__ import annotations

from typing import Any

from edge_sdk.validate.report import wording
from edge_sdk.validate.report.details import entries, fields, interval, number, text, texts
from edge_sdk.validate.report.markup import Content, Markup, tag
from edge_sdk.validate.report.reading import Reading, section

_DATA = {
    "evaluation": "evaluation samples",
    "calibration": "calibration samples, so there is no metric",
    "synthetic": "synthetic samples: they say little about real inputs",
}


def verdict(reading: Reading) -> tuple[str, str]:
    """Return (kind, sentence): kind is "good", "mixed" or "bad"."""
    failures = entries(reading.details.get("failures"))
    rejected = [item for item in reading.variants if item.get("verdict") != "passed"]
    without = [str(target["name"]) for target in reading.targets if not text(target.get("picked"))]
    if not reading.variants and not failures:
        return "bad", "The build tells of no variant."
    if not reading.picks:
        return "bad", "No variant can ship: " + (
            "none passed." if len(rejected) == len(reading.variants) else "none that passed fits a target."
        )
    chosen = "; ".join(f"{name} for {', '.join(where)}" for name, where in reading.picks.items())
    troubles = []
    if without:
        troubles.append(f"nothing for {', '.join(without)}")
    if rejected:
        troubles.append(f"{wording.count(len(rejected), 'variant')} rejected")
    if failures:
        troubles.append(f"{wording.count(len(failures), 'recipe')} failed")
    if troubles:
        return "mixed", f"Picked {chosen}. Not everything that was asked for passed: {', '.join(troubles)}."
    return "good", f"Picked {chosen}. Every variant passed."


def summary(reading: Reading) -> Markup:
    """Return the section."""
    kind, sentence = verdict(reading)
    word = {"good": "passed", "mixed": "passed in part", "bad": "failed"}[kind]
    data = reading.section("data")
    samples, source = number(data.get("samples")), text(data.get("kind"))
    compared = None
    if samples is not None:
        compared = f"Compared with the source model on {samples:,.0f} {_DATA.get(source or '', 'samples')}."
    notes = texts(reading.details.get("notes"))
    return section(
        "summary",
        "Summary",
        tag("p", tag("strong", word, class_=f"badge {kind}"), " ", sentence, class_="verdict"),
        tag("p", compared)
        if compared
        else wording.missing("Nothing tells what the variants were compared on."),
        [_facts(reading, name) for name in list(reading.picks)[:3]],
        tag("ul", [tag("li", note) for note in notes], class_="notes") if notes else None,
        _budget(reading),
        _troubles(reading),
        reading.trace("variants, targets, budget, failures", "build"),
    )


def _facts(reading: Reading, picked: str) -> Markup | None:
    variant = next((item for item in reading.variants if text(item.get("id")) == picked), None)
    if variant is None:
        return None
    size, base = number(variant.get("size_bytes")), reading.base_size()
    name, value = text(variant.get("metric_name")), number(variant.get("metric"))
    drop, found = number(variant.get("metric_drop")), interval(variant.get("metric_interval"))
    latency = fields(variant.get("latency_ms"))
    p50, p99 = number(latency.get("p50")), number(latency.get("p99"))
    cards: list[Content] = [
        _card(
            "size",
            wording.size(size),
            f"{size / base:.2f} of the float file" if size is not None and base else None,
        ),
        _card(
            name or "metric",
            wording.metric(value, name),
            None if found is None else ("95 %: ", wording.between(found, name)),
            None if drop is None else f"{wording.change_text(drop, name)} against the source",
        ),
        _card(
            "agreement",
            wording.percent(number(variant.get("agreement"))),
            None
            if (own := interval(variant.get("agreement_interval"))) is None
            else ("95 %: ", wording.between(own, "agreement")),
        ),
        _card(
            "median latency",
            (wording.milliseconds(p50), None if p50 is None else " ms"),
            None if p99 is None else f"99th percentile {wording.milliseconds_text(p99)} ms, this machine",
        ),
        _card("peak memory", wording.size(number(variant.get("peak_memory_bytes"))), "of the whole process"),
    ]
    return tag(
        "div",
        tag("h3", picked, tag("span", " for ", ", ".join(reading.picks[picked]), class_="quiet")),
        tag("dl", cards, class_="facts"),
    )


def _card(title: str, value: Content, *notes: Content) -> Markup:
    return tag(
        "div",
        tag("dt", title),
        tag("dd", value, class_="value"),
        [tag("dd", note, class_="quiet") for note in notes if note],
    )


def _budget(reading: Reading) -> Markup | None:
    limits = {
        name: value for name, item in reading.section("budget").items() if (value := number(item)) is not None
    }
    missed: list[Content] = []
    for target in reading.targets:
        for variant, sentences in fields(target.get("obstacles")).items():
            missed += [
                tag("li", tag("code", variant), f" on {target['name']}: {sentence}")
                for sentence in texts(sentences)
            ]
    if not limits and not missed:
        return None
    shown = "; ".join(_limit(name, value) for name, value in limits.items())
    return tag(
        "div",
        tag("h3", "Budget and targets"),
        tag("p", f"Limits: {shown}.") if shown else tag("p", "No budget was set.", class_="quiet"),
        tag("ul", missed) if missed else tag("p", "No variant that passed misses a limit."),
    )


def _limit(name: str, value: float) -> str:
    """Return a limit in words: "max_size_bytes", 2e6 is "size at most 2.00 MB"."""
    bound, _, rest = name.partition("_")
    title, _, unit = rest.rpartition("_")
    amount = {"bytes": wording.size_text(value), "ms": f"{wording.milliseconds_text(value)} ms"}.get(unit)
    if amount is None:
        title, amount = rest, f"{value:.4g}"
    words = {"max": "at most", "min": "at least"}.get(bound, bound)
    return f"{title.replace('_', ' ')} {words} {amount}"


def _troubles(reading: Reading) -> Markup | None:
    rows: list[Markup] = []
    for item in reading.variants:
        rows += [
            tag("li", tag("code", item["id"]), f" rejected: {why}") for why in texts(item.get("reasons"))
        ]
    for failure in entries(reading.details.get("failures")):
        cure = text(failure.get("hint"))
        rows.append(
            tag(
                "li",
                tag("code", text(failure.get("recipe")) or "a recipe"),
                f" failed in {text(failure.get('stage')) or 'an unknown step'}: ",
                text(failure.get("cause")) or "the cause is not known",
                tag("span", f" Try: {cure}", class_="quiet") if cure else None,
            )
        )
    for recipe, reason in reading.section("skipped").items():
        rows.append(tag("li", tag("code", recipe), f" left out: {text(reason) or 'no reason given'}"))
    return tag("div", tag("h3", "What did not pass"), tag("ul", rows)) if rows else None


def twin(reading: Reading) -> dict[str, Any]:
    """Return the summary of the JSON twin."""
    kind, sentence = verdict(reading)
    return {"verdict": kind, "sentence": sentence, "picks": reading.picks}
