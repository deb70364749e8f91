"""Progress and the ways out of a verb."""

from __future__ import annotations

import io
import json
import sys

import pytest
import typer

from edge_sdk.cli import console
from edge_sdk.errors import ConfigError
from edge_sdk.progress import Step


def test_plain_progress_prints_changes_and_not_every_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with console.progress() as report:
        for percent in range(101):
            report(Step("push", "sending blobs", percent / 100, "board-1"))
        report(Step("push", "trying the release", None, "board-1"))
    assert stream.getvalue().splitlines() == [
        "push board-1: sending blobs   0%",
        "push board-1: sending blobs 100%",
        "push board-1: trying the release",
    ]


def test_quiet_progress_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress(quiet=True) as report:
        report(Step("build", "converting"))
    assert capsys.readouterr() == ("", "")


def test_an_error_becomes_its_exit_code_with_reason_and_cure(capsys: pytest.CaptureFixture[str]) -> None:
    @console.verb
    def failing(*, json: bool = False, debug: bool = False) -> None:
        raise ConfigError("edge.toml is wrong", why="[build] has no model", hint="edge init MODEL")

    with pytest.raises(typer.Exit) as caught:
        failing(json=True)
    out, err = capsys.readouterr()
    assert caught.value.exit_code == 2
    assert json.loads(out)["hint"] == "edge init MODEL"
    assert err.splitlines() == [
        "error: edge.toml is wrong",
        "why:   [build] has no model",
        "try:   edge init MODEL",
    ]


def test_ctrl_c_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    @console.verb
    def interrupted(*, json: bool = False, debug: bool = False) -> None:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as caught:
        interrupted()
    assert caught.value.exit_code == 130


def test_an_unforeseen_failure_ends_with_1_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    @console.verb
    def broken(*, json: bool = False, debug: bool = False) -> None:
        raise ZeroDivisionError("boom")

    with pytest.raises(typer.Exit) as caught:
        broken()
    assert caught.value.exit_code == 1
    error = capsys.readouterr().err
    assert "ZeroDivisionError: boom" in error
    assert "--debug" in error
    assert "Traceback" not in error
