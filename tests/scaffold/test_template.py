from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.template import GENERATED, SCAFFOLD, TemplateFile, load_template
from tests.scaffold.tiny import Tiny


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path / "android_template")


def refused(tiny: Tiny) -> str:
    tiny.write()
    with pytest.raises(ConfigError) as caught:
        load_template(tiny.folder)
    assert "android_template is damaged" in caught.value.what
    assert caught.value.hint
    assert caught.value.exit_code == 2
    return str(caught.value.why)


def test_a_whole_template(tiny: Tiny) -> None:
    tiny.files["versions.toml"] = '[gradle]\nversion = "9.6.0"\n'
    tiny.write()
    template = load_template(tiny.folder)
    assert template.platform == "android"
    assert template.versions == {"gradle": {"version": "9.6.0"}}
    by_source = {entry.source: entry for entry in template.files}
    assert by_source["Spec.kt"].kind == GENERATED
    assert by_source["Main.kt"].kind == SCAFFOLD
    assert by_source["core/deep/B.kt"].target == "modules/core/deep/B.kt"
    assert by_source["core/deep/B.kt"].render is False
    assert by_source["gradlew"].target == "gradlew"


def test_a_folder_leaves_files_that_are_named_on_their_own(tiny: Tiny) -> None:
    tiny.index += '[[files]]\nsource = "core/A.kt"\ntarget = "elsewhere/A.kt"\nkind = "user"\n'
    tiny.write()
    files = [entry for entry in load_template(tiny.folder).files if entry.source == "core/A.kt"]
    assert [(entry.target, entry.kind) for entry in files] == [("elsewhere/A.kt", "user")]


def test_a_folder_at_the_top_of_the_project(tiny: Tiny) -> None:
    tiny.index = tiny.index.replace(
        'target = "modules/core"', 'target = "modules/**"\nrenamed_from = ["old/**"]'
    )
    tiny.write()
    entry = next(entry for entry in load_template(tiny.folder).files if entry.source == "core/deep/B.kt")
    assert entry.target == "modules/deep/B.kt"
    assert entry.renamed_from == ("old/deep/B.kt",)


def test_the_digest_knows_every_file(tiny: Tiny) -> None:
    tiny.write()
    first = load_template(tiny.folder).sha256
    assert load_template(tiny.folder).sha256 == first
    tiny.files["names.part"] += " "
    tiny.write()
    second = load_template(tiny.folder).sha256
    tiny.index += "# changed\n"
    tiny.write()
    assert len({first, second, load_template(tiny.folder).sha256}) == 3


def test_a_missing_file(tiny: Tiny) -> None:
    del tiny.files["gradlew"]
    assert refused(tiny) == "missing: gradlew"


def test_a_file_that_nobody_listed(tiny: Tiny) -> None:
    tiny.files["stray.txt"] = ""
    assert refused(tiny) == "not in template.toml: stray.txt"


def test_many_strays_are_not_all_told(tiny: Tiny) -> None:
    tiny.files.update({f"stray{index}": "" for index in range(9)})
    assert refused(tiny).endswith("and 4 more")


def test_an_empty_folder(tiny: Tiny) -> None:
    tiny.files = {name: text for name, text in tiny.files.items() if not name.startswith("core/")}
    assert "core/**" in refused(tiny)


def test_no_index(tiny: Tiny) -> None:
    tiny.write()
    (tiny.folder / "template.toml").unlink()
    with pytest.raises(ConfigError, match="damaged"):
        load_template(tiny.folder)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('platform = "android"', "", "platform is missing"),
        ('platform = "android"', 'platform = "android', "not valid TOML"),
        ('kind = "user"', 'kind = "users"', "kind 'users'"),
        ('"!litert1"', '"not litert1"', "is no flag"),
        ("executable = true", "runnable = true", "runnable"),
        ('model = "app/assets"', "", "content.model is missing"),
        ('labels = ["app/assets/labels.txt"]', 'lables = ["a"]', "lables"),
        ("render = false", 'render = "no"', "expected bool"),
    ],
)
def test_a_wrong_index(tiny: Tiny, old: str, new: str, said: str) -> None:
    assert old in tiny.index
    tiny.index = tiny.index.replace(old, new, 1)
    assert said in refused(tiny)


def test_a_link_in_a_template(tiny: Tiny) -> None:
    tiny.write()
    (tiny.folder / "core" / "link").symlink_to("/etc/passwd")
    with pytest.raises(ConfigError) as caught:
        load_template(tiny.folder)
    assert "is a link" in str(caught.value.why)


def test_flags() -> None:
    entry = TemplateFile(source="a", when=("camera", "!litert1"))
    assert entry.holds(frozenset({"camera", "litert"}))
    assert not entry.holds(frozenset({"camera", "litert1"}))
    assert not entry.holds(frozenset())
    assert TemplateFile(source="a").holds(frozenset())
