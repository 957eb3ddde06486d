#!/bin/sh
# Set up this checkout: system packages for the firmware, then .venv with the
# locked versions. Safe to run again; `make` calls it when something changed.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
    echo "setup: expected Python 3.10 or newer; found $("$python" --version 2>&1 | head -n 1);" \
         "run 'make PYTHON=python3.11 ...' with a newer one" >&2
    exit 2
}

# --- system packages -------------------------------------------------------
missing=""
for package in $(grep -v '^#' tools/apt.txt); do
    case $package in
        # A Python that brings ensurepip of its own needs no Debian package.
        python3-venv) "$python" -c 'import ensurepip' 2>/dev/null && continue ;;
    esac
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
        missing="$missing $package"
done
# npm carries the whole MNIST; any npm will do, not only Debian's.
command -v npm >/dev/null || missing="$missing npm"

if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then
        as_root=""
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root="sudo"
    elif command -v sudo >/dev/null && [ -t 0 ]; then
        as_root="sudo" # asks for the password
    else
        echo "setup: expected these system packages:$missing; found neither root nor sudo;" \
             "ask someone who has it to run: apt-get install --no-install-recommends$missing" >&2
        exit 2
    fi
    echo "setup: installing$missing"
    $as_root apt-get update -qq
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

# --- Python ----------------------------------------------------------------
[ -x .venv/bin/python ] || "$python" -m venv .venv
echo "setup: Python packages into .venv (once; about 2 GB with TensorFlow)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --requirement requirements/lock.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --no-deps --no-build-isolation --editable .
touch .venv/.ready
