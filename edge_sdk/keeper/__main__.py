"""`edge-keeper`: the keeper's command on a board. The host starts `edge-keeper serve` over SSH."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import edge_sdk
from edge_sdk.errors import EdgeError, RemoteError
from edge_sdk.keeper.launch import ROOT_VARIABLE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code of the command-line contract."""
    options = _parser().parse_args(arguments)
    root = Path(options.root)
    if options.act == "serve":
        from edge_sdk.keeper.session import serve

        return serve(root)
    from edge_sdk.keeper.disk import disk_failure

    try:
        if not root.is_dir():
            raise RemoteError(f"there is no keeper's folder at {root}", hint="name it: --root FOLDER")
        result = _status(root) if options.act == "status" else _rollback(root, options.to)
    except (EdgeError, OSError) as failure:
        error = failure if isinstance(failure, EdgeError) else disk_failure(failure, root)
        if options.json:
            _print_json(error.to_dict())
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    if options.json:
        _print_json(result)
    else:
        sys.stdout.write(_lines(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="edge-keeper", description="Keeps releases on this board.")
    parser.add_argument("--version", action="version", version=f"edge-keeper {edge_sdk.__version__}")
    acts = parser.add_subparsers(dest="act", required=True)
    default = os.environ.get(ROOT_VARIABLE) or str(Path("~/edge").expanduser())
    for name, text in (
        ("serve", "speak the keeper's protocol on stdin and stdout"),
        ("status", "show what is installed"),
        ("rollback", "return to an earlier release"),
    ):
        act = acts.add_parser(name, help=text, description=text)
        act.add_argument("--root", default=default, help="the keeper's folder (default: %(default)s)")
        act.add_argument("--json", action="store_true", help="print exactly one JSON document")
        act.set_defaults(to=None)
        if name == "rollback":
            act.add_argument("--to", help="the release to return to (default: the one before)")
    return parser


def _status(root: Path) -> dict[str, Any]:
    from edge_sdk.keeper.cleanup import Workshop
    from edge_sdk.keeper.lock import Lock
    from edge_sdk.keeper.requests import status

    shop = Workshop.open(root)
    return status(shop, Lock(shop.layout))


def _rollback(root: Path, to: str | None) -> dict[str, Any]:
    from edge_sdk.keeper.cleanup import Workshop, sweep
    from edge_sdk.keeper.install import finish_switch, rollback
    from edge_sdk.keeper.lock import Lock

    shop = Workshop.open(root)
    lock = Lock(shop.layout)
    lock.acquire()
    try:
        sweep(shop)
        finish_switch(shop)
        return rollback(shop, to)
    finally:
        lock.release()


def _print_json(data: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def _lines(result: dict[str, Any]) -> str:
    plain = {key: value for key, value in result.items() if not isinstance(value, (dict, list))}
    lines = [f"{key:<10} {'-' if value is None else value}" for key, value in plain.items()]
    for row in result.get("releases", []):
        lines.append(f"release    {row['release']}  {row.get('name', 'damaged')} {row.get('version', '')}")
    lines += [f"problem    {text}" for text in result.get("problems", [])]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
