"""A build's verdicts as JUnit XML, the form that continuous-integration systems show.

One suite for the variants (a test each: rejected is a failure, a recipe that gave nothing is an error, one
that was left out is skipped) and one suite a target (a test each variant: over budget is a failure, one that
its runtime cannot run is skipped, and "a variant is picked" is a test of its own).
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree

from edge_sdk.bundle.durable import durable_file
from edge_sdk.pipeline.result import BuildResult, TargetChoice, VariantReport

#: What XML 1.0 cannot hold, even escaped.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(result: BuildResult) -> bytes:
    """Return the document."""
    suites = ElementTree.Element("testsuites", name=_text(f"edge build {result.name}"))
    _variants(suites, result)
    for choice in result.choices:
        _target(suites, choice, result)
    for suite in [suites, *suites]:
        cases = list(suite.iter("testcase"))
        suite.set("tests", str(len(cases)))
        for kind, word in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            suite.set(word, str(sum(case.find(kind) is not None for case in cases)))
    ElementTree.indent(suites)
    stream = io.BytesIO()
    ElementTree.ElementTree(suites).write(stream, encoding="utf-8", xml_declaration=True)
    return stream.getvalue() + b"\n"


def write_junit(result: BuildResult, path: Path) -> None:
    """Write the document; it appears whole or not at all.

    Raises:
        ConfigError: The file cannot be written.
        NoSpaceError: The disk is full.
    """
    content = junit_xml(result)
    with durable_file(path, needed=len(content)) as stream:
        stream.write(content)


def _variants(suites: ElementTree.Element, result: BuildResult) -> None:
    suite = _add(suites, "testsuite", name=f"{result.name}.variants")
    for report in result.variants:
        case = _add(suite, "testcase", classname=f"{result.name}.variants", name=report.id)
        if not report.passed:
            _add(case, "failure", "\n".join(report.reasons), message=report.reasons[0], type=report.verdict)
        _add(case, "system-out", _numbers(report))
    for failure in result.failures:
        case = _add(suite, "testcase", classname=f"{result.name}.variants", name=failure.recipe or "build")
        text = failure.cause if failure.hint is None else f"{failure.cause}\ntry: {failure.hint}"
        _add(case, "error", text, message=failure.cause, type=failure.stage)
    for name, reason in result.skipped.items():
        case = _add(suite, "testcase", classname=f"{result.name}.variants", name=name)
        _add(case, "skipped", message=reason)


def _target(suites: ElementTree.Element, choice: TargetChoice, result: BuildResult) -> None:
    name = f"{result.name}.{choice.target}"
    suite = _add(suites, "testsuite", name=name)
    case = _add(suite, "testcase", classname=name, name="a variant is picked")
    if choice.picked is None:
        sentences = [f"{key}: {', '.join(found)}" for key, found in choice.obstacles().items()]
        _add(case, "failure", "\n".join(sentences), message="no variant will do", type="budget")
    else:
        _add(case, "system-out", f"picked {choice.picked}")
    for report in result.variants:
        if not report.passed:
            continue
        case = _add(suite, "testcase", classname=name, name=report.id)
        if reasons := choice.incompatible.get(report.id):
            _add(case, "skipped", message="; ".join(reasons))
        elif missed := choice.misses.get(report.id):
            sentences = [miss.sentence for miss in missed]
            _add(case, "failure", "\n".join(sentences), message=sentences[0], type="budget")


def _numbers(report: VariantReport) -> str:
    names = ("size_bytes", "metric_name", "metric", "metric_drop", "agreement", "snr_db", "peak_memory_bytes")
    lines = [f"{name} = {getattr(report, name)}" for name in names if getattr(report, name) is not None]
    lines += [f"{name}_ms = {value:.4g}" for name, value in sorted((report.latency_ms or {}).items())]
    return "\n".join(lines)


def _add(
    parent: ElementTree.Element, kind: str, content: str | None = None, **attributes: str
) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, kind, {key: _text(value) for key, value in attributes.items()})
    if content is not None:
        element.text = _text(content)
    return element


def _text(value: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value)
