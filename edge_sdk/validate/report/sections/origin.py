"""Where the numbers come from: the model, the data, the machine, the tools and the commands."""

from __future__ import annotations

from edge_sdk.validate.report import wording
from edge_sdk.validate.report.details import fields, items, number, text
from edge_sdk.validate.report.markup import Content, Markup, tag
from edge_sdk.validate.report.reading import Reading, section, table


def environment(reading: Reading) -> Markup:
    """Return the section on model, data, machine and tools."""
    model, data, around = (reading.section(name) for name in ("model", "data", "environment"))
    rows: list[list[Content]] = []

    def row(title: str, value: Content) -> None:
        rows.append([title, wording.NONE if value is None else value])

    parameters, samples = number(model.get("parameters")), number(data.get("samples"))
    row("model", _code(text(model.get("path"))))
    row("kind", text(model.get("kind")))
    row("model sha256", _code(text(model.get("sha256"))))
    row("parameters", None if parameters is None else f"{parameters:,.0f}")
    row(
        "data",
        None if samples is None else f"{samples:,.0f} samples, {text(data.get('kind')) or 'of unknown kind'}",
    )
    row("data sha256", _code(text(data.get("sha256"))))
    row("bundle", _code(text(reading.details.get("bundle"))))
    row("bundle sha256", _code(text(reading.details.get("bundle_sha256"))))
    machine = [
        wording.count(part, "CPU core") if isinstance(part, int) else text(part) or ""
        for part in items(around.get("machine"))
    ]
    row("machine", ", ".join(filter(None, machine)) or None)
    row("Python", text(around.get("python")))
    row("edge_sdk", text(around.get("edge_sdk")))
    for name, version in fields(around.get("tools")).items():
        row(name, text(version))
    files: list[list[Content]] = [
        [
            str(item["id"]),
            _code(text(item.get("path"))) or wording.NONE,
            _code(text(item.get("sha256"))) or wording.NONE,
        ]
        for item in reading.variants
    ]
    boards: list[list[Content]] = [
        [
            str(target["name"]),
            text(target.get("title")) or wording.NONE,
            " ".join(str(value) for value in fields(target.get("runtime")).values() if text(value))
            or wording.NONE,
            text(target.get("picked")) or "none",
        ]
        for target in reading.targets
    ]
    return section(
        "environment",
        "Environment",
        table(["what", "value"], rows, name="Model, data, machine and tools"),
        tag("h3", "Targets"),
        table(["target", "what it is", "runtime, at least", "gets"], boards, name="Targets")
        if boards
        else wording.missing("No target is named."),
        tag("h3", "Files"),
        table(["variant", "file", "sha256"], files, name="Files of the variants")
        if files
        else wording.missing("No variant was made."),
        reading.trace("model, data, environment, targets", "build"),
    )


def _code(value: str | None) -> Markup | None:
    return None if value is None else tag("code", value, class_="path")


def provenance(reading: Reading) -> Markup:
    """Return the section with the commands that repeat the numbers."""
    if not reading.commands:
        return section(
            "provenance", "Repeat it", wording.missing("The command of the build was not written down.")
        )
    rows: list[Markup] = []
    for command in reading.commands.values():
        gives = ", ".join(command.sources)
        rows.append(
            tag(
                "li",
                tag("h3", command.key),
                tag("p", f"Gives {command.gives}."),
                tag("pre", tag("code", command.line)),
                tag("p", "Fields: ", tag("code", gives), class_="trace") if gives else None,
                id=f"command-{command.key}",
            )
        )
    return section(
        "provenance",
        "Repeat it",
        tag(
            "p",
            "Every number above names the field of details.json that holds it and a command that gives it "
            "again; type it in the folder of the build. Sizes, metrics, errors and predictions come out the "
            "same; latency and memory belong to the machine. Finished steps are taken from the build's "
            "cache; ",
            tag("code", "--fresh"),
            " makes them again.",
        ),
        tag("ol", rows, class_="commands"),
    )
