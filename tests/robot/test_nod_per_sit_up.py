"""Said once, then done for every repetition: eyes, net, rule, gate, firmware, pin."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.build import FirmwareImage
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard
from reflexarc.perception import Frame
from reflexarc.perception.cameras import open_camera
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.planners.opening import open_planner
from reflexarc.robot.reflexes import RuleBook
from reflexarc.robot.robot import Robot
from reflexarc.robot.session import Session

SPEED = 2.0
"""Emulated seconds a second: the clip and the chip live faster, both alike."""
TILT_PIN = "B2"
SAID = "nod every time I finish a sit-up"


@pytest.fixture
def emulator(firmware: FirmwareImage) -> Iterator[EmulatedBoard]:
    with EmulatedBoard(firmware, speed=SPEED) as running:
        yield running


class Pin:
    """The head's tilt, from the edges on its pin."""

    def __init__(self, emulator: EmulatedBoard) -> None:
        self._emulator = emulator
        self._rose: int | None = None
        self.degrees: list[tuple[float, float]] = []
        emulator.watch(TILT_PIN)

    def take(self) -> None:
        trace = self._emulator.trace()
        assert trace.lost == 0
        for edge in trace.pins:
            if edge.high:
                self._rose = edge.cycle
            elif self._rose is not None:
                us = (edge.cycle - self._rose) * 1e6 / CPU_HZ
                self.degrees.append((edge.cycle / CPU_HZ, (us - 1500) / 10))

    def nods(self) -> list[float]:
        """When the head went down by more than 15 degrees, in emulated seconds."""
        times, was_down = [], False
        for at, degrees in self.degrees:
            if degrees < -15 and not was_down:
                times.append(at)
            was_down = degrees < -15 or (was_down and degrees < -5)
        return times


def test_one_nod_for_each_repetition_until_it_is_forgotten(
    emulator: EmulatedBoard, board: Board, shared_data: Path
) -> None:
    clip = shared_data / "situps" / "sport_with_ai_situp.gif"
    config, book = RobotConfig(), RuleBook()
    counts: list[tuple[float, int]] = []

    def note(frame: Frame, observation: object) -> None:
        count = observation.counts["sit_ups"]  # type: ignore[attr-defined]
        if count != (counts[-1][1] if counts else 0):
            counts.append((emulator.status().seconds, count))

    with (
        Robot(config, board, book=book, on_observation=note) as robot,
        open_camera(f"{clip}?loop=1") as camera,
    ):
        session = Session(config, open_planner("parser"), robot.controller, book)
        reply = session.hear(SAID)
        assert reply.text == "Whenever a sit-up is finished: nod."
        pin = Pin(emulator)
        start_s = stamp_ns = None

        def frames() -> Iterator[Frame]:
            """At the clip's own rate, on the chip's clock."""
            nonlocal start_s, stamp_ns
            for frame in camera:
                if stamp_ns is None or start_s is None:
                    start_s, stamp_ns = emulator.status().seconds, frame.stamp_ns
                at_s = start_s + (frame.stamp_ns - stamp_ns) * 1e-9
                while emulator.status().seconds < at_s:
                    time.sleep(0.002)
                pin.take()
                yield frame
                if counts and counts[-1][1] == 3 and emulator.status().seconds > counts[-1][0] + 1:
                    if book.rules():
                        pin.take()
                        assert session.hear("forget that").text.startswith("Forgotten: Whenever")
                elif (
                    counts and counts[-1][1] == 4 and emulator.status().seconds > counts[-1][0] + 1
                ):
                    return

        # Every frame is looked at: what a busy machine drops is no matter of this test.
        robot.see(frames(), every_frame=True)
        pin.take()

    assert [count for _, count in counts] == [1, 2, 3, 4]
    nods = pin.nods()
    assert len(nods) == 3
    for nod, (counted, _) in zip(nods, counts, strict=False):
        assert -0.1 < nod - counted < 1
    assert pin.degrees[-1][1] == pytest.approx(0, abs=1)
