"""Are the project's files as the engine left them, or as their owner may have changed them?"""

from __future__ import annotations

from edge_sdk.scaffold.merge import BEFORE, END, START
from edge_sdk.scaffold.project import BASE_FOLDER, NEW_FOLDER
from edge_sdk.scaffold.template import GENERATED, SCAFFOLD
from edge_sdk.scaffold.transaction import is_pending
from edge_sdk.scaffold.verify.base import ANDROID, IOS, Finding, Verdict
from edge_sdk.scaffold.verify.site import Site

#: Of our own merges, and of Git's: "<<<<<<< HEAD".
_MARKS = (START, BEFORE, END, "<<<<<<< ", "||||||| ", ">>>>>>> ")


class Files:
    """Ownership: what is generated is as it was generated, and no conflict waits to be settled."""

    name = "files"
    platforms = (ANDROID, IOS)
    proves = "generated files are as they were written, no file is missing, no conflict is open"
    heavy = False

    def run(self, site: Site) -> Verdict:
        """Compare digests with `.edge/answers.json`, and look for marks of conflicts."""
        project = site.project
        update = f"edge scaffold update {site.folder}"
        findings = []
        deleted = []
        if is_pending(site.folder):
            findings.append(Finding("", None, f"an update was interrupted: {update} finishes it"))
        for path, record in project.answers.files.items():
            state = project.state(path)
            if record.kind == GENERATED and state == "edited":
                message = (
                    "a generated file was edited; the next update will not replace it without a decision"
                )
                findings.append(Finding(path, None, message))
            elif record.kind == GENERATED and state == "missing":
                findings.append(Finding(path, None, f"a generated file is missing: {update} writes it again"))
            elif state == "missing":
                deleted.append(path)
            if record.kind == SCAFFOLD and not (site.folder / BASE_FOLDER / path).is_file():
                message = "is missing: an update cannot tell your edits from the template's"
                findings.append(Finding(f"{BASE_FOLDER}/{path}", None, message))
            if record.kind != GENERATED and state == "edited":
                findings += _marks(path, site.read(path))
        waiting = site.folder / NEW_FOLDER
        for place in sorted(waiting.rglob("*")) if waiting.is_dir() else ():
            if place.is_file():
                path = place.relative_to(waiting).as_posix()
                message = (
                    f"a conflict is open: the new content lies in {NEW_FOLDER}/{path}; "
                    f"{update} --force-generated takes it and saves yours"
                )
                findings.append(Finding(path, None, message))
        note = f"deleted by you, and stays so: {', '.join(deleted)}" if deleted else ""
        return Verdict(tuple(findings), note)


def _marks(path: str, text: str) -> list[Finding]:
    found = [
        Finding(path, number, f"the mark of a conflict: {line.strip()}")
        for number, line in enumerate(text.split("\n"), 1)
        if line.startswith(_MARKS)
    ]
    # A conflict has three; the first one says where it begins.
    return [item for item in found if "<<<<<<<" in item.message] or found
