# Everything runs in .venv, made on first use with exact versions (tests/constraints.txt).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c tests/constraints.txt

.PHONY: help demo test test-kills fuzz check format-check lint types format bench clean

help:  ## Show the targets.
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

$(VENV)/installed: pyproject.toml tests/constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) --editable .
	@touch $@

$(VENV)/dev-installed: $(VENV)/installed
	$(PIP) --group dev
	@touch $@

demo: $(VENV)/installed  ## Run the pipeline on generated samples with known motif sites.
	$(BIN)/finemo-dist demo --out demo

test: $(VENV)/dev-installed  ## Run the whole test suite.
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-kills: $(VENV)/dev-installed  ## Kill workers, nodes and drivers by 20 random schedules (KILL_SEEDS).
	KILL_SEEDS=$${KILL_SEEDS:-20} $(BIN)/python -m pytest -s tests/integration/cluster

fuzz: $(VENV)/dev-installed  ## Run 20,000 damaged and odd inputs (FUZZ_CASES, FUZZ_SECONDS, FUZZ_SEED, FUZZ_KINDS).
	$(BIN)/python -m tests.fuzz

check: format-check lint types  ## Formatting, lint and types.

format-check: $(VENV)/dev-installed
	$(BIN)/ruff format --check .

lint: $(VENV)/dev-installed  ## Lint.
	$(BIN)/ruff check .

types: $(VENV)/dev-installed  ## Type-check the package.
	$(BIN)/mypy

format: $(VENV)/dev-installed  ## Format the code.
	$(BIN)/ruff format .

bench: $(VENV)/dev-installed  ## Measure against finemo 0.41 (two hours, on a quiet machine).
	$(BIN)/python -m tests.benchmarks all --out tests/benchmarks/RESULTS.md $(BENCH_ARGS)

clean:  ## Remove the environment, caches and the demo.
	rm -rf $(VENV) demo dist fuzz-failures .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
