"""The robot's core against the real firmware on the emulated chip."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard
from reflexarc.perception import Box, Detection, Frame, Observation
from reflexarc.robot import loop
from reflexarc.robot.actions import Action, Move, Stop, Turn
from reflexarc.robot.config import Reflex, RobotConfig
from reflexarc.robot.controller import Event


class Told:
    """A task that says the digit it is told to see; the rest of the robot is real."""

    def __init__(self) -> None:
        self.digit: int | None = None

    def process(self, frame: Frame) -> Observation:
        box = Box(0, 0, 20, 20)
        found = () if self.digit is None else (Detection(str(self.digit), 1.0, box),)
        return Observation(frame.stamp_ns, frame.seq, frame.source, "digits", found)


class Robot:
    """`loop.run` in a thread, with a camera that shows nothing in particular."""

    def __init__(self, board: Board, *rules: Reflex) -> None:
        self.events: list[Event] = []
        self.eyes = Told()
        self.error: ReflexarcError | None = None
        self.blind = threading.Event()
        self._over = threading.Event()
        self._news = threading.Condition()
        config = RobotConfig(reflexes=rules)
        self.counts_per_m = config.geometry.counts_per_m

        def live() -> None:
            try:
                loop.run(config, self._frames(), self.eyes, board, on_event=self._hear)
            except ReflexarcError as error:
                self.error = error

        self.thread = threading.Thread(target=live, daemon=True)

    def _frames(self) -> Iterator[Frame]:
        image = np.zeros((4, 4, 3), np.uint8)
        number = 0
        while not self._over.wait(0.02):
            if not self.blind.is_set():
                yield Frame(image, time.monotonic_ns(), number, "test")
                number += 1

    def _hear(self, event: Event) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def wait_for(self, kind: str, timeout: float = 30.0) -> Event:
        with self._news:
            assert self._news.wait_for(lambda: any(e.kind == kind for e in self.events), timeout)
            return next(e for e in self.events if e.kind == kind)

    def __enter__(self) -> Robot:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.thread.join(5)
        assert not self.thread.is_alive()


def on_digit(value: int, *actions: Action, hold_s: float = 0.0) -> Reflex:
    return Reflex(event="digit_seen", value=value, hold_s=hold_s, cooldown_s=0, actions=actions)


def rolled(emulator: EmulatedBoard, before: tuple[int, int], counts_per_m: float) -> list[float]:
    """What the emulated wheels really rolled, left and right, in metres."""
    now = emulator.status().encoder
    return [(a - b) / counts_per_m for a, b in zip(now, before, strict=True)]


@pytest.mark.parametrize("distance", [0.1, -0.25, 0.6])
def test_a_seen_digit_moves_the_body_by_its_distance(
    emulator: EmulatedBoard, board: Board, distance: float
) -> None:
    with Robot(board, on_digit(3, Move(distance_m=distance))) as robot:
        robot.eyes.digit = 3
        done = robot.wait_for("finished")
        assert done.travel
        assert done.travel.distance_m == pytest.approx(distance, rel=0.05)
        body = rolled(emulator, (0, 0), robot.counts_per_m)
        assert body == pytest.approx([distance, distance], rel=0.05)


def test_a_turn_rolls_the_wheels_apart(emulator: EmulatedBoard, board: Board) -> None:
    with Robot(board, on_digit(3, Turn(angle_deg=90))) as robot:
        robot.eyes.digit = 3
        robot.wait_for("finished")
        left, right = rolled(emulator, (0, 0), robot.counts_per_m)
    assert math.degrees((right - left) / 0.15) == pytest.approx(90, abs=2)
    assert left == pytest.approx(-right, abs=0.002)


def test_a_stop_reflex_ends_a_move_and_the_pins_are_quiet(
    emulator: EmulatedBoard, board: Board
) -> None:
    rules = (on_digit(9, Move(distance_m=5.0)), on_digit(0, Stop()))
    with Robot(board, *rules) as robot:
        robot.eyes.digit = 9
        robot.wait_for("started")
        emulator.wait(0.4)
        robot.eyes.digit = 0
        assert robot.wait_for("failed").text == "stopped by a reflex"
        robot.wait_for("finished")
        assert emulator.wait(0.05).duty == (0, 0)


def test_a_camera_that_falls_silent_stops_the_move(emulator: EmulatedBoard, board: Board) -> None:
    with Robot(board, on_digit(9, Move(distance_m=5.0))) as robot:
        robot.eyes.digit = 9
        robot.wait_for("started")
        emulator.wait(0.3)
        assert emulator.status().duty != (0, 0)
        robot.blind.set()
        assert robot.wait_for("failed").text == "no new frame"
        assert emulator.wait(0.05).duty == (0, 0)


def test_an_empty_battery_stops_the_move(emulator: EmulatedBoard, board: Board) -> None:
    with Robot(board, on_digit(9, Move(distance_m=5.0))) as robot:
        robot.eyes.digit = 9
        robot.wait_for("started")
        emulator.set_battery(6.1)
        assert robot.wait_for("failed").text.startswith("battery at 6.")
        assert emulator.wait(0.05).duty == (0, 0)


def test_a_chip_that_restarts_ends_the_run_with_motors_off(
    emulator: EmulatedBoard, board: Board
) -> None:
    with Robot(board, on_digit(9, Move(distance_m=5.0))) as robot:
        robot.eyes.digit = 9
        robot.wait_for("started")
        emulator.wait(0.3)
        emulator.reset()
        robot.thread.join(10)
        assert robot.error is not None
        assert "started again" in str(robot.error)
    assert emulator.wait(0.05).duty == (0, 0)


def test_a_pulled_cable_ends_the_run_and_the_pins_within_310_ms(
    emulator: EmulatedBoard, board: Board
) -> None:
    with Robot(board, on_digit(9, Move(distance_m=5.0))) as robot:
        robot.eyes.digit = 9
        robot.wait_for("started")
        pulled = emulator.wait(0.4)
        assert pulled.duty != (0, 0)
        emulator.unplug()
        later = emulator.wait(0.5)
        robot.thread.join(10)
    assert robot.error is not None
    assert later.duty == (0, 0)
    assert max(later.last_edge_cycle) - later.last_rx_cycle <= 0.310 * CPU_HZ


def card(digit: np.ndarray) -> np.ndarray:
    frame = np.full((240, 320, 3), 120, np.uint8)
    frame[50:190, 90:230] = cv2.resize(digit, (140, 140))[..., None]
    return frame


def test_killing_the_whole_robot_stops_the_pins_within_310_ms(
    emulator: EmulatedBoard, tmp_path: Path, mnist: object
) -> None:
    """`reflexarc run` sees a 9, drives off, and is killed in mid-move."""
    nine = mnist.test_images[mnist.test_labels == 9][0]  # type: ignore[attr-defined]
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(400):
        cv2.imwrite(str(frames / f"{number:03}.png"), card(nine))
    (tmp_path / "robot.yaml").write_text(
        "reflexes: [{event: digit_seen, value: 9, actions: [{do: move, distance_m: 5}]}]"
    )
    command = [sys.executable, "-m", "reflexarc.cli", "run", str(tmp_path / "robot.yaml")]
    command += ["--source", str(frames), "--port", emulator.port]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as robot:
        try:
            while emulator.status().speed[0] < 1500:
                assert robot.poll() is None, "it ended before it moved"
                time.sleep(0.01)
        finally:
            robot.send_signal(signal.SIGKILL)
    killed = emulator.status()
    later = emulator.wait(0.5)
    assert later.duty == (0, 0)
    assert max(later.last_edge_cycle) - killed.cycle <= 0.310 * CPU_HZ
    assert max(later.last_edge_cycle) - later.last_rx_cycle <= 0.310 * CPU_HZ
    assert later.speed == pytest.approx((0, 0), abs=1)
