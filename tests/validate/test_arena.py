"""The planner of shared blocks: nothing that lives at once overlaps, and little is wasted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.validate.arena import MOST_PLANNED, Lifetime, arena_bytes

LIFETIMES = st.lists(
    st.builds(
        lambda size, first, length: Lifetime(size, first, first + length),
        st.integers(1, 1000),
        st.integers(0, 20),
        st.integers(0, 8),
    ),
    max_size=25,
)


def test_tensors_that_follow_each_other_share() -> None:
    assert arena_bytes([Lifetime(640, 0, 1), Lifetime(640, 2, 3)]) == 640
    assert arena_bytes([Lifetime(640, 0, 2), Lifetime(640, 2, 3)]) == 1280


def test_a_chain_needs_its_two_largest_neighbours() -> None:
    sizes = [64, 640, 1280, 128]
    chain = [Lifetime(size, step, step + 1) for step, size in enumerate(sizes)]
    assert arena_bytes(chain) == 640 + 1280


def test_sizes_are_rounded_up_to_the_alignment() -> None:
    assert arena_bytes([Lifetime(1, 0, 0), Lifetime(1, 0, 0)]) == 128
    assert arena_bytes([Lifetime(1, 0, 0)], alignment=16) == 16
    assert arena_bytes([]) == 0


@given(LIFETIMES)
def test_never_less_than_what_lives_at_once_nor_more_than_all(lifetimes: list[Lifetime]) -> None:
    total = arena_bytes(lifetimes, alignment=1)
    at_once = [sum(item.size for item in lifetimes if item.first <= step <= item.last) for step in range(30)]
    assert max(at_once) <= total <= sum(item.size for item in lifetimes)


def test_a_huge_graph_ends_in_bounded_time() -> None:
    chain = [Lifetime(64, step, step + 1) for step in range(20 * MOST_PLANNED)]
    assert arena_bytes(chain) == 128
