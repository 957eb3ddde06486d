"""How a run's programs end, where one of them does not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")

from scenario_plays import processes_below

from reflexarc.cli.box.engines import Order, RosEngine


def test_a_node_that_hangs_is_killed_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(102 + os.getpid() % 100))
    config = tmp_path / "robot.yaml"
    config.write_text("name: hangs\n")
    engine = RosEngine(Order("obstacle", config, tmp_path, tmp_path, "real", False, {}))
    below = processes_below(engine.children["launch"].pid)
    (brain,) = [pid for pid, command in below.items() if "brain_node" in command]
    os.kill(brain, signal.SIGSTOP)
    exits = engine.close()
    assert exits == {"launch": 130, "spectator": exits["spectator"], "brain": -signal.SIGKILL}
    assert exits["spectator"] in (0, 130)
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]
