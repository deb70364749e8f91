"""Where the tests keep the boards' environments: the wheels are resolved once for all of them."""

from __future__ import annotations

import os
from pathlib import Path

ENVIRONMENTS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge_sdk/environments"
