# `make` alone lists the targets. Python 3.11 or newer and make are all that the machine must have.

CANDIDATES := python3 python3.13 python3.12 python3.11
# ensurepip: some distributions ship Python without it, and then it cannot make a virtual environment
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in $(CANDIDATES); do $$p -c '$(USABLE)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
INSTALLED := .venv/.installed
ORACLE := .venv/.oracle
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" pyproject.toml $(ARGS)

.DEFAULT_GOAL := help
.NOTPARALLEL:  # check ends with the tests
.PHONY: help install run api worker test test-fast check prove lint types fix bench house security sbom histories lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED)  ## make .venv with everything, once (PYTHON=... chooses the interpreter)

$(INSTALLED): requirements-dev.txt
	@test -n "$(PYTHON)" || { \
		echo "No Python 3.11 or newer with its venv module was found (tried: $(CANDIDATES))."; \
		echo "Install one, or name it: make install PYTHON=/path/to/python"; exit 1; }
	@echo "Installing the pinned dependencies into .venv with $(PYTHON); this takes a minute or two and happens once."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements-dev.txt
	@touch $@

$(ORACLE): requirements-oracle.txt $(INSTALLED)
	@echo "Installing the clouds' own SDKs, which the tests hold our clients against; this happens once."
	@$(BIN)/python -m pip install -qq --require-hashes --no-compile -r requirements-oracle.txt
	@touch $@

run: $(INSTALLED)  ## the whole system on this machine, until Ctrl-C (ARGS=--once: stop after the demo)
	@$(BIN)/python -m local --with-parent $(ARGS)

api: $(INSTALLED)  ## the API process alone, settings from the environment
	@$(BIN)/python main.py

worker: $(INSTALLED)  ## a worker process alone, settings from the environment
	@$(BIN)/python worker.py

# Three at once on two processors: much of a test is waiting for a server.
test: $(INSTALLED) $(if $(SKIP_ORACLE),,$(ORACLE))  ## the tests (ARGS="-k name" picks some; SKIP_ORACLE=1: without SDKs)
	$(BIN)/pytest -n 3 --dist loadscope -m "not long" $(ARGS)

test-fast: $(INSTALLED)  ## the tests that start no server: seconds
	$(BIN)/pytest -m "not stack and not long" -n 2 --dist loadscope $(ARGS)

check: lint types test  ## what CI runs: lint, types, architecture, the tests

prove: $(INSTALLED)  ## kill it, fail its clouds, count what broke; the long tests (ARGS="kill-matrix --seed 2")
	@$(BIN)/python -m tests.resilience $(ARGS)
	$(if $(ARGS),,@$(BIN)/pytest -m long)

lint: $(INSTALLED)  ## style, the import contracts, bandit
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache
	$(BIN)/bandit --quiet --recursive --severity-level medium --exclude ./.venv,./.local,./build,./tests,./bench .

types: $(INSTALLED)  ## mypy, strict
	$(BIN)/mypy

fix: $(INSTALLED)  ## mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(INSTALLED) $(if $(SKIP_ORACLE),,$(ORACLE))  ## how fast it is and what an onboarding takes, half an hour (ARGS=--quick; ARGS=soak: memory)
	@$(BIN)/python -m bench $(ARGS)

house: $(INSTALLED)  ## the shape of the code in figures, beside what is wanted (ARGS=--static: without a run)
	@$(BIN)/python -m tests.house $(ARGS)

security: $(INSTALLED)  ## attack it and count what came of it (ARGS=--quick; ARGS=--offline: ask nobody)
	@$(BIN)/python -m tests.security $(ARGS)

sbom: $(INSTALLED)  ## what is in it, as CycloneDX, from requirements.txt into build/sbom.json
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --mc-type application \
		--output-reproducible --of JSON -o build/sbom.json

histories: $(INSTALLED)  ## record the workflow histories that the replay tests read
	$(BIN)/python -m tests.workflows.record

lock: $(INSTALLED)  ## pin the dependencies of pyproject.toml (ARGS=--upgrade takes the newest)
	$(COMPILE) --extra dev --output-file requirements-dev.txt
	$(COMPILE) --constraint requirements-dev.txt --output-file requirements.txt
	$(COMPILE) --extra dev --extra oracle --constraint requirements-dev.txt --output-file requirements-oracle.txt

clean:  ## remove .venv, caches and what `make run` left
	rm -rf .venv .local .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
