"""Keep rules of R8 name classes that exist, and cover what native code builds by name."""

from __future__ import annotations

import functools
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.scaffold.stubs.for_kotlin import kotlin_stubs
from edge_sdk.scaffold.verify.base import ANDROID, CannotRun, Finding, Verdict
from edge_sdk.scaffold.verify.kotlin_text import code_only, declared_classes
from edge_sdk.scaffold.verify.site import Site

#: Classes that LiteRT's native code looks up by name and builds; the rules inside its AAR do not keep them.
_LITERT = "com.google.ai.edge.litert"
_BUILT_BY_NATIVE_CODE = tuple(
    f"{_LITERT}.{name}" for name in ("TensorType", "TensorBufferRequirements", "LiteRtException")
)
NATIVE: Mapping[str, tuple[str, ...]] = {"litert": _BUILT_BY_NATIVE_CODE, "play": _BUILT_BY_NATIVE_CODE}
_RULE = re.compile(
    r"-(?P<kind>keep(?:classmembers|classeswithmembers|names|classmembernames|classeswithmembernames)?|if)\b"
    r"(?P<modifiers>(?:\s*,\s*\w+)*)\s+(?P<head>[^{}\n]*(?:\n\s+[^-{}\n][^{}\n]*)*)(?P<members>\{[^}]*\})?"
)
_HEAD = re.compile(
    r"(?:@(?P<annotation>[\w.$*?]+)\s+)?(?:!?(?:public|final|abstract)\s+)*"
    r"!?@?(?P<what>class|interface|enum)\s+(?P<names>[\w.$*?,!\s]+?)"
    r"(?:\s+(?:extends|implements)\s+(?:@(?P<on>[\w.$*?]+)\s+)?(?P<parent>[\w.$*?]+))?\s*"
)
_FILES = re.compile(r"\b(?:consumerProguardFiles?|proguardFiles?)\s*\(")
_TEXT = re.compile(r'"([^"\n]+)"')
_ALL_MEMBERS = re.compile(r"(?:^|[;{])\s*(?:\*|<init>\s*\(\s*(?:\.\.\.)\s*\))\s*;")


@dataclass(frozen=True)
class _Rule:
    path: str
    line: int
    kind: str
    names: tuple[str, ...]
    others: tuple[str, ...]
    members: str


class KeepRules:
    """Each class named in a rule exists, and each class that LiteRT's JNI builds is kept with its members."""

    name = "keep-rules"
    platforms = (ANDROID,)
    proves = "classes in keep rules exist, and those that native code of the runtime builds are kept whole"
    heavy = False

    def run(self, site: Site) -> Verdict:
        """Read the rules that build scripts name, and look up their classes."""
        findings = list(_named_files(site))
        rules = [rule for path in site.find(".pro") for rule in read_rules(path, site.read(path))]
        known = site.once("class names", lambda: _known(site))
        prefixes = {_prefix(name) for name in known}
        strange = set()
        for rule in rules:
            for name in (*rule.names, *rule.others):
                if _exists(name, known):
                    continue
                if _prefix(name) in prefixes:
                    findings.append(Finding(rule.path, rule.line, f"there is no class {name}"))
                else:
                    strange.add(name)
        if strange and not _has_classes(site):
            site.kotlin()  # says how to get them
        whole = [
            rule for rule in rules if rule.kind in ("keep", "keepnames") and _ALL_MEMBERS.search(rule.members)
        ]
        for wanted in NATIVE.get(site.project.options.runtime, ()):
            inner = [name for name in known if name == wanted or name.startswith(wanted + "$")]
            for name in sorted(inner):
                if not any(_matches(pattern, name) for rule in whole for pattern in rule.names):
                    place = next(iter(site.find("consumer-rules.pro")), "")
                    message = (
                        f"native code of LiteRT builds {name}, and no rule keeps it with its members: "
                        f"-keep class {_LITERT}.** {{ *; }}"
                    )
                    findings.append(Finding(place, None, message))
        note = f"{len(rules)} rules"
        if strange:
            note += "; not judged, because their libraries are not here: " + ", ".join(sorted(strange))
        return Verdict(tuple(findings), note)


def read_rules(path: str, text: str) -> tuple[_Rule, ...]:
    """Return the rules of a file that name classes."""
    text = re.sub(r"#[^\n]*", lambda match: " " * len(match[0]), text)
    rules = []
    for match in _RULE.finditer(text):
        head = _HEAD.fullmatch(match["head"].strip())
        if head is None:
            continue
        names = tuple(
            name.strip().lstrip("!")
            for name in head["names"].split(",")
            if not name.strip().startswith("!") and name.strip()
        )
        others = tuple(name for name in (head["annotation"], head["on"], head["parent"]) if name)
        line = text.count("\n", 0, match.start()) + 1
        rules.append(_Rule(path, line, match["kind"], names, others, match["members"] or ""))
    return tuple(rules)


def _named_files(site: Site) -> Iterator[Finding]:
    """Find rule files that a build script names and that are not there: AGP 9 fails the build then."""
    for path in site.find("build.gradle.kts"):
        raw, code = site.read(path), code_only(site.read(path))
        module = path.rpartition("/")[0]
        for match in _FILES.finditer(code):
            end, depth = match.end(), 1
            while end < len(code) and depth:
                depth += {"(": 1, ")": -1}.get(code[end], 0)
                end += 1
            for text in _TEXT.finditer(raw, match.end(), end):
                if "getDefaultProguardFile" in raw[max(match.start(), text.start() - 30) : text.start()]:
                    continue
                if f"{module}/{text[1]}".lstrip("/") not in site.files:
                    line = raw.count("\n", 0, text.start()) + 1
                    yield Finding(path, line, f"there is no file {text[1]}; the build fails without it")


def _has_classes(site: Site) -> bool:
    try:
        site.kotlin()
    except CannotRun:
        return False
    return True


def _known(site: Site) -> frozenset[str]:
    """Return the names of all classes that the app can see: its own, stubs, and real ones that are here."""
    runtime = site.project.options.runtime
    jars: tuple[Path, ...] = ()
    if _has_classes(site):
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


def _prefix(name: str) -> str:
    """Return what tells a library from others: up to three parts of its package."""
    parts = re.split(r"[.$]", name)
    whole = [part for part in parts[:-1] if "*" not in part and "?" not in part]
    return ".".join(whole[:3])


def _exists(pattern: str, known: frozenset[str]) -> bool:
    if pattern in known or pattern.strip("*") == "":
        return True
    if "*" not in pattern and "?" not in pattern:
        return False
    return any(_matches(pattern, name) for name in known)


def _matches(pattern: str, name: str) -> bool:
    """Return whether a class is meant: "?" one character, "*" any but a dot, "**" any at all."""
    expression = re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", r"[^.]*").replace(r"\?", r"[^.]")
    return re.fullmatch(expression, name) is not None
