from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from edge_sdk.quantize.recipe import recipe_names


@pytest.fixture
def run():
    import typer

    from edge_sdk.cli.recipes import register

    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return lambda *arguments: CliRunner().invoke(app, ["recipes", *arguments])


def test_the_list_names_every_recipe(run) -> None:
    done = run()
    assert done.exit_code == 0
    for name in recipe_names():
        assert name in done.stdout


def test_json_is_one_document_with_what_scripts_need(run) -> None:
    rows = json.loads(run("--json").stdout)
    assert [row["name"] for row in rows] == recipe_names()
    by_name = {row["name"]: row for row in rows}
    assert by_name["full_int8_io"]["io"] == "int8"
    assert by_name["full_int8"]["needs_calibration"] is True
    assert by_name["dynamic_int8"]["needs_calibration"] is False
    assert by_name["float32"]["weight_bits"] is None
    assert (by_name["float32"]["format"], by_name["float32"]["minimum_ios"]) == ("tflite", None)
    assert (by_name["coreml_int4"]["format"], by_name["coreml_int4"]["minimum_ios"]) == ("mlpackage", "iOS18")
