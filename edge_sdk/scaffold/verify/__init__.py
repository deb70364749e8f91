"""`edge scaffold verify`: what can be proven of a project for a phone on a machine that is none.

base.py says what a check is, table.py which there are; each has a module of its own. site.py is what they
share, project.py runs them.
"""

from __future__ import annotations

from edge_sdk.scaffold.verify.base import CheckOutcome, Finding, VerifyReport
from edge_sdk.scaffold.verify.project import verify_project

__all__ = ["CheckOutcome", "Finding", "VerifyReport", "verify_project"]
