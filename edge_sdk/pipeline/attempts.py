"""Cached steps that may fail: run in a worker, stored where they succeed, a value where they do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge_sdk.convert.worker import Failure
from edge_sdk.errors import MissingExtraError
from edge_sdk.pipeline.cache import Entry, StepCache
from edge_sdk.pipeline.disk import refuse_full_disk
from edge_sdk.pipeline.workers import Workers


class StepFailed(Exception):  # noqa: N818 - a failed step is a value; this only carries it out of the cache
    """Carries a failure value past `StepCache.make`, which then stores nothing."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.cause)
        self.failure = failure


class Attempts:
    """Runs steps in workers and keeps what they make, bound to one cache and one set of workers."""

    def __init__(self, cache: StepCache, workers: Workers) -> None:
        self.cache = cache
        self.workers = workers

    def attempt(
        self,
        step: str,
        key: Mapping[str, Any],
        function: str,
        arguments: Callable[[Path], Mapping[str, Any]],
        *,
        recipe: str,
    ) -> Entry | Failure:
        """Return what a step made, now or before, or how it failed.

        Args:
            step: Its name.
            key: Everything that decides its outcome.
            function: "module:function" for a worker.
            arguments: Of that function, given the folder that its files go to.
            recipe: Whose variant it is about, or "".

        Raises:
            MissingExtraError: A package is missing: no other recipe would do better.
            ConfigError: The disk is full.
        """

        def work(folder: Path) -> Mapping[str, Any]:
            name = f"{step}-{recipe}" if recipe else step
            result = self.workers.attempt(function, arguments(folder), name=name, recipe=recipe)
            if result.failure is not None:
                refuse_full_disk(result.failure.cause)
                error = result.failure.to_error()
                if isinstance(error, MissingExtraError):
                    raise error
                raise StepFailed(result.failure)
            return result.value or {}

        try:
            return self.cache.make(step, key, work)
        except StepFailed as failed:
            return failed.failure
