# `make demo` and `make test` set up .venv by themselves, once; `make help` lists all targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The tests start hundreds of processes: without bytecode each of them would compile Dagster anew, for 3 s.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo ui test lint types format data clean

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## two sample shops through Dagster to a LeadDone sandbox, and the ids back
	@$(BIN)/leaddone demo

ui: $(READY)  ## the demo, then Dagster's UI on it
	@$(BIN)/leaddone demo --ui

test: lint types  ## style, types and tests with branch coverage, as CI runs them
	@echo "Running the tests"
	@# Three for two cores: a test of processes waits for them now and then.
	@$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --cov --cov-report=term

lint: $(READY)  ## ruff's rules and format
	@echo "Checking style"
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet

types: $(READY)  ## mypy, strict, over the package
	@echo "Checking types"
	@$(BIN)/mypy --no-error-summary

format: $(READY)  ## rewrite the code as ruff formats it
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format --quiet

data: $(READY)  ## write data/ anew from its seed
	@$(BIN)/python -m leaddone_pipeline.sandbox.sample data

clean:  ## remove .venv and what the demo made
	rm -rf $(VENV) .leaddone/demo

$(READY): pyproject.toml
	@if command -v uv >/dev/null; then \
		echo "Setting up $(VENV) with uv"; \
		uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
		uv pip install --quiet --compile-bytecode --python $(BIN)/python --editable '.[dev]'; \
	else \
		echo "Setting up $(VENV) with pip; about a minute"; \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'; \
	fi
	@touch $(READY)
