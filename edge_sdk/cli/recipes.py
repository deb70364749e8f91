"""`edge recipes`: the ways to quantize."""

from __future__ import annotations

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, stdout, verb


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("recipes", epilog="Example: [bold]edge recipes[/bold]")(recipes)


@verb
def recipes(*, json: JsonOption = False, debug: DebugOption = False) -> None:
    """List the recipes: how a model can be made smaller, and what each needs."""
    from edge_sdk.quantize.recipe import load_recipe, recipe_names

    found = [load_recipe(name) for name in recipe_names()]
    if json:
        print_json(
            [
                {
                    "name": recipe.name,
                    "title": recipe.title,
                    "description": recipe.description,
                    "method": recipe.method,
                    "weight_bits": recipe.weight_bits,
                    "activation_bits": recipe.activation_bits,
                    "io": recipe.io,
                    "backend": recipe.backend,
                    "format": recipe.format,
                    "minimum_ios": recipe.minimum_ios,
                    "needs_calibration": recipe.needs_calibration,
                }
                for recipe in found
            ]
        )
        return
    from rich.table import Table

    table = Table("recipe", "what it makes", "needs", box=None, pad_edge=False)
    for recipe in found:
        needs = "samples" if recipe.needs_calibration else recipe.minimum_ios
        table.add_row(recipe.name, recipe.title, needs or "-")
    stdout().print(table)
