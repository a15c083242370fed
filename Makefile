# make demo | test | check | docs | bench NAME=...      (Python 3.11 or newer; another one: make PYTHON=python3.12 test)
PYTHON ?= python3
# Installed first and alone: asked for by the others, it comes in its newest build with gigabytes of CUDA.
TORCH ?= torch==2.13.0
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: demo test check docs bench clean
.DEFAULT_GOAL := test

demo: $(INSTALLED)
	$(BIN)/understudy demo

test: $(INSTALLED)
	$(BIN)/python -m pytest

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_floors.py
	$(BIN)/python docs/generate.py --check

docs: $(INSTALLED)
	$(BIN)/python docs/generate.py

bench: $(INSTALLED)
	@test -f "benchmarks/$(NAME).py" || { echo "make bench NAME=...   one of: $(basename $(notdir $(wildcard benchmarks/*.py)))"; exit 2; }
	$(BIN)/python benchmarks/$(NAME).py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache build dist

# Anew only when what is to be installed has changed.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "understudy needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt $(TORCH)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[train,math,dev]'
	@touch $@
