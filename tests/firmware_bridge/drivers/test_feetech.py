from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from feetech_servos import FeetechInstructions, FeetechServo
from servo_line import ServoLine

from reflexarc.firmware_bridge.drivers import DriverConfigError
from reflexarc.firmware_bridge.drivers.feetech import open_feetech


@pytest.fixture
def servo() -> FeetechServo:
    return FeetechServo(1)


@pytest.fixture
def config(servo: FeetechServo, tmp_path: Path) -> Any:
    with ServoLine(tmp_path, [servo], FeetechInstructions([servo]), 1_000_000) as line:
        settings = {"port": str(line.path), "ids": {"pan": 1}, "reply_timeout_s": 0.5}
        yield settings, line


def test_a_servo_left_in_wheel_mode_is_set_back_for_good(servo: FeetechServo, config: Any) -> None:
    servo.memory[33] = servo._eeprom[33] = 1
    with open_feetech(config[0]):
        pass
    servo.power_cycle()
    assert servo.memory[33] == 0
    assert servo.memory[55] == 1  # locked again


def test_memory_that_wears_out_is_not_written_without_need(config: Any) -> None:
    settings, line = config
    with open_feetech(settings) as servos:
        servos.set_servos({"pan": 10})
    writes = [packet for packet in line.heard if packet[4] in (0x03, 0x83)]
    assert {packet[5] for packet in writes} == {40}


def test_the_speed_limit_holds_for_servos_that_count_in_fifties(tmp_path: Path) -> None:
    servo = FeetechServo(1, phase=0x08)
    with ServoLine(tmp_path, [servo], FeetechInstructions([servo]), 1_000_000) as line:
        settings = {"port": str(line.path), "ids": {"pan": 1}, "speed_dps": {"pan": 45}}
        with open_feetech(settings) as servos:
            servos.set_servos({"pan": 90})
            line.advance(1)
            # 45 degrees are 512 steps, rounded down to ten fifties.
            assert servo.position == pytest.approx(2048 + 500, abs=1)


def test_a_place_below_zero_is_sign_and_magnitude(servo: FeetechServo, config: Any) -> None:
    with open_feetech(config[0]) as servos:
        servo.position = -100
        assert servos.servo_angles()["pan"] == pytest.approx(-2148 * 360 / 4096)


def test_limits_of_both_zero_mean_no_limits(servo: FeetechServo, config: Any) -> None:
    servo.memory[9:13] = bytes(4)
    with open_feetech(config[0]) as servos:
        assert servos.set_servos({"pan": 90}) == {"pan": 90}


def test_a_servo_that_lost_power_gets_torque_speed_and_goal_together(
    servo: FeetechServo, config: Any
) -> None:
    settings, line = config
    with open_feetech(settings) as servos:
        servos.set_servos({"pan": 30})
        line.advance(1)
        servo.power_cycle()
        servos.set_servos({"pan": 40})
        assert servo.torque
        assert servo.word(46) == 1365  # 120 degrees/s


def test_a_watchdog_is_not_promised(config: Any) -> None:
    with pytest.raises(DriverConfigError, match="Feetech servos have no watchdog"):
        open_feetech({**config[0], "watchdog_s": 0.5})
