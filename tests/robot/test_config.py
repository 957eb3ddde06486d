from __future__ import annotations

from pathlib import Path

import pytest

from reflexarc.firmware_bridge.drivers.bus_config import BusConfig, parse_config
from reflexarc.robot.config import MAX_SPEED_MPS, ConfigError, RobotConfig, load_config


@pytest.fixture
def yaml_file(tmp_path: Path) -> Path:
    return tmp_path / "robot.yaml"


def test_an_empty_file_is_the_default_rover_with_limits_on(yaml_file: Path) -> None:
    yaml_file.write_text("")
    config = load_config(yaml_file)
    assert config == RobotConfig()
    assert config.limits.speed_mps < MAX_SPEED_MPS
    # 1440 counts on pi x 65 mm
    assert config.geometry.counts_per_m == pytest.approx(7051.8, abs=0.1)


def test_a_whole_file(yaml_file: Path) -> None:
    yaml_file.write_text(
        "name: courier\n"
        "board: {port: /dev/ttyUSB0}\n"
        "limits: {speed_mps: 0.2}\n"
        "reflexes:\n"
        "  - {event: digit_seen, value: 3, hold_s: 0.2, actions: [{do: move, distance_m: 0.3}]}\n"
    )
    config = load_config(yaml_file)
    assert config.board.port == "/dev/ttyUSB0"
    assert config.reflexes[0].title == "digit_seen 3"


@pytest.mark.parametrize(
    "text, message",
    [
        ("limts: {}", "unknown key limts in .*; did you mean limits?"),
        ("limits: {sped_mps: 1}", "unknown key limits.sped_mps .*did you mean speed_mps?"),
        (
            "board: {colour: red}",
            "expected one of driver, port, baudrate, options; .*remove it",
        ),
        ("servos: {driver: feetech, port: x, ids: {pan: 1}, limit_deg: {}}", "mean limits_deg?"),
        (
            "servos: {driver: feetech, port: x, ids: {pan: 300}}",
            "servos.ids.pan: .* 252; found 300",
        ),
        ("servos: {driver: feetech, port: x, ids: {pan: 1, tilt: 1}}", "an id of its own"),
        ("servos: {port: x, ids: {pan: 1}}", "servos.driver: Field required"),
        (
            "reflexes: [{event: digit_seen, value: 3, hold: 1, actions: [{do: move}]}]",
            "reflexes.0.hold .*did you mean hold_s?",
        ),
        (
            "reflexes: [{event: digit_seen, value: 3, actions: [{do: move, distance: 1}]}]",
            "expected one of do, distance_m; .*did you mean distance_m?",
        ),
        ("limits: {speed_mps: 3}", "less than or equal to 0.8; found 3 .*hard maxima"),
        ("limits: {acceleration_mps2: 99}", "less than or equal to 3; found 99 .*hard maxima"),
        ("limits: {frame_stale_s: .inf}", "less than or equal to 2; found inf"),
        ("limits: {speed_mps: .nan}", "limits.speed_mps: .*; found nan"),
        ("limits: {speed_mps: fast}", "a valid number.*; found 'fast'"),
        ("[1, 2]", r"expected the file: .*; found \[1, 2\]"),
        ("a: [", "expected YAML; found .* line 1"),
    ],
)
def test_a_wrong_file_is_explained_in_one_line(yaml_file: Path, text: str, message: str) -> None:
    yaml_file.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(yaml_file)
    assert "\n" not in str(caught.value)


def test_the_drivers_get_what_the_file_says_about_them(yaml_file: Path) -> None:
    yaml_file.write_text(
        "board: {driver: hexapod, port: /dev/ttyS0, options: {legs: 6}}\n"
        "servos:\n"
        "  driver: dynamixel\n"
        "  port: /dev/ttyUSB1\n"
        "  ids: {pan: 1, tilt: 2}\n"
        "  limits_deg: {tilt: [-30, 45]}\n"
    )
    config = load_config(yaml_file)
    assert config.servos is not None
    assert config.board.driver == "hexapod"
    assert config.board.settings() == {"port": "/dev/ttyS0", "legs": 6}
    assert config.servos.settings() == {
        "port": "/dev/ttyUSB1",
        "ids": {"pan": 1, "tilt": 2},
        "limits_deg": {"tilt": (-30.0, 45.0)},
    }
    # And it takes them.
    parse_config(BusConfig, config.servos.settings(), "dynamixel")


def test_without_a_word_the_board_is_the_rover_and_has_the_servos() -> None:
    config = RobotConfig()
    assert config.board.driver == "rover"
    assert config.servos is None
    assert config.board.settings() == {}


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"robot.yaml.*No such file.*check the path"):
        load_config(tmp_path / "robot.yaml")


def test_a_file_that_is_not_text(yaml_file: Path) -> None:
    yaml_file.write_bytes(b"\xff\xfe\x00binary")
    with pytest.raises(ConfigError, match="expected a robot.yaml"):
        load_config(yaml_file)


def test_the_example_is_valid() -> None:
    example = Path(__file__).resolve().parents[2] / "launch" / "robot.yaml"
    assert len(load_config(example).reflexes) == 10


def test_the_examples_commented_servos_are_valid(yaml_file: Path) -> None:
    example = Path(__file__).resolve().parents[2] / "launch" / "robot.yaml"
    lines = example.read_text().splitlines()
    start = lines.index("# servos:")
    commented = [line[2:] for line in lines[start:] if line.startswith("#")]
    yaml_file.write_text("\n".join(commented))
    servos = load_config(yaml_file).servos
    assert servos is not None
    assert set(servos.ids) == {"pan", "tilt", "gripper"}
