from __future__ import annotations

import json
from pathlib import Path

from edge_sdk.scaffold.merge import merge_text
from tests.scaffold.verify.findings import outcome, said

SPEC = "edge-core/src/main/kotlin/edge/core/generated/ModelSpec.kt"
MAIN = "app/src/main/kotlin/com/example/digits/MainActivity.kt"


def test_a_project_passes(project: Path) -> None:
    assert said(project, "files") == []


def test_edits_of_what_users_edit_pass_and_so_does_a_checkout_with_crlf(project: Path) -> None:
    (project / MAIN).write_text((project / MAIN).read_text() + "// mine\n")
    (project / SPEC).write_bytes((project / SPEC).read_bytes().replace(b"\n", b"\r\n"))
    (project / "app/src/main/kotlin/Mine.kt").write_text("class Mine\n")
    assert said(project, "files") == []


def test_an_edited_generated_file(project: Path) -> None:
    (project / SPEC).write_text((project / SPEC).read_text() + "// mine\n")
    (finding,) = said(project, "files")
    assert finding.startswith(f"{SPEC}: a generated file was edited")


def test_missing_files(project: Path) -> None:
    (project / SPEC).unlink()
    (project / MAIN).unlink()
    found = outcome(project, "files")
    assert [str(item) for item in found.findings] == [
        f"{SPEC}: a generated file is missing: edge scaffold update {project} writes it again"
    ]
    (project / SPEC).write_bytes(b"")
    (project / ".edge" / "base" / MAIN).unlink()
    assert [item.path for item in outcome(project, "files").findings] == [f".edge/base/{MAIN}", SPEC]


def test_what_the_user_deleted_stays_so_and_is_told(project: Path) -> None:
    (project / MAIN).unlink()
    assert outcome(project, "files").why == f"deleted by you, and stays so: {MAIN}"


def test_marks_of_a_conflict(project: Path) -> None:
    text = (project / MAIN).read_text()
    first, *rest = text.split("\n")
    merged = merge_text(text, "\n".join(["// mine", *rest]), "\n".join([f"// theirs {first}", *rest]))
    assert merged.conflicts == 1
    (project / MAIN).write_text("\n\n" + merged.text)
    assert said(project, "files") == [f"{MAIN}:3: the mark of a conflict: <<<<<<< yours"]


def test_a_generated_file_that_waits_for_a_decision(project: Path) -> None:
    place = project / ".edge" / "new" / SPEC
    place.parent.mkdir(parents=True)
    place.write_text("new\n")
    (finding,) = said(project, "files")
    assert finding.startswith(f"{SPEC}: a conflict is open")


def test_an_interrupted_update(project: Path) -> None:
    stage = project / ".edge" / "update"
    stage.mkdir()
    (stage / "journal.json").write_text(json.dumps({"operations": []}))
    (finding,) = said(project, "files")
    assert finding.startswith("an update was interrupted")
    assert stage.is_dir()  # nothing is written into a project, not even that
