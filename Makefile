# Two commands do everything: `make demo` and `make test`. Each sets itself up on a machine with Python 3.11, git and make.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2
# Two workers share two cores: more threads in each would only wait for one another.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Without bytecode every process would compile a thousand modules again.
unexport PYTHONDONTWRITEBYTECODE

# numba notices a change of a kernel's own file, not of the kernels that it calls: stale code would go on.
KERNELS := $(VENV)/.kernels

.PHONY: help setup demo test test-slow lint docs bench lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

setup: $(STAMP) ## .venv with every extra and the test group

$(STAMP): requirements.lock pyproject.toml tools/bootstrap.sh
	@PYTHON=$(PYTHON) bash tools/bootstrap.sh $(VENV)
	@touch $@

$(KERNELS): $(STAMP) $(shell grep -rl njit src --include=*.py)
	@find src -name '*.nb[ci]' -delete
	@touch $@

demo: $(STAMP) $(KERNELS) ## a virtual trial, from raw recordings to a report (under 2 minutes)
	@$(BIN)/remyelin demo demo-out

test: $(STAMP) $(KERNELS) lint ## lint, types, layers and the fast tests (some 11 minutes on 2 cores)
	$(ONE_THREAD) $(BIN)/pytest -n $(JOBS) --dist loadfile -m "not slow"

test-slow: $(STAMP) $(KERNELS) ## the tests that take minutes
	$(ONE_THREAD) $(BIN)/pytest -n $(JOBS) --dist loadfile -m slow

lint: $(STAMP) ## ruff, mypy, import contracts, spelling, project metadata
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell src tests docs benchmarks *.md
	$(BIN)/validate-pyproject pyproject.toml

docs: $(STAMP) ## the documentation, in docs/_build/html
	$(BIN)/sphinx-build -q -W -n docs docs/_build/html

bench: $(STAMP) $(KERNELS) ## the benchmarks whose tables stand in the docs (hours)
	$(BIN)/python benchmarks/run.py

lock: $(STAMP) ## resolve requirements.lock again
	$(BIN)/uv pip compile pyproject.toml --all-extras --group test --group docs --universal --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --upgrade -q -o requirements.lock

clean: ## remove what was built
	rm -rf $(VENV) build dist demo-out docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
