# `make demo` and `make test` set everything up by themselves, once.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ROOMS := core models export perception robot firmware_bridge sim cli
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: help demo models test bench lint types clean

help:
	@echo "make demo   train, export, see, and turn an emulated robot's wheels (out/demo/report.html)"
	@echo "make models all model families: trained or imported, INT8, measured (out/zoo)"
	@echo "make test   all tests"
	@echo "make bench  speed and memory, printed as ratios"
	@echo "make lint   ruff and mypy --strict"
	@echo "make clean  remove .venv, build and out"

$(READY): tools/setup.sh tools/apt.txt requirements/lock.txt pyproject.toml setup.py
	@PYTHON="$(PYTHON)" tools/setup.sh

demo: $(READY)
	@$(BIN)/reflexarc demo

# Photos of your own or ours, where there are any; packaged data otherwise.
DATA ?= $(wildcard ../shared/data)
models: $(READY)
	@$(BIN)/reflexarc zoo $(DATA:%=--data %)

test: $(READY)
	@$(BIN)/python -m pytest

bench: $(READY)
	@$(BIN)/python -m benchmarks

lint: $(READY) types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

# Type checkers do not follow the editable finder: show them the import tree as links.
types: $(READY)
	@mkdir -p build/types/reflexarc
	@for room in $(ROOMS); do ln -sfn ../../../$$room build/types/reflexarc/$$room; done
	@cd build/types && ../../$(BIN)/mypy --config-file ../../pyproject.toml $(ROOMS:%=-p reflexarc.%)

clean:
	rm -rf .venv build dist out *.egg-info
