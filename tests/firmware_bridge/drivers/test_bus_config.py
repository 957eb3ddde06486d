from __future__ import annotations

from typing import Any

import pytest

from reflexarc.firmware_bridge.drivers import DriverConfigError
from reflexarc.firmware_bridge.drivers.bus_config import BusConfig, parse_config

GOOD: dict[str, Any] = {"port": "/dev/ttyUSB0", "ids": {"pan": 1, "tilt": 2}}


def test_names_and_ids_are_enough() -> None:
    config = parse_config(BusConfig, GOOD, "feetech")
    assert config.ids == {"pan": 1, "tilt": 2}
    assert config.baudrate is None


@pytest.mark.parametrize(
    "change, message",
    [
        ({"limit_deg": {}}, "unknown key limit_deg; did you mean limits_deg"),
        ({"zzz": 1}, "settings of feetech: port, baudrate, .*; found unknown key zzz; remove it"),
        ({"ids": {"pan": 1, "tilt": 1}}, "each servo to have an id of its own"),
        ({"ids": {"pan": 253}}, "ids.pan: less than or equal to 252; found 253"),
        ({"ids": {}}, "ids: .*at least 1"),
        ({"trim_deg": {"gripper": 3}}, r"names out of ids \(pan, tilt\) in trim_deg"),
        ({"reversed": ["pam"]}, r"names out of ids \(pan, tilt\) in reversed"),
        ({"limits_deg": {"pan": [30, -30]}}, "limits_deg.pan to have the lower angle first"),
        ({"limits_deg": {"pan": [-200, 0]}}, "greater than or equal to -180; found -200"),
        ({"speed_dps": {"pan": 0}}, "speed_dps.pan: greater than 0; found 0"),
        ({"speed_dps": {"pan": float("nan")}}, "speed_dps.pan: .*found nan"),
        ({"watchdog_s": 3}, "watchdog_s: less than or equal to 2.54; found 3"),
    ],
)
def test_a_wrong_setting_is_explained_in_one_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DriverConfigError, match=message) as caught:
        parse_config(BusConfig, GOOD | change, "feetech")
    assert "\n" not in str(caught.value)


def test_a_port_must_be_named() -> None:
    with pytest.raises(DriverConfigError, match="port: .*; found no such key"):
        parse_config(BusConfig, {"ids": {"pan": 1}}, "feetech")
