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
optional=""
for package in $(grep -v '^#' tools/apt.txt); do
    case $package in
        # A Python that brings ensurepip of its own needs no Debian package.
        python3-venv) "$python" -c 'import ensurepip' 2>/dev/null && continue ;;
        # The same for its headers, which the ROS 2 interfaces are compiled with.
        python3-dev) "$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(
            sysconfig.get_path("include") + "/Python.h"))' && continue ;;
    esac
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
        missing="$missing $package"
done
# Nice to have: a test that needs them is skipped where the distribution has none.
for package in $(grep -v '^#' tools/apt-optional.txt); do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
        optional="$optional $package"
done
# npm carries the whole MNIST; any npm will do, not only Debian's.
command -v npm >/dev/null || missing="$missing npm"

if [ -n "$missing$optional" ]; then
    root=yes
    as_root=""
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            as_root="sudo"
        elif [ -n "$missing" ] && command -v sudo >/dev/null && [ -t 0 ]; then
            as_root="sudo" # asks for the password
        else
            root=""
        fi
    fi
    if [ -z "$root" ] && [ -n "$missing" ]; then
        echo "setup: expected these system packages:$missing; found neither root nor sudo;" \
             "ask someone who has it to run: apt-get install --no-install-recommends$missing" >&2
        exit 2
    fi
    if [ -n "$root" ]; then
        echo "setup: installing$missing$optional"
        $as_root apt-get update -qq
        install="env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends"
        # shellcheck disable=SC2086
        [ -z "$missing" ] || $as_root $install $missing >/dev/null
        for package in $optional; do
            $as_root $install "$package" >/dev/null 2>&1 ||
                echo "setup: no $package here; the tests that need it will be skipped"
        done
    fi
fi

# --- Python ----------------------------------------------------------------
[ -x .venv/bin/python ] || "$python" -m venv .venv
echo "setup: Python packages into .venv (once; about 2 GB with TensorFlow)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --requirement requirements/lock.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --no-deps --no-build-isolation --editable .
# --- ROS 2 interfaces ------------------------------------------------------
# Half a minute of compiling: done once for each state of the definitions.
if [ "$(uname -sm)" = "Linux x86_64" ]; then
    state=$({ .venv/bin/python --version; grep '^ros-' requirements/lock.txt
              cat interfaces/*.* interfaces/*/*.*; } | sha256sum | cut -c 1-16)
    wheels=build/wheels/$state
    if ! ls "$wheels"/*.whl >/dev/null 2>&1; then
        echo "setup: compiling reflexarc_interfaces (once; half a minute)"
        rm -rf build/wheels
        .venv/bin/python -m pip wheel --quiet --disable-pip-version-check \
            --no-deps --no-build-isolation --wheel-dir "$wheels" ./interfaces
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --no-deps --no-index --force-reinstall "$wheels"/*.whl
else
    echo "setup: ROS 2's wheels are for x86_64 only; where ROS 2 comes from apt," \
         "colcon builds interfaces/ (see interfaces/README.md)"
fi

touch .venv/.ready
