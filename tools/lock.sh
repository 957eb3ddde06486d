#!/bin/sh
# Renew requirements/lock.txt: one file of exact versions for Python 3.10 to 3.13,
# x86_64 and aarch64 (environment markers). Run by hand, then `make test`.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet uv
"$scratch/venv/bin/uv" pip compile --quiet --universal --python-version 3.10 \
    --extra train --extra servos --extra ros --extra interfaces --extra sim --extra language --extra llm --extra dev --constraint requirements/tested.txt \
    --no-header --no-emit-index-url --annotation-style line \
    --custom-compile-command tools/lock.sh pyproject.toml --output-file requirements/lock.txt
