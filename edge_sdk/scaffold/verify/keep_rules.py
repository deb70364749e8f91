"""Keep rules of R8 name classes that exist, and cover what native code builds by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge_sdk.scaffold.verify.base import ANDROID, Finding, Verdict
from edge_sdk.scaffold.verify.class_names import class_names, has_classes, prefix_of
from edge_sdk.scaffold.verify.kotlin_text import code_only
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
        known = class_names(site)
        prefixes = {prefix_of(name) for name in known}
        strange = set()
        for rule in rules:
            for name in (*rule.names, *rule.others):
                if _exists(name, known):
                    continue
                if prefix_of(name) in prefixes:
                    findings.append(Finding(rule.path, rule.line, f"there is no class {name}"))
                else:
                    strange.add(name)
        if strange and not has_classes(site):
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
