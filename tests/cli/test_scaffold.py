"""`edge scaffold`: what it makes, what it refuses, how it says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edge_sdk.bundle.manifest import Requirements
from edge_sdk.contract.spec import TensorSpec
from tests.cli.scaffold_command import own_files, scaffold
from tests.scaffold.bundles import MODELS, SIGNATURE, make_bundle, package, variant

#: What may not be loaded for a project: minutes of a user's life, and all that it needs is in the bundle.
HEAVY = ("tensorflow", "keras", "coremltools", "ai_edge_litert", "litert_quantizer", "paramiko", "sklearn")
PLATFORMS = ("android", "ios")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle for both platforms, called "sample"."""
    return make_bundle(tmp_path, variant("float32"), package())


def nothing_is_left(folder: Path, *names: str) -> bool:
    """Return whether a folder holds only what a test put there; so no half of a project does."""
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_project_is_made_and_the_next_steps_are_said(platform: str, bundle: Path) -> None:
    done = scaffold(platform, bundle, "--out", "app")
    assert done.code == 0, done.talk
    assert done.talk == ""
    for said in (
        "edge scaffold verify app",
        "edge scaffold update app BUNDLE",
        "Sample (com.example.sample)",
    ):
        assert said in done.out
    assert ("Android Studio" if platform == "android" else "Xcode") in done.out
    made = own_files(Path("app"))
    for top in {path.partition("/")[0] for path in made}:
        assert top in done.out  # the tree
    assert "app/.edge/answers.json" not in made


def test_a_build_for_phones_says_how_to_get_a_project(models: Path) -> None:
    """The line that `edge build` prints is one that can be typed: it makes a project."""
    choices = ("--target", "android", "--target", "host", "--recipe", "as_is", "--name", "five")
    done = subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli.main", "build", str(models / "conv_float.tflite"), *choices],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "edge push BOARD" in done.stdout
    (line,) = (line for line in done.stdout.splitlines() if "edge scaffold" in line)
    words = line.partition("edge scaffold ")[2].split()
    assert words == ["android", "build/five.edge", "--out", "five-android"]
    assert scaffold(*words).code == 0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_same_as_json(platform: str, bundle: Path) -> None:
    done = scaffold(platform, bundle, "--out", "app", "--json")
    assert (done.code, done.talk) == (0, "")
    found = done.data
    assert found["platform"] == platform
    assert found["model"]["name"] == "sample"
    assert found["options"]["application_id"] == "com.example.sample"
    assert set(found["files"]) == set(own_files(Path("app")))
    assert set(found["files"].values()) <= {"generated", "scaffold", "user"}


def test_choices_reach_the_project(bundle: Path) -> None:
    words = ("--runtime", "litert1", "--application-id", "org.acme.eye", "--title", "Acme's Eye")
    found = scaffold("android", bundle, "--out", "app", *words, "--target", "android", "--json").data
    assert found["options"] == {
        "platform": "android",
        "runtime": "litert1",
        "application_id": "org.acme.eye",
        "title": "Acme's Eye",
        "target": "android",
    }
    assert any("org/acme/eye" in path for path in found["files"]) or any(
        b"org.acme.eye" in data for data in own_files(Path("app")).values()
    )


@pytest.mark.parametrize("platform", PLATFORMS)
def test_two_renders_are_the_same_bytes(platform: str, bundle: Path) -> None:
    for name in ("one", "two"):
        assert scaffold(platform, bundle, "--out", f"{name}/app").code == 0
    one, two = (own_files(Path(name) / "app") for name in ("one", "two"))
    assert one == two
    answers = [(Path(name) / "app/.edge/answers.json").read_bytes() for name in ("one", "two")]
    assert answers[0] == answers[1]


def test_a_bundle_without_the_platform(tmp_path: Path) -> None:
    path = make_bundle(tmp_path, variant("float32"))
    done = scaffold("ios", path, "--out", "app")
    assert done.code == 5
    assert "no variant for ios" in done.talk
    assert "edge build MODEL --target ios" in done.talk
    assert nothing_is_left(tmp_path, path.name)


@pytest.mark.parametrize(
    ("changes", "said", "way_out"),
    [
        ({"dtype": "uint8"}, "is uint8", "--runtime litert1"),
        ({"dtype": "float16"}, "is float16", "recipe"),
        ({"dtype": "int16"}, "is int16", "recipe"),
        ({"shape": (None, None)}, "free", "fixed sizes"),
        ({"flex_ops": ("FlexErf",)}, "TensorFlow operators: FlexErf", "--runtime litert1"),
        ({"custom_ops": ("Mine",)}, "custom operators: Mine", "without"),
    ],
)
def test_what_compiled_model_cannot_take(
    tmp_path: Path, changes: dict[str, object], said: str, way_out: str
) -> None:
    tensor = TensorSpec(name="x", dtype="float32", shape=(1, 4))
    needs = {key: changes.pop(key) for key in ("flex_ops", "custom_ops") if key in changes}
    signature = replace(SIGNATURE, inputs=(replace(tensor, **changes),))  # type: ignore[arg-type]
    item = variant("v", signature, requirements=Requirements(**needs))  # type: ignore[arg-type]
    path = make_bundle(tmp_path, item)
    done = scaffold("android", path, "--out", "app")
    assert done.code == 5
    assert said in done.talk
    assert way_out in done.talk.partition("try:")[2]
    assert nothing_is_left(tmp_path, path.name)


def test_a_file_that_lacks_the_contracts_signature(tmp_path: Path) -> None:
    other = replace(SIGNATURE, name="train", inputs=(TensorSpec(name="z", dtype="float32", shape=(1,)),))
    path = make_bundle(tmp_path, variant("v", other))
    done = scaffold("android", path, "--out", "app")
    assert done.code == 5
    assert "lacks signature 'serving_default'" in done.talk
    assert "it has: train" in done.talk
    assert nothing_is_left(tmp_path, path.name)


def test_a_variant_without_golden_vectors(tmp_path: Path) -> None:
    path = make_bundle(tmp_path, variant("v", golden=None))
    done = scaffold("android", path, "--out", "app")
    assert done.code == 5
    assert "has no golden vectors" in done.talk
    assert "edge build" in done.talk
    assert nothing_is_left(tmp_path, path.name)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--application-id", "Digits"), 2, "--application-id com.example.myapp"),
        (("--application-id", "com.example.class"), 2, "Java and Kotlin keep it"),
        (("--application-id", "edge.core"), 2, "--application-id"),
        (("--title", " "), 2, "printable"),
        (("--runtime", "nnapi"), 2, "litert, litert1, play"),
        (("--variant", "float8"), 5, "float8"),
        (("--target", "raspberry-pi-5"), 5, "android (android)"),
        (("--variant", "coreml_float16"), 5, "mlpackage"),
    ],
)
def test_choices_that_cannot_be(
    words: tuple[str, ...], code: int, said: str, bundle: Path, tmp_path: Path
) -> None:
    done = scaffold("android", bundle, "--out", "app", *words)
    assert done.code == code, done.talk
    assert said in done.talk
    assert nothing_is_left(tmp_path, bundle.name)


def test_an_error_is_one_document_with_json(tmp_path: Path) -> None:
    done = scaffold("ios", make_bundle(tmp_path, variant("float32")), "--out", "app", "--json")
    assert done.code == 5
    assert done.data["error"] == "IncompatibleTargetError"
    assert done.data["hint"]


@pytest.mark.parametrize("case", ["occupied", "a project", "a file", "below a file"])
def test_a_folder_that_is_taken(case: str, bundle: Path) -> None:
    out = Path("app")
    if case == "occupied":
        out.mkdir()
        (out / "mine.txt").write_text("mine")
    elif case == "a project":
        assert scaffold("android", bundle, "--out", out).code == 0
    else:
        out.write_text("mine")
        out = out / "deeper" if case == "below a file" else out
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    done = scaffold("android", bundle, "--out", out)
    assert done.code == 2
    assert "error:" in done.talk
    assert (
        "edge scaffold update" if case == "a project" else "out" if case != "below a file" else "app"
    ) in (done.talk)
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_a_bundle_that_is_none(tmp_path: Path) -> None:
    done = scaffold("android", "nothing.edge", "--out", "app")
    assert done.code in (2, 5)
    assert "nothing.edge" in done.talk
    (tmp_path / "text.edge").write_text("hello")
    done = scaffold("android", "text.edge", "--out", "app")
    assert done.code == 5
    assert "error:" in done.talk
    assert nothing_is_left(tmp_path, "text.edge")


def test_a_bundle_whose_model_is_damaged(bundle: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.edge"
    data = bytearray(bundle.read_bytes())
    model = (MODELS / "dynamic_batch.tflite").read_bytes()
    data[data.index(model) + len(model) // 2] ^= 0xFF
    damaged.write_bytes(data)
    done = scaffold("android", damaged, "--out", "app")
    assert done.code == 5, done
    assert "error:" in done.talk
    assert nothing_is_left(tmp_path, bundle.name, damaged.name)


def test_a_template_that_is_damaged(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge_sdk.scaffold import render

    # A wheel whose data was cut: the index is there, its files are not.
    (tmp_path / "android_template").mkdir()
    index = (render.data_folder("android_template") / "template.toml").read_bytes()
    (tmp_path / "android_template" / "template.toml").write_bytes(index)
    monkeypatch.setattr(render, "data_folder", lambda name: tmp_path / name)
    done = scaffold("android", bundle, "--out", "app")
    assert done.code == 2
    assert "android_template is damaged" in done.talk
    assert "reinstall" in done.talk
    assert not Path("app").exists()


@pytest.mark.parametrize("command", [("diff",), ("update",), ("verify",)])
def test_a_folder_that_is_no_project(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    done = scaffold(*command, "app")
    assert done.code == 2
    assert "is not a project of edge scaffold" in done.talk
    assert "top folder" in done.talk
    assert scaffold(*command, "nowhere").code == 2
    assert list((tmp_path / "app").iterdir()) == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_nothing_heavy_is_imported(platform: str, bundle: Path) -> None:
    script = (
        "import sys\n"
        "from edge_sdk.cli.main import main\n"
        f"sys.argv = ['edge', 'scaffold', {platform!r}, {str(bundle)!r}, '--out', 'app']\n"
        "try:\n    main()\nfinally:\n"
        f"    found = sorted(name for name in {HEAVY!r} if name in sys.modules)\n"
        "    assert not found, found\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


#: Runs the command and presses Ctrl-C at a step of writing the project.
INTERRUPTED = """
import os, signal, sys
from pathlib import Path
count = int(sys.argv[1])
written = Path.write_bytes
def write_bytes(self, data):
    global count
    if ".part/" in str(self):
        count -= 1
        if count == 0:
            os.kill(os.getpid(), signal.SIGINT)
    return written(self, data)
Path.write_bytes = write_bytes
from edge_sdk.cli.main import main
sys.argv = ["edge", "scaffold", "android", sys.argv[2], "--out", "app"]
main()
"""


@pytest.mark.parametrize("at", [1, 30])
def test_ctrl_c_leaves_nothing(at: int, bundle: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(at), str(bundle)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.returncode == 130, done.stderr
    assert "interrupted" in done.stderr
    assert "Traceback" not in done.stderr
    assert nothing_is_left(tmp_path, bundle.name)


def test_a_full_disk_leaves_nothing(bundle: Path, tmp_path: Path) -> None:
    """A real file system of 64 kB, where this machine lets users make one."""
    (tmp_path / "small").mkdir()
    edge = f"{sys.executable} -m edge_sdk.cli.main"
    command = f"{edge} scaffold android {bundle} --out small/app; echo $?; ls -A small"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f"mount -t tmpfs -o size=64k,mode=700 none small && {{ {command}; }}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode and not done.stdout:
        pytest.skip(f"no file system of one's own here: {done.stderr.strip()}")
    assert done.stdout.split() == ["6"], done  # the exit code, and an empty folder
    assert "space" in done.stderr


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    done = scaffold("android", bundle, "--out", "locked/app")
    assert done.code == 2
    assert "cannot be written" in done.talk


def test_verify_prints_a_table_and_names_the_checks(bundle: Path) -> None:
    assert scaffold("android", bundle, "--out", "app").code == 0
    done = scaffold("verify", "app", "--only", "catalog", "--only", "files")
    assert done.code == 0, done
    assert "2 passed" in done.out
    assert "the version catalog parses" in done.out
    again = scaffold("verify", "app", "--only", "files", "--json").data
    assert [check["name"] for check in again["checks"]] == ["files"]
    assert again["failed"] is False
    wrong = scaffold("verify", "app", "--only", "spelling")
    assert wrong.code == 2
    assert "catalog" in wrong.talk


def test_verify_finds_what_a_user_broke(bundle: Path) -> None:
    assert scaffold("android", bundle, "--out", "app").code == 0
    catalog = Path("app/gradle/libs.versions.toml")
    catalog.write_text(catalog.read_text() + "\n[bundles]\nx = ['nothing']\n")
    done = scaffold("verify", "app", "--only", "catalog")
    assert done.code == 1
    assert "gradle/libs.versions.toml:" in done.out
    assert "'nothing'" in done.out


def test_help_names_every_sub_command() -> None:
    done = scaffold("--help")
    assert done.code == 0
    for name in ("android", "ios", "diff", "update", "verify"):
        assert name in done.out


def test_a_project_moves_with_its_answers(bundle: Path) -> None:
    """Nothing in a project knows where it was made; so it can be cloned on another machine."""
    assert scaffold("ios", bundle, "--out", "app").code == 0
    Path("app").rename("elsewhere")
    assert "up to date" in scaffold("update", "elsewhere").out
    text = b"".join(own_files(Path("elsewhere")).values()) + Path("elsewhere/.edge/answers.json").read_bytes()
    assert str(Path.cwd()).encode() not in text
    assert json.loads(Path("elsewhere/.edge/answers.json").read_bytes())["options"]["platform"] == "ios"
