from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from edge_sdk import errors
from edge_sdk.errors import EdgeError, error_from_dict


def classes(root: type[EdgeError] = EdgeError) -> list[type[EdgeError]]:
    return [root] + [found for child in root.__subclasses__() for found in classes(child)]


OWN = [cls for cls in classes() if cls.__module__ == "edge_sdk.errors"]
EXAMPLES: dict[str, EdgeError] = {
    "UnsupportedOpError": errors.UnsupportedOpError(["B", "A", "A"], target="TFLite"),
    "SignatureMismatchError": errors.SignatureMismatchError([("image", "float32[1]", "int8[2]")]),
    "DigestMismatchError": errors.DigestMismatchError("model", expected="a" * 64, actual="b" * 64),
    "HostKeyError": errors.HostKeyError("pi", address="pi:22", expected=None, actual="SHA256:x"),
    "NoSpaceError": errors.NoSpaceError("/", needed=2000, available=1),
    "MissingExtraError": errors.MissingExtraError("pillow", extra="images", purpose="decode pictures"),
}


def example(cls: type[EdgeError]) -> EdgeError:
    return EXAMPLES.get(cls.__name__) or cls("it broke", why="because", hint="do this", number=3)


@pytest.mark.parametrize("cls", OWN, ids=lambda cls: cls.__name__)
def test_every_error_survives_json_and_a_process_border(cls: type[EdgeError]) -> None:
    error = example(cls)
    data = json.loads(json.dumps(error.to_dict()))
    for back in (error_from_dict(data), pickle.loads(pickle.dumps(error))):
        assert type(back) is cls
        assert str(back) == str(error)
        assert (back.what, back.why, back.hint) == (error.what, error.why, error.hint)
        assert back.to_dict() == error.to_dict()


@pytest.mark.parametrize("cls", OWN, ids=lambda cls: cls.__name__)
def test_every_class_has_a_family_code_and_stands_in_the_drawn_tree(cls: type[EdgeError]) -> None:
    assert cls.__name__ in (errors.__doc__ or "")
    assert cls.exit_code in range(1, 9)
    if cls.__base__ is not EdgeError and cls is not EdgeError:
        assert cls.exit_code == cls.__base__.exit_code  # type: ignore[union-attr]


def test_every_fixed_story_says_what_to_do_next() -> None:
    for error in EXAMPLES.values():
        if not isinstance(error, errors.SignatureMismatchError):
            assert error.hint
        assert not error.what.endswith(".")


def test_a_mismatch_shows_both_sides_in_a_table() -> None:
    lines = EXAMPLES["SignatureMismatchError"].what.splitlines()
    assert lines[1].split() == ["input", "expected", "given"]
    assert lines[2].split() == ["image", "float32[1]", "int8[2]"]
    assert lines[1].index("given") == lines[2].index("int8")


def test_a_changed_host_key_reads_otherwise_than_an_unknown_one() -> None:
    changed = errors.HostKeyError("pi", address="pi:22", expected="SHA256:y", actual="SHA256:x")
    assert "CHANGED" in changed.what
    assert "unknown" in EXAMPLES["HostKeyError"].what


@pytest.mark.parametrize("data", [{}, {"error": "Nonsense", "what": "x"}, {"error": 5, "details": "no"}])
def test_an_answer_that_is_no_error_of_ours_is_a_remote_error(data: dict[str, Any]) -> None:
    assert type(error_from_dict(data)) is errors.RemoteError
