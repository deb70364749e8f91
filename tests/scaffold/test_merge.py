from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.scaffold.merge import BEFORE, END, MIDDLE, START, has_marks, merge_text, text_of

# Few different lines, so that they repeat and move, as braces and empty lines do in code.
line = st.sampled_from(["{", "}", "", "a", "b", "c", "    run()", "x\ry", "u\u2028v"])
text = st.builds(
    lambda lines, end: "\n".join(lines) + (end if lines else ""),
    st.lists(line, max_size=14),
    st.sampled_from(["\n", ""]),
)


@st.composite
def edited(draw: st.DrawFn, base: str) -> str:
    """A text that came from another by a few insertions, deletions and changes."""
    lines = base.split("\n")
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(lines)))
        match draw(st.sampled_from(["insert", "delete", "change"])):
            case "insert":
                lines.insert(place, f"mine {draw(st.integers(0, 9))}")
            case "delete" if place < len(lines):
                del lines[place]
            case "change" if place < len(lines):
                lines[place] += "!"
    return "\n".join(lines)


@st.composite
def three(draw: st.DrawFn) -> tuple[str, str, str]:
    base = draw(text)
    return base, draw(edited(base) | text), draw(edited(base) | text)


def added(base: str, mine: str) -> Counter[str]:
    return Counter(mine.split("\n")) - Counter(base.split("\n"))


@given(three())
@settings(max_examples=600)
def test_no_line_of_the_user_is_lost(texts: tuple[str, str, str]) -> None:
    base, mine, theirs = texts
    merged = merge_text(base, mine, theirs)
    assert not added(base, mine) - Counter(merged.text.split("\n"))


@given(three())
@settings(max_examples=600)
def test_no_line_of_the_template_is_lost(texts: tuple[str, str, str]) -> None:
    base, mine, theirs = texts
    assert not added(base, theirs) - Counter(merge_text(base, mine, theirs).text.split("\n"))


@given(three())
@settings(max_examples=400)
def test_taking_one_side_of_every_conflict_keeps_that_sides_lines_in_order(
    texts: tuple[str, str, str],
) -> None:
    base, mine, theirs = texts
    merged = merge_text(base, mine, theirs)
    assert merged.text.split("\n").count(START) == merged.conflicts
    for side, whole in ((0, mine), (1, theirs)):
        rest = iter(resolve(merged.text, side).split("\n"))
        # What this side added is there, in its order.
        alone = [row for row in whole.split("\n") if row and whole.split("\n").count(row) == 1]
        assert all(any(found == want for found in rest) for want in alone if want not in base.split("\n"))


def resolve(marked: str, side: int) -> str:
    """What is left when somebody takes one side everywhere."""
    kept: list[str] = []
    where = "outside"
    for row in marked.split("\n"):
        if row in (START, BEFORE, MIDDLE, END):
            where = {START: "mine", BEFORE: "before", MIDDLE: "theirs", END: "outside"}[row]
        elif where in ("outside", ("mine", "theirs")[side]):
            kept.append(row)
    return "\n".join(kept)


@given(text, text)
def test_what_one_side_alone_changed_is_taken(base: str, other: str) -> None:
    assert merge_text(base, base, other).text == other
    assert merge_text(base, other, base).text == other
    assert merge_text(base, other, other).text == other


@given(three())
def test_sides_are_equal_before_the_law(texts: tuple[str, str, str]) -> None:
    base, mine, theirs = texts
    one, other = merge_text(base, mine, theirs), merge_text(base, theirs, mine)
    assert one.conflicts == other.conflicts
    if not one.conflicts:
        assert one.text == other.text


@given(three())
def test_merging_again_changes_nothing(texts: tuple[str, str, str]) -> None:
    base, mine, theirs = texts
    merged = merge_text(base, mine, theirs)
    assert merge_text(theirs, merged.text, theirs) == type(merged)(merged.text, 0)


@given(three())
@settings(max_examples=300)
def test_another_implementation_finds_the_same(texts: tuple[str, str, str]) -> None:
    merge3 = pytest.importorskip("merge3")
    base, mine, theirs = (text if not text or text.endswith("\n") else text + "\n" for text in texts)
    ours = merge_text(base, mine, theirs)
    split = [text.split("\n") for text in (base, mine, theirs)]
    groups = list(merge3.Merge3(*split).merge_groups())
    if not ours.conflicts and not any(group[0] == "conflict" for group in groups):
        # Which of several equal lines is "the same" is a choice; the lines themselves are not.
        theirs_text = [row for group in groups for row in group[1]]
        assert Counter(theirs_text) == Counter(ours.text.split("\n"))


@given(three())
@settings(max_examples=300)
def test_crlf_of_a_checkout_on_windows_is_no_change(texts: tuple[str, str, str]) -> None:
    base, mine, theirs = (text.replace("\r", "") for text in texts)
    plain = merge_text(base, mine, theirs)
    if "\n" in mine and mine not in (base, theirs) and theirs != base:
        merged = merge_text(base, mine.replace("\n", "\r\n"), theirs)
        assert merged.text == plain.text.replace("\n", "\r\n")
        assert merged.conflicts == plain.conflicts


def test_a_conflict_shows_all_three() -> None:
    merged = merge_text("a\nold\nz\n", "a\nmine\nz\n", "a\nnew\nz\n")
    assert merged.conflicts == 1
    assert merged.text == f"a\n{START}\nmine\n{BEFORE}\nold\n{MIDDLE}\nnew\n{END}\nz\n"
    assert has_marks(merged.text)
    assert has_marks(merged.text.replace("\n", "\r\n"))
    assert not has_marks("a <<<<<<< yours\n")


def test_changes_in_different_places_do_not_meet() -> None:
    base = "import a\n\nfun main() {\n    run()\n}\n"
    mine = base.replace("import a\n", "import a\nimport mine\n")
    theirs = base.replace("    run()\n", "    start()\n    run()\n")
    merged = merge_text(base, mine, theirs)
    assert merged.conflicts == 0
    assert merged.text == "import a\nimport mine\n\nfun main() {\n    start()\n    run()\n}\n"


def test_the_same_change_on_both_sides_is_taken_once() -> None:
    assert merge_text("a\n", "a\nb\n", "a\nb\n").text == "a\nb\n"


def test_a_lost_line_end_is_no_conflict() -> None:
    assert merge_text("a\nb\n", "a\nb", "new\na\nb\n").text == "new\na\nb"


def test_thousands_of_lines_take_no_time() -> None:
    base = "".join(f"line {index % 50}\n" for index in range(20_000))
    mine = base.replace("line 7\n", "line seven\n", 1)
    theirs = base + "new\n"
    assert merge_text(base, mine, theirs).text == mine + "new\n"


def test_what_is_no_text() -> None:
    assert text_of(b"\xff") is None
    assert text_of(b"a\0b") is None
    assert text_of("ü\n".encode()) == "ü\n"
