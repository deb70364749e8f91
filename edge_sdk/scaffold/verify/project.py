"""`verify_project`: every check of a platform that this machine can do, two at a time."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edge_sdk.errors import ConfigError, EdgeError
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.scaffold.project import ANSWERS, Project, open_project, read_answers
from edge_sdk.scaffold.verify.base import (
    FAILED,
    PASSED,
    SKIPPED,
    CannotRun,
    Check,
    CheckOutcome,
    Finding,
    VerifyReport,
)
from edge_sdk.scaffold.verify.site import Site
from edge_sdk.scaffold.verify.table import checks_of

#: Compilers take up to a gigabyte each, and more of them than cores help nobody.
_AT_ONCE = 2


def verify_project(folder: Path, *, progress: Progress = silent, only: Sequence[str] = ()) -> VerifyReport:
    """Check a project as it is now, with its user's edits.

    Nothing is written into the project: compilers work in a temporary folder, and keep what they compile of
    stubs beside the tools.

    Args:
        folder: Of a project that `edge scaffold` made.
        progress: Is told of each check that begins and ends.
        only: Names of checks to run; all where it is empty.

    Raises:
        ConfigError: It is no project, its record is damaged, or there is no such check.
    """
    project = _open(folder)
    checks = _chosen(checks_of(project.platform), only, project.platform)
    told = _Teller(progress)
    with tempfile.TemporaryDirectory(prefix="edge-verify-", ignore_cleanup_errors=True) as work:
        site = Site(project, Path(work).resolve())
        with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as pool:
            # What takes long begins first, so that nothing long is left alone at the end.
            ordered = sorted(checks, key=lambda check: not check.heavy)
            running = {check.name: pool.submit(_run, check, site, told) for check in ordered}
            try:
                outcomes = tuple(running[check.name].result() for check in checks)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return VerifyReport(project.platform, outcomes)


def _open(folder: Path) -> Project:
    """Open a project without changing anything; an update that was interrupted stays so."""
    folder = folder.resolve()
    if not (folder / ANSWERS).is_file():
        return open_project(folder)  # says what is wrong
    return Project(folder=folder, answers=read_answers(folder))


def _chosen(checks: tuple[Check, ...], only: Sequence[str], platform: str) -> tuple[Check, ...]:
    names = [check.name for check in checks]
    for name in only:
        if name not in names:
            raise ConfigError(
                f"there is no check {name!r} of {platform} projects", why="there are: " + ", ".join(names)
            )
    return tuple(check for check in checks if not only or check.name in only)


class _Teller:
    """Reports progress from several threads, one at a time."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()

    def begins(self, name: str) -> None:
        with self._lock:
            self._progress(Step("verify", "checking", None, name))

    def ends(self, outcome: CheckOutcome) -> None:
        with self._lock:
            self._progress(Step("verify", outcome.state, 1.0, outcome.name))


def _run(check: Check, site: Site, told: _Teller) -> CheckOutcome:
    told.begins(check.name)
    start = time.monotonic()
    findings: tuple[Finding, ...] = ()
    why = how = ""
    try:
        verdict = check.run(site)
        findings, why = verdict.findings, verdict.note
        state = FAILED if findings else PASSED
        if findings:
            why = ""
    except CannotRun as missing:
        state, why, how = SKIPPED, missing.why, missing.how
    except EdgeError as failure:
        state, findings, how = FAILED, (_broke_down(failure),), failure.hint or ""
    except OSError as failure:
        state = FAILED
        findings = (Finding(site.relative(failure.filename or ""), None, failure.strerror or str(failure)),)
    ordered = tuple(sorted(set(findings), key=lambda item: (item.path, item.line or 0, item.message)))
    outcome = CheckOutcome(check.name, state, check.proves, ordered, why, how, time.monotonic() - start)
    told.ends(outcome)
    return outcome


def _broke_down(failure: EdgeError) -> Finding:
    return Finding("", None, f"{failure.what}: {failure.why}" if failure.why else failure.what)
