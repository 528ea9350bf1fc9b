# Everything runs in .venv, made on first use with exact versions (tests/constraints.txt).
PYTHON ?= python3
VENV ?= .venv
TOOLS := .venv-tools
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c tests/constraints.txt

.PHONY: help demo docs dist pictures test test-unit test-system test-kills fuzz check format-check lint types format bench clean

help:  ## Show the targets.
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

$(VENV)/installed: pyproject.toml tests/constraints.txt
	@echo "Installing into $(VENV): about two minutes, most of it for PyTorch."
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) --editable .
	@touch $@

$(VENV)/dev-installed: $(VENV)/installed
	$(PIP) --group dev
	@touch $@

# Programs that build and check releases, and Snakemake: they need other versions of what we use.
$(TOOLS)/installed: pyproject.toml
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --group tools
	@touch $@

demo: $(VENV)/installed  ## Run the pipeline on generated samples with known motif sites: less than a minute.
	$(BIN)/finemo-dist demo --out demo

# All cores; a process takes seconds and half a gigabyte to start, so sixteen at most. A process that
# has nothing left takes over half of what another still has to do. What one process compiles the
# others find, even where the environment says that nothing compiled is kept.
PYTEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --maxprocesses 16 --dist worksteal

# Tests of clusters mostly wait, so there are two processes more than there are cores.
MORE := -n $(shell expr 2 + `getconf _NPROCESSORS_ONLN`)

test: $(VENV)/dev-installed  ## Run everything that guards correctness (PYTEST_ARGS).
	@echo "All tests but those of clusters, browsers and kills (make test-system): about five minutes on two cores."
	$(PYTEST) -m "not system" $(PYTEST_ARGS)

test-unit: $(VENV)/dev-installed  ## Run the tests of single modules, a part of `test`.
	@echo "The tests of single modules, a part of make test: about two minutes on two cores."
	$(PYTEST) -m "not system and not slow" tests/unit tests/laws tests/differential $(PYTEST_ARGS)

test-system: $(VENV)/dev-installed $(TOOLS)/installed  ## Run SLURM, Ray, kills, Chromium, object storage, README, benchmarks and fuzz.
	@echo "SLURM, Ray, kills, Chromium, object storage, documents, benchmarks and fuzz: about ten minutes on two cores."
	$(PYTEST) $(MORE) -m system $(PYTEST_ARGS)

test-kills: $(VENV)/dev-installed  ## Kill, stop, cut and fill by 40 random schedules of each kind (KILL_SEEDS).
	KILL_SEEDS=$${KILL_SEEDS:-40} $(BIN)/python -m pytest -s tests/integration/cluster

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

docs: $(VENV)/dev-installed  ## Build the documentation into dist/docs, without a network.
	NO_MKDOCS_2_WARNING=1 OMP_NUM_THREADS=1 $(BIN)/mkdocs build --quiet -f .mkdocs.yml
	@echo "dist/docs/index.html: open it, or serve it for the search box:"
	@echo "$(BIN)/python -m http.server --bind 127.0.0.1 -d dist/docs"

dist: $(TOOLS)/installed  ## Build wheel and sdist into dist, and check them.
	rm -f dist/*.whl dist/*.tar.gz
	$(TOOLS)/bin/python -m build --no-isolation --outdir dist .
	$(TOOLS)/bin/python -m twine check --strict dist/*.whl dist/*.tar.gz

pictures: demo $(VENV)/dev-installed  ## Draw the pictures of the documentation from the demo.
	$(BIN)/python docs/pictures.py demo

clean:  ## Remove the environment, caches and the demo.
	rm -rf .venv .venv-3.13 .venv-tools demo dist fuzz-failures .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
