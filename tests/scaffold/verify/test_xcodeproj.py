from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_sdk.scaffold.verify.xcode_project import Unreadable, read_project
from tests.scaffold.verify.findings import outcome, replace, said

PROJECT = "Relu.xcodeproj/project.pbxproj"
SCHEME = "Relu.xcodeproj/xcshareddata/xcschemes/Relu.xcscheme"


def identifier(ios: Path, kind: str, place: int = 0) -> str:
    objects = read_project((ios / PROJECT).read_text()).of_kind(kind)
    return [found for found, _ in objects][place]


def test_a_project_passes(ios: Path) -> None:
    assert said(ios, "xcodeproj") == []
    assert outcome(ios, "xcodeproj").why.startswith("29 objects")


def test_a_reference_to_nothing(ios: Path) -> None:
    target = identifier(ios, "PBXNativeTarget")
    text = (ios / PROJECT).read_text()
    wrong = "0" * 24
    at = text.index(f"target = {target}")
    (ios / PROJECT).write_text(text[:at] + text[at:].replace(target, wrong, 1))
    line = text.count("\n", 0, at) + 1
    owner = identifier(ios, "PBXTargetDependency")
    assert f"{PROJECT}:{line}: PBXTargetDependency {owner}: target names {wrong}, which is no object" in said(
        ios, "xcodeproj"
    )


def test_a_changed_identifier_is_missed_where_it_is_used(ios: Path) -> None:
    core = identifier(ios, "XCSwiftPackageProductDependency")
    text = (ios / PROJECT).read_text()
    (ios / PROJECT).write_text(re.sub(rf"{core}( /\* EdgeCore \*/ = )", r"ABCDEF0123456789ABCDEF01\1", text))
    findings = said(ios, "xcodeproj")
    assert len([item for item in findings if f"names {core}, which is no object" in item]) == 2
    assert any("ABCDEF0123456789ABCDEF01: nothing refers to it" in item for item in findings)


def test_an_object_of_the_wrong_kind(ios: Path) -> None:
    group = identifier(ios, "PBXGroup")
    text = (ios / PROJECT).read_text()
    list_of = identifier(ios, "XCConfigurationList")
    (ios / PROJECT).write_text(re.sub(rf"(mainGroup = ){group}", rf"\g<1>{list_of}", text))
    assert any(
        f"mainGroup names {list_of}, which is a XCConfigurationList" in item
        for item in said(ios, "xcodeproj")
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "relativePath = Packages/EdgeModelKit;",
            "relativePath = Packages/Other;",
            "there is no Packages/Other",
        ),
        ("productName = EdgeCore;", "productName = EdgeKit;", "no package offers a product EdgeKit"),
        ("path = Relu;", "path = Relus;", "there is no Relus"),
        ('productType = "com.apple.product-type.application";', "", "has no productType"),
        ("objectVersion = 77;", "objectVersion = 56;", "objectVersion 56: synchronized folders need 77"),
    ],
)
def test_what_xcode_needs(ios: Path, old: str, new: str, message: str) -> None:
    line = replace(ios, PROJECT, f"\t{old}", f"\t{new}")
    found = [item for item in said(ios, "xcodeproj") if message in item]
    assert len(found) == 1
    if new:
        assert found[0].startswith(f"{PROJECT}:{line}: ")


def test_what_cannot_be_read(ios: Path) -> None:
    replace(ios, PROJECT, "\tarchiveVersion = 1;\n", "\tarchiveVersion = 1\n")
    (first, *_) = said(ios, "xcodeproj")
    assert first.startswith(f"{PROJECT}:")
    assert "is no property list" in first
    (ios / PROJECT).write_text("{}")
    assert said(ios, "xcodeproj")[0] == f"{PROJECT}:1: does not begin with // !$*UTF8*$!"
    (ios / PROJECT).unlink()
    assert said(ios, "xcodeproj") == ["there is no .xcodeproj at the top"]


@pytest.mark.parametrize(
    "text", ["", "{", "( )", "{ objects = ( ); }", "{ objects = { A = b; }; }", "{ a = " * 9000]
)
def test_no_project(text: str) -> None:
    with pytest.raises(Unreadable):
        read_project("// !$*UTF8*$!\n" + text)


def test_an_object_defined_twice(ios: Path) -> None:
    package = identifier(ios, "XCLocalSwiftPackageReference")
    replace(
        ios,
        PROJECT,
        "/* End XCLocalSwiftPackageReference section */",
        f"\t\t{package} = {{\n\t\t\tisa = XCLocalSwiftPackageReference;\n"
        "\t\t\trelativePath = Packages/EdgeModelKit;\n\t\t};\n/* End */",
    )
    (finding,) = said(ios, "xcodeproj")
    assert finding.endswith(f"{package} is defined twice")


def test_a_scheme_that_names_another_target(ios: Path) -> None:
    target = identifier(ios, "PBXNativeTarget")
    text = (ios / SCHEME).read_text()
    (ios / SCHEME).write_text(text.replace(target, "0" * 24, 1))
    line = text.count("\n", 0, text.index(target)) + 1
    assert said(ios, "xcodeproj") == [f"{SCHEME}:{line}: names {'0' * 24}, which is no target of the project"]
    (ios / SCHEME).write_text(text.replace('BuildableName = "Relu.app"', 'BuildableName = "Digits.app"', 1))
    assert any(
        "BuildableName is 'Digits.app', the target's is 'Relu.app'" in item for item in said(ios, "xcodeproj")
    )
    (ios / SCHEME).write_text("<Scheme>\n<")
    assert said(ios, "xcodeproj")[0].startswith(f"{SCHEME}:2: is no XML")


def test_files_that_settings_name(ios: Path) -> None:
    text = (ios / PROJECT).read_text()
    at = text.index("\t\t\t\tMARKETING_VERSION")
    (ios / PROJECT).write_text(text[:at] + "\t\t\t\tINFOPLIST_FILE = Relu/Info.plist;\n" + text[at:])
    line = text.count("\n", 0, at) + 1
    (finding,) = said(ios, "xcodeproj")
    assert finding.startswith(f"{PROJECT}:{line}: ")
    assert finding.endswith("INFOPLIST_FILE is Relu/Info.plist, and there is no such file")
