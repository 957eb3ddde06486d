from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dynamixel_servos import DynamixelInstructions, DynamixelServo
from servo_line import ServoLine

from reflexarc.firmware_bridge.drivers import ServoError
from reflexarc.firmware_bridge.drivers.dynamixel import open_dynamixel

STEP = 360 / 4096


@pytest.fixture
def servo() -> DynamixelServo:
    return DynamixelServo(1)


@pytest.fixture
def config(servo: DynamixelServo, tmp_path: Path) -> Any:
    with ServoLine(tmp_path, [servo], DynamixelInstructions([servo]), 57_600) as line:
        settings = {
            "port": str(line.path),
            "ids": {"pan": 1},
            "speed_dps": {"pan": 30},
            "reply_timeout_s": 0.5,
        }
        yield settings, line


def angle(servo: DynamixelServo) -> float:
    return (servo.position - 2048) * STEP


def test_a_silent_host_stops_the_move_and_the_next_command_re_arms(
    servo: DynamixelServo, config: Any
) -> None:
    settings, line = config
    with open_dynamixel({**settings, "watchdog_s": 0.5}) as servos:
        servos.set_servos({"pan": 60})
        line.advance(5)
        stopped = angle(servo)
        assert stopped == pytest.approx(15, abs=1.5)
        # The very same goal: that it still stands in the servo must not deceive.
        servos.set_servos({"pan": 60})
        assert servos.statistics().watchdog_stops == 1
        line.advance(0.4)
        assert angle(servo) == pytest.approx(stopped + 12, abs=1.5)


def test_asking_for_angles_keeps_it_moving(servo: DynamixelServo, config: Any) -> None:
    settings, line = config
    with open_dynamixel({**settings, "watchdog_s": 0.5}) as servos:
        servos.set_servos({"pan": 60})
        for _ in range(6):
            line.advance(0.4)
            servos.servo_angles()
        assert angle(servo) == pytest.approx(60, abs=STEP)
        assert servos.statistics().watchdog_stops == 0


def test_a_servo_that_lost_power_is_limp_until_it_is_set_and_keeps_its_speed_limit(
    servo: DynamixelServo, config: Any
) -> None:
    settings, line = config
    with open_dynamixel(settings) as servos:
        servos.set_servos({"pan": 15})
        line.advance(0.6)
        servo.power_cycle()
        servos.servo_angles()
        assert not servo.torque
        servos.set_servos({"pan": 60})
        assert servos.statistics().restarts == 1
        assert servo.memory[98] == 50  # 1 s
        line.advance(0.5)
        assert angle(servo) == pytest.approx(30, abs=1.5)


def test_the_order_of_arming(servo: DynamixelServo, config: Any) -> None:
    """Speed and goal before torque, watchdog last: cut off anywhere, nothing runs away."""
    settings, line = config
    with open_dynamixel(settings) as servos:
        line.heard.clear()
        servos.set_servos({"pan": 10})
    writes = [packet[8] | packet[9] << 8 for packet in line.heard if packet[7] == 0x83]
    assert writes[:5] == [98, 112, 64, 98, 112]


def test_drive_and_operating_mode_are_set_right(servo: DynamixelServo, config: Any) -> None:
    settings, line = config
    servo._eeprom[10:12] = bytes([0x0D, 1])
    servo.power_cycle()
    with open_dynamixel(settings):
        pass
    servo.power_cycle()
    # Bit 3, torque on by goal update, is the user's.
    assert servo.memory[10:12] == bytes([0x08, 3])
    line.heard.clear()
    with open_dynamixel(settings):
        pass
    writes = {packet[8] for packet in line.heard if packet[7] == 0x83}
    assert writes == {64, 98}


def test_a_place_below_zero(servo: DynamixelServo, config: Any) -> None:
    with open_dynamixel(config[0]) as servos:
        servo.position = -100
        assert servos.servo_angles()["pan"] == pytest.approx(-2148 * STEP)


@pytest.mark.parametrize(
    "model, firmware, message",
    [
        (350, 45, "X series, or an MX with protocol 2.0; found model number 350"),
        (1060, 37, "firmware 38 or newer, .*; found firmware 37; update it"),
    ],
)
def test_a_servo_without_this_memory_or_watchdog_is_refused(
    tmp_path: Path, model: int, firmware: int, message: str
) -> None:
    servo = DynamixelServo(1, model=model, firmware=firmware)
    with (
        ServoLine(tmp_path, [servo], DynamixelInstructions([servo]), 57_600) as line,
        pytest.raises(ServoError, match=message),
    ):
        open_dynamixel({"port": str(line.path), "ids": {"pan": 1}})
