"""Which checks there are, in the order in which they are shown.

To add a check: one module with a class as `base.Check` says, one row here, one in
docs/reference/scaffold-verify.md, and a test that it passes on a project and fails on a broken one.
"""

from __future__ import annotations

from edge_sdk.scaffold.verify.base import Check
from edge_sdk.scaffold.verify.catalog import Catalog
from edge_sdk.scaffold.verify.files import Files
from edge_sdk.scaffold.verify.keep_rules import KeepRules
from edge_sdk.scaffold.verify.kotlin import KotlinApp, KotlinCore, KotlinGolden, KotlinParse
from edge_sdk.scaffold.verify.model import Model
from edge_sdk.scaffold.verify.page_size import PageSize
from edge_sdk.scaffold.verify.plists import Plists
from edge_sdk.scaffold.verify.resources import Resources
from edge_sdk.scaffold.verify.swift import SwiftApp, SwiftCore, SwiftFormat
from edge_sdk.scaffold.verify.xcodeproj import Xcodeproj

CHECKS: tuple[Check, ...] = (
    Files(),
    Model(),
    # Android.
    Catalog(),
    KotlinParse(),
    KotlinCore(),
    KotlinGolden(),
    KotlinApp(),
    Resources(),
    PageSize(),
    KeepRules(),
    # iOS.
    Xcodeproj(),
    Plists(),
    SwiftCore(),
    SwiftApp(),
    SwiftFormat(),
)


def checks_of(platform: str) -> tuple[Check, ...]:
    """Return the checks of a platform, in order."""
    return tuple(check for check in CHECKS if platform in check.platforms)
