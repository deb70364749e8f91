from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.manifest import Manifest
from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.plan import choose, plan_push
from edge_sdk.deploy.session import Facts, Hello
from edge_sdk.errors import BundleError, IncompatibleTargetError, RemoteError
from tests.deploy.bundles import make_bundle

BOARD = Board(name="desk", host="10.0.0.2", user="pi", target="host")
HELLO = Hello(
    protocol=1,
    keeper="0.1.0",
    facts=Facts(python="3.11.2", architecture="x86_64"),
    code="a" * 64,
    environment="litert-2.3.0-cp311-x86_64-0123456789ab",
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, bytes]:
    path = make_bundle(tmp_path_factory.mktemp("bundle") / "conv.edge", padding=b"for every variant")
    with Bundle.open(path) as opened:
        return opened.manifest, opened.manifest_bytes


def plan(bundle: tuple[Manifest, bytes], board: Board = BOARD, hello: Hello = HELLO, **options: Any) -> Any:
    return plan_push(*bundle, board, hello, options.pop("missing", None), **options)


def test_a_first_push_sends_the_manifest_the_variant_and_what_is_shared(
    bundle: tuple[Manifest, bytes],
) -> None:
    found = plan(bundle)
    assert [file.name for file in found.files] == ["manifest.json", "extra", "float32.npz", "float32.tflite"]
    assert found.variant == "float32"
    assert found.target == "host"
    assert found.bytes_to_send == len(bundle[1]) + sum(entry.size for entry in bundle[0].files.values())
    assert not found.up_to_date
    assert found.code is None


def test_only_what_is_missing_is_sent(bundle: tuple[Manifest, bytes]) -> None:
    first = plan(bundle)
    found = plan(bundle, missing={first.files[0].sha256})
    assert [file.send for file in found.files] == [True, False, False, False]
    assert found.bytes_to_send == first.files[0].size
    assert plan(bundle, missing=set()).bytes_to_send == 0


def test_the_same_manifest_is_recognised(bundle: tuple[Manifest, bytes]) -> None:
    current = f"7-{plan(bundle).manifest_sha256[:12]}"
    found = plan(bundle, hello=dataclasses.replace(HELLO, current=current), missing=set())
    assert found.up_to_date
    assert found.current == current


def test_the_code_is_planned_where_it_differs(bundle: tuple[Manifest, bytes]) -> None:
    assert plan(bundle, code="a" * 64).code is None
    assert plan(bundle, code="b" * 64).code == "b" * 64


def test_a_target_of_the_users_own_is_known_by_its_name(bundle: tuple[Manifest, bytes]) -> None:
    board = dataclasses.replace(BOARD, target=str(Path("targets") / "host.toml"))
    assert plan(bundle, board).target == "host"


def test_a_bundle_for_other_targets_is_refused(bundle: tuple[Manifest, bytes]) -> None:
    board = dataclasses.replace(BOARD, target="raspberry-pi-4")
    with pytest.raises(IncompatibleTargetError, match="was not built for 'raspberry-pi-4'") as caught:
        plan(bundle, board)
    assert "edge build ... --target raspberry-pi-4" in str(caught.value.hint)
    assert plan(bundle, board, variant="float32").target is None


def test_an_unknown_variant_is_refused(bundle: tuple[Manifest, bytes]) -> None:
    with pytest.raises(BundleError, match="no variant 'int3'"):
        plan(bundle, variant="int3")


def with_target(bundle: tuple[Manifest, bytes], **changes: Any) -> tuple[Manifest, bytes]:
    target = dataclasses.replace(bundle[0].targets["host"], **changes)
    return dataclasses.replace(bundle[0], targets={"host": target}), bundle[1]


def test_another_architecture_is_refused(bundle: tuple[Manifest, bytes]) -> None:
    with pytest.raises(IncompatibleTargetError, match="is aarch64, but desk is x86_64"):
        plan(with_target(bundle, architecture="aarch64"))
    with pytest.raises(IncompatibleTargetError, match="is for android"):
        choose(with_target(bundle, platform="android")[0], BOARD)


def test_a_target_without_variants_is_refused(bundle: tuple[Manifest, bytes]) -> None:
    with pytest.raises(IncompatibleTargetError, match="passed its checks"):
        plan(with_target(bundle, variants=()))


def test_a_board_without_a_runtime_is_refused(bundle: tuple[Manifest, bytes]) -> None:
    with pytest.raises(RemoteError, match="no TFLite runtime yet") as caught:
        plan(bundle, hello=dataclasses.replace(HELLO, environment=None))
    assert caught.value.hint == "edge board setup desk"


def test_another_runtime_is_refused(bundle: tuple[Manifest, bytes]) -> None:
    hello = dataclasses.replace(HELLO, environment="tflite-runtime-2.14.0-cp311-x86_64-0123456789ab")
    with pytest.raises(IncompatibleTargetError, match="needs litert, but desk has tflite-runtime"):
        plan(bundle, hello=hello)


def test_a_plan_is_json(bundle: tuple[Manifest, bytes]) -> None:
    import json

    found = plan(bundle)
    assert type(found).from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_package_for_phones_is_never_pushed(bundle: tuple[Manifest, bytes]) -> None:
    manifest = bundle[0]
    package = dataclasses.replace(
        manifest.variants[0], id="coreml_int8", format="mlpackage", file="models/coreml_int8.mlpackage"
    )
    prefix = "models/coreml_int8.mlpackage"
    files = {f"{prefix}/Manifest.json": manifest.files["extra"], f"{prefix}/Data": manifest.files["extra"]}
    mixed = dataclasses.replace(
        manifest, variants=(package, *manifest.variants), files={**manifest.files, **files}
    )
    found = plan((mixed, bundle[1]))
    assert found.variant == "float32"
    assert not any("mlpackage" in file.name for file in found.files)
    elsewhere = dataclasses.replace(BOARD, target="raspberry-pi-4")
    for board in (BOARD, elsewhere):
        with pytest.raises(IncompatibleTargetError, match="'coreml_int8' is mlpackage") as caught:
            plan((mixed, bundle[1]), board, variant="coreml_int8")
        assert "float32" in str(caught.value.hint)
    with pytest.raises(IncompatibleTargetError, match="was not built for") as caught:
        plan((mixed, bundle[1]), elsewhere)
    assert str(caught.value.hint).endswith("--variant float32")  # not the first, which no board can run
