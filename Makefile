# One command per chore, the same for people and for CI. Every command sets up what it needs.
.DEFAULT_GOAL := help
.PHONY: help install mobile-tools demo test test-slow test-all lint format bench clean

VENV := .venv
BIN := $(VENV)/bin
BENCHMARKS := command_start runner_overhead cold_start build_recipes push_throughput headline memory_forecast coreml_reference coreml_recipes scaffold

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: pyproject.toml requirements/constraints.txt requirements/dev.txt requirements/alone.txt scripts/install
	@scripts/install

install: $(VENV)/.installed  ## Set up .venv (uv or pip; no root)

mobile-tools: install  ## Fetch the compilers that check mobile projects (into ~/.cache; no root)
	$(BIN)/python -m edge_sdk.scaffold.toolchain install

demo: install  ## Train a digits model, build it, push it to a lab board, predict there
	@examples/digits/demo.sh

test: install  ## Run the tests (minutes on 2 cores)
	$(BIN)/pytest -n auto

# Boards, networks and power cuts are tested one after the other: their tests wait for silence on a wire.
ALONE := tests/cli tests/deploy tests/keeper tests/lab
test-slow: install  ## Run the slow tests and the emulated boards (root for the latter)
	$(BIN)/pytest -n auto -m "slow or board" $(addprefix --ignore=,$(ALONE))
	$(BIN)/pytest -m "slow or board" $(ALONE)

test-all: test test-slow  ## Run every test

lint: install  ## Format check, ruff, mypy strict, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## Format the code and fix what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install  ## Measure the speed figures and print them as tables
	@status=0; for name in $(BENCHMARKS); do $(BIN)/python benchmarks/$$name.py || status=1; echo; done; exit $$status

clean:  ## Remove build output and caches of this checkout
	rm -rf build dist .edge .cache .mypy_cache .ruff_cache .pytest_cache examples/digits/work
