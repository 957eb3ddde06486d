"""A bus of three servos of each family, on a pty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dynamixel_servos import DynamixelInstructions, DynamixelServo
from feetech_servos import FeetechInstructions, FeetechServo
from servo_line import ServoLine

IDS = {"pan": 1, "tilt": 2, "gripper": 3}


@pytest.fixture
def feetech_line(tmp_path: Path) -> Iterator[ServoLine]:
    servos = [FeetechServo(servo) for servo in IDS.values()]
    with ServoLine(tmp_path, servos, FeetechInstructions(servos), 1_000_000) as line:
        yield line


@pytest.fixture
def dynamixel_line(tmp_path: Path) -> Iterator[ServoLine]:
    servos = [DynamixelServo(servo) for servo in IDS.values()]
    with ServoLine(tmp_path, servos, DynamixelInstructions(servos), 57_600) as line:
        yield line


@pytest.fixture(params=["feetech", "dynamixel"])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def line(family: str, request: pytest.FixtureRequest) -> ServoLine:
    """One line, of each family in turn."""
    found = request.getfixturevalue(f"{family}_line")
    assert isinstance(found, ServoLine)
    return found


@pytest.fixture
def config(line: ServoLine) -> dict[str, Any]:
    """Settings for it. Replies may take long here: machines are shared, and a
    repetition that nobody caused would upset counts."""
    return {"port": str(line.path), "ids": dict(IDS), "reply_timeout_s": 0.5}
