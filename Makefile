# hptune's tasks. `make help` lists them. Every target sets up what it needs:
# a virtual environment in .venv, installed from requirements.lock (made by `make lock` from pyproject.toml).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := $(BIN)/python -m uv
RUNS ?= runs
LOCK_FLAGS := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header

# Containers often set this; without bytecode every process compiles scikit-learn's and hptune's modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow faults faults-long audit lowest lint types format bench lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hptune needs Python 3.11 or newer; found " + sys.version.split()[0] + ". Try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-bootstrap.lock
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q hptune
	@touch $@

demo: $(READY) ## the main job: tune the article's Ridge and Lasso, print the tables, draw the figures
	@$(BIN)/python -m configs.article.demo --runs $(RUNS)/article --figures figures

test: $(READY) ## the tests (under 5 minutes on 2 cores)
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal

test-slow: $(READY) ## the slower tests, which CI also runs
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m slow

faults: $(READY) ## real faults: kills, full disks, hostile input (under 10 minutes on 2 cores)
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m faults --durations 5

faults-long: $(READY) ## the same for about an hour: 500 kills, 100,000 trials, 20,000 mutants of each config
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m faults_long

AUDIT := .audit/.ready
$(AUDIT): $(READY) requirements-audit.lock
	$(PYTHON) -m venv .audit
	$(UV) pip install --quiet --python .audit/bin/python --require-hashes -r requirements-audit.lock
	@touch $@

audit: $(AUDIT) ## known weaknesses of what the locks install (pip-audit)
	@$(BIN)/python -m tests.audit requirements.lock requirements-audit.lock

LOWEST := .lowest/.ready
MEETING_OTHERS := $(addprefix tests/,config data commands memory test_cli.py test_cv.py worker/test_evaluation.py worker/test_scoring_folds.py)
# "lowest-direct": what pyproject.toml names at its lower bounds, what comes with it at its newest, which may find
# the old ones out of date: their warnings of each other are no errors.
$(LOWEST): $(READY)
	$(PYTHON) -m venv .lowest
	$(UV) pip install --quiet --compile-bytecode --python .lowest/bin/python --resolution lowest-direct --editable '.[dev]'
	@touch $@

lowest: $(LOWEST) ## the tests of what meets other libraries, on the lower bounds of pyproject.toml
	@.lowest/bin/python -m pytest -q -n 2 --dist worksteal -W ignore::DeprecationWarning $(MEETING_OTHERS)

lint: $(READY) ## ruff: lint and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: $(READY) ## ruff: mend what can be mended
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

types: $(READY) ## mypy --strict
	@$(BIN)/mypy

bench: $(READY) ## measure speed and quality (see benchmarks/README.md)
	@$(BIN)/python -m benchmarks

lock: $(READY) ## write the locks anew from pyproject.toml
	$(UV) pip compile $(LOCK_FLAGS) --extra dev pyproject.toml requirements-build.in -o requirements.lock
	printf 'uv\n' | $(UV) pip compile $(LOCK_FLAGS) - -o requirements-bootstrap.lock
	printf 'pip-audit\n' | $(UV) pip compile $(LOCK_FLAGS) - -o requirements-audit.lock

clean: ## remove the environment and caches
	rm -rf $(VENV) .audit .lowest .faults .mypy_cache .ruff_cache .pytest_cache .hypothesis
