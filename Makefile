# `make demo` and `make test` set everything up by themselves, once.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ROOMS := core models export perception robot firmware_bridge sim cli
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: help demo models test test-all soak fuzz bench lint types clean firmware-stm32 test-stm32 stm32-tools

help:
	@echo "make demo   train, export, and let the net drive a whole robot in a box (out/demo/report.html)"
	@echo "make models all model families: trained or imported, INT8, measured (out/zoo)"
	@echo "make test   all tests"
	@echo "make test-all  the slow ones too"
	@echo "make soak   the scenarios in the box, 20 times in a row"
	@echo "make fuzz   1,000,000 crooked lines at both parsers and at the firmware (nightly)"
	@echo "make test-stm32  the firmware for a second chip, built and run in qemu"
	@echo "make bench  speed and memory, printed as ratios"
	@echo "make lint   ruff and mypy --strict"
	@echo "make clean  remove .venv, build and out"

INTERFACES := $(wildcard interfaces/*.* interfaces/*/*.*)
$(READY): tools/setup.sh tools/apt.txt requirements/lock.txt pyproject.toml setup.py $(INTERFACES)
	@PYTHON="$(PYTHON)" tools/setup.sh

demo: $(READY)
	@$(BIN)/reflexarc demo

# Photos of your own or ours, where there are any; packaged data otherwise.
DATA ?= $(wildcard ../shared/data)
models: $(READY)
	@$(BIN)/reflexarc zoo $(DATA:%=--data %)

test: $(READY)
	@$(BIN)/python -m pytest

test-all: $(READY)
	@REFLEXARC_SLOW=1 $(BIN)/python -m pytest

RUNS ?= 20
soak: $(READY)
	@tools/soak.sh $(RUNS)

fuzz: $(READY)
	@FUZZ_CASES=1000000 $(BIN)/python -m pytest tests/firmware_bridge/fuzz --timeout=7200

# The second chip is not part of `make test`: its compiler and qemu are 0.9 GB of packages.
STM32_OUT := $(CURDIR)/build/stm32f405
STM32_PACKAGES := gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm
stm32-tools:
	@for tool in arm-none-eabi-gcc qemu-system-arm; do command -v $$tool >/dev/null || { \
		echo "expected $$tool; found none; run: apt-get install --no-install-recommends $(STM32_PACKAGES)" >&2; \
		exit 1; }; done

firmware-stm32: stm32-tools
	@$(MAKE) --no-print-directory -C firmware_bridge/firmware CHIP=stm32f405 OUT=$(STM32_OUT)

test-stm32: $(READY) firmware-stm32
	@REFLEXARC_STM32=1 $(BIN)/python -m pytest tests/firmware_bridge/stm32f405

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
