"""How a run's programs end, where one of them does not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")

from scenario_plays import own_domain, processes_below

from reflexarc.cli.box.engines import Order, RosEngine


def test_a_node_that_hangs_is_killed_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_domain(monkeypatch)
    config = tmp_path / "robot.yaml"
    config.write_text("name: hangs\n")
    engine = RosEngine(Order("obstacle", config, tmp_path, tmp_path, "real", False, {}))
    try:
        below = processes_below(engine.children["launch"].pid)
        (brain,) = [pid for pid, command in below.items() if "brain_node" in command]
        os.kill(brain, signal.SIGSTOP)
    finally:
        exits = engine.close()
    assert exits.pop("spectator") in (0, 130)
    assert exits == {"launch": 130, "brain": -signal.SIGKILL}
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]
