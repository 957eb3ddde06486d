"""The digit courier: cards are held up, reflexes drive the emulated robot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reflexarc.cli.demo.cards import CardCamera
from reflexarc.cli.demo.latency import Sample
from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard
from reflexarc.firmware_bridge.emulator.records import Trace
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.overlay import draw
from reflexarc.perception.tasks import Task
from reflexarc.robot.actions import Move
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.events import Event
from reflexarc.robot.reflexes import Reflex
from reflexarc.robot.robot import Robot

METRES_PER_DIGIT = 0.1
_READ_TIMEOUT_S = 2.0
_DRIVE_TIMEOUT_S = 20.0
_BLANK_S = 0.15  # the rule must see the card gone before the next appearance counts

Digit = npt.NDArray[np.uint8]


@dataclass
class Drive:
    """One card and what came of it.

    Attributes:
        digit: what the card shows.
        seen: what the robot read; None when it read nothing.
        wanted_m: where the rule sends it.
        measured_m: what the encoders say it rolled.
        rolled_m: what the wheels of the emulated body really rolled.
        picture: the frame that fired the rule, with the reading drawn in, RGB.
        size: area of the digit's box in it, square pixels.
        trace: motor drive on the pins and bytes of the link meanwhile.
        sample: frame-to-pins latency; None when nothing had to move.
    """

    digit: int
    wanted_m: float
    seen: int | None = None
    measured_m: float | None = None
    rolled_m: float = 0.0
    picture: npt.NDArray[np.uint8] | None = None
    size: float = 0.0
    trace: Trace = field(default_factory=lambda: Trace([], [], [], 0))
    sample: Sample | None = None

    @property
    def error(self) -> float:
        """Share by which the measured distance is off; of an unwanted metre for digit 0."""
        if self.measured_m is None:
            return float("inf")
        return abs(self.measured_m - self.wanted_m) / (self.wanted_m or 1.0)


def rules(metres_per_digit: float, hold_s: float = 0.1) -> tuple[Reflex, ...]:
    """ "digit n: drive n x `metres_per_digit`", for the ten digits."""
    return tuple(
        Reflex(
            name=f"digit {n}: drive {n * metres_per_digit:.2g} m",
            event="digit_seen",
            value=n,
            hold_s=hold_s,
            cooldown_s=0.1,
            actions=(Move(distance_m=round(n * metres_per_digit, 3)),),
        )
        for n in range(10)
    )


def courier(
    config: RobotConfig,
    task: Task,
    emulator: EmulatedBoard,
    cards: Sequence[tuple[int, Digit]],
    *,
    seed: int,
    step: Callable[[Drive], None] = lambda drive: None,
) -> list[Drive]:
    """Hold up one card after the other and let the robot drive each.

    Args:
        config: its reflexes must be `rules(...)`.
        cards: the digit and its picture, uint8 (28, 28), light on black.
        seed: of the places and sizes of the cards.
        step: is told of each finished drive.

    Raises:
        ReflexarcError: camera, link or emulator failed.
    """
    camera = CardCamera(seed)
    watch = _Watch()
    distances = {rule.value: _distance(rule) for rule in config.reflexes}
    drives: list[Drive] = []
    failures: list[BaseException] = []

    def show_cards() -> None:
        """The person with the cards; the main thread is the robot's eyes."""
        try:
            for digit, picture in cards:
                drive = Drive(digit, distances[digit])
                emulator.trace()
                before = emulator.status().encoder
                watch.begin()
                camera.show(picture)
                if watch.read.wait(_READ_TIMEOUT_S):
                    watch.ended.wait(_DRIVE_TIMEOUT_S)
                    # An action of no length ends before its frame comes back.
                    watch.drawn.wait(_READ_TIMEOUT_S)
                camera.show(None)
                _fill(drive, watch, emulator, before, config.geometry.counts_per_m)
                drives.append(drive)
                step(drive)
                emulator.wait(_BLANK_S)
        except BaseException as error:
            failures.append(error)
        finally:
            camera.close()

    with Board.connect(emulator.port) as board:
        person = threading.Thread(target=show_cards, name="cards", daemon=True)
        person.start()
        try:
            with Robot(
                config,
                board,
                make_task=lambda name: task,
                on_event=watch.event,
                on_observation=watch.saw,
            ) as robot:
                robot.see(camera)
        finally:
            camera.close()
            watch.read.set()
            watch.ended.set()
            watch.drawn.set()
            person.join(timeout=5.0)
    if failures:
        raise failures[0]
    return drives


class _Watch:
    """Collects what the robot tells about one card."""

    def __init__(self) -> None:
        self.read = threading.Event()
        self.ended = threading.Event()
        self.drawn = threading.Event()
        self.begin()

    def begin(self) -> None:
        self.read.clear()
        self.ended.clear()
        self.drawn.clear()
        self.fired: Event | None = None
        self.started: Event | None = None
        self.result: Event | None = None
        self.picture: npt.NDArray[np.uint8] | None = None

    def event(self, event: Event) -> None:
        if event.kind == "fired":
            self.fired = event
            self.read.set()
        elif event.kind == "started":
            self.started = event
        elif event.kind in ("finished", "failed"):
            self.result = event
            self.ended.set()

    def saw(self, frame: Frame, observation: Observation) -> None:
        firing = self.fired.firing if self.fired else None
        if firing and firing.observation is observation:
            self.picture = draw(frame.image, [observation])
            self.drawn.set()


def _fill(
    drive: Drive,
    watch: _Watch,
    emulator: EmulatedBoard,
    before: tuple[int, int],
    counts_per_m: float,
) -> None:
    status = emulator.status()
    drive.trace = emulator.trace()
    drive.rolled_m = sum(status.encoder[i] - before[i] for i in (0, 1)) / 2 / counts_per_m
    drive.picture = watch.picture
    if watch.fired and watch.fired.firing and watch.fired.firing.observation:
        drive.seen = watch.fired.firing.rule.value
        box = watch.fired.firing.observation.detections[0].box
        drive.size = box.width * box.height
    if watch.result and watch.result.kind == "finished" and watch.result.travel:
        drive.measured_m = watch.result.travel.distance_m
    if watch.started and watch.started.stations:
        drive.sample = Sample.of(watch.started.stations, drive.trace, status)


def _distance(rule: Reflex) -> float:
    (action,) = rule.actions
    if not isinstance(action, Move):
        raise ReflexarcError(
            expected="rules that drive", found=rule.title, remedy="use courier.rules"
        )
    return action.distance_m


__all__ = ["CPU_HZ", "METRES_PER_DIGIT", "Drive", "courier", "rules"]
