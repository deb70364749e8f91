"""The search for mixed precision: few evaluations, only what was evaluated, any landscape."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge_sdk.pipeline.repair import EVALUATIONS, Attempt, best_of, search
from edge_sdk.validate.budget import Numbers

LAYERS = [f"layer{number}" for number in range(40)]


def needing(needed: set[str]) -> Callable[[tuple[str, ...]], Attempt]:
    def attempt(kept: tuple[str, ...]) -> Attempt:
        return Attempt(kept=kept, met=needed <= set(kept), numbers=Numbers(size_bytes=1000 + len(kept)))

    return attempt


@pytest.mark.parametrize(
    ("needed", "most_kept", "most_tried"),
    [
        ({"layer0"}, 1, 1),
        ({"layer0", "layer2"}, 2, 6),
        ({"layer0", "layer6"}, 3, EVALUATIONS),
        ({"layer5"}, 1, EVALUATIONS),
        ({"layer31"}, 16, EVALUATIONS),
        (set(LAYERS), 40, EVALUATIONS),
    ],
)
def test_the_needed_layers_are_found(needed: set[str], most_kept: int, most_tried: int) -> None:
    tried = search(LAYERS, needing(needed))
    best = best_of(tried)
    assert best is not None
    assert needed <= set(best.kept)
    assert len(best.kept) <= most_kept
    assert len(tried) <= most_tried


def test_where_not_even_all_layers_help_nothing_is_claimed() -> None:
    tried = search(LAYERS, needing({"not there"}))
    assert best_of(tried) is None
    assert len(tried) == 7  # 1, 2, 4, 8, 16, 32, all
    assert set(tried[-1].kept) == set(LAYERS)


def test_a_variant_that_could_not_be_made_is_never_the_best() -> None:
    assert best_of([Attempt(kept=("a",), met=True, numbers=None)]) is None


@given(
    names=some.lists(some.uuids().map(str), min_size=1, max_size=60, unique=True),
    landscape=some.functions(like=lambda kept: None, returns=some.booleans(), pure=True),
    limit=some.integers(1, EVALUATIONS),
)
def test_any_landscape(names: list[str], landscape: Callable[[frozenset[str]], bool], limit: int) -> None:
    """Also one where more float makes it worse: the limit holds, and only evaluated sets are returned."""

    def attempt(kept: tuple[str, ...]) -> Attempt:
        return Attempt(kept=kept, met=bool(landscape(frozenset(kept))), numbers=Numbers(size_bytes=len(kept)))

    tried = search(names, attempt, limit=limit)
    assert 1 <= len(tried) <= limit
    assert len({frozenset(item.kept) for item in tried}) == len(tried)
    assert [item.kept for item in search(names, attempt, limit=limit)] == [item.kept for item in tried]
    best = best_of(tried)
    assert (best is not None) == any(item.met for item in tried)
    assert best is None or (best.met and best in tried)
