"""The JUnit document says what the build says, whatever strings are in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as some

from edge_sdk.configuration import Budget
from edge_sdk.convert.worker import Failure
from edge_sdk.pipeline.junit import junit_xml, write_junit
from edge_sdk.pipeline.result import BuildResult, TargetChoice, VariantReport
from edge_sdk.validate.budget import Numbers, misses


def report(name: str, *reasons: str) -> VariantReport:
    return VariantReport(
        id=name,
        format="tflite",
        recipe=name,
        path=Path(name),
        sha256="ab" * 32,
        size_bytes=1000,
        metric=0.9,
        metric_name="top1",
        latency_ms={"p50": 1.0, "p90": 2.0, "p99": 3.0},
        verdict="rejected" if reasons else "passed",
        reasons=reasons,
    )


def result(**changes: Any) -> BuildResult:
    missed = misses(Numbers(size_bytes=1000), Budget(max_size_bytes=900))
    fields: dict[str, Any] = {
        "name": "digits",
        "version": "1",
        "bundle": None,
        "bundle_sha256": None,
        "choices": (
            TargetChoice(target="host", order=("good",), misses={"large": missed}),
            TargetChoice(target="old", order=(), incompatible={"good": ("needs CONV_2D version 9",)}),
        ),
        "variants": (report("good"), report("large"), report("bad", "nan: output 'y' has 3 NaN")),
        "failures": (
            Failure(
                recipe="int4",
                format="tflite",
                stage="quantize",
                cause="no kernel",
                hint="x",
                log="l",
                error={},
            ),
        ),
        "skipped": {"full_int8": "needs calibration data"},
        "data": "evaluation",
        "samples": 10,
    }
    return BuildResult(**{**fields, **changes})


def test_every_verdict_is_a_test_case() -> None:
    root = ElementTree.fromstring(junit_xml(result()))
    cases = {
        (suite.get("name"), case.get("name")): [child.tag for child in case]
        for suite in root
        for case in suite
    }
    assert cases == {
        ("digits.variants", "good"): ["system-out"],
        ("digits.variants", "large"): ["system-out"],
        ("digits.variants", "bad"): ["failure", "system-out"],
        ("digits.variants", "int4"): ["error"],
        ("digits.variants", "full_int8"): ["skipped"],
        ("digits.host", "a variant is picked"): ["system-out"],
        ("digits.host", "good"): [],
        ("digits.host", "large"): ["failure"],
        ("digits.old", "a variant is picked"): ["failure"],
        ("digits.old", "good"): ["skipped"],
        ("digits.old", "large"): [],
    }
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "11",
        "failures": "3",
        "errors": "1",
        "skipped": "2",
    }
    failure = root.find("testsuite[@name='digits.host']/testcase[@name='large']/failure")
    assert failure is not None
    assert failure.get("message") == "size 1,000 bytes, 100 bytes over the budget of 900 bytes"


@given(some.text(), some.text())
def test_any_text_gives_a_document_that_parsers_read(name: str, reason: str) -> None:
    odd = result(variants=(report(name, reason),), name=name)
    assert ElementTree.fromstring(junit_xml(odd)).find("testsuite/testcase/failure") is not None


def test_it_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    write_junit(result(), path)
    assert path.read_bytes() == junit_xml(result())
