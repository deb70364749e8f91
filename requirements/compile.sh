#!/bin/sh
# Write constraints.txt anew: the newest versions that fit together, for Python 3.10 to 3.13.
set -eu
cd "$(dirname "$0")/.."
uv pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate --no-emit-index-url \
    --constraint requirements/limits.txt \
    --extra host --extra tensorflow --extra images --extra coreml requirements/dev.txt pyproject.toml > requirements/constraints.txt
