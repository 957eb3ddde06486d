"""The simulated camera, in a process of its own: TensorFlow may be in this one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from reflexarc.perception.cameras import CameraError, open_camera

CASES = Path(__file__).with_name("sim_cases.py")
if importlib.util.find_spec("mujoco") is None:
    pytest.skip("MuJoCo is not installed (reflexarc[sim])", allow_module_level=True)


def test_what_it_renders() -> None:
    command = [sys.executable, "-m", "pytest", str(CASES), "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    if done.returncode == 0 and " passed" not in done.stdout:
        pytest.skip(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout


def test_it_does_not_render_beside_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    with pytest.raises(CameraError, match="two processes"):
        open_camera("sim:?pace=fast&frames=1&size=16x16")
