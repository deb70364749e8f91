from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_REPOSITORY = Path(__file__).parents[3]


@dataclass(frozen=True)
class Made:
    """What `tests.quantize.coreml.packages` has made."""

    folder: Path
    answers: dict[str, Any]
    expanded: dict[str, np.ndarray]

    def answer(self, target: str, recipe: str) -> dict[str, Any]:
        return self.answers[target][self.answers["names"].index(recipe)]

    def weight(self, target: str, recipe: str, name: str) -> np.ndarray:
        return self.expanded[f"{target}/{recipe}/{name}"].astype(np.float64)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("coreml-recipes")
    done = subprocess.run(
        [sys.executable, "-m", "tests.quantize.coreml.packages", str(folder)],
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    with np.load(folder / "expanded.npz") as stored:
        expanded = {name: stored[name] for name in stored.files}
    return Made(folder, json.loads((folder / "answers.json").read_text()), expanded)
