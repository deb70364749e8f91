"""Names of all classes that an Android project can see, found without a compiler."""

from __future__ import annotations

import functools
import re
import zipfile
from pathlib import Path

from edge_sdk.scaffold.stubs.for_kotlin import kotlin_stubs
from edge_sdk.scaffold.verify.base import CannotRun
from edge_sdk.scaffold.verify.kotlin_text import declared_classes
from edge_sdk.scaffold.verify.site import Site


def class_names(site: Site) -> frozenset[str]:
    """Return its own classes, those of stubs, and the real ones where they are here."""
    return site.once("class names", lambda: _known(site))


def has_classes(site: Site) -> bool:
    """Return whether the real classes (Android, Kotlin, TFLite) are here."""
    try:
        site.kotlin()
    except CannotRun:
        return False
    return True


def prefix_of(name: str) -> str:
    """Return what tells a library from others: up to three parts of its package."""
    parts = re.split(r"[.$]", name)
    whole = [part for part in parts[:-1] if "*" not in part and "?" not in part]
    return ".".join(whole[:3])


def _known(site: Site) -> frozenset[str]:
    """Return the names of all classes that the app can see: its own, stubs, and real ones that are here."""
    runtime = site.project.options.runtime
    jars: tuple[Path, ...] = ()
    if has_classes(site):
        kotlin = site.kotlin()
        stubs = kotlin_stubs(runtime, tests=True)
        jars = (*(kotlin.jars[name] for name in stubs.classes), kotlin.library)
    own = {name for path in site.find(".kt", ".java") for name in declared_classes(site.read(path))}
    return _of_libraries(runtime, jars) | own


@functools.cache
def _of_libraries(runtime: str, jars: tuple[Path, ...]) -> frozenset[str]:
    names: set[str] = set()
    for place in kotlin_stubs(runtime, tests=True).sources:
        names |= declared_classes(place.read_text("utf-8"))
    for jar in jars:
        names |= _classes(jar)
    return frozenset(names)


def _classes(jar: Path) -> set[str]:
    with zipfile.ZipFile(jar) as packed:
        return {
            name.removesuffix(".class").replace("/", ".")
            for name in packed.namelist()
            if name.endswith(".class") and not name.startswith("META-INF/")
        }
