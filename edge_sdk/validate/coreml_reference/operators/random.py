"""Random numbers: Core ML's generators are not published, so there is nothing to compare."""

from __future__ import annotations

from typing import Any, NoReturn

from edge_sdk.validate.coreml_reference.errors import Unsupported


def _random(**inputs: Any) -> NoReturn:
    raise Unsupported("it draws random numbers, and no two implementations draw the same")


TABLE = {
    "random_bernoulli": _random,
    "random_categorical": _random,
    "random_normal": _random,
    "random_uniform": _random,
}
