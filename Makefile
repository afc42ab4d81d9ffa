# Everything that people and the gate do, by name. `make` alone tells what there is.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CODE := acrophase schemas producers processors dashboards tests benchmarks tools

# make demo PORT=9000 SPEED=600 ARGS="--people 5"
PORT ?=
SPEED ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test test-stack check format kafka bench requirements clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Make .venv and install what Acrophase needs to run

demo: install ## Run everything with a simulated clinic (PORT=, SPEED=, ARGS=)
	$(BIN)/acrophase demo $(if $(PORT),--port $(PORT)) $(if $(SPEED),--speed $(SPEED)) $(ARGS)

test: $(VENV)/.installed-dev ## Run every test that needs Python alone (ARGS=--cov: with coverage)
	$(BIN)/python -m pytest -m "not stack" -n 3 --dist loadscope --no-loadscope-reorder $(ARGS)

test-stack: $(VENV)/.installed-dev ## Run the tests on a real Apache Kafka and a real InfluxDB
	$(BIN)/python -m pytest -m stack tests/stack $(ARGS)

check: $(VENV)/.installed-dev ## Format, lint, types and the arrows between the rooms
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev ## Format the code, and mend what the linter can
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

kafka: ## Fetch and run Apache Kafka in the foreground, without Docker (PORT=; needs Java, Maven)
	$(PYTHON) tools/kafka/run.py $(if $(PORT),--port $(PORT)) $(ARGS)

bench: $(VENV)/.installed-dev ## Measure against the figures promised
	$(BIN)/python -m benchmarks $(ARGS)

requirements: $(VENV)/.installed-dev ## Pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml --group build $(PIN) -o requirements.txt
	$(BIN)/uv pip compile --group pyproject.toml:dev -c requirements.txt $(PIN) -o requirements-dev.txt

# No addresses of downloads or indexes: whoever installs chooses where from, the hashes say what.
PIN := --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make requirements"

clean: ## Remove everything that was made, .venv and Kafka's jars included
	rm -rf $(VENV) tools/kafka/target .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "error: Acrophase needs Python 3.11 or newer, and '$(PYTHON)' is not." >&2; \
		echo "       Install one and name it, for example: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
		exit 2; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "error: this Python cannot make environments (Debian: apt-get install python3-venv)" >&2; \
		rm -rf $(VENV); exit 2; }

# Stamps, so that the second `make demo` starts at once. --no-deps: the files name everything, and
# pip would otherwise look for newer versions of packages that another one asks for with an extra.
$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV), a minute or two ..."
	@$(PIP) --no-deps --require-hashes -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@echo "compiling the estimator ..."
	@$(BIN)/python -m processors.engine
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "installing the tools for development ..."
	@$(PIP) --no-deps --require-hashes -r requirements-dev.txt
	@touch $@
