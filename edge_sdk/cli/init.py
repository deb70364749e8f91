"""`edge init`: write an edge.toml for a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, stdout, verb


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("init", epilog="Example: edge init digits_model --target raspberry-pi-5")(init)


@verb
def init(
    model: Annotated[
        str, typer.Argument(help="SavedModel folder, .keras, .h5, .tflite, or module:function.")
    ],
    *,
    target: Annotated[
        list[str] | None, typer.Option("--target", "-t", help="Target; repeat for several. Default: host.")
    ] = None,
    config: Annotated[Path, typer.Option(help="File to write.")] = Path("edge.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write an edge.toml with what can be read off a model, for you to complete."""
    from edge_sdk.bundle.durable import durable_file
    from edge_sdk.configuration import read_configuration
    from edge_sdk.errors import ConfigError
    from edge_sdk.model.load import open_model
    from edge_sdk.pipeline.starter import starter_text
    from edge_sdk.targets import load_target

    targets = target or ["host"]
    for name in targets:
        load_target(name)
    found = open_model(model)
    text = starter_text(found, config.parent, targets=targets)
    if config.exists() and not force:
        raise ConfigError(
            f"{config} exists already; it was left as it is",
            hint="edge init --force replaces it, --config FILE writes another one",
        )
    with durable_file(config) as stream:
        stream.write(text.encode())
    pictures = [name for name, entry in read_configuration(config).input.items() if entry.image is not None]
    if json:
        print_json({"path": str(config), "model": found.location, "targets": targets, "pictures": pictures})
        return
    from rich.text import Text

    console = stdout()
    console.print(Text.assemble("wrote ", (str(config), "bold")))
    if pictures:
        names = ", ".join(pictures)
        console.print(Text(f"check the scaling of {names} in it: no model file says how it was trained"))
    console.print(Text.assemble("next:  ", ("edge build", "bold")))
