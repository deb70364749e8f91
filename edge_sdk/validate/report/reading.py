"""What the sections share: the details, the variants in order, and the commands that repeat numbers."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from edge_sdk.validate.report.details import entries, fields, number, text, texts
from edge_sdk.validate.report.markup import Content, Markup, tag


@dataclass(frozen=True)
class Command:
    """Something to type that gives numbers again.

    Attributes:
        key: Short name; the anchor on the page is "command-KEY".
        gives: What it measures or predicts.
        words: The command.
        sources: Fields of the details that it gives.
    """

    key: str
    gives: str
    words: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def line(self) -> str:
        """The command as one types it."""
        return shlex.join(self.words)


class Reading:
    """The details of one build, as the sections read them.

    Args:
        details: The content of details.json.
    """

    def __init__(self, details: Mapping[str, Any]) -> None:
        self.details = details
        self.name = text(details.get("name")) or "unnamed build"
        self.version = text(details.get("version"))

    @cached_property
    def variants(self) -> list[dict[str, Any]]:
        """Variants that have an id."""
        return [item for item in entries(self.details.get("variants")) if text(item.get("id"))]

    @cached_property
    def targets(self) -> list[dict[str, Any]]:
        """Targets that have a name."""
        return [item for item in entries(self.details.get("targets")) if text(item.get("name"))]

    @cached_property
    def picks(self) -> dict[str, list[str]]:
        """Names of the targets that get a variant, by its id."""
        found: dict[str, list[str]] = {}
        for target in self.targets:
            picked = text(target.get("picked"))
            if picked:
                found.setdefault(picked, []).append(str(target["name"]))
        return found

    @cached_property
    def metric_name(self) -> str | None:
        """Name of the metric; None where there is none."""
        return next((name for item in self.variants if (name := text(item.get("metric_name")))), None)

    @cached_property
    def higher_is_better(self) -> bool:
        """Which way the metric goes."""
        return all(item.get("metric_higher_is_better") is not False for item in self.variants)

    @cached_property
    def labels(self) -> list[str]:
        """Class names by index."""
        return texts(self.details.get("labels"))

    def label(self, value: Any) -> str | None:
        """Return a class with its name, other values as text."""
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(self.labels):
            own = self.labels[value]
            return own if own == str(value) else f"{own} ({value})"
        amount = number(value)
        return f"{amount:.5g}" if isinstance(value, float) and amount is not None else text(value)

    def base_size(self) -> float | None:
        """Return the size that others are compared with: the float variant's."""
        for recipe in ("float32", "as_is", "coreml_float32"):
            for item in self.variants:
                if item.get("recipe") == recipe:
                    return number(item.get("size_bytes"))
        return None

    def kind(self, variant: Mapping[str, Any]) -> str:
        """Return "picked", "passed", "rejected" or "unverified"."""
        if text(variant.get("id")) in self.picks:
            return "picked"
        verdict = text(variant.get("verdict"))
        return verdict if verdict in ("passed", "unverified") else "rejected"

    def section(self, name: str) -> dict[str, Any]:
        """Return a section of the details; empty where it is missing."""
        return fields(self.details.get(name))

    @cached_property
    def commands(self) -> dict[str, Command]:
        """Commands by key; only those that this build's own command tells the words of."""
        words = texts(self.details.get("command"))
        if len(words) < 2:
            return {}
        out = _option(words, "--out") or "build"
        folder = f"{out}/{self.name}"
        found = [
            Command(
                "build",
                "sizes, metrics with intervals, agreement, latency and peak memory on this machine, "
                "error maps, confusion, worst samples, predictions for delegates and memory, the choice",
                tuple(words),
                (
                    "variants",
                    "targets",
                    "failures",
                    "error_maps",
                    "confusion",
                    "worst",
                    "thumbnails",
                    "repair",
                    "delegates",
                    "memory",
                    "proofs",
                    "compatibility",
                    "calibration",
                ),
            )
        ]
        calibration = _option(words, "--calibration")
        model = words[2] if len(words) > 2 and not words[2].startswith("-") else None
        if calibration is not None and model is not None:
            check = ["edge", "check", model, "--calibration", calibration]
            evaluation = _option(words, "--evaluation")
            check += [] if evaluation is None else ["--evaluation", evaluation]
            found.append(
                Command("calibration", "findings about the calibration data", tuple(check), ("calibration",))
            )
        if text(self.details.get("bundle")):
            check = ["edge", "check", f"{folder}.edge"]
            for target in self.targets:
                check += ["--target", str(target["name"])]
            found.append(
                Command(
                    "fit",
                    "verdicts on compatibility, and the run in the target's own runtime version",
                    tuple(check),
                    ("compatibility", "proofs"),
                )
            )
            found.append(
                Command(
                    "bench",
                    "latency of the picked variant, on the machine where it is typed",
                    ("edge-runner", "bench", f"{folder}.edge"),
                    ("variants[].latency_ms",),
                )
            )
        found.append(
            Command(
                "report",
                "this page and its JSON twin",
                ("edge", "report", folder, "--html", f"{self.name}.html", "--json", f"{self.name}.json"),
                (),
            )
        )
        return {command.key: command for command in found}

    def trace(self, source: str, *keys: str) -> Markup:
        """Return the line that says where a section's numbers come from.

        Args:
            source: Field of the details.
            keys: Of the commands that give it.
        """
        known = [key for key in keys if key in self.commands]
        links: list[Content] = []
        for key in known:
            links += [
                " \u00b7 repeat: " if not links else ", ",
                tag("a", self.commands[key].key, href=f"#command-{key}"),
            ]
        return tag("p", "From ", tag("code", source), " in details.json", links, class_="trace")


def _option(words: Sequence[str], name: str) -> str | None:
    for index, word in enumerate(words[:-1]):
        if word == name:
            return words[index + 1]
    return None


def section(ident: str, title: str, *body: Content) -> Markup:
    """Return one section of the page."""
    return tag(
        "section", tag("h2", title, id=f"{ident}-title"), body, id=ident, aria_labelledby=f"{ident}-title"
    )


def table(
    head: Sequence[Content], rows: Sequence[Sequence[Content]], *, name: str, right: Sequence[int] = ()
) -> Markup:
    """Return a table that scrolls within itself where it is too wide.

    Args:
        head: Titles of the columns.
        rows: Cells; the first of each row is its header.
        name: What a screen reader says.
        right: Columns of numbers.
    """
    body = [
        tag(
            "tr",
            [
                tag(
                    "th" if index == 0 else "td",
                    cell,
                    scope="row" if index == 0 else None,
                    class_="number" if index in right else "long" if _is_long(cell) else None,
                )
                for index, cell in enumerate(row)
            ],
        )
        for row in rows
    ]
    titles = [
        tag("th", cell, scope="col", class_="number" if index in right else None)
        for index, cell in enumerate(head)
    ]
    return tag(
        "div",
        tag(
            "table", tag("caption", name, class_="heard"), tag("thead", tag("tr", titles)), tag("tbody", body)
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=name,
    )


def _is_long(cell: Content) -> bool:
    """Return whether a cell holds a sentence, which needs room to be read."""
    return isinstance(cell, str) and not isinstance(cell, Markup) and len(cell) > 24


def chooser(
    group: str, legend: str, panels: Sequence[tuple[str, Markup]], *, first: Collection[str] = ()
) -> Markup:
    """Return panels of which one is shown, chosen by radio buttons (arrow keys move between them).

    Without scripts every panel is shown, each under its title.

    Args:
        group: Name of the buttons, unique on the page.
        legend: What is chosen.
        panels: Title and content of each.
        first: The first panel with one of these titles is shown at the beginning.
    """
    chosen = next((index for index, (title, _) in enumerate(panels) if title in first), 0)
    if len(panels) == 1:
        return tag("div", tag("h3", panels[0][0]), panels[0][1], class_="panel")
    buttons = [
        tag(
            "label",
            tag("input", type="radio", name=group, value=str(index), checked=index == chosen),
            tag("span", title),
        )
        for index, (title, _) in enumerate(panels)
    ]
    return tag(
        "div",
        tag("fieldset", tag("legend", legend), tag("div", buttons, class_="choices")),
        [
            tag("div", tag("h3", title, class_="panel-title"), body, class_="panel", data_panel=str(index))
            for index, (title, body) in enumerate(panels)
        ],
        class_="chooser",
        data_chooser=group,
    )
