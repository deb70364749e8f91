"""R and BuildConfig as the Android Gradle plugin makes them: what sources refer to, without its values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as Xml

from edge_sdk.scaffold.verify.gradle_text import GradleModule
from edge_sdk.scaffold.verify.site import Site

#: Elements in res/values whose type of resource is called otherwise.
_TYPES = {"string-array": "array", "integer-array": "array", "declare-styleable": "styleable"}
_NEW_ID = re.compile(r"@\+id/([\w.]+)")
_FIELDS = (
    ("boolean", "DEBUG"),
    ("String", "APPLICATION_ID"),
    ("String", "BUILD_TYPE"),
    ("String", "LIBRARY_PACKAGE_NAME"),
    ("int", "VERSION_CODE"),
    ("String", "VERSION_NAME"),
)


def resource_class(site: Site, module: GradleModule) -> str:
    """Return R.java of a module: every resource below its src/main/res."""
    names: dict[str, set[str]] = {}
    for path in site.find("", under=f"{module.path}/src/main/res"):
        folder, _, file = path.rpartition("/")
        kind = folder.rpartition("/")[2].partition("-")[0]
        for found, name in _of_values(site.read(path)) if kind == "values" else _of_file(kind, file):
            names.setdefault(found, set()).add(re.sub(r"\W", "_", name))
        if file.endswith(".xml"):
            for name in _NEW_ID.findall(site.read(path)):
                names.setdefault("id", set()).add(name)
    lines = [f"package {module.namespace};", "public final class R {"]
    for kind, members in sorted(names.items()):
        lines.append(f"  public static final class {kind} {{")
        # Not final: since AGP 8 they are no constants.
        array = "[]" if kind == "styleable" else ""
        lines += [f"    public static int{array} {name};" for name in sorted(members)]
        lines.append("  }")
    return "\n".join([*lines, "}", ""])


def _of_file(kind: str, file: str) -> Iterator[tuple[str, str]]:
    yield kind, file.partition(".")[0]


def _of_values(text: str) -> Iterator[tuple[str, str]]:
    try:
        # The project is its user's own; entities are expanded by no resource compiler either.
        root = Xml.fromstring(text) if "<!ENTITY" not in text else Xml.Element("resources")  # noqa: S314
    except Xml.ParseError:
        return  # aapt2 says where
    for element in root:
        name = element.get("name")
        if name and element.tag not in ("public", "eat-comment", "skip"):
            kind = element.get("type", "") if element.tag == "item" else element.tag
            yield _TYPES.get(kind, kind), name


def build_config_class(module: GradleModule) -> str:
    """Return BuildConfig.java of a module."""
    fields = (*_FIELDS, *(module.build_config or ()))
    lines = [f"package {module.namespace};", "public final class BuildConfig {"]
    for name, kind in {name: kind for kind, name in fields}.items():
        lines.append(f"  public static {kind} {name};")  # no constant: it differs from build to build
    return "\n".join([*lines, "}", ""])
