"""Swift: the package's tests pass, the app type-checks without data races, the style is the project's."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_sdk.scaffold.stubs import for_swift
from edge_sdk.scaffold.stubs.for_swift import compile_swift, compile_swift_module, compile_swift_stubs
from edge_sdk.scaffold.toolchain.debian import RECORD, Debian
from edge_sdk.scaffold.toolchain.places import Completed
from edge_sdk.scaffold.verify.base import IOS, CannotRun, Finding, Verdict
from edge_sdk.scaffold.verify.compiled import kept
from edge_sdk.scaffold.verify.compiler_output import failure_of, findings_of
from edge_sdk.scaffold.verify.site import Site

PACKAGE = "Packages/EdgeModelKit"
CORE = "EdgeCore"
_CORE_SOURCES = f"{PACKAGE}/Sources/{CORE}"
_XCTEST = re.compile(r"^/work/(?P<path>[^:\n]+):(?P<line>\d+): error: (?P<said>.*)$", re.MULTILINE)
_TESTING = re.compile(
    r"^\S* ?Test (?P<name>.+?) recorded an issue(?: with [^\n]*?)? at "
    r"(?P<file>[\w.]+\.swift):(?P<line>\d+):\d+: (?P<said>.*)$",
    re.MULTILINE,
)
_COUNTED = re.compile(r"(?:Executed|Test run with) (\d+) tests?")
_TEST_SECONDS = 900
_XCODE = "let Xcode build it: xcodebuild build, or the project's own workflow"


class SwiftCore:
    """The Swift package as SwiftPM builds and tests it, outside of the project."""

    name = "swift-core"
    platforms = (IOS,)
    proves = "EdgeModelKit builds without a warning; golden vectors agree with Python, its other tests pass"
    heavy = True

    def run(self, site: Site) -> Verdict:
        """Run `swift test` on a copy."""
        debian = site.debian()
        room = site.room("swift-core")
        paths = site.find("", under=PACKAGE)
        if f"{PACKAGE}/Package.swift" not in paths:
            return Verdict((Finding(f"{PACKAGE}/Package.swift", None, "is missing"),))
        if re.search(r"\.package\s*\(\s*(?:name:[^,]*,\s*)?url:", site.read(f"{PACKAGE}/Package.swift")):
            raise CannotRun(f"{PACKAGE} needs packages that are not here", _XCODE)
        _copy(site, paths, room, strip=PACKAGE)
        done = debian.run(
            ["swift", "test", "--disable-sandbox", "-Xswiftc", "-warnings-as-errors"],
            room,
            timeout_seconds=_TEST_SECONDS,
        )
        if done.code == 0:
            count = sum(int(number) for number in _COUNTED.findall(done.output))
            if count:
                return Verdict((), f"{max(map(int, _COUNTED.findall(done.output)))} tests")
            return Verdict((Finding(f"{PACKAGE}/Tests", None, "no test was run"),))
        findings = [*_failed_tests(site, done.output), *_compile_errors(site, done.output)]
        return Verdict(tuple(findings) or (failure_of(done.output, done.code),))


def _copy(site: Site, paths: Sequence[str], room: Path, *, strip: str = "") -> None:
    for path in paths:
        place = room / path.removeprefix(f"{strip}/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(site.folder / path, place)


def _failed_tests(site: Site, output: str) -> Iterator[Finding]:
    for match in _XCTEST.finditer(output):
        if match["path"].startswith("Tests/"):
            yield Finding(f"{PACKAGE}/{match['path']}", int(match["line"]), match["said"])
    for match in _TESTING.finditer(output):
        path = next((item for item in site.find(match["file"], under=f"{PACKAGE}/Tests")), match["file"])
        yield Finding(path, int(match["line"]), f"{match['name']}: {match['said']}")


def _compile_errors(site: Site, output: str) -> tuple[Finding, ...]:
    placed = "\n".join(line for line in output.splitlines() if re.match(r"/work/\S+?:\d+:\d+: ", line))
    return findings_of(site, placed.replace("/work/", f"{PACKAGE}/"))


class SwiftApp:
    """The app and its tests in Swift 6 mode against stubs of Apple's frameworks."""

    name = "swift-app"
    platforms = (IOS,)
    proves = "app and tests type-check in Swift 6 mode, data races included, without a warning"
    heavy = True

    def run(self, site: Site) -> Verdict:
        """Compile EdgeCore as a module, then the app, then the app as a module and its tests."""
        debian = site.debian()
        stubs = _stubs(debian)
        room = site.room("swift-app")
        shutil.copytree(stubs, room, dirs_exist_ok=True)
        core, app, tests = (
            site.find(".swift", under=_CORE_SOURCES),
            _of_app(site, tests=False),
            _of_app(site, tests=True),
        )
        _copy(site, (*core, *app, *tests), room)
        if not app:
            return Verdict((Finding("", None, "the app has no Swift sources"),))
        done = compile_swift_module(debian, room, CORE, [Path(path) for path in core])
        if done.code:
            return Verdict(_judged(site, done))
        name = _module(app)
        findings = _judged(site, compile_swift(debian, room, [Path(path) for path in app], module=name))
        if not findings and tests:
            shims = [
                path.relative_to(room) for path in sorted((room / "stubs" / "Foundation").glob("*.swift"))
            ]
            made = compile_swift_module(
                debian,
                room,
                name,
                [*map(Path, app), *shims],
                options=["-swift-version", "6", "-enable-testing"],
            )
            findings = _judged(site, made) or _judged(
                site, compile_swift(debian, room, [Path(path) for path in tests], module=f"{name}Tests")
            )
        _refuse_to_judge(site, findings)
        return Verdict(findings, f"{len(app) + len(tests)} files")


def _refuse_to_judge(site: Site, findings: Sequence[Finding]) -> None:
    """Skip where a module is missing that may come from a package that the user added: it is not here."""
    missing = next((item for item in findings if item.message.startswith("no such module")), None)
    projects = (site.read(path) for path in site.find("/project.pbxproj"))
    if missing is not None and any("XCRemoteSwiftPackageReference" in text for text in projects):
        raise CannotRun(f"{missing}; packages that you added are not here", _XCODE)


def _judged(site: Site, done: Completed) -> tuple[Finding, ...]:
    findings = findings_of(site, done.output)
    if done.code and not findings:
        return (failure_of(done.output, done.code),)
    return findings if done.code else ()


def _of_app(site: Site, *, tests: bool) -> tuple[str, ...]:
    """Return the sources of the app, or of its tests: folders at the top, but the packages."""
    return tuple(
        path
        for path in site.find(".swift")
        if "/" in path and not path.startswith("Packages/") and path.split("/")[0].endswith("Tests") == tests
    )


def _module(paths: Sequence[str]) -> str:
    return re.sub(r"\W", "_", paths[0].split("/")[0])


def _stubs(debian: Debian) -> Path:
    sources = sorted(for_swift.FOLDER.glob("*/*.swift"))
    pinned = json.loads((debian.root / RECORD).read_text("utf-8"))
    return kept("swift-stubs", sources, pinned, lambda folder: compile_swift_stubs(debian, folder))


class SwiftFormat:
    """swift-format's linter with the project's own settings."""

    name = "swift-format"
    platforms = (IOS,)
    proves = "swift-format accepts every file in the project's own style"
    heavy = True

    def run(self, site: Site) -> Verdict:
        """Lint a copy of all sources with the settings beside them."""
        debian = site.debian()
        room = site.room("swift-format")
        paths = site.find(".swift")
        _copy(site, (*paths, *site.find(".swift-format")), room)
        if not paths:
            return Verdict((Finding("", None, "there are no Swift sources"),))
        done = debian.run(["swift-format", "lint", "--strict", "--parallel", *paths], room)
        findings = findings_of(site, done.output)
        if done.code and not findings:
            findings = (failure_of(done.output, done.code),)
        return Verdict(findings, f"{len(paths)} files")
