from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata

import pytest

from edge_sdk.cli import doctor


def edge(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli.main", *args], capture_output=True, text=True, timeout=120
    )


def test_the_report_is_true() -> None:
    done = edge("doctor", "--json")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    packages = {found["name"]: found for found in data["packages"]}
    assert packages["numpy"]["version"] == metadata.version("numpy")
    assert packages["paramiko"]["required"] == ">=5.0"
    assert data["disk"]["free_bytes"] > 0
    states = {found["state"] for found in data["packages"]}
    assert data["ready"] is not bool(states & {"missing", "wrong version"})


def test_the_table_is_for_people_and_exit_code_is_0() -> None:
    done = edge("doctor")
    assert done.returncode == 0, done.stderr
    for word in ("python", "numpy", "paramiko", "sshd", "disk"):
        assert word in done.stdout


def test_nothing_that_it_reports_on_is_imported() -> None:
    script = (
        "import sys\n"
        "from edge_sdk.cli import doctor\n"
        "doctor.examine()\n"
        "heavy = {'numpy', 'tensorflow', 'PIL', 'paramiko', 'ai_edge_litert', 'h5py', 'google'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_package_of_the_table_is_what_its_extra_brings() -> None:
    """The table and pyproject.toml cannot drift apart."""
    required = metadata.requires("edge-sdk") or []
    listed = {name for names, _, _ in doctor.PACKAGES + doctor.OPTIONAL_PACKAGES for name in names}
    brought = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in required}
    assert listed <= brought
    assert brought - listed <= {"tomli"}
    for names, extra, _ in doctor.PACKAGES + doctor.OPTIONAL_PACKAGES:
        assert all(doctor._required(name, extra) for name in names)


def test_missing_and_old_packages_have_an_exact_line(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"paramiko": "4.0.1", "tensorflow-cpu": None, "tensorflow": None}
    original = doctor._version
    monkeypatch.setattr(
        doctor, "_version", lambda name: versions[name] if name in versions else original(name)
    )
    data = doctor.examine()
    states = {found["name"]: found["state"] for found in data["packages"]}
    assert states["paramiko"] == "wrong version"
    assert "missing" in (states.get("tensorflow-cpu"), states.get("tensorflow"))
    assert data["ready"] is False
    assert "paramiko" in data["install"][0]["brings"]
    monkeypatch.setattr(doctor, "_checkout", lambda: None)
    versions["pip"] = "24.0"
    assert doctor.examine()["install"][0]["line"].endswith("-m pip install 'edge-sdk[host,tensorflow]'")
    versions["pip"] = None
    assert doctor.examine()["install"][0]["line"].startswith("uv pip install --python ")


def test_the_numpy_that_tflite_runtime_cannot_bear_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"tflite-runtime": "2.14.0", "numpy": "2.1.0"}
    original = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: versions.get(name) or original(name))
    assert any("numpy<2" in note for note in doctor.examine()["notes"])


@pytest.mark.parametrize(
    ("version", "required", "good"),
    [
        ("2.21.0", ">=2.21,<2.22", True),
        ("2.22.0", ">=2.21,<2.22", False),
        ("2.22.0rc1", ">=2.21,<2.22", False),
        ("2.20.9", ">=2.21", False),
        ("5.0", ">=5.0.0", True),
        ("10", ">=9.4", True),
        ("1.26.4", "<2,>=1.23", True),
        ("nonsense", ">=1", False),
        ("1", "", True),
    ],
)
def test_version_ranges(version: str, required: str, good: bool) -> None:
    assert doctor.satisfies(version, required) is good
