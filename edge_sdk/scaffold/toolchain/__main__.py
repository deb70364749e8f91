"""`python -m edge_sdk.scaffold.toolchain install|status`."""

from __future__ import annotations

import sys

from edge_sdk.errors import EdgeError
from edge_sdk.progress import Step
from edge_sdk.scaffold.toolchain.debian import find_debian, install_debian
from edge_sdk.scaffold.toolchain.kotlin import find_kotlin, install_kotlin
from edge_sdk.scaffold.toolchain.places import Missing


def main(arguments: list[str]) -> int:
    """Install the tools, or tell what is there; return the exit code."""
    if arguments not in (["install"], ["status"]):
        sys.stderr.write("usage: python -m edge_sdk.scaffold.toolchain install|status\n")
        return 2
    try:
        if arguments == ["install"]:
            install_kotlin(_say)
            install_debian(_say)
        return _status()
    except EdgeError as failure:
        sys.stderr.write(f"error: {failure}\n")
        return failure.exit_code


def _say(step: Step) -> None:
    if not step.subject or not step.fraction:  # of a list of packages, the first one
        sys.stderr.write(f"{step.stage}: {step.message}\n")


def _status() -> int:
    kotlin, debian = find_kotlin(), find_debian()
    for tool in (kotlin, debian):
        if isinstance(tool, Missing):
            sys.stdout.write(f"{tool.name}: missing, {tool.why}; {tool.how}\n")
    if not isinstance(kotlin, Missing):
        sys.stdout.write(f"Kotlin: {kotlin.home}\n")
    if not isinstance(debian, Missing):
        listed = ", ".join(f"{name} {version}" for name, version in sorted(debian.versions.items()))
        sys.stdout.write(f"Swift and aapt2: {debian.root} ({listed})\n")
        for other in debian.others:
            sys.stdout.write(f"  note: {other} is not the pinned version, which left the mirror\n")
    return 1 if isinstance(kotlin, Missing) or isinstance(debian, Missing) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
