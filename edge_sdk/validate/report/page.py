"""Puts the page together: one HTML file that asks for nothing, and its JSON twin."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.bundle.durable import durable_file
from edge_sdk.validate.report.details import SCHEMA
from edge_sdk.validate.report.markup import Content, Markup, tag
from edge_sdk.validate.report.reading import Reading
from edge_sdk.validate.report.sections.answers import confusion, worst
from edge_sdk.validate.report.sections.boards import delegates, fit, memory
from edge_sdk.validate.report.sections.calibration import calibration
from edge_sdk.validate.report.sections.layers import layers, repair
from edge_sdk.validate.report.sections.origin import environment, provenance
from edge_sdk.validate.report.sections.summary import summary, twin
from edge_sdk.validate.report.sections.variants import measures, pareto_front, tradeoffs, variants

_HERE = Path(__file__).parent
_SECTIONS = (
    ("summary", "Summary", summary),
    ("tradeoffs", "Trade-offs", tradeoffs),
    ("variants", "Variants", variants),
    ("layers", "Error by layer", layers),
    ("repair", "Repair", repair),
    ("calibration", "Calibration", calibration),
    ("confusion", "Confusion", confusion),
    ("worst", "Worst samples", worst),
    ("fit", "Targets", fit),
    ("delegates", "Delegates", delegates),
    ("memory", "Memory", memory),
    ("environment", "Environment", environment),
    ("provenance", "Repeat it", provenance),
)


def render_page(details: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        details: The content of details.json; anything may be missing.
    """
    reading = Reading(details)
    style = (_HERE / "style.css").read_text("utf-8")
    script = (_HERE / "page.js").read_text("utf-8")
    title = f"{reading.name} {reading.version or ''}".strip()
    drawn: list[tuple[str, str, Markup]] = []
    for ident, name, draw in _SECTIONS:
        found = draw(reading)
        if found is not None:
            drawn.append((ident, name, found))
    # Only what is carried here may run or be shown, whatever slipped through the escaping.
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{title}: build report"),
        tag("style", Markup(style)),
    )
    links: list[Content] = [tag("li", tag("a", name, href=f"#{ident}")) for ident, name, _ in drawn]
    body = tag(
        "body",
        tag("a", "Skip to the report", href="#main", class_="skip"),
        tag(
            "header",
            tag("div", tag("p", "Build report", class_="kicker"), tag("h1", title)),
            tag("button", "Theme: system", type="button", id="theme", hidden=True),
        ),
        tag("nav", tag("ul", links), aria_label="Sections"),
        tag("main", [content for _, _, content in drawn], id="main", tabindex="-1"),
        tag("script", Markup(script)),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode('utf-8')).digest()).decode('ascii')}'"


def render_twin(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON twin: what the page says, with everything that it is drawn from.

    Args:
        details: The content of details.json.

    Returns:
        {"schema", "summary", "front": {"COST and QUALITY": [ids]}, "commands", "details"}; numbers that JSON
        does not have (NaN, infinity) are null.
    """
    reading = Reading(details)
    costs, qualities = measures(reading)
    return {
        "schema": SCHEMA,
        "summary": twin(reading),
        "front": {
            f"{cost.name} and {quality.name}": pareto_front(reading, cost, quality)
            for cost in costs
            for quality in qualities
        },
        "commands": {
            command.key: {
                "command": list(command.words),
                "gives": command.gives,
                "fields": list(command.sources),
            }
            for command in reading.commands.values()
        },
        "details": _finite(details),
    }


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_page(details: Mapping[str, Any], path: Path) -> int:
    """Write the page; it appears whole or not at all.

    Args:
        details: The content of details.json.
        path: Of the HTML file.

    Returns:
        Its size in bytes.

    Raises:
        NoSpaceError: The disk is full.
        ConfigError: The file cannot be written.
    """
    return _write(render_page(details), path)


def write_twin(details: Mapping[str, Any], path: Path) -> int:
    """Write the JSON twin; as `write_page`."""
    text = json.dumps(render_twin(details), indent=2, ensure_ascii=False, allow_nan=False)
    return _write(text + "\n", path)


def _write(text: str, path: Path) -> int:
    # A lone surrogate can come out of JSON and has no bytes of its own.
    content = text.encode("utf-8", "replace")
    with durable_file(path, needed=len(content)) as stream:
        stream.write(content)
    return len(content)
