"""`edge report` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_command_contract import edge
from tests.validate.report.example import example


def put(folder: Path) -> Path:
    build = folder / "build/fashion"
    build.mkdir(parents=True)
    (build / "details.json").write_text(json.dumps(example()))
    return build


def test_it_writes_the_page_and_the_twin(tmp_path: Path) -> None:
    done = edge("report", str(put(tmp_path)), "--html", "out/fashion.html", "--json", "out/fashion.json")
    assert done.returncode == 0, done.stderr
    assert "wrote out/fashion.html (" in done.stdout
    assert Path("out/fashion.html").read_text("utf-8").startswith("<!doctype html>")
    twin = json.loads(Path("out/fashion.json").read_text("utf-8"))
    assert twin["summary"]["verdict"] == "mixed"
    assert twin["details"] == example()
    assert sorted(path.name for path in Path("out").iterdir()) == ["fashion.html", "fashion.json"]


def test_a_dash_prints_the_twin_alone(tmp_path: Path) -> None:
    done = edge("report", str(put(tmp_path)), "--json", "-", "--html", "page.html")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["schema"] == 1
    assert "wrote page.html" in done.stderr


def test_nothing_to_write_is_a_usage_error(tmp_path: Path) -> None:
    done = edge("report", str(put(tmp_path)))
    assert done.returncode == 2
    assert "--html report.html" in done.stderr


def test_a_build_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = edge("report", "nowhere", "--html", "page.html")
    assert done.returncode == 2
    assert "nowhere is no build" in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path("page.html").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    Path("file").write_text("")
    done = edge("report", str(put(tmp_path)), "--html", "file/page.html")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
