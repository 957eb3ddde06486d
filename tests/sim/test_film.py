"""Films and the robot's view, in a process of its own: TensorFlow may be in this one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).with_name("film_cases.py")
if importlib.util.find_spec("mujoco") is None:
    pytest.skip("MuJoCo is not installed (reflexarc[sim])", allow_module_level=True)


def test_what_it_renders() -> None:
    command = [sys.executable, "-m", "pytest", str(CASES), "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    if done.returncode == 0 and " passed" not in done.stdout:
        pytest.skip(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout
