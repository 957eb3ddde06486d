"""One suite over every servo driver: the rover's own servos and both families of bus
servos keep the same promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from servo_line import ServoLine

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.build import FirmwareImage
from reflexarc.firmware_bridge.drivers import ServoError, Servos, Wheels, open_driver
from reflexarc.firmware_bridge.drivers.sim import SimulatedRover
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.firmware_bridge.errors import BoardError, LinkLostError

# The firmware counts in tenths of a degree, bus servos in 4096ths of a turn.
RESOLUTION = 0.1


@dataclass
class Rig:
    """An opened driver, and its surroundings."""

    servos: Servos
    pass_time: Callable[[float], object]
    """Seconds of the servos' own time."""
    holds: Callable[[], dict[str, bool]]
    """Which servos have torque."""
    unplug: Callable[[], None]
    replug: Callable[[], None]

    def settle(self) -> None:
        """Time for any move, while the host goes on talking."""
        for _ in range(10):
            self.pass_time(0.2)
            self.servos.servo_angles()


def pulses(servos: Any, emulator: EmulatedBoard) -> dict[str, bool]:
    """Which servos get pulses, as the firmware says; on the pins its own tests look."""
    emulator.wait(0.15)
    try:
        angles = servos.servo_angles()
    except BoardError:  # It is closed: ask as somebody else.
        with Board.connect(emulator.port) as board:
            angles = board.read_state().servos
    return {name: angle is not None for name, angle in angles.items()}


def on_emulator(servos: Any, emulator: EmulatedBoard) -> Rig:
    return Rig(
        servos,
        emulator.wait,
        lambda: pulses(servos, emulator),
        emulator.unplug,
        emulator.replug,
    )


def rover_rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    firmware: FirmwareImage = request.getfixturevalue("firmware")
    with EmulatedBoard(firmware) as emulator:
        yield on_emulator(open_driver("rover", {"port": emulator.port}), emulator)


def sim_rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    opened = open_driver("sim", {})
    assert isinstance(opened, SimulatedRover)
    yield on_emulator(opened, opened.emulator)


def bus_rig(name: str) -> Callable[[pytest.FixtureRequest], Iterator[Rig]]:
    def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
        line: ServoLine = request.getfixturevalue(f"{name}_line")
        ids = {"pan": 1, "tilt": 2, "gripper": 3}
        settings = {"port": str(line.path), "ids": ids, "limits_deg": {"gripper": [0, 70]}}

        def holds() -> dict[str, bool]:
            return {
                servo: line.servos[number - 1].torque  # type: ignore[attr-defined]
                for servo, number in ids.items()
            }

        yield Rig(open_driver(name, settings), line.advance, holds, line.unplug, line.replug)

    return rig


RIGS = {
    "rover": rover_rig,
    "sim": sim_rig,
    "feetech": bus_rig("feetech"),
    "dynamixel": bus_rig("dynamixel"),
}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    for opened in RIGS[request.param](request):
        try:
            yield opened
        finally:
            opened.servos.close()


def test_it_is_what_it_says(rig: Rig) -> None:
    assert isinstance(rig.servos, Servos)
    assert set(rig.servos.names) == {"pan", "tilt", "gripper"}
    assert isinstance(rig.servos, Wheels) == hasattr(rig.servos, "board")


def test_all_are_limp_at_first(rig: Rig) -> None:
    assert rig.holds() == {"pan": False, "tilt": False, "gripper": False}


def test_set_and_read_back(rig: Rig) -> None:
    applied = rig.servos.set_servos({"pan": 25.0, "tilt": -15.0})
    assert applied == pytest.approx({"pan": 25, "tilt": -15}, abs=RESOLUTION)
    assert rig.holds() == {"pan": True, "tilt": True, "gripper": False}
    rig.settle()
    angles = rig.servos.servo_angles()
    assert angles["pan"] == pytest.approx(applied["pan"], abs=RESOLUTION)
    assert angles["tilt"] == pytest.approx(applied["tilt"], abs=RESOLUTION)


def test_only_the_named_ones_change(rig: Rig) -> None:
    rig.servos.set_servos({"pan": 25.0, "gripper": 40.0})
    rig.servos.set_servos({"gripper": 10.0})
    rig.settle()
    angles = rig.servos.servo_angles()
    assert angles["pan"] == pytest.approx(25, abs=RESOLUTION)
    assert angles["gripper"] == pytest.approx(10, abs=RESOLUTION)


@pytest.mark.parametrize("far", [1e6, -1e6])
def test_clamped_and_said_so(rig: Rig, far: float) -> None:
    applied = rig.servos.set_servos({"pan": far, "gripper": far})
    assert abs(applied["pan"]) <= 90
    assert abs(applied["gripper"]) <= 90
    assert applied["gripper"] * far >= 0
    assert applied["pan"] * far > 0
    rig.settle()
    angles = rig.servos.servo_angles()
    assert angles["pan"] == pytest.approx(applied["pan"], abs=RESOLUTION)
    assert angles["gripper"] == pytest.approx(applied["gripper"], abs=RESOLUTION)


def test_what_cannot_be_meant_moves_nothing(rig: Rig) -> None:
    with pytest.raises(ServoError, match="did you mean gripper"):
        rig.servos.set_servos({"pan": 10, "griper": 1})
    with pytest.raises(ServoError, match="an angle for tilt; found nan"):
        rig.servos.set_servos({"pan": 10, "tilt": float("nan")})
    assert not any(rig.holds().values())


def test_release(rig: Rig) -> None:
    rig.servos.set_servos({"pan": 10, "tilt": 10, "gripper": 10})
    rig.servos.release_servos(["tilt"])
    assert rig.holds() == {"pan": True, "tilt": False, "gripper": True}
    rig.servos.release_servos()
    assert not any(rig.holds().values())
    rig.servos.set_servos({"tilt": 5})
    assert rig.holds() == {"pan": False, "tilt": True, "gripper": False}


def test_close_releases_and_may_be_called_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.servos.set_servos({"pan": 10, "tilt": 10})
    released: list[bool] = []
    if isinstance(rig.servos, SimulatedRover):
        # Its emulator ends with it: look in between.
        end = rig.servos.emulator.close

        def look_first() -> None:
            released.extend(rig.holds().values())
            end()

        monkeypatch.setattr(rig.servos.emulator, "close", look_first)
        rig.servos.close()
        monkeypatch.undo()
    else:
        rig.servos.close()
        released.extend(rig.holds().values())
    assert released == [False] * 3
    rig.servos.close()
    with pytest.raises(ReflexarcError):
        rig.servos.set_servos({"pan": 0})


def test_a_lost_line_is_an_error_and_comes_back(rig: Rig) -> None:
    rig.servos.set_servos({"pan": 10})
    rig.unplug()
    with pytest.raises(LinkLostError):
        rig.servos.set_servos({"pan": 20})
    rig.replug()
    for _ in range(100):
        try:
            applied = rig.servos.set_servos({"pan": -20})
            break
        except ReflexarcError:
            rig.pass_time(0.05)
    assert applied == pytest.approx({"pan": -20}, abs=RESOLUTION)
    rig.settle()
    assert rig.servos.servo_angles()["pan"] == pytest.approx(-20, abs=RESOLUTION)
